//! What a router knows without OSPF, and what of it it tells OSPF.

use super::{Expected, Hop, Hops, Kind, Outlet, State, Table};
use crate::scenario::{ExternalMetric, RouterIndex, Scenario};
use ipnetwork::Ipv4Network;
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// See the module text.
#[derive(Debug, Clone, Default)]
pub(super) struct Outside {
    /// Static routes that can be used.
    pub(super) statics: Table,
    /// What it announces as AS-external-LSAs.
    pub(super) announced: BTreeMap<Ipv4Network, ExternalMetric>,
}

impl Outside {
    /// That of one router; nothing without power.
    pub(super) fn of(scenario: &Scenario, state: &State, r: RouterIndex) -> Self {
        let router = &scenario.routers[r];
        let mut outside = Self::default();
        if !state.router_up[r] {
            return outside;
        }
        let mut connected = Table::new();
        if !scenario.settings.without_rib {
            connected = self::connected(scenario, state, r);
            outside.statics = statics(scenario, state, r);
        }
        if let Some(metric) = router.redistribute_connected {
            let inside = inside(scenario, state, r);
            let mine = connected.keys().filter(|network| !inside.contains(network));
            let told = mine.filter_map(|p| Some((*p, router.filter.redistributed(*p, metric)?)));
            outside.announced.extend(told);
        }
        if let Some(metric) = router.redistribute_static {
            let selected = outside.statics.keys().filter(|p| p.prefix() > 0 && !connected.contains_key(p));
            let selected: Vec<Ipv4Network> = selected.copied().collect();
            let told =
                selected.into_iter().filter_map(|p| Some((p, router.filter.redistributed(p, metric)?)));
            outside.announced.extend(told);
        }
        if let Some(default) = router.default_information
            && (default.always || outside.statics.contains_key(&prefix::default_route()))
        {
            let mapped = router.filter.mapped(prefix::default_route(), default.external);
            let told = mapped.or(default.always.then_some(default.external));
            outside.announced.extend(told.map(|external| (prefix::default_route(), external)));
        }
        outside
    }
}

/// Networks of ports that are up, and the loopback's address.
pub(super) fn connected(scenario: &Scenario, state: &State, r: RouterIndex) -> Table {
    let router = &scenario.routers[r];
    let on = |outlet| Expected {
        kind: Kind::Connected,
        cost: 0,
        type2: None,
        hops: Hops::from([Hop { outlet, gateway: None }]),
    };
    let ports = router.ports.iter().enumerate().filter(|(p, _)| state.is_up(r, *p));
    let mut table: Table =
        ports.map(|(p, port)| (prefix::canonical(port.address), on(Outlet::Port(p)))).collect();
    table.insert(prefix::host(router.loopback), on(Outlet::Loopback));
    table
}

/// Networks OSPF announces as its own.
fn inside(scenario: &Scenario, state: &State, r: RouterIndex) -> BTreeSet<Ipv4Network> {
    let router = &scenario.routers[r];
    let ports = router.ports.iter().enumerate().filter(|(p, port)| state.is_up(r, *p) && !port.without_ospf);
    let networks = ports.map(|(_, port)| prefix::canonical(port.address));
    networks.chain([prefix::host(router.loopback)]).collect()
}

fn statics(scenario: &Scenario, state: &State, r: RouterIndex) -> Table {
    let mut table = Table::new();
    for route in &scenario.routers[r].static_routes {
        let (kind, hops) = match route.via {
            None => (Kind::Blackhole, Hops::new()),
            Some(gateway) => match outlet(scenario, state, r, gateway) {
                Some(outlet) => (Kind::Static, Hops::from([Hop { outlet, gateway: Some(gateway) }])),
                None => continue,
            },
        };
        table.insert(route.prefix, Expected { kind, cost: 0, type2: None, hops });
    }
    table
}

/// The port that is up and in whose subnet this address lies.
fn outlet(scenario: &Scenario, state: &State, r: RouterIndex, gateway: Ipv4Addr) -> Option<Outlet> {
    let ports = scenario.routers[r].ports.iter().enumerate();
    let mut near = ports.filter(|(p, port)| state.is_up(r, *p) && port.address.contains(gateway));
    near.next().map(|(p, _)| Outlet::Port(p))
}
