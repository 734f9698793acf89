//! Next-hop objects as rtnetlink messages (kernels from 5.3; no crate has them).
//!
//! A family of AF_INET stands for a single next hop, AF_UNSPEC for a group and for dumps. A kernel
//! without objects answers EOPNOTSUPP.

use super::message::{Attributes, Message, Received, u32_at};
use super::route::{RTNH_F_ONLINK, RouteNextHop};

/// RTNLGRP_NEXTHOP: the multicast group of changes of next-hop objects. Carrier loss is not told here:
/// the kernel drops the interface's objects without an event.
pub const GROUP_NEXTHOP: u32 = 32;

const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;
const RTM_GETNEXTHOP: u16 = 106;

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;

const AF_UNSPEC: u8 = 0;
const AF_INET: u8 = 2;

const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_BLACKHOLE: u16 = 4;
const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;

/// Length of `struct nhmsg`.
const BODY: usize = 8;
/// Length of `struct nexthop_grp`.
const MEMBER: usize = 8;

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectContent {
    /// One IPv4 next hop.
    Hop(RouteNextHop),
    /// A group of objects with equal weights.
    Group(Vec<u32>),
    /// Anything else: blackholes, other families, weighted groups.
    Other,
}

/// A change of an object, or an entry of a dump (which reads as an addition).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectChange {
    /// Removed, rather than added or replaced?
    pub removed: bool,
    /// Its number.
    pub id: u32,
    /// Who made it (RTPROT_*).
    pub protocol: u8,
    /// What it is; not told when removed.
    pub content: ObjectContent,
    /// The port of the socket whose request caused it.
    pub port: u32,
}

/// Must the object exist before it is put?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Make it; whatever has its number is replaced.
    Create,
    /// Replace it; refused with ENOENT if the kernel has dropped it meanwhile, and with it its routes.
    Replace,
}

impl Put {
    fn flags(self) -> u16 {
        match self {
            Self::Create => NLM_F_CREATE | NLM_F_REPLACE,
            Self::Replace => NLM_F_REPLACE,
        }
    }
}

fn body(family: u8, protocol: u8, flags: u8) -> [u8; BODY] {
    let [a, b, c, d] = u32::from(flags).to_ne_bytes();
    [family, 0, protocol, 0, a, b, c, d]
}

/// Makes a single next hop.
pub fn put(mode: Put, id: u32, protocol: u8, hop: &RouteNextHop) -> Message {
    let flags = if hop.onlink { RTNH_F_ONLINK } else { 0 };
    let mut m = Message::new(RTM_NEWNEXTHOP, mode.flags(), &body(AF_INET, protocol, flags));
    m.attribute_u32(NHA_ID, id).attribute_u32(NHA_OIF, hop.ifindex);
    if let Some(gateway) = hop.gateway {
        m.attribute_ipv4(NHA_GATEWAY, gateway);
    }
    m
}

/// Makes a group whose members all have weight 1.
pub fn put_group(mode: Put, id: u32, protocol: u8, members: &[u32]) -> Message {
    let mut m = Message::new(RTM_NEWNEXTHOP, mode.flags(), &body(AF_UNSPEC, protocol, 0));
    let mut list = Vec::with_capacity(members.len() * MEMBER);
    for member in members {
        list.extend_from_slice(&member.to_ne_bytes());
        // Weight minus one, padding.
        list.extend_from_slice(&[0; 4]);
    }
    m.attribute_u32(NHA_ID, id).attribute(NHA_GROUP, &list);
    m
}

/// Removes the object; the kernel removes it from groups and drops routes left without a next hop.
pub fn remove(id: u32) -> Message {
    let mut m = Message::new(RTM_DELNEXTHOP, 0, &body(AF_UNSPEC, 0, 0));
    m.attribute_u32(NHA_ID, id);
    m
}

/// Dumps all objects.
pub fn dump() -> Message {
    Message::new(RTM_GETNEXTHOP, 0, &body(AF_UNSPEC, 0, 0))
}

/// Reads a change or dump entry.
pub fn parse(m: &Received<'_>) -> Option<ObjectChange> {
    let removed = match m.kind {
        RTM_NEWNEXTHOP => false,
        RTM_DELNEXTHOP => true,
        _ => return None,
    };
    let body = m.body.first_chunk::<BODY>()?;
    let [family, _, protocol, ..] = *body;
    let attributes = Attributes::after(m.body, BODY);
    let find = |kind| attributes.clone().find(kind);
    let id = find(NHA_ID)?.u32()?;
    let content = if let Some(list) = find(NHA_GROUP) {
        group(list.payload).map_or(ObjectContent::Other, ObjectContent::Group)
    } else if let (AF_INET, None, Some(ifindex)) =
        (family, find(NHA_BLACKHOLE), find(NHA_OIF).and_then(|a| a.u32()))
    {
        let gateway = find(NHA_GATEWAY).and_then(|a| a.ipv4());
        let onlink = u32_at(body, 4)? & u32::from(RTNH_F_ONLINK) != 0;
        ObjectContent::Hop(RouteNextHop { gateway, ifindex, onlink })
    } else {
        ObjectContent::Other
    };
    Some(ObjectChange { removed, id, protocol, content, port: m.port })
}

/// The members if all have weight 1.
fn group(list: &[u8]) -> Option<Vec<u32>> {
    let (members, rest) = list.as_chunks::<MEMBER>();
    let even = rest.is_empty() && members.iter().all(|m| m[4] == 0 && m[5] == 0);
    even.then(|| members.iter().filter_map(|m| u32_at(m, 0)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::message::Messages;
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    fn read_back(m: &Message) -> ObjectChange {
        let mut bytes = Vec::new();
        m.write_to(&mut bytes, 1, 0, 0);
        parse(&Messages::new(&bytes).next().unwrap()).unwrap()
    }

    #[test]
    fn what_is_put_is_what_is_read() {
        for gateway in [None, Some(Ipv4Addr::new(10, 0, 0, 1))] {
            let hop = RouteNextHop { gateway, ifindex: 7, onlink: gateway.is_some() };
            let change = read_back(&put(Put::Create, 5, 196, &hop));
            assert_eq!((change.id, change.protocol, change.content), (5, 196, ObjectContent::Hop(hop)));
        }
        assert_eq!(
            read_back(&put_group(Put::Replace, 6, 196, &[5, 9])).content,
            ObjectContent::Group(vec![5, 9])
        );
        assert!(read_back(&remove(6)).removed);
    }

    #[test]
    fn a_weighted_group_is_not_ours() {
        assert_eq!(group(&[1, 0, 0, 0, 3, 0, 0, 0]), None);
        assert_eq!(group(&[1, 0, 0, 0, 0, 0, 0]), None);
    }

    proptest! {
        #[test]
        fn any_body_is_read_without_panic(kind in 104u16..106, body in prop::collection::vec(any::<u8>(), 0..96)) {
            let _ = parse(&Received { kind, flags: 0, sequence: 0, port: 0, body: &body });
            let _ = group(&body);
        }
    }
}
