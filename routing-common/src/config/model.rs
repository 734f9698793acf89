//! The shape of a valid configuration.

use crate::id::{AreaId, InterfaceName, RouterId, Vrid};
use crate::key_chain::KeyChain;
use crate::policy::{AccessList, Policy, RouteMap};
use core::fmt;
use core::str::FromStr;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// One router's whole configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Name of the router, for prompts and logs.
    pub hostname: String,
    /// Which defaults the file started from.
    pub defaults: Defaults,
    /// Interfaces by name.
    pub interfaces: BTreeMap<InterfaceName, InterfaceConfig>,
    /// Static routes in file order.
    pub static_routes: Vec<StaticRoute>,
    /// Prefix lists, access lists and route maps, used or not; those in use are also where they are used.
    pub policy: Policy,
    /// Who may talk to the daemons beside root.
    pub access: AccessConfig,
    /// Key chains by name, used or not; those in use are also where they are used.
    pub key_chains: BTreeMap<String, KeyChain>,
    /// Settings of the RIB and the kernel's forwarding.
    pub rib: RibConfig,
    /// OSPF, if it runs.
    pub ospf: Option<OspfConfig>,
    /// VRRP groups by name.
    pub vrrp_groups: BTreeMap<String, VrrpGroup>,
    /// BFD sessions of the file itself, by name; those of OSPF interfaces stand there.
    pub bfd_peers: BTreeMap<String, BfdPeer>,
}

impl Config {
    /// Every virtual address of every VRRP group with the interface it belongs to. OSPF must not take
    /// them for addresses of its own, and the RIB must not announce them as connected networks.
    pub fn virtual_addresses(&self) -> impl Iterator<Item = (&InterfaceName, Ipv4Network)> {
        self.vrrp_groups.values().flat_map(|g| g.virtual_addresses.iter().map(|a| (&g.interface, *a)))
    }

    /// The names of all interfaces the file speaks of, wherever it does, each once.
    pub fn interface_names(&self) -> BTreeSet<&InterfaceName> {
        let ospf = self.ospf.iter().flat_map(|o| o.interfaces.keys());
        let vrrp = self.vrrp_groups.values().map(|g| &g.interface);
        let bfd = self.bfd_peers.values().filter_map(|p| p.interface.as_ref());
        self.interfaces.keys().chain(ospf).chain(vrrp).chain(bfd).collect()
    }

    /// Does anything in the file want BFD sessions?
    pub fn uses_bfd(&self) -> bool {
        !self.bfd_peers.is_empty() || self.ospf_uses_bfd()
    }

    /// Does OSPF?
    pub fn ospf_uses_bfd(&self) -> bool {
        self.ospf.iter().flat_map(|o| o.interfaces.values()).any(|i| i.bfd.is_some())
    }
}

/// Which set of default timers a file starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Defaults {
    /// The RFC's and FRR's defaults (hello 10 s, dead 40 s, adverts 1 s).
    #[default]
    Traditional,
    /// Fast detection on every link (hello 1 s, dead 4 s, BFD 10 ms × 3, adverts 10 ms).
    Ring,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InterfaceConfig {
    /// Free text.
    pub description: Option<String>,
    /// Addresses with prefix lengths, in file order; the first is the primary one.
    pub addresses: Vec<Ipv4Network>,
}

/// One static route. Several with the same prefix and distance form one multipath route; one with a
/// larger distance is floating.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StaticRoute {
    /// Destination, host bits cleared.
    pub prefix: Ipv4Network,
    /// Where to.
    pub target: StaticTarget,
    /// Administrative distance, 1 to 255 (255 is never installed).
    pub distance: u8,
    /// Tag carried to redistribution.
    pub tag: u32,
}

/// Where a static route leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaticTarget {
    /// To a gateway, resolved recursively unless it lies in a local subnet or an interface is named.
    Gateway {
        /// The next hop's address.
        address: Ipv4Addr,
        /// Only through this interface; the route goes when the interface goes.
        interface: Option<InterfaceName>,
    },
    /// Straight out of an interface.
    Interface(InterfaceName),
    /// Dropped silently.
    Blackhole,
}

