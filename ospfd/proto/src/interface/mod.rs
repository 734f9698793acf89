//! The interface data structure (RFC 2328 §9).
//!
//! One per kernel link on which OSPF is configured, whether usable or not, so that shows can tell why it
//! is down. Its OSPF address is *one* address of the link, chosen by [`choose_addresses`]; others in
//! different subnets are advertised as stub networks. Virtual addresses of VRRP are neither: an address
//! that moves between two routers at fail-over must not start an interface, an election or a new LSA.
//!
//! Owned by the instance. `machine` is the table of §9.3, `lifecycle` performs it, `receive` and
//! `transmit` are §8, `hello` is §9.5 and §10.5.

mod dr_election;
mod hello;
mod key_in_use;
mod lifecycle;
mod machine;
mod receive;
mod transmit;

pub use dr_election::{Candidate, Elected, elect};
pub use machine::{Attachment, InterfaceEvent, InterfaceState, Transition, transition};

use crate::constants::ALL_SPF_ROUTERS;
use crate::flood::Pace;
use crate::lsa::{LsaHeader, LsaKey};
use crate::lsdb::{DatabaseId, Lsdb};
use crate::neighbor::{Neighbor, NeighborState};
use crate::statistics::InterfaceStatistics;
use ipnetwork::Ipv4Network;
use key_in_use::KeyInUse;
use routing_common::config::{NetworkType, OspfInterfaceConfig};
use routing_common::id::{AreaId, IfIndex, InterfaceName, RouterId};
use routing_common::link::{Address, Link, VRRP_ADDRESS_PROTOCOL};
use routing_common::prefix;
use routing_common::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The network an interface is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// Broadcast.
    Broadcast,
    /// Point-to-point.
    PointToPoint,
    /// A kernel loopback: always in state Loopback while up.
    Loopback,
}

/// An OSPF interface; see the module text.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Kernel index.
    pub ifindex: IfIndex,
    /// Kernel name.
    pub name: InterfaceName,
    /// What the operator wants.
    pub config: OspfInterfaceConfig,
    /// What network it is on.
    pub kind: NetworkKind,
    /// §9.1.
    pub state: InterfaceState,
    /// When it entered `state`.
    pub state_since: Instant,
    /// The OSPF address with its prefix length, host bits kept.
    pub address: Option<Ipv4Network>,
    /// Further subnets on the link, advertised as stub networks, host bits cleared, in order.
    pub stub_networks: Vec<Ipv4Network>,
    /// Largest IP datagram.
    pub mtu: u16,
    /// Output cost in effect.
    pub cost: u16,
    /// Interface address of the network's Designated Router.
    pub designated_router: Option<Ipv4Addr>,
    /// Interface address of its Backup.
    pub backup_designated_router: Option<Ipv4Addr>,
    /// Its neighbours.
    pub neighbors: BTreeMap<RouterId, Neighbor>,
    /// Link-scoped LSAs (type 9).
    pub lsdb: Lsdb,
    /// Counters.
    pub statistics: InterfaceStatistics,
    /// Delayed acknowledgments (§13.5).
    pub(crate) delayed_acks: Vec<LsaHeader>,
    /// LSAs to flood out, some perhaps more than once. Those interfaces that got one in this turn stand in
    /// [`Instance::flooding`](crate::instance::Instance); where one has waited longer, `FloodPacing` runs.
    pub(crate) flood_queue: Vec<(DatabaseId, LsaKey)>,
    /// When they may leave.
    pub(crate) pace: Pace,
    /// The key of the interface's chain that signed last, told when it changes.
    pub(crate) key_in_use: Option<KeyInUse>,
    /// State changes of neighbours told since then.
    pub(crate) state_notices: (Instant, u32),
    /// Is its socket open?
    pub(crate) is_open: bool,
    /// Is it a member of AllDRouters?
    pub(crate) is_d_router: bool,
}

/// Cost of an interface whose speed is unknown is that of this many Mbit/s.
const UNKNOWN_SPEED: u32 = 10_000;

impl Interface {
    /// A new interface in state Down.
    pub(crate) fn new(link: &Link, config: OspfInterfaceConfig, now: Instant) -> Self {
        Self {
            ifindex: link.ifindex,
            name: link.name.clone(),
            kind: kind_of(link, &config),
            config,
            state: InterfaceState::Down,
            state_since: now,
            address: None,
            stub_networks: Vec::new(),
            mtu: mtu_of(link),
            cost: 1,
            designated_router: None,
            backup_designated_router: None,
            neighbors: BTreeMap::new(),
            lsdb: Lsdb::default(),
            statistics: InterfaceStatistics::default(),
            delayed_acks: Vec::new(),
            flood_queue: Vec::new(),
            pace: Pace::default(),
            key_in_use: None,
            state_notices: (now, 0),
            is_open: false,
            is_d_router: false,
        }
    }

    /// The area it belongs to.
    pub fn area(&self) -> AreaId {
        self.config.area
    }

    /// The OSPF address.
    pub fn ip(&self) -> Option<Ipv4Addr> {
        self.address.map(|a| a.ip())
    }

    /// Is it in a state in which packets flow?
    pub fn is_active(&self) -> bool {
        self.state > InterfaceState::Loopback && !self.config.passive
    }

    /// Number of neighbours in a state of at least `state`.
    pub fn neighbors_in(&self, state: NeighborState) -> usize {
        self.neighbors.values().filter(|n| n.state >= state).count()
    }

    /// Number of fully adjacent neighbours.
    pub fn full_neighbors(&self) -> usize {
        self.neighbors_in(NeighborState::Full)
    }

    /// The neighbour with this interface address.
    pub fn neighbor_at(&self, address: Ipv4Addr) -> Option<&Neighbor> {
        self.neighbors.values().find(|n| n.address == address)
    }

