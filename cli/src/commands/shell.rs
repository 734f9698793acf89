//! What the shell answers itself, and what it asks the supervisor about processes.

use super::{Daemon, JSON, Meaning, Question, Row, SHOW, TerminalSetting, from};
use anyhow::Result;
use routing_common::control::processes;

/// The shows of `show tech-support`, in order.
pub(crate) const TECH_SUPPORT: &[&str] = &[
    "show version",
    "show processes",
    "show memory",
    "show configuration state",
    "show configuration history",
    "show running-config",
    "show system",
    "show interface",
    "show ip route summary",
    "show ip route",
    "show ip route failed",
    "show static routes",
    "show ip nht",
    "show nexthop-group rib",
    "show zebra client",
    "show ip ospf",
    "show ip ospf interface",
    "show ip ospf interface traffic",
    "show ip ospf neighbor detail",
    "show ip ospf database",
    "show ip ospf database max-age",
    "show ip ospf route",
    "show ip ospf graceful-restart",
    "show ip ospf fast-reroute",
    "show ip ospf events",
    "show ip ospf spf log",
    "show key chain",
    "show vrrp",
    "show vrrp history",
    "show bfd",
    "show bfd peers",
    "show bfd peers counters",
];

const WATCH: &str = "Repeat a show until interrupted";
const SECONDS: &str = "Seconds between two looks; 2 by default";
const TERMINAL: &str = "This terminal";
const NO: &str = "Not";
const SAME: &str = "The same";
const PAGER: &str = "Long answers through the pager: $VTYSH_PAGER, else $PAGER, else more";
const COLOURS: &str = "States in colours";
const PROCESSES: &str = "The daemons of this router and how often they were restarted";

const fn row(syntax: &'static str, help: &'static [&'static str], meaning: Meaning) -> Row {
    Row { syntax, help, meaning }
}

pub(super) const ROWS: &[Row] = &[
    row("show version [json]", &[SHOW, "Releases of the shell and the daemons", JSON], Meaning::Version),
    row("list", &["List all commands"], Meaning::List),
    row(
        "find LINE$regex",
        &["Find commands", "A regular expression that their words or their help match"],
        Meaning::Find,
    ),
    row("show processes [json]", &[SHOW, PROCESSES, JSON], Meaning::Ask(processes)),
    row("show daemons [json]", &[SHOW, PROCESSES, JSON], Meaning::Ask(processes)),
    row("show watchfrr [json]", &[SHOW, PROCESSES, JSON], Meaning::Ask(processes)),
    row(
        "show memory [json]",
        &[SHOW, "What the daemons take of it, by the kernel's count", JSON],
        Meaning::Memory,
    ),
    row(
        "show tech-support",
        &[SHOW, "Everything somebody who helps will ask for; secrets are blanked out"],
        Meaning::TechSupport,
    ),
    row("watch LINE$command", &[WATCH, "The show"], Meaning::Watch),
    row("watch (1-3600)$seconds LINE$command", &[WATCH, SECONDS, "The show"], Meaning::Watch),
    row(
        "watch (1-3600)$seconds count (1-10000)$count LINE$command",
        &[WATCH, SECONDS, "Not longer than", "So many looks", "The show"],
        Meaning::Watch,
    ),
    row(
        "terminal monitor",
        &[
            TERMINAL,
            "Print changes of adjacencies, routes and virtual routers as they happen, until interrupted",
        ],
        Meaning::Monitor,
    ),
    row("terminal paginate", &[TERMINAL, PAGER], Meaning::Terminal(TerminalSetting::Pages(true))),
    row("no terminal paginate", &[NO, TERMINAL, PAGER], Meaning::Terminal(TerminalSetting::Pages(false))),
    row(
        "terminal length (0-512)$rows",
        &[TERMINAL, "How much it shows at once", "0: all of it, without the pager"],
        Meaning::Terminal(TerminalSetting::Length),
    ),
    row(
        "terminal <color|colour>",
        &[TERMINAL, COLOURS, SAME],
        Meaning::Terminal(TerminalSetting::Colours(true)),
    ),
    row(
        "no terminal <color|colour>",
        &[NO, TERMINAL, COLOURS, SAME],
        Meaning::Terminal(TerminalSetting::Colours(false)),
    ),
    row(
        "ping A.B.C.D$host",
        &["Send echo requests; this shell must run in the router's network namespace", "To this address"],
        Meaning::Start("ping"),
    ),
    row(
        "traceroute A.B.C.D$host",
        &["Trace the path; this shell must run in the router's network namespace", "To this address"],
        Meaning::Start("traceroute"),
    ),
];

fn processes(_: &routing_common::grammar::Args) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Mgmtd,
        request: serde_json::to_value(processes::Request::ShowProcesses)?,
        render: |request, value| Ok(processes::render_text(&from(request)?, value)?),
    })
}
