//! IPv4 addresses of devices: reading RTM_NEWADDR, adding, refreshing and deleting.

use super::message::{Attributes, Message, Received, u32_at};
use ipnetwork::Ipv4Network;
use routing_common::id::IfIndex;
use routing_common::link::Address;
use std::time::Duration;

pub(super) const RTM_NEWADDR: u16 = 20;
pub(super) const RTM_DELADDR: u16 = 21;
const RTM_GETADDR: u16 = 22;

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;

const AF_INET: u8 = 2;
/// Length of `struct ifaddrmsg`.
const BODY: usize = 8;

const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_PROTO: u16 = 11;

const IFA_F_SECONDARY: u32 = 0x01;
const IFA_F_NOPREFIXROUTE: u32 = 0x200;

/// An address to put on a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSpec {
    /// The device.
    pub ifindex: IfIndex,
    /// Address and prefix length.
    pub network: Ipv4Network,
    /// IFA_PROTO: whose it is.
    pub protocol: u8,
    /// Make no connected route for it.
    pub no_prefix_route: bool,
    /// The kernel removes it after this time (whole seconds, rounded up) unless refreshed; `None` keeps
    /// it for ever.
    pub lifetime: Option<Duration>,
}

impl AddressSpec {
    /// A request to add it; refused with EEXIST if it is there.
    pub fn add(&self) -> Message {
        self.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// A request to add it or, if it is there, to refresh its lifetime.
    pub fn replace(&self) -> Message {
        self.request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// A request to delete it; refused with EADDRNOTAVAIL if it is not there.
    pub fn delete(&self) -> Message {
        let mut m = Message::new(RTM_DELADDR, 0, &body(self.ifindex, self.network.prefix()));
        m.attribute_ipv4(IFA_LOCAL, self.network.ip()).attribute_ipv4(IFA_ADDRESS, self.network.ip());
        m
    }

    fn request(&self, kind: u16, flags: u16) -> Message {
        let mut m = Message::new(kind, flags, &body(self.ifindex, self.network.prefix()));
        m.attribute_ipv4(IFA_LOCAL, self.network.ip()).attribute_ipv4(IFA_ADDRESS, self.network.ip());
        if self.network.prefix() <= 30 {
            m.attribute_ipv4(IFA_BROADCAST, self.network.broadcast());
        }
        let flags = if self.no_prefix_route { IFA_F_NOPREFIXROUTE } else { 0 };
        m.attribute_u32(IFA_FLAGS, flags).attribute_u8(IFA_PROTO, self.protocol);
        let seconds = self.lifetime.map_or(u32::MAX, |l| {
            let whole = l.as_secs() + u64::from(l.subsec_nanos() > 0);
            u32::try_from(whole).unwrap_or(u32::MAX).max(1)
        });
        let mut cache = [0; 16];
        cache[0..4].copy_from_slice(&seconds.to_ne_bytes()); // preferred
        cache[4..8].copy_from_slice(&seconds.to_ne_bytes()); // valid
        m.attribute(IFA_CACHEINFO, &cache);
        m
    }
}

/// A request that deletes an address the kernel told about.
pub fn delete(address: &Address) -> Message {
    let mut m = Message::new(RTM_DELADDR, 0, &body(address.ifindex, address.network.prefix()));
    m.attribute_ipv4(IFA_LOCAL, address.network.ip());
    m.attribute_ipv4(IFA_ADDRESS, address.peer.unwrap_or(address.network.ip()));
    m
}

/// A request to dump all IPv4 addresses.
pub fn dump() -> Message {
    Message::new(RTM_GETADDR, 0, &body(IfIndex(0), 0))
}

fn body(ifindex: IfIndex, prefix_length: u8) -> [u8; BODY] {
    let i = ifindex.0.to_ne_bytes();
    [AF_INET, prefix_length, 0, 0, i[0], i[1], i[2], i[3]]
}

/// What an address message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressMessage {
    /// The address is there.
    Present(Address),
    /// The address is gone.
    Gone(Address),
}

/// Reads a message; `None` if it is not about an IPv4 address, or malformed.
pub fn parse(m: &Received<'_>) -> Option<AddressMessage> {
    let &[family, prefix_length, short_flags, _scope, ..] = m.body else { return None };
    if family != AF_INET || !matches!(m.kind, RTM_NEWADDR | RTM_DELADDR) {
        return None;
    }
    let ifindex = IfIndex(u32_at(m.body, 4).filter(|&i| i != 0)?);
    let (mut local, mut other, mut flags, mut protocol) = (None, None, u32::from(short_flags), 0);
    for attribute in Attributes::after(m.body, BODY) {
        match attribute.kind {
            IFA_LOCAL => local = attribute.ipv4(),
            IFA_ADDRESS => other = attribute.ipv4(),
            IFA_FLAGS => flags = attribute.u32()?,
            IFA_PROTO => protocol = attribute.u8()?,
            _ => {}
        }
    }
    // IFA_ADDRESS is the far end on point-to-point links and repeats the local address elsewhere.
    let local = local.or(other)?;
    let address = Address {
        ifindex,
        network: Ipv4Network::new(local, prefix_length).ok()?,
        peer: other.filter(|&far| far != local),
        secondary: flags & IFA_F_SECONDARY != 0,
        no_prefix_route: flags & IFA_F_NOPREFIXROUTE != 0,
        protocol,
    };
    Some(if m.kind == RTM_NEWADDR { AddressMessage::Present(address) } else { AddressMessage::Gone(address) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::Messages;
    use proptest::prelude::*;

    #[test]
    fn what_is_asked_for_is_what_is_read() {
        let spec = AddressSpec {
            ifindex: IfIndex(9),
            network: "192.168.1.10/32".parse().unwrap(),
            protocol: 112,
            no_prefix_route: true,
            lifetime: Some(Duration::from_millis(3610)),
        };
        let mut bytes = Vec::new();
        spec.replace().write_to(&mut bytes, 1, 0, 0);
        let m = Messages::new(&bytes).next().unwrap();
        let Some(AddressMessage::Present(a)) = parse(&m) else { panic!("not read") };
        assert_eq!((a.ifindex, a.network, a.peer), (spec.ifindex, spec.network, None));
        assert_eq!((a.protocol, a.no_prefix_route, a.secondary), (112, true, false));
        let cache = Attributes::after(m.body, BODY).find(IFA_CACHEINFO).unwrap().payload;
        assert_eq!((u32_at(cache, 0), u32_at(cache, 4)), (Some(4), Some(4)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(kind in 19u16..23, body in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&Received { kind, flags: 0, sequence: 0, port: 0, body: &body });
        }
    }
}
