//! The command table: every line an operator can type, its help, whom it asks and how the answer reads.

pub(crate) mod configuration;

pub(crate) use configuration::Act;

use ::rib::api as rib;
use ::rib::message::Protocol;
use anyhow::{Context as _, Result};
use bfd_proto::api as bfd;
use ospf_proto::api as ospf;
use routing_common::control::processes;
use routing_common::grammar::{Args, Command, CommandTable};
use routing_common::id::Vrid;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::str::FromStr;
use vrrp_proto::api as vrrp;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// Routes and interfaces.
    Ribd,
    /// OSPF.
    Ospfd,
    /// VRRP.
    Vrrpd,
    /// BFD.
    Bfdd,
    /// The supervisor.
    Mgmtd,
}

impl Daemon {
    /// All daemons, in start order.
    pub(crate) const ALL: [Self; 5] = [Self::Mgmtd, Self::Ribd, Self::Bfdd, Self::Vrrpd, Self::Ospfd];

    /// Process and socket name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ribd => "ribd",
            Self::Ospfd => "ospfd",
            Self::Vrrpd => "vrrpd",
            Self::Bfdd => "bfdd",
            Self::Mgmtd => "mgmtd",
        }
    }
}

/// A question to a daemon, and how its answer becomes text.
pub(crate) struct Question {
    pub(crate) daemon: Daemon,
    pub(crate) request: Value,
    pub(crate) render: fn(&Value, &Value) -> Result<String>,
}

/// What a command stands for.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// A question to one daemon.
    Ask(fn(&Args) -> Result<Question>),
    /// Releases of the shell and of every daemon.
    Version,
    /// All commands.
    List,
    /// Something about the configuration as a whole.
    Configuration(Act),
}

type Row = Command<Meaning>;

/// The compiled table.
pub(crate) fn table() -> CommandTable<Meaning> {
    let rows: Vec<Row> = [OWN, configuration::ROWS, SUPERVISOR, OSPF, VRRP, BFD, RIB].concat();
    // proof: a test compiles the same constant table.
    CommandTable::new(&rows).expect("the command table compiles")
}

const JSON: &str = "As JSON";
const SHOW: &str = "Show running system information";
const IP: &str = "IPv4";
const OSPF_WORD: &str = "OSPF";

const OWN: &[Row] = &[
    Row {
        syntax: "show version [json]",
        help: &[SHOW, "Releases of the shell and the daemons", JSON],
        meaning: Meaning::Version,
    },
    Row { syntax: "list", help: &["List all commands"], meaning: Meaning::List },
];

const SUPERVISOR: &[Row] = &[Row {
    syntax: "show processes [json]",
    help: &[SHOW, "The daemons of this router and how often they were restarted", JSON],
    meaning: Meaning::Ask(|_| {
        Ok(Question {
            daemon: Daemon::Mgmtd,
            request: serde_json::to_value(processes::Request::ShowProcesses)?,
            render: |request, value| Ok(processes::render_text(&from(request)?, value)?),
        })
    }),
}];

const OSPF: &[Row] = &[
    Row {
        syntax: "show ip ospf [json]",
        help: &[SHOW, IP, OSPF_WORD, JSON],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::Summary)),
    },
    Row {
        syntax: "show ip ospf neighbor [<IFNAME$filter|A.B.C.D$filter>] [detail] [json]",
        help: &[
            SHOW,
            IP,
            OSPF_WORD,
            "Neighbors",
            "On this interface",
            "With this router id",
            "Everything about each",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ospf(ospf::Request::Neighbors {
                filter: a.get("filter").map(str::to_owned),
                detail: a.has("detail"),
            })
        }),
    },
    Row {
        syntax: "show ip ospf interface [IFNAME$name] [json]",
        help: &[SHOW, IP, OSPF_WORD, "Interfaces, with what was discarded and why", "Only this one", JSON],
        meaning: Meaning::Ask(|a| ospf(ospf::Request::Interfaces { name: parsed(a, "name")? })),
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
        syntax: "show ip ospf database max-age [json]",
        help: &[SHOW, IP, OSPF_WORD, "Link state database", "LSAs on their way out", JSON],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::DatabaseMaxAge)),
    },
    Row {
        syntax: "show ip ospf graceful-restart [json]",
        help: &[SHOW, IP, OSPF_WORD, "Restarting without loss, and helping neighbors to", JSON],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::GracefulRestart { helper: false, detail: false })),
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
            ospf(ospf::Request::GracefulRestart { helper: true, detail: a.has("detail") })
        }),
    },
    Row {
        syntax: "graceful-restart prepare ip ospf",
        help: &["Restart without loss", "Tell the neighbors and leave for a restart", IP, OSPF_WORD],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::PrepareRestart)),
    },
    Row {
        syntax: "show ip ospf events [json]",
        help: &[SHOW, IP, OSPF_WORD, "What happened: adjacencies and SPF runs, with causes", JSON],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::Events)),
    },
    Row {
        syntax: "show ip ospf route [json]",
        help: &[SHOW, IP, OSPF_WORD, "OSPF's routing table", JSON],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::Routes)),
    },
    Row {
        syntax: "show ip ospf border-routers [json]",
        help: &[SHOW, IP, OSPF_WORD, "Area border and AS boundary routers", JSON],
        meaning: Meaning::Ask(|_| ospf(ospf::Request::BorderRouters)),
    },
];

