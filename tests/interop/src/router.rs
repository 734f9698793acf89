//! What a router is to do, in no suite's words.

use ipnetwork::Ipv4Network;
use std::net::Ipv4Addr;

/// A routing suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// This project's daemons under their supervisor.
    Torc,
    /// FRR: zebra, staticd, ospfd, vrrpd.
    Frr,
    /// BIRD for OSPF, keepalived for VRRP.
    Bird,
}

/// The suites that are not ours and speak OSPF.
pub const PEERS: [Suite; 2] = [Suite::Frr, Suite::Bird];

/// How OSPF treats an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Two routers.
    PointToPoint,
    /// With a Designated Router.
    Broadcast,
    /// Announced, without adjacencies.
    Passive,
    /// Not in OSPF.
    None,
}

/// Packet authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authentication {
    /// None.
    Null,
    /// A password in clear.
    Simple(String),
    /// Keyed MD5.
    Md5 {
        /// Key ID.
        id: u8,
        /// The secret.
        key: String,
    },
    /// Keys that take turns. FRR 8.4 knows those of MD5 alone, and no times.
    Chain(Vec<ChainKey>),
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Keyed MD5 (RFC 2328 App. D).
    Md5,
    /// RFC 5709, as are the others.
    HmacSha1,
    /// With SHA-256.
    HmacSha256,
    /// With SHA-384.
    HmacSha384,
    /// With SHA-512.
    HmacSha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Md5, Self::HmacSha1, Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// As Torc's configuration calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::HmacSha1 => "hmac-sha-1",
            Self::HmacSha256 => "hmac-sha-256",
            Self::HmacSha384 => "hmac-sha-384",
            Self::HmacSha512 => "hmac-sha-512",
        }
    }
}

/// A key that signs from a second on, until another begins; it is always accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainKey {
    /// Key ID.
    pub id: u8,
    /// The secret.
    pub key: String,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Its first second in Universal Time, as `2026-01-31 06:30:00`.
    pub from: String,
}

/// One interface. It has the name of the link it is plugged into.
#[derive(Debug, Clone)]
pub struct Port {
    /// The link, and the interface's name.
    pub link: String,
    /// Address with prefix length.
    pub address: Ipv4Network,
    /// How OSPF treats it.
    pub kind: Kind,
    /// Output cost.
    pub cost: u16,
    /// Router Priority.
    pub priority: u8,
    /// HelloInterval in seconds.
    pub hello: u16,
    /// RouterDeadInterval in seconds.
    pub dead: u16,
    /// Fast Hellos in place of both: so many a second.
    pub hellos: Option<u8>,
    /// Area, as a number.
    pub area: u8,
    /// Authentication.
    pub authentication: Authentication,
}

impl Port {
    /// An interface with cost 10, priority 1, Hellos once a second and four seconds' patience.
    ///
    /// # Panics
    /// `address` is not an address with prefix length.
    pub fn new(link: &str, address: &str, kind: Kind) -> Self {
        let address = address.parse().unwrap_or_else(|_| panic!("{address:?} in a test's description"));
        Self {
            link: link.to_owned(),
            address,
            kind,
            cost: 10,
            priority: 1,
            hello: 1,
            dead: 4,
            hellos: None,
            area: 0,
            authentication: Authentication::Null,
        }
    }

    /// With this cost.
    #[must_use]
    pub fn cost(mut self, cost: u16) -> Self {
        self.cost = cost;
        self
    }

    /// With this Router Priority.
    #[must_use]
    pub fn priority(mut self, priority: u8) -> Self {
        self.priority = priority;
        self
    }

    /// With this authentication.
    #[must_use]
    pub fn authentication(mut self, authentication: &Authentication) -> Self {
        self.authentication = authentication.clone();
        self
    }

    /// Does OSPF form adjacencies here?
    pub fn is_active(&self) -> bool {
        matches!(self.kind, Kind::PointToPoint | Kind::Broadcast)
    }
}

/// An external metric with its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct External {
    /// The metric.
    pub metric: u32,
    /// 1 adds the cost inside OSPF, 2 does not.
    pub metric_type: u8,
}

impl External {
    /// Type 1.
    pub fn e1(metric: u32) -> Self {
        Self { metric, metric_type: 1 }
    }

    /// Type 2.
    pub fn e2(metric: u32) -> Self {
        Self { metric, metric_type: 2 }
    }
}

/// A part in a virtual router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vrrp {
    /// 2 or 3.
    pub version: u8,
    /// Priority.
    pub priority: u8,
    /// Advertisement_Interval in milliseconds.
    pub interval: u16,
    /// Preempt_Mode.
    pub preempt: bool,
}

