//! The runtime's netlink parsers, taken from their files for the reason given at [`crate::ipv4`].

#[path = "../../../routing-common/runtime/src/netlink/address.rs"]
pub mod address;
#[path = "../../../routing-common/runtime/src/netlink/link.rs"]
pub mod link;
#[path = "../../../routing-common/runtime/src/netlink/message.rs"]
pub mod message;
#[path = "../../../routing-common/runtime/src/netlink/nexthop.rs"]
pub mod nexthop;
#[path = "../../../routing-common/runtime/src/netlink/route.rs"]
pub mod route;

/// A request as the octets that leave.
pub fn octets(message: &message::Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.write_to(&mut out, 1, 0, 0);
    out
}
