//! `[ospf]` and what is below it.

use super::{Fallback, Key, Kind, Table, always, key, millis, seconds, table_key};
use std::time::Duration;

const WHOLE_SECONDS: Kind = Kind::Time { min: seconds(1), max: seconds(65_535), step: seconds(1) };
const DELAY: Kind = Kind::Time { min: Duration::ZERO, max: seconds(600), step: millis(1) };
const METRIC: Kind = Kind::Number { min: 0, max: 16_777_214 };
pub(super) const METRIC_TYPE: Kind = Kind::Number { min: 1, max: 2 };
pub(super) const METRIC_TYPE_TEXT: &str =
    "External metric type: 1 adds the cost inside the OSPF domain, 2 does not.";

const BFD: Kind = Kind::SwitchOrText("the name of a table in `bfd.profiles`");

const ROUTE_MAP: Kind = Kind::Text("the name of one of `route-maps`");
const ACCESS_LIST: Kind = Kind::Text("the name of one of `access-lists`");

/// The words of `network-type`; the last two are refused with a reason.
const NETWORK_TYPES: &[&str] = &["broadcast", "point-to-point"];
/// The network types RFC 2328 knows but this version does not run.
pub(in crate::config) const NETWORK_TYPES_REFUSED: &[&str] = &["point-to-multipoint", "non-broadcast"];

pub(in crate::config) static OSPF: Table = Table {
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
        table_key(
            "distribute-list",
            Kind::Table(&DISTRIBUTE_LIST),
            "Which of the redistributed routes are announced.",
        ),
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
            Fallback::Time { traditional: seconds(5), ring: millis(100) },
            "Longest wait before an LSA that keeps changing is originated again (MinLSInterval). The first \
             change goes out at once; the waits after it begin at MinLSArrival and double.",
        ),
        key(
            "min-ls-arrival",
            DELAY,
            Fallback::Time { traditional: seconds(1), ring: millis(50) },
            "Least time between two accepted instances of one LSA (MinLSArrival). An instance that comes \
             earlier is held, not dropped. A peer with a longer one is told again every retransmit-interval.",
        ),
        key(
            "bfd",
            BFD,
            Fallback::Absent("with `ring` `true`, else `false`"),
            "BFD with every neighbour on all interfaces that are not passive, with this profile or `default`. A neighbour \
             without BFD is a neighbour all the same. On a LAN: with those there is an adjacency with.",
        ),
        table_key(
            "graceful-restart",
            Kind::Table(&GRACEFUL_RESTART),
            "Restarts that the network does not notice.",
        ),
        table_key("max-metric", Kind::Table(&MAX_METRIC), "When transit traffic is asked to go another way."),
        table_key(
            "fast-reroute",
            Kind::Table(&FAST_REROUTE),
            "Where to send packets between a failure and the next calculation.",
        ),
    ],
};

static MAX_METRIC: Table = Table {
    path: "ospf.max-metric",
    text: "Stub router advertisement (RFC 6987): the router-LSA says 65535 for every link but those to stub networks, so \
           that others send what is not for this router another way if there is one. What it is sent it forwards as \
           ever.",
    keys: &[
        key("administrative", Kind::Boolean, Fallback::Boolean(false), "Until this is taken back."),
        key(
            "on-startup",
            Kind::Time { min: seconds(5), max: seconds(86_400), step: seconds(1) },
            Fallback::Absent("none"),
            "After a start that is not a graceful restart: until the neighbours are Full and the kernel has the routes, for \
             so long at most.",
        ),
        key(
            "on-shutdown",
            Kind::Time { min: seconds(5), max: seconds(100), step: seconds(1) },
            Fallback::Absent("until the neighbours know, a second or two"),
            "For so long before the end. Without it a router with several adjacencies waits only until the neighbours \
             have had the time to calculate.",
        ),
    ],
};

static FAST_REROUTE: Table = Table {
    path: "ospf.fast-reroute",
    text: "Fast reroute over loop-free alternates (RFC 5286), found beforehand where there are any.",
    keys: &[key(
        "enabled",
        Kind::Boolean,
        Fallback::Boolean(false),
        "Find alternates in quiet times, and use them as soon as a neighbour is lost until routes are calculated.",
    )],
};

static GRACEFUL_RESTART: Table = Table {
    path: "ospf.graceful-restart",
    text: "Graceful restart (RFC 3623): the neighbours keep a router that restarts in their routes while its kernel \
           goes on forwarding. All of it is on by default; FRR has it off.",
    keys: &[
        key(
            "enabled",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Ask the neighbours for it when this router's ospfd restarts, after a crash too. Otherwise a restart is \
             one of RFC 2328.",
        ),
        key(
            "grace-period",
            Kind::Time { min: seconds(1), max: seconds(1800), step: seconds(1) },
            always(seconds(120)),
            "How long the neighbours are asked to wait for the end of a restart; not longer than `rib.stale-time`, \
             which keeps the routes meanwhile.",
        ),
        key("helper", Kind::Boolean, Fallback::Boolean(true), "Help neighbours that restart."),
        key(
            "strict-lsa-checking",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Cease to help as soon as the topology changes. Otherwise routes may loop until the neighbour is back.",
        ),
    ],
};