impl Vrrp {
    /// Virtual router id of every test.
    pub const VRID: u8 = 10;
    /// Interface (and link) of every test.
    pub const LINK: &'static str = "lan";
    /// Its virtual address.
    pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
    /// Its MAC address (RFC 9568 §7.3).
    pub const MAC: &'static str = "00:00:5e:00:01:0a";

    /// With adverts every 200 ms, which a busy machine still keeps up with; version 2 knows whole seconds only.
    pub fn new(version: u8, priority: u8) -> Self {
        Self { version, priority, interval: if version == 2 { 1000 } else { 200 }, preempt: true }
    }
}

/// A BFD session asked for by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bfd {
    /// Our address.
    pub local: Ipv4Addr,
    /// The neighbour's.
    pub peer: Ipv4Addr,
    /// Several hops away.
    pub multihop: bool,
    /// Both intervals, in milliseconds.
    pub interval: u16,
    /// Detect Mult.
    pub multiplier: u8,
    /// The passive role.
    pub passive: bool,
    /// Held down.
    pub shutdown: bool,
    /// Multihop: what ours accepts.
    pub minimum_ttl: u8,
}

impl Bfd {
    /// 5 × 100 ms, which a busy machine still keeps up with.
    ///
    /// # Panics
    /// An address does not parse.
    pub fn new(local: &str, peer: &str) -> Self {
        let address =
            |text: &str| text.parse().unwrap_or_else(|_| panic!("{text:?} in a test's description"));
        Self {
            local: address(local),
            peer: address(peer),
            multihop: false,
            interval: 100,
            multiplier: 5,
            passive: false,
            shutdown: false,
            minimum_ttl: 254,
        }
    }
}

/// A router.
#[derive(Debug, Clone)]
pub struct Router {
    /// Its name and its namespace's.
    pub name: String,
    /// What it runs.
    pub suite: Suite,
    /// Router id, which is its loopback's address.
    pub id: Ipv4Addr,
    /// Interfaces.
    pub ports: Vec<Port>,
    /// Static routes with their next hop; none drops what matches.
    pub statics: Vec<(Ipv4Network, Option<Ipv4Addr>)>,
    /// Announces a default route, without having one of its own if `.1`.
    pub default: Option<(External, bool)>,
    /// Announces networks of interfaces that are not in OSPF.
    pub redistribute_connected: Option<External>,
    /// Announces static routes.
    pub redistribute_static: Option<External>,
    /// Part in the virtual router.
    pub vrrp: Option<Vrrp>,
    /// A BFD session; a single hop is on the first port.
    pub bfd: Option<Bfd>,
    /// Further lines for FRR's `router ospf`.
    pub frr_lines: &'static [&'static str],
}

impl Router {
    /// Router `number`: `rN` with the loopback 10.255.0.N.
    pub fn new(number: u8, suite: Suite, ports: impl IntoIterator<Item = Port>) -> Self {
        Self {
            name: format!("r{number}"),
            suite,
            id: Ipv4Addr::new(10, 255, 0, number),
            ports: ports.into_iter().collect(),
            statics: Vec::new(),
            default: None,
            redistribute_connected: None,
            redistribute_static: None,
            vrrp: None,
            bfd: None,
            frr_lines: &[],
        }
    }

    /// With a part in the virtual router.
    #[must_use]
    pub fn vrrp(mut self, vrrp: Vrrp) -> Self {
        self.vrrp = Some(vrrp);
        self
    }

    /// With a BFD session.
    #[must_use]
    pub fn bfd(mut self, bfd: Bfd) -> Self {
        self.bfd = Some(bfd);
        self
    }

    /// The interface of a single-hop BFD session.
    pub fn bfd_link(&self) -> Option<&str> {
        let single = self.bfd.is_some_and(|bfd| !bfd.multihop);
        self.ports.first().filter(|_| single).map(|port| port.link.as_str())
    }

    /// With further lines for FRR's `router ospf`.
    #[must_use]
    pub fn frr_lines(mut self, lines: &'static [&'static str]) -> Self {
        self.frr_lines = lines;
        self
    }

    /// With a static route; without a next hop what matches is dropped.
    ///
    /// # Panics
    /// `prefix` or `via` does not parse.
    #[must_use]
    pub fn static_route(mut self, prefix: &str, via: Option<&str>) -> Self {
        let bad = |text: &str| -> ! { panic!("{text:?} in a test's description") };
        let via = via.map(|via| via.parse().unwrap_or_else(|_| bad(via)));
        self.statics.push((prefix.parse().unwrap_or_else(|_| bad(prefix)), via));
        self
    }

    /// Does it run OSPF?
    pub fn runs_ospf(&self) -> bool {
        self.ports.iter().any(|port| port.kind != Kind::None)
    }
}
