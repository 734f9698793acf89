//! Network devices: reading RTM_NEWLINK, and the requests this suite makes (macvlans for VRRP's virtual
//! MACs, up and down, alias).

use super::message::{Attributes, Message, Received, u16_at, u32_at};
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::Link;

pub(super) const RTM_NEWLINK: u16 = 16;
pub(super) const RTM_DELLINK: u16 = 17;
const RTM_GETLINK: u16 = 18;

const NLM_F_EXCL: u16 = 0x200;
const NLM_F_CREATE: u16 = 0x400;

/// Length of `struct ifinfomsg`.
const BODY: usize = 16;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_LINKINFO: u16 = 18;
const IFLA_IFALIAS: u16 = 20;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_MACVLAN_MODE: u16 = 1;
const RTEXT_FILTER_SKIP_STATS: u32 = 8;

const IFF_UP: u32 = 0x1;
const IFF_LOOPBACK: u32 = 0x8;
const IFF_POINTOPOINT: u32 = 0x10;
const IFF_RUNNING: u32 = 0x40;
const IFF_MULTICAST: u32 = 0x1000;
const IFF_LOWER_UP: u32 = 0x1_0000;

/// How a macvlan treats the others on its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacvlanMode {
    /// It never talks to another macvlan of the same parent.
    Private,
    /// It talks to them directly.
    Bridge,
}

/// A request for the device's entry, by index.
pub fn get(ifindex: IfIndex) -> Message {
    request(RTM_GETLINK, 0, ifindex, 0, 0)
}

/// A request to dump all devices, without their counters.
pub fn dump() -> Message {
    let mut m = request(RTM_GETLINK, 0, IfIndex(0), 0, 0);
    m.attribute_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    m
}

/// Requests that make a macvlan on `parent`, admin down, with this hardware address and alias. Two
/// messages, because the kernel ignores an alias given at birth; the second refers to the name.
pub fn create_macvlan(
    name: &InterfaceName,
    parent: IfIndex,
    mac: [u8; 6],
    mode: MacvlanMode,
    alias: &str,
) -> [Message; 2] {
    let mut create = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, IfIndex(0), 0, 0);
    create.attribute_text(IFLA_IFNAME, name.as_str());
    create.attribute(IFLA_ADDRESS, &mac);
    create.attribute_u32(IFLA_LINK, parent.0);
    create.nested(IFLA_LINKINFO, |info| {
        info.attribute(IFLA_INFO_KIND, b"macvlan");
        info.nested(IFLA_INFO_DATA, |data| {
            let mode = match mode {
                MacvlanMode::Private => 1,
                MacvlanMode::Bridge => 4,
            };
            data.attribute_u32(IFLA_MACVLAN_MODE, mode);
        });
    });
    let mut tag = request(RTM_NEWLINK, 0, IfIndex(0), 0, 0);
    tag.attribute_text(IFLA_IFNAME, name.as_str());
    tag.attribute(IFLA_IFALIAS, alias.as_bytes());
    [create, tag]
}

/// A request that deletes a device; its addresses and routes go with it.
pub fn delete(ifindex: IfIndex) -> Message {
    request(RTM_DELLINK, 0, ifindex, 0, 0)
}

/// A request that sets a device administratively up or down.
pub fn set_admin(ifindex: IfIndex, up: bool) -> Message {
    request(RTM_NEWLINK, 0, ifindex, if up { IFF_UP } else { 0 }, IFF_UP)
}

/// A request that changes a device's `ifalias`; empty removes it.
pub fn set_alias(ifindex: IfIndex, alias: &str) -> Message {
    let mut m = request(RTM_NEWLINK, 0, ifindex, 0, 0);
    m.attribute(IFLA_IFALIAS, alias.as_bytes());
    m
}

/// A request that changes a device's hardware address.
pub fn set_mac(ifindex: IfIndex, mac: [u8; 6]) -> Message {
    let mut m = request(RTM_NEWLINK, 0, ifindex, 0, 0);
    m.attribute(IFLA_ADDRESS, &mac);
    m
}

fn request(kind: u16, flags: u16, ifindex: IfIndex, set: u32, mask: u32) -> Message {
    let mut body = [0; BODY];
    body[4..8].copy_from_slice(&ifindex.0.to_ne_bytes());
    body[8..12].copy_from_slice(&set.to_ne_bytes());
    body[12..16].copy_from_slice(&mask.to_ne_bytes());
    Message::new(kind, flags, &body)
}

