//! `show vrrp summary` and `show vrrp history`.

use super::millis;
use crate::api;
use crate::router::VirtualRouter;
use routing_common::render::{Table, short_time};
use routing_common::time::{Duration, Instant};

pub(super) fn summary(r: &VirtualRouter) -> api::SummaryRow {
    api::SummaryRow {
        interface: r.group.interface.to_string(),
        vrid: r.group.vrid.get(),
        priority: r.group.priority,
        v4_addresses: r.group.virtual_addresses.len(),
        v6_addresses: 0,
        v4_status: r.state.to_string(),
    }
}

/// vtysh's columns.
pub(super) fn summary_text(rows: Vec<api::SummaryRow>) -> String {
    let headings = ["Interface", "VRID", "Priority", "IPv4", "IPv6", "State (v4)", "State (v6)"];
    let mut table = Table::new(headings).right(1).right(2).right(3).right(4);
    for row in rows {
        table.row([
            row.interface,
            row.vrid.to_string(),
            row.priority.to_string(),
            row.v4_addresses.to_string(),
            row.v6_addresses.to_string(),
            row.v4_status,
            "-".to_owned(),
        ]);
    }
    table.text()
}

pub(super) fn history(now: Instant, r: &VirtualRouter) -> api::HistoryRow {
    api::HistoryRow {
        interface: r.group.interface.to_string(),
        vrid: r.group.vrid.get(),
        group: r.name.clone(),
        status: r.state.to_string(),
        transitions: r.stats.transitions,
        history: transitions(now, r),
    }
}

pub(super) fn transitions(now: Instant, r: &VirtualRouter) -> Vec<api::Transition> {
    let row = |t: &crate::router::Transition| api::Transition {
        number: t.number,
        from: t.from.to_string(),
        to: t.to.to_string(),
        cause: t.cause.code().to_owned(),
        silence_msecs: t.silence.map(millis),
        msecs_ago: millis(now.since(t.at)),
    };
    r.history.iter().map(row).collect()
}

/// A paragraph per virtual router.
pub(super) fn history_text(rows: Vec<api::HistoryRow>) -> String {
    let paragraph = |row: &api::HistoryRow| {
        let head = format!("{} VRID {} ({})", row.interface, row.vrid, row.group);
        format!(
            "{head}: {}, {} transitions\n{}",
            row.status,
            row.transitions,
            transition_table(&row.history).text()
        )
    };
    rows.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

pub(super) fn transition_table(history: &[api::Transition]) -> Table {
    let mut table = Table::new(["No", "From", "To", "Cause", "Silence", "When"]).right(0).right(4);
    for t in history {
        table.row([
            t.number.to_string(),
            t.from.clone(),
            t.to.clone(),
            t.cause.clone(),
            t.silence_msecs.map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
            format!("{} ago", short_time(Duration::from_millis(t.msecs_ago))),
        ]);
    }
    table
}