static OSPF_INTERFACE: Table = Table {
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
            "hello-multiplier",
            Kind::Number { min: 2, max: 20 },
            Fallback::Absent("none"),
            "So many Hellos in a dead interval of one second, in place of `hello-interval`. It is told by all routers \
             of the network or none, and need not be the same number.",
        ),
        key(
            "retransmit-interval",
            Kind::Time { min: millis(50), max: seconds(65_535), step: millis(1) },
            Fallback::Time { traditional: seconds(5), ring: millis(200) },
            "Longest wait before an unacknowledged LSA is sent again. The first wait is shorter where the neighbour is known to \
             acknowledge sooner.",
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
        key(
            "bfd",
            BFD,
            Fallback::Absent("from `[ospf]`"),
            "BFD with every neighbour here: a neighbour whose session fails is gone at once.",
        ),
    ],
};

static AUTHENTICATION: Table = Table {
    path: "ospf.interfaces.NAME.authentication",
    text: "Packet authentication. `simple` takes `key`, `md5` takes `keys`, `key-chain` takes `key-chain`.",
    keys: &[
        key("type", Kind::Word(&["null", "simple", "md5", "key-chain"]), Fallback::Required, "The method."),
        key("key", Kind::Text("1 to 8 bytes"), Fallback::Absent("none"), "The password of `simple`."),
        key(
            "keys",
            Kind::Array(&MD5_KEY),
            Fallback::Absent("none"),
            "The keys of `md5`; the last one signs, all of them verify, so keys can be changed one \
             router at a time.",
        ),
        key(
            "key-chain",
            Kind::Text("the name of one of `key-chains`"),
            Fallback::Absent("none"),
            "The keys of `key-chain`, each with its algorithm and its time.",
        ),
    ],
};

static MD5_KEY: Table = Table {
    path: "ospf.interfaces.NAME.authentication.keys",
    text: "One MD5 key.",
    keys: &[
        key("id", Kind::Number { min: 0, max: 255 }, Fallback::Required, "Key ID on the wire."),
        key("key", Kind::Text("1 to 16 bytes"), Fallback::Required, "The shared secret."),
    ],
};

static DEFAULT_INFORMATION: Table = Table {
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
        key(
            "route-map",
            ROUTE_MAP,
            Fallback::Absent("none"),
            "This router's default route must pass it, and is announced with its changes. With `always` only the \
             changes count.",
        ),
    ],
};

static REDISTRIBUTE: Table = Table {
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
    key(
        "route-map",
        ROUTE_MAP,
        Fallback::Absent("none"),
        "Which of them are announced, and what changes in them.",
    ),
];

static DISTRIBUTE_LIST: Table = Table {
    path: "ospf.distribute-list",
    text: "Which of the redistributed routes are announced. It is asked before the route map.",
    keys: &[
        key("connected", ACCESS_LIST, Fallback::Absent("none"), "What connected networks must pass."),
        key("static", ACCESS_LIST, Fallback::Absent("none"), "What static routes must pass."),
    ],
};

static REDISTRIBUTE_CONNECTED: Table = Table {
    path: "ospf.redistribute.connected",
    text: "Announce the networks of this router's interfaces as external routes.",
    keys: POLICY,
};

static REDISTRIBUTE_STATIC: Table = Table {
    path: "ospf.redistribute.static",
    text: "Announce static routes; a default route is the business of `default-information`.",
    keys: POLICY,
};

static SPF: Table = Table {
    path: "ospf.spf",
    text: "Back-off of the route calculation (RFC 8405): at once after the first event, later under churn.",
    keys: &[
        key("initial-delay", DELAY, always(Duration::ZERO), "After the first event in quiet times."),
        key(
            "short-delay",
            DELAY,
            Fallback::Time { traditional: millis(50), ring: millis(5) },
            "While events follow one another. In a ring both sides of a failure report it within milliseconds, and a \
             calculation takes microseconds.",
        ),
        key(
            "long-delay",
            DELAY,
            Fallback::Time { traditional: seconds(2), ring: millis(50) },
            "When `time-to-learn` has passed and events go on.",
        ),
        key(
            "time-to-learn",
            DELAY,
            always(seconds(2)),
            "How long a single failure may take to be told: longer than MinLSArrival, after which the second \
             report of a router comes.",
        ),
        key("hold-down", DELAY, always(seconds(3)), "Quiet needed to start afresh."),
    ],
};