/// Who may talk to the daemons beside root and the user they run as. Without either group the modes of the sockets decide
/// alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessConfig {
    /// Its members may do everything.
    pub operators: Option<UserGroup>,
    /// Its members may look.
    pub readers: Option<UserGroup>,
}

/// A group of the host's users. Whether it exists only the host can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserGroup {
    /// By name.
    Name(String),
    /// By number.
    Id(u32),
}

impl FromStr for UserGroup {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        if let Ok(id) = text.parse() {
            // All ones means "nobody in particular" to the kernel.
            return if id == u32::MAX { Err(()) } else { Ok(Self::Id(id)) };
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        let good = text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && text.chars().all(plain);
        if good { Ok(Self::Name(text.to_owned())) } else { Err(()) }
    }
}

impl fmt::Display for UserGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Id(id) => write!(f, "{id}"),
        }
    }
}

/// The RIB's and kernel's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RibConfig {
    /// Does this host forward between its interfaces (`ip_forward`)?
    pub forwarding: bool,
    /// Use kernel next-hop objects where the kernel has them.
    pub next_hop_objects: bool,
    /// How long routes of a client that went away stay in the kernel before they are swept.
    pub stale_time: Duration,
}

impl Default for RibConfig {
    fn default() -> Self {
        Self { forwarding: true, next_hop_objects: true, stale_time: Duration::from_secs(120) }
    }
}

/// OSPF instance (RFC 2328 App. C.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OspfConfig {
    /// This router's id.
    pub router_id: RouterId,
    /// Interfaces OSPF runs on, by name.
    pub interfaces: BTreeMap<InterfaceName, OspfInterfaceConfig>,
    /// Originate a default route into OSPF.
    pub default_information: Option<DefaultInformation>,
    /// Redistribute connected routes.
    pub redistribute_connected: Option<RedistributePolicy>,
    /// Redistribute static routes.
    pub redistribute_static: Option<RedistributePolicy>,
    /// Which connected routes may be redistributed.
    pub distribute_connected: Option<AccessList>,
    /// Which static routes may be redistributed.
    pub distribute_static: Option<AccessList>,
    /// Reference bandwidth in Mbit/s for interfaces without a cost; FRR's effective 100,000.
    pub reference_bandwidth: u32,
    /// Administrative distance of OSPF routes.
    pub distance: u8,
    /// Largest number of equal-cost next hops.
    pub maximum_paths: u8,
    /// RFC 1583 path preference (RFC 2328 §16.4.1).
    pub rfc1583_compatibility: bool,
    /// SPF back-off (RFC 8405).
    pub spf: SpfTimers,
    /// Least time between two originations of one LSA (MinLSInterval; RFC default 5 s).
    pub min_ls_interval: Duration,
    /// Least time between two accepted instances of one LSA (MinLSArrival; RFC default 1 s).
    pub min_ls_arrival: Duration,
    /// Graceful restart (RFC 3623).
    pub graceful_restart: GracefulRestart,
    /// When transit traffic is asked to go another way (RFC 6987).
    pub max_metric: MaxMetric,
    /// Loop-free alternates (RFC 5286).
    pub fast_reroute: bool,
}

/// Stub router advertisement (RFC 6987): when MaxLinkMetric takes the place of every cost but those of stub networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxMetric {
    /// Until the operator says otherwise.
    pub administrative: bool,
    /// From the start until the router can pass on what it is sent, for so long at most; whole seconds, 5 to 86,400.
    pub on_startup: Option<Duration>,
    /// For so long before the end, whole seconds, 5 to 100; without it, until the neighbours know.
    pub on_shutdown: Option<Duration>,
}

/// Graceful restart (RFC 3623 App. B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GracefulRestart {
    /// RestartSupport: restart gracefully, after a crash too.
    pub enabled: bool,
    /// RestartInterval, whole seconds, 1 to 1800.
    pub grace_period: Duration,
    /// RestartHelperSupport: help neighbours that restart.
    pub helper: bool,
    /// RestartHelperStrictLSAChecking: cease to help when the topology changes.
    pub strict_lsa_checking: bool,
}