const VRRP: &[Row] = &[Row {
    syntax: "show vrrp [interface IFNAME$name] [(1-255)$vrid] [json]",
    help: &[SHOW, "VRRP virtual routers", "On one interface", "Its name", "Virtual router id", JSON],
    meaning: Meaning::Ask(|a| {
        let vrid = a.get("vrid").and_then(|v| v.parse().ok()).and_then(Vrid::new);
        let request = vrrp::Request::Routers { interface: parsed(a, "name")?, vrid };
        Ok(Question {
            daemon: Daemon::Vrrpd,
            request: serde_json::to_value(request)?,
            render: |request, value| Ok(vrrp::render_text(&from(request)?, value)?),
        })
    }),
}];

const BFD_WORD: &str = "Bidirectional Forwarding Detection";
const PEERS: &str = "All sessions";

const BFD: &[Row] = &[
    Row {
        syntax: "show bfd [json]",
        help: &[SHOW, BFD_WORD, JSON],
        meaning: Meaning::Ask(|_| bfd(bfd::Request::Status)),
    },
    Row {
        syntax: "show bfd peers [json]",
        help: &[SHOW, BFD_WORD, PEERS, JSON],
        meaning: Meaning::Ask(|_| bfd(bfd::Request::Peers)),
    },
    Row {
        syntax: "show bfd peers brief [json]",
        help: &[SHOW, BFD_WORD, PEERS, "One line each", JSON],
        meaning: Meaning::Ask(|_| bfd(bfd::Request::Brief)),
    },
    Row {
        syntax: "show bfd peers counters [json]",
        help: &[SHOW, BFD_WORD, PEERS, "Packets, changes of state, and what was discarded and why", JSON],
        meaning: Meaning::Ask(|_| bfd(bfd::Request::Counters)),
    },
    Row {
        syntax: "show bfd peer A.B.C.D$peer [json]",
        help: &[SHOW, BFD_WORD, "One session", "The neighbour's address", JSON],
        meaning: Meaning::Ask(|a| {
            let address = parsed(a, "peer")?.context("a peer's address")?;
            bfd(bfd::Request::Peer { address })
        }),
    },
];

const RIB: &[Row] = &[
    Row {
        syntax: "show ip route [<connected|static|ospf>] [<A.B.C.D$prefix|A.B.C.D/M$prefix [longer-prefixes]>] [json]",
        help: &[
            SHOW,
            IP,
            "Routing table: every candidate, the chosen one marked",
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
        syntax: "show ip route summary [json]",
        help: &[SHOW, IP, "Routing table", "Counts", JSON],
        meaning: Meaning::Ask(|_| rib(rib::Request::RouteSummary)),
    },
    Row {
        syntax: "show interface brief [json]",
        help: &[SHOW, "Interfaces", "One line each", JSON],
        meaning: Meaning::Ask(|_| rib(rib::Request::Interfaces)),
    },
    Row {
        syntax: "show rib clients [json]",
        help: &[SHOW, "The routing information base", "Daemons connected to it", JSON],
        meaning: Meaning::Ask(|_| rib(rib::Request::Clients)),
    },
    Row {
        syntax: "show system [json]",
        help: &[SHOW, "Kernel settings in force, addresses, counters", JSON],
        meaning: Meaning::Ask(|_| rib(rib::Request::System)),
    },
];

fn bfd(request: bfd::Request) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Bfdd,
        request: serde_json::to_value(request)?,
        render: |request, value| Ok(bfd::render_text(&from(request)?, value)?),
    })
}

