//! A scenario: everything that decides what happens in a run, as data.
//!
//! [`crate::generate`] makes one from a seed, [`crate::shrink`] makes smaller ones of one that fails, and a file
//! of `scenarios/` is one that must never fail again. It is written as TOML, so that the report of a failure can
//! be read, edited and run again. Times are milliseconds of virtual time since the start of the run; routers
//! and segments are named by their place in their list.

use crate::filter::Filter;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A router by its place in [`Scenario::routers`].
pub type RouterIndex = usize;
/// A segment by its place in [`Scenario::segments`].
pub type SegmentIndex = usize;
/// A port by its place in [`Router::ports`].
pub type PortIndex = usize;

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What it is called in reports.
    pub name: String,
    /// Decides jitter, losses and the order of what happens at the same time.
    pub seed: u64,
    /// When the last fault must be over (ms).
    pub chaos_ends: u64,
    /// How long after that the network may take to come to rest (ms).
    pub settle: u64,
    /// How long it is watched at rest (ms): long enough for refreshes in some scenarios.
    pub rest: u64,
    /// Timers and other settings all routers share.
    pub settings: Settings,
    /// Who.
    pub routers: Vec<Router>,
    /// On what.
    pub segments: Vec<Segment>,
    /// What goes wrong, in any order.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// What all routers of a run have in common. Zero or `None` leaves the default of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// `defaults = "ring"` instead of `"traditional"`.
    pub ring_defaults: bool,
    /// HelloInterval in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello_interval: Option<u16>,
    /// RouterDeadInterval in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_interval: Option<u16>,
    /// Fast Hellos in place of both: so many a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hello_multiplier: Option<u8>,
    /// RxmtInterval (ms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retransmit_interval: Option<u64>,
    /// MinLSInterval (ms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ls_interval: Option<u64>,
    /// MinLSArrival (ms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_ls_arrival: Option<u64>,
    /// `maximum-paths`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_paths: Option<u8>,
    /// `max-metric router-lsa on-startup`, in seconds: none is asked to pass on what it cannot yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_startup: Option<u64>,
    /// INITIAL_SPF_DELAY (ms).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay: Option<u64>,
    /// Loop-free alternates (RFC 5286).
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub fast_reroute: bool,
    /// BFD between OSPF's neighbours, with this transmit and receive interval (ms). Otherwise there is no bfdd.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bfd_interval: Option<u64>,
    /// Routers without ribd: OSPF's own table is all there is. For large networks.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub without_rib: bool,
}

/// One router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Router {
    /// Host name.
    pub name: String,
    /// Loopback address and Router ID.
    pub loopback: Ipv4Addr,
    /// When it is switched on (ms).
    #[serde(default)]
    pub starts: u64,
    /// What its monotonic clock showed at time zero (ms).
    #[serde(default)]
    pub clock_offset: u64,
    /// How much faster its clock runs than true time, in millionths.
    #[serde(default)]
    pub clock_rate: i32,
    /// `default-information originate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_information: Option<DefaultInformation>,
    /// Static routes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub static_routes: Vec<StaticRoute>,
    /// `redistribute static`, with metric and type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redistribute_static: Option<ExternalMetric>,
    /// `redistribute connected`, with metric and type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redistribute_connected: Option<ExternalMetric>,
    /// Which of these are announced, and how.
    #[serde(default, skip_serializing_if = "Filter::is_empty")]
    pub filter: Filter,
    /// The kernel has no next-hop objects.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub plain_routes: bool,
    /// Graceful restart (RFC 3623) is off: as a restarter and as a helper.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub ordinary_restarts: bool,
    /// Interfaces `eth0`, `eth1`, …
    pub ports: Vec<Port>,
}

/// Metric of an external route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExternalMetric {
    /// Metric.
    pub metric: u32,
    /// Type 1: comparable with costs inside; otherwise type 2.
    pub type1: bool,
}

/// `default-information originate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DefaultInformation {
    /// Also without a default route of its own.
    pub always: bool,
    /// Metric and type.
    pub external: ExternalMetric,
}

/// A static route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StaticRoute {
    /// Destination.
    pub prefix: Ipv4Network,
    /// Gateway; `None` drops what matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Ipv4Addr>,
}

/// One interface of a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Port {
    /// The segment it is plugged into.
    pub segment: SegmentIndex,
    /// Its address.
    pub address: Ipv4Network,
    /// Output cost.
    pub cost: u16,
    /// Router Priority.
    pub priority: u8,
    /// OSPF announces the network only.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub passive: bool,
    /// OSPF does not know the interface.
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub without_ospf: bool,
    /// Takes part in the segment's virtual router with this priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrrp_priority: Option<u8>,
}

/// What joins ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Segment {
    /// OSPF network type and nature of the medium.
    pub kind: SegmentKind,
    /// One-way delay (µs).
    pub delay: u64,
    /// Random addition to it (µs); frames between two ports keep their order unless a fault says otherwise.
    pub jitter: u64,
    /// Largest IP datagram.
    pub mtu: u32,
    /// How OSPF packets are authenticated.
    #[serde(default)]
    pub authentication: Authentication,
    /// The virtual router of this segment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vrrp: Option<VirtualRouter>,
}