impl Default for GracefulRestart {
    fn default() -> Self {
        Self {
            enabled: true,
            grace_period: Duration::from_secs(120),
            helper: true,
            strict_lsa_checking: true,
        }
    }
}

/// RFC 8405 SPF delays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpfTimers {
    /// INITIAL_SPF_DELAY: after the first event in quiet times. 0 means in the same turn.
    pub initial_delay: Duration,
    /// SHORT_SPF_DELAY.
    pub short_delay: Duration,
    /// LONG_SPF_DELAY.
    pub long_delay: Duration,
    /// TIME_TO_LEARN_INTERVAL.
    pub time_to_learn: Duration,
    /// HOLDDOWN_INTERVAL.
    pub hold_down: Duration,
}

impl Default for SpfTimers {
    fn default() -> Self {
        Self {
            initial_delay: Duration::ZERO,
            short_delay: Duration::from_millis(50),
            long_delay: Duration::from_secs(2),
            time_to_learn: Duration::from_secs(2),
            hold_down: Duration::from_secs(3),
        }
    }
}

/// One OSPF interface (RFC 2328 App. C.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OspfInterfaceConfig {
    /// The area it belongs to.
    pub area: AreaId,
    /// How the network behaves; a kernel loopback is always advertised as a host whatever stands here.
    pub network_type: NetworkType,
    /// Output cost, 1 to 65535; from the reference bandwidth when absent.
    pub cost: Option<u16>,
    /// HelloInterval, whole seconds, 1 to 65535; less than a second where
    /// [`OspfInterfaceConfig::hello_multiplier`] says how many there are in one.
    pub hello_interval: Duration,
    /// RouterDeadInterval, whole seconds, 1 to 65535.
    pub dead_interval: Duration,
    /// RxmtInterval, 50 ms and more.
    pub retransmit_interval: Duration,
    /// InfTransDelay, whole seconds, 1 to 65535.
    pub transmit_delay: Duration,
    /// Router Priority; 0 never becomes Designated Router.
    pub priority: u8,
    /// Advertise the network but form no adjacency.
    pub passive: bool,
    /// Do not compare interface MTUs in Database Description packets.
    pub mtu_ignore: bool,
    /// RFC 2328 App. D.
    pub authentication: OspfAuthentication,
    /// How a BFD session with every neighbour here behaves; `None`: no sessions. Never on a passive interface.
    pub bfd: Option<BfdProfile>,
}

impl OspfInterfaceConfig {
    /// Fast Hellos: so many, 2 to 20, in a RouterDeadInterval of one second. `None`: intervals are whole seconds, as
    /// the protocol counts them.
    pub fn hello_multiplier(&self) -> Option<u128> {
        let second = Duration::from_secs(1);
        // Whole nanoseconds fall short of the fraction, if at all, so the quotient is never rounded below the number.
        (self.hello_interval < second).then(|| second.as_nanos() / self.hello_interval.as_nanos().max(1))
    }
}

/// OSPF network types this suite runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkType {
    /// With a Designated Router.
    Broadcast,
    /// Two routers, no Designated Router.
    PointToPoint,
}

/// OSPF packet authentication (RFC 2328 App. D).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OspfAuthentication {
    /// AuType 0.
    Null,
    /// AuType 1: up to 8 octets in clear text.
    Simple(Secret),
    /// AuType 2 with keyed MD5: at least one key, in file order; the last one signs, all verify.
    Md5(Vec<Md5Key>),
    /// AuType 2 with the keys of a chain, each in its time.
    KeyChain(KeyChain),
}

/// An MD5 key of up to 16 octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Md5Key {
    /// Key ID on the wire.
    pub id: u8,
    /// The shared secret.
    pub secret: Secret,
}

