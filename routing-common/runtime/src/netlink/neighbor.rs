//! IPv4 neighbour entries (ARP): finding and deleting those the kernel could not resolve.

use super::message::{Attributes, Message, Received, u16_at, u32_at};
use routing_common::id::IfIndex;
use std::net::Ipv4Addr;

const RTM_NEWNEIGH: u16 = 28;
const RTM_DELNEIGH: u16 = 29;
const RTM_GETNEIGH: u16 = 30;

const AF_INET: u8 = 2;
/// Length of `struct ndmsg`.
const BODY: usize = 12;

const NDA_DST: u16 = 1;
const NDA_IFINDEX: u16 = 8;

const NUD_INCOMPLETE: u16 = 0x01;

/// A request to dump the neighbours on one interface.
pub fn dump(ifindex: IfIndex) -> Message {
    let mut m = Message::new(RTM_GETNEIGH, 0, &body(IfIndex(0)));
    m.attribute_u32(NDA_IFINDEX, ifindex.0);
    m
}

/// A request to delete an entry with what waits for it; refused with ENOENT if it is not there.
pub fn delete(ifindex: IfIndex, address: Ipv4Addr) -> Message {
    let mut m = Message::new(RTM_DELNEIGH, 0, &body(ifindex));
    m.attribute_ipv4(NDA_DST, address);
    m
}

fn body(ifindex: IfIndex) -> [u8; BODY] {
    let i = ifindex.0.to_ne_bytes();
    [AF_INET, 0, 0, 0, i[0], i[1], i[2], i[3], 0, 0, 0, 0]
}

/// Interface and address of an entry that waits for an answer (NUD_INCOMPLETE); `None` for any other, and for
/// what is malformed.
pub fn incomplete(m: &Received<'_>) -> Option<(IfIndex, Ipv4Addr)> {
    if m.kind != RTM_NEWNEIGH || *m.body.first()? != AF_INET {
        return None;
    }
    let ifindex = IfIndex(u32_at(m.body, 4).filter(|&i| i != 0)?);
    if u16_at(m.body, 8)? & NUD_INCOMPLETE == 0 {
        return None;
    }
    let address = Attributes::after(m.body, BODY).find(NDA_DST)?.ipv4()?;
    Some((ifindex, address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::Messages;
    use proptest::prelude::*;

    #[test]
    fn only_entries_that_wait_are_found() {
        let address = Ipv4Addr::new(172, 16, 12, 2);
        for (state, found) in [(0x01u16, true), (0x02, false), (0x20, false), (0x40, false)] {
            let mut bytes = Vec::new();
            let mut fields = body(IfIndex(7));
            fields[8..10].copy_from_slice(&state.to_ne_bytes());
            let mut message = Message::new(RTM_NEWNEIGH, 0, &fields);
            message.attribute_ipv4(NDA_DST, address);
            message.write_to(&mut bytes, 1, 0, 0);
            let m = Messages::new(&bytes).next().unwrap();
            assert_eq!(incomplete(&m), found.then_some((IfIndex(7), address)), "{state:#x}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(kind in 27u16..31, body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = incomplete(&Received { kind, flags: 0, sequence: 0, port: 0, body: &body });
        }
    }
}
