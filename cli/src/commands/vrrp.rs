//! What vrrpd is asked.

use super::{Daemon, JSON, Meaning, Question, Row, SHOW, from, parsed};
use anyhow::Result;
use routing_common::grammar::Args;
use routing_common::id::Vrid;
use vrrp_proto::api as vrrp;

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "show vrrp [interface IFNAME$name] [(1-255)$vrid] [json]",
        help: &[SHOW, "VRRP virtual routers", "On one interface", "Its name", "Virtual router id", JSON],
        meaning: Meaning::Ask(|a| {
            ask(vrrp::Request::Routers { interface: parsed(a, "name")?, vrid: vrid(a) })
        }),
    },
    Row {
        syntax: "show vrrp [interface IFNAME$name] [(1-255)$vrid] summary [json]",
        help: &[
            SHOW,
            "VRRP virtual routers",
            "On one interface",
            "Its name",
            "Virtual router id",
            "One line each",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ask(vrrp::Request::Summary { interface: parsed(a, "name")?, vrid: vrid(a) })
        }),
    },
    Row {
        syntax: "show vrrp [interface IFNAME$name] [(1-255)$vrid] history [json]",
        help: &[
            SHOW,
            "VRRP virtual routers",
            "On one interface",
            "Its name",
            "Virtual router id",
            "The last changes of state: when, why, after what silence",
            JSON,
        ],
        meaning: Meaning::Ask(|a| {
            ask(vrrp::Request::History { interface: parsed(a, "name")?, vrid: vrid(a) })
        }),
    },
];

fn vrid(args: &Args) -> Option<Vrid> {
    args.get("vrid").and_then(|v| v.parse().ok()).and_then(Vrid::new)
}

fn ask(request: vrrp::Request) -> Result<Question> {
    Ok(Question {
        daemon: Daemon::Vrrpd,
        request: serde_json::to_value(request)?,
        render: |request, value| Ok(vrrp::render_text(&from(request)?, value)?),
    })
}
