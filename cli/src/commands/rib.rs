//! What ribd is asked.

use super::{Daemon, IP, JSON, Meaning, Question, Row, SHOW, from, parsed};
use ::rib::api as rib;
use ::rib::message::Protocol;
use anyhow::{Context as _, Result};
use routing_common::grammar::Args;

const ROUTES: &str = "Routing table: every candidate, the chosen one marked";

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "show ip route [<connected|static|ospf>] [<A.B.C.D$prefix|A.B.C.D/M$prefix [longer-prefixes]>] [json]",
        help: &[
            SHOW,
            IP,
            ROUTES,
            "Of our own interfaces",
            "From the configuration",
            "From OSPF",
            "The longest match of this address",
            "This prefix",
            "And everything inside it",
            JSON,
        ],
        meaning: Meaning::Ask(routes),
    },
    Row {
        syntax: "show ip route failed [json]",
        help: &[SHOW, IP, ROUTES, "What the kernel refused, and why", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::FailedRoutes)),
    },
    Row {
        syntax: "show ip route <A.B.C.D$prefix|A.B.C.D/M$prefix> why [json]",
        help: &[
            SHOW,
            IP,
            ROUTES,
            "The longest match of this address",
            "This prefix",
            "Every candidate, and why it was chosen or not",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ask(rib::Request::Why { prefix: parsed(a, "prefix")?.context("an address or a prefix")? })
        }),
    },
    Row {
        syntax: "show ip fib [<A.B.C.D$prefix|A.B.C.D/M$prefix>] [json]",
        help: &[
            SHOW,
            IP,
            "What the kernel forwards by",
            "The longest match of this address",
            "This prefix",
            JSON,
        ],
        meaning: Meaning::Ask(|a| ask(rib::Request::Fib { prefix: parsed(a, "prefix")? })),
    },
    Row {
        syntax: "show ip nht [json]",
        help: &[SHOW, IP, "Gateways that routes wait for, and how they are reached", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::NextHopTracking)),
    },
    Row {
        syntax: "show ip forwarding [json]",
        help: &[SHOW, IP, "Does this host forward", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::Forwarding)),
    },
    Row {
        syntax: "show static routes [json]",
        help: &[
            SHOW,
            "Static routing",
            "Every next hop of the configuration, and why it is not in use",
            JSON,
        ],
        meaning: Meaning::Ask(|_| ask(rib::Request::Statics)),
    },
    Row {
        syntax: "show nexthop-group rib [(1-4294967295)$id] [json]",
        help: &[SHOW, "Next-hop objects", "Those the routing table gave the kernel", "Only this one", JSON],
        meaning: Meaning::Ask(|a| ask(rib::Request::NextHopGroups { id: parsed(a, "id")? })),
    },
    Row {
        syntax: "show interface [IFNAME$name] [json]",
        help: &[SHOW, "Interfaces", "Only this one", JSON],
        meaning: Meaning::Ask(|a| ask(rib::Request::InterfaceDetails { name: parsed(a, "name")? })),
    },
    Row {
        syntax: "show interface description [json]",
        help: &[SHOW, "Interfaces", "What they are for", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::Descriptions)),
    },
    Row {
        syntax: "show ip route summary [json]",
        help: &[SHOW, IP, ROUTES, "Counts", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::RouteSummary)),
    },
    Row {
        syntax: "show interface brief [json]",
        help: &[SHOW, "Interfaces", "One line each", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::Interfaces)),
    },
    Row {
        syntax: "show rib clients [json]",
        help: &[SHOW, "The routing information base", "Daemons connected to it", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::Clients)),
    },
    Row {
        syntax: "show zebra client [summary] [json]",
        help: &[
            SHOW,
            "The routing information base, by FRR's name",
            "Daemons connected to it",
            "The same",
            JSON,
        ],
        meaning: Meaning::Ask(|_| ask(rib::Request::Clients)),
    },
    Row {
        syntax: "show system [json]",
        help: &[SHOW, "Kernel settings in force, addresses, counters", JSON],
        meaning: Meaning::Ask(|_| ask(rib::Request::System)),
    },
];

fn ask(request: rib::Request) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Ribd,
        request: serde_json::to_value(request)?,
        render: |request, value| Ok(rib::render_text(&from(request)?, value)?),
    })
}

fn routes(args: &Args) -> Result<Question> {
    let named = [("connected", Protocol::Connected), ("static", Protocol::Static), ("ospf", Protocol::Ospf)];
    let protocol = named.into_iter().find(|(word, _)| args.has(word)).map(|(_, protocol)| protocol);
    // A bare address parses as a /32, whose longest match the RIB answers with.
    let prefix = parsed(args, "prefix")?;
    ask(rib::Request::Routes { protocol, prefix, longer: args.has("longer-prefixes") })
}
