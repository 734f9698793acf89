//! `[[static-routes]]`: the four forms of a target and the prefix they lead to.

use super::interfaces::{Interfaces, unusable};
use super::warn_if_unknown;
use crate::config::model::{StaticRoute, StaticTarget};
use crate::config::reader::{At, Origin, Section};
use crate::config::schema;
use crate::id::InterfaceName;
use crate::prefix::{Ipv4Network, canonical};
use core::ops::Range;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Reads `[[static-routes]]`; one element with several next hops becomes several routes.
pub(super) fn read(root: &Section<'_>, interfaces: &Interfaces) -> Vec<StaticRoute> {
    let mut routes = Vec::new();
    let mut seen = BTreeSet::new();
    for section in root.array("static-routes") {
        let prefix = prefix(&section);
        let targets = targets(&section, interfaces);
        let distance = u8::try_from(section.number("distance").value).unwrap_or(u8::MAX);
        let tag = section.number("tag").value;
        let Some(prefix) = prefix else { continue };
        for At { value: target, span, .. } in targets {
            let route = StaticRoute { prefix, target, distance, tag };
            if seen.insert((route.prefix, route.distance, route.target.clone())) {
                routes.push(route);
            } else {
                let message = format!("this route to {prefix} is already in the file");
                section.sink().error(span, message, "remove it, or give it another `distance`");
            }
        }
    }
    routes
}

fn prefix(section: &Section<'_>) -> Option<Ipv4Network> {
    let At { value, span, .. } = section.parsed::<Ipv4Network>("prefix");
    let prefix = value?;
    let network = canonical(prefix);
    if network != prefix {
        let message = format!("{prefix} has bits set behind the prefix length");
        section.sink().error(span, message, format!("the network is {network}"));
        return None;
    }
    let whole_table = prefix.prefix() == 0;
    let fault = unusable(prefix.ip(), false).filter(|_| !whole_table);
    if let Some(kind) = fault {
        section.sink().error(span, format!("{prefix} is {kind}"), "only unicast networks can be routed to");
        return None;
    }
    Some(prefix)
}

/// The targets one element names; empty if it names none or was refused.
fn targets(section: &Section<'_>, interfaces: &Interfaces) -> Vec<At<StaticTarget>> {
    let gateway = section.parsed::<Ipv4Addr>("next-hop");
    let interface = section.parsed::<InterfaceName>("interface");
    let blackhole = section.boolean("blackhole");
    let several = section.list("next-hops");
    let written = |o: Origin| usize::from(o != Origin::Default);
    let forms = written(gateway.origin).max(written(interface.origin))
        + usize::from(blackhole.value)
        + written(several.origin);
    if forms != 1 && blackhole.sound() {
        let message =
            if forms == 0 { "this route leads nowhere" } else { "this route has more than one target" };
        let hint = "give exactly one of: `next-hop` (with or without `interface`), `interface` alone, \
                    `next-hops`, `blackhole = true`";
        section.sink().error(section.span(), message, hint);
    }
    // Read even when there is a second target, for the mistakes inside.
    let listed = next_hops(section, interfaces, &several);
    if forms != 1 || several.origin == Origin::File {
        return listed;
    }
    if blackhole.value {
        return vec![blackhole.map(|_| StaticTarget::Blackhole)];
    }
    single(section, interfaces, gateway, interface).into_iter().collect()
}

fn next_hops(
    section: &Section<'_>,
    interfaces: &Interfaces,
    several: &At<&[toml::Spanned<toml::de::DeValue<'_>>]>,
) -> Vec<At<StaticTarget>> {
    if several.origin == Origin::File && several.value.is_empty() {
        section.sink().error(several.span.clone(), "`next-hops` is empty", "name at least one next hop");
    }
    let read = |element: &toml::Spanned<toml::de::DeValue<'_>>| {
        if let Some(text) = element.get_ref().as_str() {
            let address = section.parse(element, text, "a next hop", "IPv4 address")?;
            let at = At { value: Some(address), span: element.span(), origin: Origin::File };
            return single(section, interfaces, at, none(element.span()));
        }
        let hop = section.open(&schema::NEXT_HOP, element, element.span())?;
        let gateway = hop.parsed::<Ipv4Addr>("next-hop");
        let interface = hop.parsed::<InterfaceName>("interface");
        if gateway.origin == Origin::Default && interface.origin == Origin::Default {
            let hint = "give `next-hop`, `interface` or both";
            hop.sink().error(element.span(), "this next hop leads nowhere", hint);
            return None;
        }
        single(&hop, interfaces, gateway, interface)
    };
    several.value.iter().filter_map(read).collect()
}

fn none<T>(span: Range<usize>) -> At<Option<T>> {
    At { value: None, span, origin: Origin::Default }
}

/// A gateway, an interface or both; `None` if one of them was refused.
fn single(
    section: &Section<'_>,
    interfaces: &Interfaces,
    gateway: At<Option<Ipv4Addr>>,
    interface: At<Option<InterfaceName>>,
) -> Option<At<StaticTarget>> {
    if let Some(name) = &interface.value {
        warn_if_unknown(section, interfaces, name, interface.span.clone());
    }
    if let Some(address) = gateway.value
        && let Some((message, hint)) = gateway_fault(interfaces, address)
    {
        section.sink().error(gateway.span, message, hint);
        return None;
    }
    if !gateway.sound() || !interface.sound() {
        return None;
    }
    match (gateway.value, interface.value) {
        (Some(address), interface) => Some(At {
            value: StaticTarget::Gateway { address, interface },
            span: gateway.span,
            origin: Origin::File,
        }),
        (None, Some(name)) => {
            Some(At { value: StaticTarget::Interface(name), span: interface.span, origin: Origin::File })
        }
        (None, None) => None,
    }
}

fn gateway_fault(interfaces: &Interfaces, address: Ipv4Addr) -> Option<(String, &'static str)> {
    if let Some(kind) = unusable(address, false) {
        return Some((
            format!("next hop {address} is {kind}"),
            "a next hop is the unicast address of a neighbour",
        ));
    }
    let own = interfaces.owner_of(address)?;
    Some((
        format!("next hop {address} is this router's own address on `{own}`"),
        "name the neighbour's address",
    ))
}
