//! IPv4 routes of table main as rtnetlink messages.
//!
//! Scope is always universe and the type of service 0, as FRR installs; with the metric that makes the
//! kernel's key (prefix, metric), so that a request with NLM_F_REPLACE has exactly one route to replace.

use super::message::{Attributes, Message, Received, u16_at, u32_at};
use ipnetwork::Ipv4Network;
use std::net::Ipv4Addr;

/// RTNLGRP_IPV4_ROUTE: the multicast group of route changes.
pub const GROUP_IPV4_ROUTE: u32 = 7;

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;

const AF_INET: u8 = 2;
const RT_TABLE_MAIN: u8 = 254;
const RTN_UNSPEC: u8 = 0;
const RTN_UNICAST: u8 = 1;
const RTN_BLACKHOLE: u8 = 6;
const RTM_F_CLONED: u32 = 0x200;

const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
const RTA_MULTIPATH: u16 = 9;
const RTA_TABLE: u16 = 15;
const RTA_NH_ID: u16 = 30;

/// RTNH_F_ONLINK: believe that the gateway is on the link.
pub(super) const RTNH_F_ONLINK: u8 = 4;

/// Length of `struct rtmsg`.
const BODY: usize = 12;
/// Length of `struct rtnexthop`.
const NEXT_HOP: usize = 8;

/// A next hop inside a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteNextHop {
    /// The neighbour; `None` when the destination is on the link.
    pub gateway: Option<Ipv4Addr>,
    /// The interface.
    pub ifindex: u32,
    /// RTNH_F_ONLINK.
    pub onlink: bool,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteVia {
    /// Type blackhole.
    Blackhole,
    /// A next-hop object.
    Object(u32),
    /// Its own next hops; several make a multipath route with equal weights.
    NextHops(Vec<RouteNextHop>),
    /// Something this module does not write.
    Other,
}

/// A route of table main.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Destination, host bits cleared.
    pub prefix: Ipv4Network,
    /// Who made it (RTPROT_*).
    pub protocol: u8,
    /// Priority: of several routes to a prefix the smallest is used.
    pub metric: u32,
    /// Where it leads.
    pub via: RouteVia,
}

/// A route change, or an entry of a dump (which reads as an addition).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// Removed, rather than added or replaced?
    pub removed: bool,
    /// The route after the change, or as it was.
    pub route: Route,
    /// The port of the socket whose request caused it.
    pub port: u32,
}

fn body(prefix_length: u8, protocol: u8, kind: u8, flags: u32) -> [u8; BODY] {
    let [a, b, c, d] = flags.to_ne_bytes();
    [AF_INET, prefix_length, 0, 0, RT_TABLE_MAIN, protocol, 0, kind, a, b, c, d]
}

/// Creates the route or replaces the one with the same prefix and metric.
pub fn install(route: &Route) -> Message {
    let (kind, flags) = match &route.via {
        RouteVia::Blackhole => (RTN_BLACKHOLE, 0),
        RouteVia::NextHops(hops) if hops.len() == 1 => (RTN_UNICAST, hop_flags(&hops[0])),
        _ => (RTN_UNICAST, 0),
    };
    let body = body(route.prefix.prefix(), route.protocol, kind, u32::from(flags));
    let mut m = Message::new(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &body);
    m.attribute_ipv4(RTA_DST, route.prefix.network()).attribute_u32(RTA_PRIORITY, route.metric);
    match &route.via {
        RouteVia::Blackhole | RouteVia::Other => {}
        RouteVia::Object(id) => {
            m.attribute_u32(RTA_NH_ID, *id);
        }
        RouteVia::NextHops(hops) => match hops.as_slice() {
            [hop] => {
                if let Some(gateway) = hop.gateway {
                    m.attribute_ipv4(RTA_GATEWAY, gateway);
                }
                m.attribute_u32(RTA_OIF, hop.ifindex);
            }
            hops => {
                m.nested(RTA_MULTIPATH, |m| hops.iter().for_each(|h| multipath_hop(m, h)));
            }
        },
    }
    m
}

fn hop_flags(hop: &RouteNextHop) -> u8 {
    if hop.onlink { RTNH_F_ONLINK } else { 0 }
}

fn multipath_hop(m: &mut Message, hop: &RouteNextHop) {
    let start = m.length();
    let [a, b, c, d] = hop.ifindex.to_ne_bytes();
    m.raw(&[0, 0, hop_flags(hop), 0, a, b, c, d]);
    if let Some(gateway) = hop.gateway {
        m.attribute_ipv4(RTA_GATEWAY, gateway);
    }
    // proof: eight octets of header and eight of gateway.
    let length = u16::try_from(m.length() - start).expect("a next hop is 16 octets at most");
    m.patch_u16(start, length);
}

/// Removes the route with this prefix, metric and protocol, wherever it leads.
pub fn remove(prefix: Ipv4Network, metric: u32, protocol: u8) -> Message {
    let mut m = Message::new(RTM_DELROUTE, 0, &body(prefix.prefix(), protocol, RTN_UNSPEC, 0));
    m.attribute_ipv4(RTA_DST, prefix.network()).attribute_u32(RTA_PRIORITY, metric);
    m
}