/// Nature of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentKind {
    /// A cable: both ends lose carrier together.
    PointToPoint,
    /// A switch: every port has a carrier of its own.
    Broadcast,
}

/// RFC 2328 App. D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// None.
    #[default]
    Null,
    /// A password.
    Simple,
    /// MD5.
    Md5,
}

/// A VRRP group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VirtualRouter {
    /// VRID.
    pub vrid: u8,
    /// The virtual address with the segment's prefix length.
    pub address: Ipv4Network,
    /// Advertisement_Interval (ms), a multiple of 10.
    pub interval: u64,
    /// Preempt_Mode of all members.
    pub preempt: bool,
    /// How long they wait for their routes before they preempt (ms).
    #[serde(default)]
    pub routes_wait: u64,
    /// 2 or 3.
    pub version: u8,
}

/// Something that goes wrong, and when it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Begins (ms).
    pub at: u64,
    /// Ends (ms).
    pub until: u64,
    /// What.
    pub what: What,
}

/// Which daemon of a router.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Daemon {
    /// ribd.
    Rib,
    /// ospfd.
    Ospf,
    /// vrrpd.
    Vrrp,
    /// bfdd.
    Bfd,
}

impl Daemon {
    /// All, servers before who only asks them.
    pub const ALL: [Self; 4] = [Self::Rib, Self::Ospf, Self::Vrrp, Self::Bfd];
}

/// Kinds of faults. What lasts is undone at the fault's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The way towards the ports of a segment, or towards one router's, becomes bad.
    Impair {
        /// Where.
        segment: SegmentIndex,
        /// Towards whom; everybody if `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        towards: Option<RouterIndex>,
        /// How bad.
        impairment: Impairment,
    },
    /// Nothing passes, and nobody loses carrier.
    SilentCut {
        /// Where.
        segment: SegmentIndex,
        /// Only what this router sends is lost; everything if `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<RouterIndex>,
    },
    /// The plug of one router is pulled. On a cable the other end loses carrier too.
    Unplug {
        /// Where.
        segment: SegmentIndex,
        /// Whose.
        router: RouterIndex,
    },
    /// Power loss: nothing is kept but the disk.
    PowerLoss {
        /// Whose.
        router: RouterIndex,
    },
    /// A daemon dies without a word, and is started again at the end.
    Kill {
        /// Whose.
        router: RouterIndex,
        /// Which.
        daemon: Daemon,
    },
    /// A daemon is stopped as an operator stops it, and started again at the end.
    Stop {
        /// Whose.
        router: RouterIndex,
        /// Which.
        daemon: Daemon,
    },
    /// A daemon gets no time; what arrives waits in its sockets.
    Freeze {
        /// Whose.
        router: RouterIndex,
        /// Which.
        daemon: Daemon,
    },
    /// The wall clock is set forward or back (s).
    WallClock {
        /// Whose.
        router: RouterIndex,
        /// By how much.
        seconds: i64,
    },
    /// An output cost is changed by a new configuration, and back at the end.
    Cost {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
        /// To what.
        cost: u16,
    },
    /// A Router Priority is changed, and back at the end.
    Priority {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
        /// To what.
        priority: u8,
    },
    /// A VRRP priority is changed, and back at the end.
    VrrpPriority {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
        /// To what.
        priority: u8,
    },
    /// The password of one router's port differs, until the end.
    WrongKey {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
    },
    /// An interface leaves the configuration's `[ospf.interfaces]` and returns.
    OspfOff {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
    },
    /// An interface is passive until the end.
    Passive {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
    },
    /// Static routes and `default-information` are not configured until the end.
    ExternalsOff {
        /// Whose.
        router: RouterIndex,
    },
    /// Everything from outside is announced as it is, until the end.
    FilterOff {
        /// Whose.
        router: RouterIndex,
    },
    /// Somebody sets an interface down by hand, and up again at the end.
    AdminDown {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
    },
    /// Somebody takes an interface's address off; ribd or the end of the fault puts it back.
    AddressRemoved {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
    },
    /// The interface's MTU is another until the end.
    Mtu {
        /// Whose.
        router: RouterIndex,
        /// Which port.
        port: PortIndex,
        /// To what.
        mtu: u32,
    },
    /// The connection between ospfd and ribd breaks, and cannot be made again before the end.
    RibDisconnect {
        /// Whose.
        router: RouterIndex,
    },
    /// The kernel refuses route changes, this many in a thousand.
    KernelRefuses {
        /// Whose.
        router: RouterIndex,
        /// In a thousand.
        permille: u16,
    },
    /// Somebody removes routes of ours from the kernel, one every 50 ms until the end.
    RoutesRemoved {
        /// Whose.
        router: RouterIndex,
    },
    /// Random octets arrive as OSPF or VRRP packets, one every `every` ms.
    Junk {
        /// Where.
        segment: SegmentIndex,
        /// Pause between two (ms).
        every: u64,
    },
    /// Packets seen on the segment earlier arrive again, one every `every` ms.
    Replay {
        /// Where.
        segment: SegmentIndex,
        /// Pause between two (ms).
        every: u64,
    },
    /// Somebody on the segment floods copies of a router's own LSAs: with MaxAge, or newer and different,
    /// one every `every` ms (RFC 2328 §13.4).
    Forge {
        /// Where.
        segment: SegmentIndex,
        /// Whose LSAs.
        victim: RouterIndex,
        /// Prematurely aged instead of newer and different.
        max_age: bool,
        /// Pause between two (ms).
        every: u64,
    },
    /// An operator's `graceful-restart prepare ip ospf`: ospfd leaves and is started again at once.
    PlannedRestart {
        /// Whose.
        router: RouterIndex,
    },
    /// An operator's `clear ip ospf process`.
    Clear {
        /// Whose.
        router: RouterIndex,
    },
}

