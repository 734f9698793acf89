//! S9: every show command is answered at any moment, in text as well, and changes nothing.
//!
//! A question costs as much as hundreds of turns. So one router answers one command now and then, other ones in
//! every run, and in the course of many runs all commands meet all kinds of moments. That nothing changes is looked at now and then: `query` takes the engine
//! by shared reference, and engines have no interior mutability to hide a change in.

use super::s8_discarded::state;
use super::{Checker, Verdict};
use crate::node::Node;
use crate::scenario::Daemon;
use crate::world::World;
use ospf_proto::api::{DatabaseKind, Extent, Request as Ospf};
use rib::api::Request as Rib;
use rib::message::Protocol;
use routing_common::id::{RouterId, Vrid};
use routing_common::time::Instant;
use vrrp_proto::api::Request as Vrrp;

/// A question is asked every so many sweeps, and more seldom in the long rest of a long run.
const PAUSE: usize = 4;
const LONG_PAUSE: usize = 256;
const LIVELY: usize = 400;
/// One in so many questions also looks for changes.
const LOOKS: usize = 16;

/// The law.
#[derive(Debug, Default)]
pub(super) struct Queries {
    sweeps: usize,
}

/// One question, and in the course of many all.
fn ask(node: &Node, now: Instant, router_id: RouterId, turn: usize) -> Verdict {
    match turn % 4 {
        0 | 1 => {
            let requests = ospf_requests(router_id);
            ask_ospf(node, now, &requests[(turn / 4 * 2 + turn % 4) % requests.len()])
        }
        2 => {
            let requests = rib_requests();
            ask_rib(node, now, &requests[turn / 4 % requests.len()])
        }
        _ => {
            let vrid = None::<Vrid>;
            let requests = [
                Vrrp::Routers { interface: None, vrid },
                Vrrp::Summary { interface: None, vrid },
                Vrrp::History { interface: None, vrid },
            ];
            ask_vrrp(node, now, &requests[turn / 4 % requests.len()])
        }
    }
}

/// All commands of ospfd.
fn ospf_requests(router_id: RouterId) -> Vec<Ospf> {
    let database = |kind, router, own| Ospf::Database {
        kind,
        link_state_id: None,
        advertising_router: router,
        self_originate: own,
    };
    let neighbors = [false, true].map(|detail| Ospf::Neighbors { filter: None, detail });
    let kinds = DatabaseKind::ALL.map(|kind| database(Some(kind), None, false));
    let databases =
        [database(None, None, false), database(None, Some(router_id), false), database(None, None, true)];
    let plain = [
        Ospf::Summary,
        Ospf::Interfaces { name: None },
        Ospf::DatabaseMaxAge,
        Ospf::Routes,
        Ospf::RouteDetail,
        Ospf::BorderRouters,
        Ospf::ReachableRouters,
        Ospf::Traffic { name: None },
        Ospf::Vrfs,
        Ospf::Events,
        Ospf::SpfLog,
        Ospf::FastReroute,
        Ospf::KeyChains { name: None },
        Ospf::PrefixLists { name: None, extent: Extent::default() },
        Ospf::AccessLists { name: None },
        Ospf::RouteMaps { name: None },
        Ospf::DatabaseDetail { link_state_id: None, advertising_router: None, self_originate: false },
    ];
    neighbors.into_iter().chain(kinds).chain(databases).chain(plain).collect()
}

/// All commands of ribd.
fn rib_requests() -> Vec<Rib> {
    let prefix = Some(routing_common::prefix::default_route());
    let protocols = [None, Some(Protocol::Ospf), Some(Protocol::Static), Some(Protocol::Connected)];
    let routes = protocols.map(|protocol| Rib::Routes { protocol, prefix: None, longer: false });
    let within = Rib::Routes { protocol: None, prefix, longer: true };
    let prefix = routing_common::prefix::default_route();
    let plain = [
        within,
        Rib::Fib { prefix: None },
        Rib::FailedRoutes,
        Rib::Why { prefix },
        Rib::NextHopTracking,
        Rib::Statics,
        Rib::NextHopGroups { id: None },
        Rib::RouteSummary,
        Rib::Interfaces,
        Rib::InterfaceDetails { name: None },
        Rib::Descriptions,
        Rib::Forwarding,
        Rib::Clients,
        Rib::System,
    ];
    routes.into_iter().chain(plain).collect()
}

fn ask_ospf(node: &Node, now: Instant, request: &Ospf) -> Verdict {
    let Some(engine) = &node.ospf.engine else { return Ok(()) };
    let reply = engine.query(now, request).map_err(|text| format!("{request:?}: {text}"))?;
    match ospf_proto::api::render_text(request, &reply) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{request:?}: {error}")),
    }
}

fn ask_rib(node: &Node, now: Instant, request: &Rib) -> Verdict {
    let Some(engine) = &node.rib.engine else { return Ok(()) };
    let reply = engine.query(now, request).map_err(|text| format!("{request:?}: {text}"))?;
    match rib::api::render_text(request, &reply) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{request:?}: {error}")),
    }
}

fn ask_vrrp(node: &Node, now: Instant, request: &Vrrp) -> Verdict {
    let Some(engine) = &node.vrrp.engine else { return Ok(()) };
    let reply = engine.query(now, request).map_err(|text| format!("{request:?}: {text}"))?;
    match vrrp_proto::api::render_text(request, &reply) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{request:?}: {error}")),
    }
}

impl Checker for Queries {
    fn law(&self) -> (&'static str, &'static str) {
        ("S9", "every show command is answered at any moment and changes nothing")
    }

    fn sweep(&mut self, world: &World) -> Verdict {
        self.sweeps += 1;
        let pause = if self.sweeps < LIVELY { PAUSE } else { LONG_PAUSE };
        if !self.sweeps.is_multiple_of(pause) {
            return Ok(());
        }
        // The seed moves the beginning, so that short runs ask other questions each.
        let turn = self.sweeps / pause + world.scenario.seed as usize % 1_000;
        let place = turn % world.nodes.len();
        let node = &world.nodes[place];
        let fingerprint = || Daemon::ALL.map(|daemon| state(node, daemon));
        let before = turn.is_multiple_of(LOOKS).then(fingerprint);
        let router = RouterId(world.scenario.routers[place].loopback);
        ask(node, node.clock.local(world.now), router, turn / world.nodes.len())
            .map_err(|text| format!("{}: {text}", node.name))?;
        match before.is_some_and(|before| before != fingerprint()) {
            true => Err(format!("{}: a question changed something", node.name)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;

    #[test]
    fn every_command_is_among_those_asked_and_one_that_is_refused_breaks_it() {
        let world = ring(20);
        let now = world.nodes[0].clock.local(world.now);
        let requests = ospf_requests(RouterId(world.scenario.routers[0].loopback));
        assert_eq!(requests.len(), 31);
        assert!(requests.iter().all(|r| ask_ospf(&world.nodes[0], now, r).is_ok()));
        assert!(rib_requests().iter().all(|r| ask_rib(&world.nodes[0], now, r).is_ok()));
        let unknown = Ospf::Interfaces { name: Some("nosuch".parse().unwrap()) };
        assert!(ask_ospf(&world.nodes[0], now, &unknown).is_err());
        for turn in 0..100 {
            assert_eq!(ask(&world.nodes[0], now, RouterId(world.scenario.routers[0].loopback), turn), Ok(()));
        }
        let all = Vrrp::Routers { interface: None, vrid: None };
        assert!(ask_vrrp(&world.nodes[0], now, &all).is_ok());
    }
}
