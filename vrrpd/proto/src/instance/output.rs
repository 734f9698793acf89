//! What the engine wants done. The shell carries these out in order, each to its end before the next: an
//! advertisement that follows [`Output::InstallAddress`] must not leave before the address is there.

use ipnetwork::Ipv4Network;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::notice::Notice;
use routing_common::time::Duration;
use std::net::Ipv4Addr;

/// What a frame is, for counters and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A VRRP ADVERTISEMENT.
    Advertisement,
    /// A gratuitous ARP request or reply.
    GratuitousArp,
    /// An ARP probe (RFC 5227 §2.1.1).
    ArpProbe,
}

/// Where a kernel parameter of an interface lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SysctlFamily {
    /// `net.ipv4.conf`.
    Ipv4,
    /// `net.ipv6.conf`.
    Ipv6,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Start receiving protocol 112 to 224.0.0.18 on an interface, and joining the group there.
    OpenInterface {
        /// Kernel index.
        ifindex: IfIndex,
        /// Its name.
        name: InterfaceName,
    },
    /// Stop receiving there.
    CloseInterface {
        /// Kernel index.
        ifindex: IfIndex,
    },
    /// From now on receive there ARP packets, too, that name one of these addresses as their sender's or as the one they
    /// ask for. None: no ARP. An interface that is opened again begins with none.
    ListenArp {
        /// Kernel index.
        ifindex: IfIndex,
        /// Virtual addresses, in order.
        addresses: Vec<Ipv4Addr>,
    },
    /// Send a whole Ethernet frame.
    Transmit {
        /// The base interface.
        ifindex: IfIndex,
        /// From the destination MAC on, without frame check sequence.
        frame: Vec<u8>,
        /// What it is.
        kind: FrameKind,
    },
    /// Make a macvlan, administratively down, without IPv6, tagged by its alias.
    CreateDevice {
        /// Its name.
        name: InterfaceName,
        /// The base interface.
        parent: IfIndex,
        /// The virtual MAC.
        mac: [u8; 6],
        /// The tag ([`super::DEVICE_TAG`]).
        alias: &'static str,
    },
    /// Remove a macvlan of ours.
    RemoveDevice {
        /// Kernel index.
        ifindex: IfIndex,
        /// Its name.
        name: InterfaceName,
    },
    /// Set a macvlan of ours administratively up or down.
    SetDevice {
        /// Kernel index.
        ifindex: IfIndex,
        /// Up or down.
        up: bool,
    },
    /// Put an address on, or give it a new lifetime: `noprefixroute`, tagged with
    /// [`routing_common::link::VRRP_ADDRESS_PROTOCOL`].
    InstallAddress {
        /// The interface.
        ifindex: IfIndex,
        /// The address as a /32.
        address: Ipv4Network,
        /// `valid_lft` and `preferred_lft`, whole seconds.
        lifetime: Duration,
    },
    /// Take an address off.
    RemoveAddress {
        /// The interface.
        ifindex: IfIndex,
        /// The address as a /32.
        address: Ipv4Network,
    },
    /// Set a kernel parameter of an interface, remembering what it was.
    SetSysctl {
        /// The interface it belongs to.
        interface: InterfaceName,
        /// Below `net.ipv4.conf` or `net.ipv6.conf`.
        family: SysctlFamily,
        /// Which one.
        key: &'static str,
        /// The wanted value.
        value: &'static str,
    },
    /// Put back every parameter of an interface as it was.
    RestoreSysctls {
        /// The interface.
        interface: InterfaceName,
    },
    /// Tell the operator.
    Notice(Notice),
    /// Everything is cleaned up after [`super::Input::Shutdown`]; the process may end.
    Finished,
}
