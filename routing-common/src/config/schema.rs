//! Every key a file may hold: name, type, range, default and meaning.
//!
//! The one place for all of that. `reader` takes types, ranges and defaults from here, refuses keys
//! that are not here, and insists in tests that every key here is read; `reference` prints it. So the
//! loader, its messages and the reference page cannot drift apart.

use std::time::Duration;

/// A table of the file.
pub(super) struct Table {
    /// Its path as the operator writes it, `NAME` standing for a name he chooses.
    pub(super) path: &'static str,
    /// What it is for.
    pub(super) text: &'static str,
    /// What may stand in it.
    pub(super) keys: &'static [Key],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Fallback,
    pub(super) text: &'static str,
}

/// What a key's value must be.
pub(super) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number { min: u32, max: u32 },
    /// A string with a unit.
    Time { min: Duration, max: Duration, step: Duration },
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A string of the described form.
    Text(&'static str),
    /// An array of strings of the described form (or of what the description says).
    List(&'static str),
    /// A table.
    Table(&'static Table),
    /// A table of tables whose names the operator chooses.
    Named(&'static Table),
    /// An array of tables.
    Array(&'static Table),
    /// A word or a table.
    WordOrTable(&'static [&'static str], &'static Table),
    /// Known, but not part of this version, for this reason.
    Refused(&'static str),
}

/// What holds when a key is absent.
pub(super) enum Fallback {
    /// It must not be absent.
    Required,
    /// Nothing, or what the text says.
    Absent(&'static str),
    Boolean(bool),
    Number(u32),
    Word(&'static str),
    /// Per set of defaults.
    Time {
        traditional: Duration,
        ring: Duration,
    },
}

/// A range of numbers in words.
pub(super) fn number_range(min: u32, max: u32) -> String {
    if max == min + 1 { format!("{min} or {max}") } else { format!("{min} to {max}") }
}

const fn key(name: &'static str, kind: Kind, default: Fallback, text: &'static str) -> Key {
    Key { name, kind, default, text }
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn always(d: Duration) -> Fallback {
    Fallback::Time { traditional: d, ring: d }
}

const fn table_key(name: &'static str, kind: Kind, text: &'static str) -> Key {
    key(name, kind, Fallback::Absent(""), text)
}

const WHOLE_SECONDS: Kind = Kind::Time { min: seconds(1), max: seconds(65_535), step: seconds(1) };
const DELAY: Kind = Kind::Time { min: Duration::ZERO, max: seconds(600), step: millis(1) };
const METRIC: Kind = Kind::Number { min: 0, max: 16_777_214 };
const METRIC_TYPE: Kind = Kind::Number { min: 1, max: 2 };
const METRIC_TYPE_TEXT: &str = "External metric type: 1 adds the cost inside the OSPF domain, 2 does not.";
const NO_BFD: &str = "BFD is not part of this version; short hello and dead intervals (`defaults = \"ring\"`) \
                      are the way to detect failures quickly";

/// The words of `network-type`; the last two are refused with a reason.
pub(super) const NETWORK_TYPES: &[&str] = &["broadcast", "point-to-point"];
/// The network types RFC 2328 knows but this version does not run.
pub(super) const NETWORK_TYPES_REFUSED: &[&str] = &["point-to-multipoint", "non-broadcast"];

/// The whole file.
pub(super) static ROOT: Table = Table {
    path: "",
    text: "What concerns the router as a whole.",
    keys: &[
        key(
            "hostname",
            Kind::Text("1 to 63 letters, digits, `-` or `.`"),
            Fallback::Word("router"),
            "Name of the router in prompts and logs.",
        ),
        key(
            "defaults",
            Kind::Word(&["traditional", "ring"]),
            Fallback::Word("traditional"),
            "Which default timers the file starts from: those of the RFCs, or fast detection on every \
             link. A key that is written always wins.",
        ),
        table_key("interfaces", Kind::Named(&INTERFACE), "Interfaces by their kernel name."),
        table_key("static-routes", Kind::Array(&STATIC_ROUTE), "Static routes."),
        table_key("rib", Kind::Table(&RIB), "The routing table and the kernel's forwarding."),
        table_key("ospf", Kind::Table(&OSPF), "OSPFv2; without this table it does not run."),
        table_key("vrrp", Kind::Table(&VRRP), "VRRP; without groups it does not run."),
        table_key("bfd", Kind::Refused(NO_BFD), "Not part of this version."),
    ],
};

pub(super) static INTERFACE: Table = Table {
    path: "interfaces.NAME",
    text: "One interface. It need not exist yet: one that appears later is taken up then.",
    keys: &[
        key("description", Kind::Text("one line of text"), Fallback::Absent("none"), "For humans."),
        key(
            "addresses",
            Kind::List("IPv4 addresses with prefix length, such as `\"192.168.1.1/24\"`"),
            Fallback::Absent("none"),
            "Addresses the interface gets; the first is the primary one. Subnets of different interfaces \
             must not overlap, except /32 addresses, which may be shared (unnumbered links).",
        ),
    ],
};

pub(super) static STATIC_ROUTE: Table = Table {
    path: "static-routes",
    text: "One static route. Give exactly one of: `next-hop` (with or without `interface`), `interface` \
           alone, `next-hops`, `blackhole`.",
    keys: &[
        key(
            "prefix",
            Kind::Text("IPv4 prefix, such as `\"10.10.0.0/16\"`"),
            Fallback::Required,
            "Destination.",
        ),
        key(
            "next-hop",
            Kind::Text("IPv4 address"),
            Fallback::Absent("none"),
            "The gateway. Need not be directly connected.",
        ),
        key(
            "interface",
            Kind::Text("interface name"),
            Fallback::Absent("any"),
            "The only interface the route may use: it goes when the link goes.",
        ),
        key(
            "next-hops",
            Kind::List("addresses, or tables `{ next-hop = \"…\", interface = \"…\" }`"),
            Fallback::Absent("none"),
            "Several gateways at once: equal-cost multipath.",
        ),
        key("blackhole", Kind::Boolean, Fallback::Boolean(false), "Drop what matches, silently."),
        key(
            "distance",
            Kind::Number { min: 1, max: 255 },
            Fallback::Number(1),
            "Administrative distance. A larger one makes a floating route; 255 is never used.",
        ),
        key(
            "tag",
            Kind::Number { min: 0, max: u32::MAX },
            Fallback::Number(0),
            "Tag, carried along in redistribution.",
        ),
    ],
};

pub(super) static NEXT_HOP: Table = Table {
    path: "static-routes.next-hops",
    text: "One of several next hops; at least one of the two keys.",
    keys: &[
        key("next-hop", Kind::Text("IPv4 address"), Fallback::Absent("none"), "The gateway."),
        key(
            "interface",
            Kind::Text("interface name"),
            Fallback::Absent("any"),
            "Only through this interface.",
        ),
    ],
};

pub(super) static RIB: Table = Table {
    path: "rib",
    text: "The routing table and the kernel's forwarding.",
    keys: &[
        key("forwarding", Kind::Boolean, Fallback::Boolean(true), "Forward packets between interfaces."),
        key(
            "next-hop-objects",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Use the kernel's next-hop objects where it has them.",
        ),
        key(
            "stale-time",
            Kind::Time { min: Duration::ZERO, max: seconds(3600), step: millis(1) },
            always(seconds(120)),
            "How long routes of a daemon that went away stay in the kernel for its successor.",
        ),
    ],
};

pub(super) static OSPF: Table = Table {
    path: "ospf",
    text: "OSPF version 2 (RFC 2328).",
    keys: &[
        key(
            "router-id",
            Kind::Text("dotted quad"),
            Fallback::Required,
            "Unique in the OSPF domain; usually the loopback's address.",
        ),
        table_key("interfaces", Kind::Named(&OSPF_INTERFACE), "Interfaces OSPF runs on."),
        table_key(
            "default-information",
            Kind::Table(&DEFAULT_INFORMATION),
            "Announce a default route into OSPF.",
        ),
        table_key("redistribute", Kind::Table(&REDISTRIBUTE), "Announce other routes into OSPF."),
        key(
            "reference-bandwidth",
            Kind::Number { min: 1, max: 4_294_967 },
            Fallback::Number(100_000),
            "Mbit/s that make cost 1, for interfaces without `cost`.",
        ),
        key(
            "distance",
            Kind::Number { min: 1, max: 255 },
            Fallback::Number(110),
            "Administrative distance of OSPF routes.",
        ),
        key(
            "maximum-paths",
            Kind::Number { min: 1, max: 64 },
            Fallback::Number(64),
            "Largest number of equal-cost next hops of a route.",
        ),
        key(
            "rfc1583-compatibility",
            Kind::Boolean,
            Fallback::Boolean(false),
            "Prefer paths to AS boundary routers as RFC 1583 did (RFC 2328 §16.4.1). Must be the same \
             on all routers.",
        ),
        table_key("spf", Kind::Table(&SPF), "Back-off of the route calculation."),
        key(
            "min-ls-interval",
            DELAY,
            always(seconds(5)),
            "Least time between two originations of one LSA (MinLSInterval).",
        ),
        key(
            "min-ls-arrival",
            DELAY,
            always(seconds(1)),
            "Least time between two accepted instances of one LSA (MinLSArrival).",
        ),
        table_key("bfd", Kind::Refused(NO_BFD), "Not part of this version."),
    ],
};

pub(super) static OSPF_INTERFACE: Table = Table {
    path: "ospf.interfaces.NAME",
    text: "OSPF on one interface (RFC 2328 App. C.3).",
    keys: &[
        key(
            "area",
            Kind::Text("dotted quad or number"),
            Fallback::Word("0.0.0.0"),
            "The area. The same on all interfaces of a router in this version.",
        ),
        key(
            "network-type",
            Kind::Word(NETWORK_TYPES),
            Fallback::Word("broadcast"),
            "How the network behaves. `point-to-point` on a cable between two routers saves the wait for \
             a Designated Router. A loopback is always announced as a host.",
        ),
        key(
            "cost",
            Kind::Number { min: 1, max: 65_535 },
            Fallback::Absent("from the bandwidth"),
            "Cost of sending out of the interface.",
        ),
        key(
            "hello-interval",
            WHOLE_SECONDS,
            Fallback::Time { traditional: seconds(10), ring: seconds(1) },
            "Time between Hellos; the same on all routers of the network.",
        ),
        key(
            "dead-interval",
            WHOLE_SECONDS,
            Fallback::Absent("4 × `hello-interval`"),
            "Silence after which a neighbour is gone; the same on all routers of the network.",
        ),
        key(
            "retransmit-interval",
            Kind::Time { min: millis(50), max: seconds(65_535), step: millis(1) },
            Fallback::Time { traditional: seconds(5), ring: millis(200) },
            "Wait before an unacknowledged LSA is sent again.",
        ),
        key(
            "transmit-delay",
            WHOLE_SECONDS,
            always(seconds(1)),
            "Age added to an LSA sent here (InfTransDelay).",
        ),
        key(
            "priority",
            Kind::Number { min: 0, max: 255 },
            Fallback::Number(1),
            "Precedence in the election of the Designated Router; 0 never becomes one.",
        ),
        key(
            "passive",
            Kind::Boolean,
            Fallback::Boolean(false),
            "Announce the network, but neither send Hellos nor form adjacencies.",
        ),
        key(
            "mtu-ignore",
            Kind::Boolean,
            Fallback::Boolean(false),
            "Form adjacencies though the neighbour's MTU is larger.",
        ),
        key(
            "authentication",
            Kind::WordOrTable(&["null"], &AUTHENTICATION),
            Fallback::Word("null"),
            "How packets are authenticated (RFC 2328 App. D).",
        ),
        key("bfd", Kind::Refused(NO_BFD), Fallback::Absent(""), "Not part of this version."),
    ],
};

pub(super) static AUTHENTICATION: Table = Table {
    path: "ospf.interfaces.NAME.authentication",
    text: "Packet authentication. `simple` takes `key`, `md5` takes `keys`.",
    keys: &[
        key("type", Kind::Word(&["null", "simple", "md5"]), Fallback::Required, "The method."),
        key("key", Kind::Text("1 to 8 bytes"), Fallback::Absent("none"), "The password of `simple`."),
        key(
            "keys",
            Kind::Array(&MD5_KEY),
            Fallback::Absent("none"),
            "The keys of `md5`; the last one signs, all of them verify, so keys can be changed one \
             router at a time.",
        ),
    ],
};

pub(super) static MD5_KEY: Table = Table {
    path: "ospf.interfaces.NAME.authentication.keys",
    text: "One MD5 key.",
    keys: &[
        key("id", Kind::Number { min: 0, max: 255 }, Fallback::Required, "Key ID on the wire."),
        key("key", Kind::Text("1 to 16 bytes"), Fallback::Required, "The shared secret."),
    ],
};

pub(super) static DEFAULT_INFORMATION: Table = Table {
    path: "ospf.default-information",
    text: "A default route announced into OSPF.",
    keys: &[
        key("originate", Kind::Boolean, Fallback::Boolean(true), "Announce it."),
        key(
            "always",
            Kind::Boolean,
            Fallback::Boolean(false),
            "Also while this router has no default route of its own from outside OSPF.",
        ),
        key("metric", METRIC, Fallback::Number(10), "External metric."),
        key("metric-type", METRIC_TYPE, Fallback::Number(2), METRIC_TYPE_TEXT),
    ],
};

pub(super) static REDISTRIBUTE: Table = Table {
    path: "ospf.redistribute",
    text: "Which other routes are announced into OSPF. An empty table takes the defaults.",
    keys: &[
        table_key("connected", Kind::Table(&REDISTRIBUTE_CONNECTED), "Networks of this router's interfaces."),
        table_key("static", Kind::Table(&REDISTRIBUTE_STATIC), "Static routes, except the default route."),
    ],
};

const POLICY: &[Key] = &[
    key("metric", METRIC, Fallback::Number(20), "External metric."),
    key("metric-type", METRIC_TYPE, Fallback::Number(2), METRIC_TYPE_TEXT),
];

pub(super) static REDISTRIBUTE_CONNECTED: Table = Table {
    path: "ospf.redistribute.connected",
    text: "Announce the networks of this router's interfaces as external routes.",
    keys: POLICY,
};

pub(super) static REDISTRIBUTE_STATIC: Table = Table {
    path: "ospf.redistribute.static",
    text: "Announce static routes; a default route is the business of `default-information`.",
    keys: POLICY,
};

pub(super) static SPF: Table = Table {
    path: "ospf.spf",
    text: "Back-off of the route calculation (RFC 8405): at once after the first event, later under churn.",
    keys: &[
        key("initial-delay", DELAY, always(Duration::ZERO), "After the first event in quiet times."),
        key("short-delay", DELAY, always(millis(50)), "While events follow one another."),
        key("long-delay", DELAY, always(seconds(2)), "When `time-to-learn` has passed and events go on."),
        key("time-to-learn", DELAY, always(millis(500)), "How long a single failure may take to be told."),
        key("hold-down", DELAY, always(seconds(3)), "Quiet needed to start afresh."),
    ],
};

pub(super) static VRRP: Table = Table {
    path: "vrrp",
    text: "Virtual Router Redundancy Protocol.",
    keys: &[
        table_key(
            "groups",
            Kind::Named(&VRRP_GROUP),
            "Virtual routers by a name of your choice: up to 32 letters, digits, `-`, `_` or `.`.",
        ),
        table_key("bfd", Kind::Refused(NO_BFD), "Not part of this version."),
    ],
};

pub(super) static VRRP_GROUP: Table = Table {
    path: "vrrp.groups.NAME",
    text: "One virtual router (RFC 9568; version 2: RFC 3768).",
    keys: &[
        key("interface", Kind::Text("interface name"), Fallback::Required, "The interface on the LAN."),
        key(
            "vrid",
            Kind::Number { min: 1, max: 255 },
            Fallback::Required,
            "Virtual router id: the same on all its routers, used once per interface.",
        ),
        key("version", Kind::Number { min: 2, max: 3 }, Fallback::Number(3), "Protocol version."),
        key(
            "priority",
            Kind::Number { min: 1, max: 255 },
            Fallback::Number(100),
            "The highest becomes Master. 255 is for the owner of the addresses and for no one else.",
        ),
        key(
            "advertisement-interval",
            Kind::Time { min: millis(10), max: seconds(255), step: millis(10) },
            Fallback::Time { traditional: seconds(1), ring: millis(100) },
            "Time between advertisements. Version 3: 10ms to 40.95s in steps of 10ms. Version 2: 1s to \
             255s in whole seconds, default always 1s.",
        ),
        key(
            "virtual-addresses",
            Kind::List("1 to 20 IPv4 addresses, with or without prefix length"),
            Fallback::Required,
            "The addresses hosts use as gateway. Without a prefix length they take that of the \
             interface's subnet.",
        ),
        key("preempt", Kind::Boolean, Fallback::Boolean(true), "Take over from a Master of lower priority."),
        key(
            "preempt-delay",
            Kind::Time { min: Duration::ZERO, max: seconds(3600), step: millis(1) },
            always(Duration::ZERO),
            "Wait before doing so.",
        ),
        key(
            "accept",
            Kind::Boolean,
            Fallback::Boolean(false),
            "As Master, accept packets to the virtual addresses (so that they answer to ping) though \
             not their owner.",
        ),
        key(
            "virtual-mac",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Use the virtual router's MAC address; otherwise the interface's own and gratuitous ARP.",
        ),
        key(
            "checksum",
            Kind::Word(&["rfc5798", "rfc9568"]),
            Fallback::Word("rfc5798"),
            "Checksum sent in version 3: with a pseudo-header (`rfc5798`) or without. Both are accepted.",
        ),
        key("bfd", Kind::Refused(NO_BFD), Fallback::Absent(""), "Not part of this version."),
    ],
};