/// Dumps the routes of table main made by `protocol`. Kernels before 4.20 dump all: check the answers.
pub fn dump(protocol: u8) -> Message {
    Message::new(RTM_GETROUTE, 0, &body(0, protocol, RTN_UNSPEC, 0))
}

/// Reads a route change or dump entry; `None` for anything but an IPv4 route of table main.
pub fn parse(m: &Received<'_>) -> Option<RouteChange> {
    let removed = match m.kind {
        RTM_NEWROUTE => false,
        RTM_DELROUTE => true,
        _ => return None,
    };
    let body = m.body.first_chunk::<BODY>()?;
    let [family, length, _, _, table, protocol, _, kind, ..] = *body;
    if family != AF_INET || u32_at(body, 8)? & RTM_F_CLONED != 0 {
        return None;
    }
    let attributes = Attributes::after(m.body, BODY);
    let number = |kind| attributes.clone().find(kind).and_then(|a| a.u32());
    if number(RTA_TABLE).unwrap_or(u32::from(table)) != u32::from(RT_TABLE_MAIN) {
        return None;
    }
    let destination = attributes.clone().find(RTA_DST).map_or(Some(Ipv4Addr::UNSPECIFIED), |a| a.ipv4())?;
    let prefix = Ipv4Network::new(destination, length).ok()?;
    let via = match (kind, number(RTA_NH_ID), attributes.clone().find(RTA_MULTIPATH)) {
        (RTN_BLACKHOLE, ..) => RouteVia::Blackhole,
        (RTN_UNICAST, Some(id), _) => RouteVia::Object(id),
        (RTN_UNICAST, None, Some(hops)) => {
            multipath(hops.payload).map_or(RouteVia::Other, RouteVia::NextHops)
        }
        (RTN_UNICAST, None, None) => number(RTA_OIF).map_or(RouteVia::Other, |ifindex| {
            let gateway = attributes.clone().find(RTA_GATEWAY).and_then(|a| a.ipv4());
            RouteVia::NextHops(vec![RouteNextHop { gateway, ifindex, onlink: body[8] & RTNH_F_ONLINK != 0 }])
        }),
        _ => RouteVia::Other,
    };
    let route = Route { prefix, protocol, metric: number(RTA_PRIORITY).unwrap_or(0), via };
    Some(RouteChange { removed, route, port: m.port })
}

fn multipath(mut rest: &[u8]) -> Option<Vec<RouteNextHop>> {
    let mut hops = Vec::new();
    while !rest.is_empty() {
        let length = usize::from(u16_at(rest, 0)?);
        let hop = rest.get(..length).filter(|h| h.len() >= NEXT_HOP)?;
        hops.push(RouteNextHop {
            gateway: Attributes::after(hop, NEXT_HOP).find(RTA_GATEWAY).and_then(|a| a.ipv4()),
            ifindex: u32_at(hop, 4)?,
            onlink: hop[2] & RTNH_F_ONLINK != 0,
        });
        rest = rest.get((length + 3) & !3..).unwrap_or_default();
    }
    Some(hops)
}

#[cfg(test)]
mod tests {
    use super::super::message::Messages;
    use super::*;
    use proptest::prelude::*;

    fn read_back(m: &Message) -> RouteChange {
        let mut bytes = Vec::new();
        m.write_to(&mut bytes, 1, 0, 0);
        parse(&Messages::new(&bytes).next().unwrap()).unwrap()
    }

    fn hop(gateway: Option<[u8; 4]>, ifindex: u32, onlink: bool) -> RouteNextHop {
        RouteNextHop { gateway: gateway.map(Ipv4Addr::from), ifindex, onlink }
    }

    #[test]
    fn what_is_installed_is_what_is_read() {
        let many =
            vec![hop(Some([10, 0, 0, 1]), 3, false), hop(None, 4, false), hop(Some([9, 9, 9, 9]), 5, true)];
        for via in [
            RouteVia::Blackhole,
            RouteVia::Object(0x746f_0001),
            RouteVia::NextHops(vec![hop(Some([10, 0, 0, 1]), 3, true)]),
            RouteVia::NextHops(vec![hop(None, 3, false)]),
            RouteVia::NextHops(many),
        ] {
            let route = Route { prefix: "10.4.0.0/16".parse().unwrap(), protocol: 188, metric: 20, via };
            let change = read_back(&install(&route));
            assert!(!change.removed);
            assert_eq!(change.route, route);
        }
    }

    #[test]
    fn a_removal_names_prefix_metric_and_protocol() {
        let change = read_back(&remove("0.0.0.0/0".parse().unwrap(), 20, 196));
        assert!(change.removed);
        assert_eq!((change.route.metric, change.route.protocol), (20, 196));
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_panic(kind in 24u16..26, body in prop::collection::vec(any::<u8>(), 0..96)) {
            let _ = parse(&Received { kind, flags: 0, sequence: 0, port: 0, body: &body });
            let mut route = vec![AF_INET, 8, 0, 0, RT_TABLE_MAIN, 188, 0, RTN_UNICAST, 0, 0, 0, 0];
            route.extend_from_slice(&body);
            let _ = parse(&Received { kind, flags: 0, sequence: 0, port: 0, body: &route });
            let _ = multipath(&body);
        }
    }
}
