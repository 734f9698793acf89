//! Netlink datagrams of the kernel.

use crate::netlink::message::{Attributes, Messages};
use crate::netlink::{address, link, nexthop, octets, route};
use routing_common::prefix;

/// Any datagram: messages and attributes lie inside it, and what is read as a route or an object can be
/// asked for again.
pub fn netlink_message(data: &[u8]) {
    let mut seen = 0;
    for message in Messages::new(data) {
        seen += message.body.len() + 16;
        assert!(seen <= data.len(), "messages longer than the datagram");
        for fixed in [4, 8, 12, 16] {
            walk(Attributes::after(message.body, fixed), message.body.len(), 0);
        }
        let _link = link::parse(&message);
        let _address = address::parse(&message);
        if let Some(change) = route::parse(&message) {
            written_again(&change.route);
        }
        if let Some(change) = nexthop::parse(&message)
            && let nexthop::ObjectContent::Group(members) = &change.content
        {
            // As many as the kernel could ever tell in one attribute.
            assert!(members.len() <= 8192);
        }
    }
}

fn walk(attributes: Attributes<'_>, room: usize, depth: usize) {
    let mut used = 0;
    for attribute in attributes {
        used += attribute.payload.len() + 4;
        assert!(used <= room, "attributes longer than what holds them");
        let (_, _, _) = (attribute.u8(), attribute.u16(), attribute.u32());
        assert!(attribute.text().is_none_or(|t| t.len() <= attribute.payload.len()));
        let _address = attribute.ipv4();
        if depth < 2 {
            walk(attribute.nested(), attribute.payload.len(), depth + 1);
        }
    }
}

fn written_again(found: &route::Route) {
    // A request holds a handful of next hops, never what a hostile dump could.
    if matches!(&found.via, route::RouteVia::NextHops(hops) if hops.len() > 256 || hops.is_empty()) {
        return;
    }
    let request = octets(&route::install(found));
    let read = Messages::new(&request).next().and_then(|m| route::parse(&m));
    if let Some(change) = read {
        // The kernel tells prefixes without host bits; what does not is written without them.
        assert_eq!(change.route.prefix, prefix::canonical(found.prefix));
        assert_eq!((change.route.protocol, change.route.metric), (found.protocol, found.metric));
    }
}
