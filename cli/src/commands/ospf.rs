//! What ospfd is asked.

use super::{Daemon, IP, JSON, Meaning, Question, Row, SHOW, from, parsed};
use anyhow::Result;
use ospf_proto::api as ospf;
use routing_common::grammar::Args;

const OSPF_WORD: &str = "OSPF";
const PREFIX_LISTS: &str = "Prefix lists";
const ONLY: &str = "Only this one";

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "show ip ospf [json]",
        help: &[SHOW, IP, OSPF_WORD, JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::Summary)),
    },
    Row {
        syntax: "show ip ospf neighbor [<all|IFNAME$filter|A.B.C.D$filter>] [detail] [json]",
        help: &[
            SHOW,
            IP,
            OSPF_WORD,
            "Neighbors",
            "All of them (the default)",
            "On this interface",
            "With this router id",
            "Everything about each",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ask(ospf::Request::Neighbors {
                filter: a.get("filter").map(str::to_owned),
                detail: a.has("detail"),
            })
        }),
    },
    Row {
        syntax: "show ip ospf interface [IFNAME$name] [json]",
        help: &[SHOW, IP, OSPF_WORD, "Interfaces, with what was discarded and why", "Only this one", JSON],
        meaning: Meaning::Ask(|a| ask(ospf::Request::Interfaces { name: parsed(a, "name")? })),
    },
    Row {
        syntax: "show ip ospf interface traffic [IFNAME$name] [json]",
        help: &[
            SHOW,
            IP,
            OSPF_WORD,
            "Interfaces, with what was discarded and why",
            "Packets received and sent, by type",
            "Only of this one",
            JSON,
        ],
        meaning: Meaning::Ask(|a| ask(ospf::Request::Traffic { name: parsed(a, "name")? })),
    },
    Row {
        syntax: "show ip ospf database [<router|network|summary|asbr-summary|external|nssa-external|opaque-link|opaque-area|opaque-as> [A.B.C.D$lsid]] [<adv-router A.B.C.D$advertising|self-originate>] [json]",
        help: &[
            SHOW,
            IP,
            OSPF_WORD,
            "Link state database",
            "Router-LSAs",
            "Network-LSAs",
            "Summary-LSAs (networks)",
            "Summary-LSAs (AS boundary routers)",
            "AS-external-LSAs",
            "NSSA external LSAs",
            "Link-local opaque LSAs",
            "Area-local opaque LSAs",
            "AS-wide opaque LSAs",
            "With this Link State ID",
            "Of one router",
            "Its router id",
            "Of this router",
            JSON,
        ],
        meaning: Meaning::Ask(database),
    },
    Row {
        syntax: "show ip ospf database detail [A.B.C.D$lsid] [<adv-router A.B.C.D$advertising|self-originate>] [json]",
        help: &[
            SHOW,
            IP,
            OSPF_WORD,
            "Link state database",
            "LSAs of all types in full",
            "With this Link State ID",
            "Of one router",
            "Its router id",
            "Of this router",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ask(ospf::Request::DatabaseDetail {
                link_state_id: parsed(a, "lsid")?,
                advertising_router: parsed(a, "advertising")?,
                self_originate: a.has("self-originate"),
            })
        }),
    },
    Row {
        syntax: "show ip ospf database max-age [json]",
        help: &[SHOW, IP, OSPF_WORD, "Link state database", "LSAs on their way out", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::DatabaseMaxAge)),
    },
    Row {
        syntax: "show ip ospf graceful-restart [json]",
        help: &[SHOW, IP, OSPF_WORD, "Restarting without loss, and helping neighbors to", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::GracefulRestart { helper: false, detail: false })),
    },
    Row {
        syntax: "show ip ospf graceful-restart helper [detail] [json]",
        help: &[
            SHOW,
            IP,
            OSPF_WORD,
            "Restarting without loss, and helping neighbors to",
            "Helping neighbors",
            "And who they are",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ask(ospf::Request::GracefulRestart { helper: true, detail: a.has("detail") })
        }),
    },
    Row {
        syntax: "graceful-restart prepare ip ospf",
        help: &["Restart without loss", "Tell the neighbors and leave for a restart", IP, OSPF_WORD],
        meaning: Meaning::Ask(|_| ask(ospf::Request::PrepareRestart)),
    },
    Row {
        syntax: "show ip ospf events [json]",
        help: &[SHOW, IP, OSPF_WORD, "What happened: adjacencies and SPF runs, with causes", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::Events)),
    },
    Row {
        syntax: "show ip ospf spf log [json]",
        help: &[SHOW, IP, OSPF_WORD, "Route calculations", "The last ones: when, why, how much", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::SpfLog)),
    },
    Row {
        syntax: "show ip prefix-list [WORD$list] [json]",
        help: &[SHOW, IP, PREFIX_LISTS, ONLY, JSON],
        meaning: Meaning::Ask(|a| prefix_lists(a, ospf::Extent::Entries)),
    },
    Row {
        syntax: "show ip prefix-list summary [WORD$list] [json]",
        help: &[SHOW, IP, PREFIX_LISTS, "How many entries", ONLY, JSON],
        meaning: Meaning::Ask(|a| prefix_lists(a, ospf::Extent::Summary)),
    },
    Row {
        syntax: "show ip prefix-list detail [WORD$list] [json]",
        help: &[SHOW, IP, PREFIX_LISTS, "Entries, and how many", ONLY, JSON],
        meaning: Meaning::Ask(|a| prefix_lists(a, ospf::Extent::Detail)),
    },
    Row {
        syntax: "show ip access-list [WORD$list] [json]",
        help: &[SHOW, IP, "Access lists", ONLY, JSON],
        meaning: Meaning::Ask(|a| ask(ospf::Request::AccessLists { name: name(a, "list") })),
    },
    Row {
        syntax: "show route-map [WORD$map] [json]",
        help: &[SHOW, "Route maps", ONLY, JSON],
        meaning: Meaning::Ask(|a| ask(ospf::Request::RouteMaps { name: name(a, "map") })),
    },
    Row {
        syntax: "show key chain [WORD$chain] [json]",
        help: &[SHOW, "Keys", "Key chains: lifetimes, and which key signs now", ONLY, JSON],
        meaning: Meaning::Ask(|a| ask(ospf::Request::KeyChains { name: name(a, "chain") })),
    },
    Row {
        syntax: "show ip ospf fast-reroute [json]",
        help: &[SHOW, IP, OSPF_WORD, "Loop-free alternates of routes, and what became of them", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::FastReroute)),
    },
    Row {
        syntax: "show ip ospf vrfs [json]",
        help: &[SHOW, IP, OSPF_WORD, "VRFs it runs in: the default one", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::Vrfs)),
    },
    Row {
        syntax: "show ip ospf reachable-routers [json]",
        help: &[SHOW, IP, OSPF_WORD, "All routers a path leads to", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::ReachableRouters)),
    },
    Row {
        syntax: "show ip ospf route detail [json]",
        help: &[SHOW, IP, OSPF_WORD, "OSPF's routing table", "With the router behind each path", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::RouteDetail)),
    },
    Row {
        syntax: "show ip ospf route [json]",
        help: &[SHOW, IP, OSPF_WORD, "OSPF's routing table", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::Routes)),
    },
    Row {
        syntax: "show ip ospf border-routers [json]",
        help: &[SHOW, IP, OSPF_WORD, "Area border and AS boundary routers", JSON],
        meaning: Meaning::Ask(|_| ask(ospf::Request::BorderRouters)),
    },
];

fn ask(request: ospf::Request) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Ospfd,
        request: serde_json::to_value(request)?,
        render: |request, value| Ok(ospf::render_text(&from(request)?, value)?),
    })
}

fn name(args: &Args, name: &str) -> Option<String> {
    args.get(name).map(str::to_owned)
}

fn prefix_lists(args: &Args, extent: ospf::Extent) -> Result<Question> {
    ask(ospf::Request::PrefixLists { name: name(args, "list"), extent })
}

fn database(args: &Args) -> Result<Question> {
    // The keywords are the names the kinds have on the wire between shell and daemon.
    let named =
        |kind: &ospf::DatabaseKind| serde_json::to_value(kind).ok().and_then(|v| Some(args.has(v.as_str()?)));
    let kind = ospf::DatabaseKind::ALL.into_iter().find(|kind| named(kind) == Some(true));
    ask(ospf::Request::Database {
        kind,
        link_state_id: parsed(args, "lsid")?,
        advertising_router: parsed(args, "advertising")?,
        self_originate: args.has("self-originate"),
    })
}
