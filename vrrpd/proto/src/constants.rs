//! Numbers the RFCs fix.

use routing_common::id::Vrid;
use std::net::Ipv4Addr;

/// IP protocol number (RFC 9568 §5.1.1.4).
pub const PROTOCOL: u8 = 112;
/// Destination of every advertisement (RFC 9568 §5.1.1.2).
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// The group's Ethernet address (RFC 1112 §6.4).
pub const GROUP_MAC: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12];
/// TTL sent and demanded (RFC 9568 §5.1.1.3).
pub const TTL: u8 = 255;
/// The priority that belongs to the owner of the address (RFC 9568 §5.2.4).
pub const OWNER_PRIORITY: u8 = 255;
/// "I stop now" (RFC 9568 §5.2.4).
pub const STOP_PRIORITY: u8 = 0;

/// Virtual_Router_MAC_Address for IPv4 (RFC 9568 §7.3).
pub fn virtual_mac(vrid: Vrid) -> [u8; 6] {
    [0x00, 0x00, 0x5e, 0x00, 0x01, vrid.get()]
}