/// Bytes that never reach a log, a show command or a core dump's obvious places.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps secret bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, for the code that computes a digest and nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// `default-information originate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultInformation {
    /// Even when the RIB holds no default of its own.
    pub always: bool,
    /// External metric, 0 to 16777214.
    pub metric: u32,
    /// Type 1 or type 2 external metric.
    pub metric_type: MetricType,
    /// What the RIB's default must pass unless it is announced `always`, and what changes in it.
    pub route_map: Option<RouteMap>,
}

/// How redistributed routes enter OSPF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedistributePolicy {
    /// External metric, 0 to 16777214.
    pub metric: u32,
    /// Type 1 or type 2 external metric.
    pub metric_type: MetricType,
    /// Which of them are announced, and what changes in them.
    pub route_map: Option<RouteMap>,
}

/// External metric types (RFC 2328 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum MetricType {
    /// Comparable with the cost inside the AS; both are added.
    Type1,
    /// Larger than any cost inside the AS.
    Type2,
}

/// VRRP protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VrrpVersion {
    /// RFC 3768.
    V2,
    /// RFC 9568 (and RFC 5798).
    V3,
}

/// Which VRRPv3 IPv4 checksum is sent; both are always accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VrrpChecksum {
    /// With a pseudo-header, as most implementations of RFC 5798 do. The default.
    Rfc5798,
    /// Without one, as RFC 9568 says.
    Rfc9568,
}

/// One virtual router (RFC 9568 §6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VrrpGroup {
    /// The interface on the LAN.
    pub interface: InterfaceName,
    /// Virtual router id.
    pub vrid: Vrid,
    /// Protocol version.
    pub version: VrrpVersion,
    /// 1 to 254, or 255 for the owner of the address.
    pub priority: u8,
    /// Advertisement_Interval: whole seconds 1–255 for version 2, 10 ms to 40.95 s for version 3.
    pub advertisement_interval: Duration,
    /// The addresses, with the LAN's prefix length; at least one.
    pub virtual_addresses: Vec<Ipv4Network>,
    /// Preempt_Mode.
    pub preempt: bool,
    /// How long a better Backup waits before it preempts.
    pub preempt_delay: Duration,
    /// Longest wait for the router's own routes before it preempts; zero where it has none to wait for.
    pub preempt_routes_wait: Duration,
    /// Take over when OSPF says that nobody else is left on the LAN.
    pub accelerate: bool,
    /// Accept_Mode: accept packets to the virtual address though not its owner.
    pub accept: bool,
    /// Use the virtual MAC on a macvlan; otherwise the real MAC and gratuitous ARP.
    pub virtual_mac: bool,
    /// The checksum sent in version 3.
    pub checksum: VrrpChecksum,
}

/// How BFD sessions behave (RFC 5880 §6.8.1), with the name of the profile that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BfdProfile {
    /// Its name in the file; "default" also when the file has no such profile.
    pub name: String,
    /// bfd.DesiredMinTxInterval while a session is up, whole microseconds, 3 ms to 60 s.
    pub transmit_interval: Duration,
    /// bfd.RequiredMinRxInterval, whole microseconds, 3 ms to 60 s.
    pub receive_interval: Duration,
    /// bfd.DetectMult, 2 to 255.
    pub detect_multiplier: u8,
    /// The passive role (RFC 5880 §6.1).
    pub passive: bool,
    /// Multihop: smallest accepted TTL, 1 to 254.
    pub minimum_ttl: u8,
}

/// One BFD session of the file itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BfdPeer {
    /// The neighbour's address.
    pub address: Ipv4Addr,
    /// The interface it is on; `None`: the one with its subnet. Always `None` with `multihop`.
    pub interface: Option<InterfaceName>,
    /// The source address of our packets; `None`: chosen by interface or route.
    pub local_address: Option<Ipv4Addr>,
    /// RFC 5883 instead of RFC 5881.
    pub multihop: bool,
    /// Held in AdminDown.
    pub shutdown: bool,
    /// How it behaves.
    pub profile: BfdProfile,
}