fn rib(request: rib::Request) -> Result<Question> {
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
    rib(rib::Request::Routes { protocol, prefix, longer: args.has("longer-prefixes") })
}

fn ospf(request: ospf::Request) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Ospfd,
        request: serde_json::to_value(request)?,
        render: |request, value| Ok(ospf::render_text(&from(request)?, value)?),
    })
}

fn database(args: &Args) -> Result<Question> {
    // The keywords are the names the kinds have on the wire between shell and daemon.
    let named =
        |kind: &ospf::DatabaseKind| serde_json::to_value(kind).ok().and_then(|v| Some(args.has(v.as_str()?)));
    let kind = ospf::DatabaseKind::ALL.into_iter().find(|kind| named(kind) == Some(true));
    ospf(ospf::Request::Database {
        kind,
        link_state_id: parsed(args, "lsid")?,
        advertising_router: parsed(args, "advertising")?,
        self_originate: args.has("self-originate"),
    })
}

/// The argument `name` as a `T`; the grammar has already checked its form.
fn parsed<T: FromStr>(args: &Args, name: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    Ok(args.get(name).map(str::parse).transpose()?)
}

fn from<T: DeserializeOwned>(value: &Value) -> Result<T> {
    Ok(serde_json::from_value(value.clone())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Option<(Daemon, Value)> {
        let (meaning, args) = table().parse(&line.split_whitespace().collect::<Vec<_>>()).ok()?;
        match meaning {
            Meaning::Ask(question) => question(&args).ok().map(|q| (q.daemon, q.request)),
            Meaning::Version | Meaning::List | Meaning::Configuration(_) => None,
        }
    }

    #[test]
    fn lines_become_the_daemons_requests() {
        let asks = |line: &str, daemon, expected: Value| {
            assert_eq!(request(line), Some((daemon, expected)), "{line}");
        };
        asks("sh ip os", Daemon::Ospfd, serde_json::json!("summary"));
        asks(
            "sh ip ospf neigh eth1 det",
            Daemon::Ospfd,
            serde_json::json!({"neighbors": {"filter": "eth1", "detail": true}}),
        );
        asks(
            "show ip ospf database asbr-summary 10.0.0.1 adv-router 10.0.0.2",
            Daemon::Ospfd,
            serde_json::json!({"database": {"kind": "asbr-summary", "link-state-id": "10.0.0.1",
                "advertising-router": "10.0.0.2", "self-originate": false}}),
        );
        asks(
            "sh ip os grace helper det",
            Daemon::Ospfd,
            serde_json::json!({"graceful-restart": {"helper": true, "detail": true}}),
        );
        asks("graceful-restart prepare ip ospf", Daemon::Ospfd, serde_json::json!("prepare-restart"));
        asks("show ip ospf database max", Daemon::Ospfd, serde_json::json!("database-max-age"));
        asks(
            "show ip route 10.0.0.0/8 longer",
            Daemon::Ribd,
            serde_json::json!({"routes": {"protocol": null, "prefix": "10.0.0.0/8", "longer": true}}),
        );
        asks(
            "show ip route ospf json",
            Daemon::Ribd,
            serde_json::json!({"routes": {"protocol": "ospf", "prefix": null, "longer": false}}),
        );
        asks("show vrrp 10", Daemon::Vrrpd, serde_json::json!({"routers": {"interface": null, "vrid": 10}}));
        asks("show bfd peers", Daemon::Bfdd, serde_json::json!("peers"));
        asks("show bfd peers counters json", Daemon::Bfdd, serde_json::json!("counters"));
        asks("show bfd peer 10.0.0.2", Daemon::Bfdd, serde_json::json!({"peer": {"address": "10.0.0.2"}}));
        assert_eq!(request("show vrrp 256"), None);
    }

    #[test]
    fn every_command_has_its_own_shortest_form() {
        let table = table();
        for command in table.commands() {
            // An address or a number that must be there is filled in.
            let fill = |w| match w {
                w if str::starts_with(w, "A.B.C.D") => "10.0.0.1",
                w if w.starts_with('(') => "1",
                w => w,
            };
            let required = command.syntax.split(['[', '<']).next().unwrap_or_default();
            let words: Vec<&str> = required.split_whitespace().map(fill).collect();
            if command.syntax.contains("<") && !command.syntax.contains("[<") {
                continue;
            }
            assert!(table.parse(&words).is_ok(), "{}", command.syntax);
        }
    }
}