/// How bad the way towards a port is. Numbers in a thousand are chances for every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Impairment {
    /// Lost, in a thousand.
    pub loss: u16,
    /// Late by up to [`Self::reorder_by`], overtaken by what follows; in a thousand.
    pub reorder: u16,
    /// How late (µs).
    pub reorder_by: u64,
    /// Arrives twice, in a thousand.
    pub duplicate: u16,
    /// Some bits flipped, in a thousand.
    pub corrupt: u16,
    /// Additional delay (µs).
    pub delay: u64,
    /// Additional jitter (µs).
    pub jitter: u64,
}

impl Scenario {
    /// As TOML.
    ///
    /// # Errors
    /// Never for a scenario made by this crate.
    pub fn to_toml(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }

    /// From TOML.
    ///
    /// # Errors
    /// The text is no scenario, or names a router, port or segment it does not have.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let scenario: Self = toml::from_str(text)?;
        for (r, router) in scenario.routers.iter().enumerate() {
            for port in &router.ports {
                anyhow::ensure!(port.segment < scenario.segments.len(), "router {r}: no such segment");
            }
        }
        for fault in &scenario.faults {
            anyhow::ensure!(scenario.knows(&fault.what), "no such router, port or segment: {:?}", fault.what);
        }
        Ok(scenario)
    }

    /// The ports plugged into a segment.
    pub fn ends(&self, segment: SegmentIndex) -> impl Iterator<Item = (RouterIndex, PortIndex, &Port)> {
        self.routers.iter().enumerate().flat_map(move |(r, router)| {
            let ports = router.ports.iter().enumerate().filter(move |(_, p)| p.segment == segment);
            ports.map(move |(p, port)| (r, p, port))
        })
    }

    /// Does everything a fault names exist?
    pub fn knows(&self, what: &What) -> bool {
        let segment = what.segment().is_none_or(|s| s < self.segments.len());
        let port = |r: RouterIndex| what.port().is_none_or(|p| p < self.routers[r].ports.len());
        segment && what.router().is_none_or(|r| r < self.routers.len() && port(r))
    }
}

impl What {
    /// The router it names.
    pub fn router(&self) -> Option<RouterIndex> {
        match self {
            Self::Impair { towards, .. } => *towards,
            Self::SilentCut { from, .. } => *from,
            Self::Forge { victim, .. } => Some(*victim),
            Self::Unplug { router, .. }
            | Self::PowerLoss { router }
            | Self::Kill { router, .. }
            | Self::Stop { router, .. }
            | Self::Freeze { router, .. }
            | Self::WallClock { router, .. }
            | Self::Cost { router, .. }
            | Self::Priority { router, .. }
            | Self::VrrpPriority { router, .. }
            | Self::WrongKey { router, .. }
            | Self::OspfOff { router, .. }
            | Self::Passive { router, .. }
            | Self::ExternalsOff { router }
            | Self::FilterOff { router }
            | Self::AdminDown { router, .. }
            | Self::AddressRemoved { router, .. }
            | Self::Mtu { router, .. }
            | Self::RibDisconnect { router }
            | Self::KernelRefuses { router, .. }
            | Self::RoutesRemoved { router }
            | Self::PlannedRestart { router }
            | Self::Clear { router } => Some(*router),
            Self::Junk { .. } | Self::Replay { .. } => None,
        }
    }

    /// The port it names, of [`What::router`].
    pub fn port(&self) -> Option<PortIndex> {
        match self {
            Self::Cost { port, .. }
            | Self::Priority { port, .. }
            | Self::VrrpPriority { port, .. }
            | Self::WrongKey { port, .. }
            | Self::OspfOff { port, .. }
            | Self::Passive { port, .. }
            | Self::AdminDown { port, .. }
            | Self::AddressRemoved { port, .. }
            | Self::Mtu { port, .. } => Some(*port),
            _ => None,
        }
    }

    /// The segment it names.
    pub fn segment(&self) -> Option<SegmentIndex> {
        match self {
            Self::Impair { segment, .. }
            | Self::SilentCut { segment, .. }
            | Self::Unplug { segment, .. }
            | Self::Junk { segment, .. }
            | Self::Replay { segment, .. }
            | Self::Forge { segment, .. } => Some(*segment),
            _ => None,
        }
    }
}
