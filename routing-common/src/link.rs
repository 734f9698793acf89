//! What the kernel says about interfaces and their addresses, as values.
//!
//! The runtime's netlink monitor produces these; every engine takes them as input. The monitor turns
//! a dump (at start and after an overrun) into the same events, so an engine never sees a gap.

use crate::id::{IfIndex, InterfaceName};
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// The address protocol number (`IFA_PROTO`) that marks addresses put on by vrrpd. OSPF never makes an
/// interface or a stub link of such an address, and a later vrrpd finds its leftovers by it.
pub const VRRP_ADDRESS_PROTOCOL: u8 = 112;

/// The address protocol number (`IFA_PROTO`) that marks addresses put on by ribd from the configuration.
pub const RIBD_ADDRESS_PROTOCOL: u8 = 196;

/// An interface as the kernel reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Kernel index.
    pub ifindex: IfIndex,
    /// Kernel name.
    pub name: InterfaceName,
    /// IFF_UP: the operator wants it up.
    pub admin_up: bool,
    /// Admin up and able to carry frames (IFF_RUNNING and IFF_LOWER_UP).
    pub running: bool,
    /// IFF_LOOPBACK.
    pub loopback: bool,
    /// IFF_POINTOPOINT.
    pub point_to_point: bool,
    /// IFF_MULTICAST.
    pub multicast: bool,
    /// Largest IP datagram in octets.
    pub mtu: u32,
    /// Hardware address if it is a 6-octet one.
    pub mac: Option<[u8; 6]>,
    /// Kind as `ip -d link` names it ("bridge", "macvlan", "veth"), if any.
    pub kind: Option<String>,
    /// The device this one sits on (macvlan, VLAN).
    pub parent: Option<IfIndex>,
    /// `ifalias`, used to tag devices we made.
    pub alias: Option<String>,
    /// Speed in Mbit/s when the driver knows it.
    pub speed_mbps: Option<u32>,
}

impl Link {
    /// An Ethernet interface that is up and of which nothing else is known: what models of a kernel begin with.
    pub fn ethernet(ifindex: IfIndex, name: InterfaceName) -> Self {
        Self {
            ifindex,
            name,
            admin_up: true,
            running: true,
            loopback: false,
            point_to_point: false,
            multicast: true,
            mtu: 1500,
            mac: None,
            kind: None,
            parent: None,
            alias: None,
            speed_mbps: None,
        }
    }
}

/// An IPv4 address on an interface.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// The interface it is on.
    pub ifindex: IfIndex,
    /// Address and prefix length, host bits kept.
    pub network: Ipv4Network,
    /// The other end of a point-to-point address.
    pub peer: Option<Ipv4Addr>,
    /// IFA_F_SECONDARY: another address of the same prefix came first.
    pub secondary: bool,
    /// IFA_F_NOPREFIXROUTE: the kernel made no connected route for it.
    pub no_prefix_route: bool,
    /// IFA_PROTO, 0 when unset. See [`VRRP_ADDRESS_PROTOCOL`].
    pub protocol: u8,
}

impl Address {
    /// An ordinary address that nobody marked: what models of a kernel begin with.
    pub fn new(ifindex: IfIndex, network: Ipv4Network) -> Self {
        Self { ifindex, network, peer: None, secondary: false, no_prefix_route: false, protocol: 0 }
    }
}

/// A change of the kernel's interfaces or addresses. Changes of an address's lifetime alone are not events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkEvent {
    /// A link appeared or something in [`Link`] changed.
    LinkChanged(Link),
    /// A link disappeared; its addresses were removed before.
    LinkRemoved(IfIndex),
    /// An address appeared or one of its flags changed.
    AddressAdded(Address),
    /// An address disappeared.
    AddressRemoved(Address),
    /// All that existed when the monitor started (or resynchronised) has been told.
    SnapshotComplete,
}