    /// Where a packet for one neighbour goes (§8.1): on point-to-point networks always the group.
    pub(crate) fn direct_destination(&self, neighbor: Ipv4Addr) -> Ipv4Addr {
        if self.kind == NetworkKind::PointToPoint { ALL_SPF_ROUTERS } else { neighbor }
    }
}

/// What network a link is.
pub(crate) fn kind_of(link: &Link, config: &OspfInterfaceConfig) -> NetworkKind {
    match config.network_type {
        _ if link.loopback => NetworkKind::Loopback,
        NetworkType::Broadcast => NetworkKind::Broadcast,
        NetworkType::PointToPoint => NetworkKind::PointToPoint,
    }
}

/// The Interface MTU field has 16 bits; a loopback has 65,536 octets.
pub(crate) fn mtu_of(link: &Link) -> u16 {
    u16::try_from(link.mtu).unwrap_or(u16::MAX)
}

/// Output cost: as configured, or reference bandwidth over speed. A loopback costs nothing (§12.4.1).
pub(crate) fn cost_of(link: &Link, config: &OspfInterfaceConfig, reference_mbps: u32) -> u16 {
    if link.loopback {
        return 0;
    }
    config.cost.unwrap_or_else(|| {
        let speed = link.speed_mbps.filter(|s| *s > 0).unwrap_or(UNKNOWN_SPEED);
        u16::try_from((reference_mbps / speed).max(1)).unwrap_or(u16::MAX)
    })
}

/// The addresses of a link, as OSPF uses them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ChosenAddresses {
    /// The OSPF address.
    pub(crate) address: Option<Ipv4Network>,
    /// Other subnets.
    pub(crate) stub_networks: Vec<Ipv4Network>,
}

/// Chooses the OSPF address: the first configured one that is present, else the first primary one the
/// kernel told. Virtual addresses of VRRP, known by their protocol number or from the configuration,
/// are as if they were not there. 127.0.0.0/8 is nobody's business.
pub(crate) fn choose_addresses(
    present: &[Address],
    configured: &[Ipv4Network],
    virtual_addresses: &BTreeSet<Ipv4Addr>,
    kind: NetworkKind,
) -> ChosenAddresses {
    let usable: Vec<&Address> = present
        .iter()
        .filter(|a| a.protocol != VRRP_ADDRESS_PROTOCOL)
        .filter(|a| !virtual_addresses.contains(&a.network.ip()) || configured.contains(&a.network))
        .filter(|a| !a.network.ip().is_loopback())
        .collect();
    let address = configured
        .iter()
        .copied()
        .find(|c| usable.iter().any(|a| a.network == *c))
        .or_else(|| usable.iter().find(|a| !a.secondary).map(|a| a.network));
    let Some(own) = address else { return ChosenAddresses::default() };
    let as_stub = |n: Ipv4Network| {
        if kind == NetworkKind::Loopback { prefix::host(n.ip()) } else { prefix::canonical(n) }
    };
    let stubs: BTreeSet<Ipv4Network> =
        usable.iter().map(|a| as_stub(a.network)).filter(|n| *n != as_stub(own)).collect();
    ChosenAddresses { address, stub_networks: stubs.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(s: &str) -> Ipv4Network {
        s.parse().unwrap()
    }

    fn on(network: &str, secondary: bool, protocol: u8) -> Address {
        Address { secondary, protocol, ..Address::new(IfIndex(2), net(network)) }
    }

    #[test]
    fn the_first_configured_address_that_is_present_wins() {
        let present = [on("10.0.0.9/24", false, 0), on("10.0.0.1/24", true, 0), on("10.9.0.1/24", false, 0)];
        let configured = [net("192.168.0.1/24"), net("10.0.0.1/24")];
        let chosen = choose_addresses(&present, &configured, &BTreeSet::new(), NetworkKind::Broadcast);
        assert_eq!(chosen.address, Some(net("10.0.0.1/24")));
        assert_eq!(chosen.stub_networks, [net("10.9.0.0/24")]);
    }

    #[test]
    fn virtual_addresses_are_as_if_absent() {
        let vips = BTreeSet::from(["192.168.1.10".parse().unwrap()]);
        let present = [
            on("192.168.1.10/24", false, 0),
            on("192.168.7.1/24", false, VRRP_ADDRESS_PROTOCOL),
            on("192.168.1.1/24", true, 0),
        ];
        let chosen = choose_addresses(&present[..2], &[net("192.168.1.1/24")], &vips, NetworkKind::Broadcast);
        assert_eq!(chosen, ChosenAddresses::default());
        let chosen = choose_addresses(&present, &[net("192.168.1.1/24")], &vips, NetworkKind::Broadcast);
        assert_eq!(chosen.address, Some(net("192.168.1.1/24")));
        assert_eq!(chosen.stub_networks, []);
    }

    #[test]
    fn the_owner_of_a_virtual_address_keeps_it() {
        let vips = BTreeSet::from(["192.168.1.1".parse().unwrap()]);
        let present = [on("192.168.1.1/24", false, 0)];
        let chosen = choose_addresses(&present, &[net("192.168.1.1/24")], &vips, NetworkKind::Broadcast);
        assert_eq!(chosen.address, Some(net("192.168.1.1/24")));
    }

    #[test]
    fn loopback_addresses_are_hosts() {
        let present =
            [on("127.0.0.1/8", false, 0), on("10.255.0.1/32", false, 0), on("10.1.0.1/24", false, 0)];
        let chosen = choose_addresses(&present, &[], &BTreeSet::new(), NetworkKind::Loopback);
        assert_eq!(chosen.address, Some(net("10.255.0.1/32")));
        assert_eq!(chosen.stub_networks, [net("10.1.0.1/32")]);
    }
}