/// What a link message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkMessage {
    /// The device is there and looks like this.
    Present(Link),
    /// The device is gone.
    Gone(IfIndex),
}

/// Reads a message; `None` if it is not about a device, or malformed.
pub fn parse(m: &Received<'_>) -> Option<LinkMessage> {
    // A bridge tells about its ports in messages of the same type but its own family; a port that
    // leaves the bridge shows there as a "deleted link" though the device stays.
    let about_device = m.body.first().is_some_and(|&family| family == 0);
    if !about_device || !matches!(m.kind, RTM_NEWLINK | RTM_DELLINK) {
        return None;
    }
    let ifindex = IfIndex(u32_at(m.body, 4).filter(|&i| i != 0)?);
    if m.kind == RTM_DELLINK {
        return Some(LinkMessage::Gone(ifindex));
    }
    let flags = u32_at(m.body, 8)?;
    u16_at(m.body, 14)?; // the fixed header is whole
    let mut link = Link {
        ifindex,
        name: Attributes::after(m.body, BODY).find(IFLA_IFNAME)?.text()?.parse().ok()?,
        admin_up: flags & IFF_UP != 0,
        running: flags & (IFF_UP | IFF_RUNNING | IFF_LOWER_UP) == (IFF_UP | IFF_RUNNING | IFF_LOWER_UP),
        loopback: flags & IFF_LOOPBACK != 0,
        point_to_point: flags & IFF_POINTOPOINT != 0,
        multicast: flags & IFF_MULTICAST != 0,
        mtu: 0,
        mac: None,
        kind: None,
        parent: None,
        alias: None,
        speed_mbps: None,
    };
    let mut elsewhere = false;
    for attribute in Attributes::after(m.body, BODY) {
        match attribute.kind {
            IFLA_ADDRESS => link.mac = attribute.payload.try_into().ok(),
            IFLA_MTU => link.mtu = attribute.u32()?,
            IFLA_LINK => link.parent = attribute.u32().filter(|&i| i != 0).map(IfIndex),
            IFLA_LINK_NETNSID => elsewhere = true,
            IFLA_IFALIAS => link.alias = attribute.text().map(str::to_owned),
            IFLA_LINKINFO => {
                link.kind = attribute.nested().find(IFLA_INFO_KIND).and_then(|k| k.text()).map(str::to_owned);
            }
            _ => {}
        }
    }
    // An index in another namespace means nothing here, and a veth does not sit on its peer.
    if elsewhere || link.kind.as_deref() == Some("veth") {
        link.parent = None;
    }
    Some(LinkMessage::Present(link))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink::message::Messages;
    use proptest::prelude::*;

    fn received(message: &Message, check: impl FnOnce(Received<'_>)) {
        let mut bytes = Vec::new();
        message.write_to(&mut bytes, 1, 0, 0);
        check(Messages::new(&bytes).next().unwrap());
    }

    #[test]
    fn a_device_is_read_and_a_bridge_port_is_not_one() {
        let mut m = request(RTM_NEWLINK, 0, IfIndex(7), IFF_UP | IFF_RUNNING | IFF_LOWER_UP, 0);
        m.attribute_text(IFLA_IFNAME, "eth1v10").attribute(IFLA_ADDRESS, &[0, 0, 0x5e, 0, 1, 10]);
        m.attribute_u32(IFLA_MTU, 9000).attribute_u32(IFLA_LINK, 3).attribute_text(IFLA_IFALIAS, "torc");
        m.nested(IFLA_LINKINFO, |i| {
            i.attribute_text(IFLA_INFO_KIND, "macvlan");
        });
        received(&m, |r| {
            let Some(LinkMessage::Present(link)) = parse(&r) else { panic!("not read") };
            assert_eq!((link.ifindex, link.name.as_str(), link.mtu), (IfIndex(7), "eth1v10", 9000));
            assert_eq!((link.parent, link.kind.as_deref()), (Some(IfIndex(3)), Some("macvlan")));
            assert!(link.running && link.admin_up && !link.loopback);
        });
        received(&delete(IfIndex(4)), |r| {
            assert_eq!(parse(&r), Some(LinkMessage::Gone(IfIndex(4))));
            let mut body = r.body.to_vec();
            body[0] = 7; // AF_BRIDGE
            assert_eq!(parse(&Received { body: &body, ..r }), None);
        });
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(kind in 15u16..19, body in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(&Received { kind, flags: 0, sequence: 0, port: 0, body: &body });
        }
    }
}
