//! Figures as text, and the document.

use crate::rows::{Figure, Plan, Row};
use crate::suite::Suite;
use anyhow::Result;
use ringlab::document::{Document, machine, version};
use std::path::Path;
use std::time::Duration;

/// One figure as a line.
pub fn line(figure: &Figure) -> String {
    let parts: Vec<String> =
        figure.cpu.iter().map(|(name, time)| format!("{name} {:.1}", milliseconds(*time))).collect();
    format!(
        "{:<10} {:<5} right {:>9.1} ms, CPU {:>8.2} ms ({}), PSS {:.1} MiB, RSS {:.1} MiB, {} changes, {} sent again",
        format!("{:?}", figure.row),
        figure.suite.name(),
        milliseconds(figure.right),
        milliseconds(figure.total()),
        parts.join(" + "),
        mebibytes(figure.memory.pss),
        mebibytes(figure.memory.rss),
        figure.changes,
        figure.retransmissions,
    )
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

pub(crate) fn mebibytes(kibibytes: u64) -> f64 {
    u32::try_from(kibibytes).map_or(f64::INFINITY, f64::from) / 1024.0
}

/// Median with extremes.
pub(crate) fn spread(values: impl Iterator<Item = f64>) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return "–".to_owned() };
    let median = (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0;
    let digits = if median < 20.0 { 1 } else { 0 };
    format!("**{median:.digits$}** ({least:.digits$}–{most:.digits$})")
}

impl Row {
    fn text(self, plan: &Plan) -> String {
        let routers = plan.side * plan.side;
        match self {
            Self::Cold => format!("{routers} routers: adjacency start to all routes"),
            Self::Flap => format!("{routers} routers: a far link down or up"),
            Self::Stub => format!("{routers} routers: a far host network comes or goes"),
            Self::Reroute => format!("{routers} routers: one metric moves half of the routes"),
            Self::Churn => format!("{routers} routers: 100 LSAs a second, a second of it"),
            Self::Externals => {
                format!("{} AS-external-LSAs: adjacency start to all routes", plan.externals)
            }
            Self::Star => format!("{} neighbours: first adjacency's start to all Full", plan.neighbors),
            Self::StarRest => format!("{} neighbours at rest, a minute of it", plan.neighbors),
        }
    }
}

/// Writes the document.
///
/// # Errors
/// A version cannot be asked for, the file cannot be written.
pub fn write(plan: &Plan, suites: &[Suite], repetitions: u32, figures: &[Figure], file: &Path) -> Result<()> {
    let mut document = Document::new("Scale, beside other suites", "cargo xtask bench scale");
    document.paragraph(
        "What a large area costs on a real kernel: Torc's ribd and ospfd, FRR's zebra and ospfd, BIRD. One process plays the routers at \
         the edge of the area and feeds it. [Scale](scale.md) has the figures of Torc's engines alone, in the simulator.",
    );
    document.list(&circumstances(suites, repetitions, &plan.daemons)?);
    document.heading(2, "Method");
    document.list(&method(plan));
    document.heading(2, "Figures");
    document.paragraph(
        "Median (least–most). Of the churn, CPU is milliseconds in a second, so 10 are 1 % of a core.",
    );
    let mut table = Vec::new();
    for row in &plan.rows {
        for suite in suites {
            let own: Vec<&Figure> = figures.iter().filter(|f| f.row == *row && f.suite == *suite).collect();
            table.push(vec![
                row.text(plan),
                suite.name().to_owned(),
                spread(own.iter().filter(|f| !f.right.is_zero()).map(|f| milliseconds(f.right))),
                spread(own.iter().map(|f| milliseconds(f.total()))),
                spread(own.iter().map(|f| mebibytes(f.memory.rss))),
                own.iter().map(|f| f.retransmissions).sum::<u64>().to_string(),
            ]);
        }
    }
    let head = ["row", "suite", "right after, ms", "CPU, ms", "RSS, MiB", "sent again"];
    document.table(&head, &table);
    document.save(file)
}

/// When, on what, of what release, in how many turns.
pub(crate) fn circumstances(suites: &[Suite], repetitions: u32, daemons: &Path) -> Result<Vec<String>> {
    let mut head = machine()?;
    for suite in suites {
        let version = version(suite.stack(), daemons)?;
        head.push(version.split(" with ").next().unwrap_or_default().to_owned());
    }
    head.push(format!("{repetitions} turns: {}, then again from the first", names(suites)));
    let load = std::fs::read_to_string("/proc/loadavg")?;
    let load: Vec<&str> = load.split(' ').take(3).collect();
    head.push(format!("Load of the machine afterwards: {} (the bench itself makes about 1)", load.join(" ")));
    Ok(head)
}

fn names(suites: &[Suite]) -> String {
    suites.iter().map(|suite| suite.name()).collect::<Vec<_>>().join(", ")
}

fn method(plan: &Plan) -> Vec<String> {
    vec![
        format!(
            "A grid of {0} × {0} point-to-point links with metric 10, a /30 for each and a loopback for every router. The suite is \
             attached to one corner for the starts, to two for the changes; externals are type 2, all of one router in a grid of 10 × 10.",
            plan.side
        ),
        "*Right after*: from the first Database Description, or from the flooded LSA, to the kernel's notification that made the last \
         route right, gateways included. What is right is calculated by Dijkstra's algorithm over the model of the area, not from LSAs. A \
         dump of the kernel's table confirms it after every row."
            .to_owned(),
        "*CPU*: of all processes of the suite, the kernel's work in their name included, until half a second after the routes are right, \
         less what they use at rest. *RSS*: the sum of all processes, with what they share counted for each."
            .to_owned(),
        format!(
            "{} neighbours, each on a link of its own, know themselves alone at first: every LSA goes to all others. Hello 10 s.",
            plan.neighbors
        ),
        "*Sent again*: LSAs the suite had not acknowledged within 5 s.".to_owned(),
        "Hello 1 s where nothing else is said, dead 40 s. Torc with its `ring` defaults without BFD; FRR with zebra's buffer as Debian sets it and with \
         more group memberships than the kernel's 20, else its defaults; BIRD with its smallest tick of 1 s and a stack of 64 MiB, because 100,000 routes overflow 8 MiB. FRR's Link State \
         Requests are answered after the exchange of the databases only: after an earlier answer it asks for nothing more for 5 s."
            .to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_with_its_extremes() {
        assert_eq!(spread([3.0, 1.0, 2.0].into_iter()), "**2.0** (1.0–3.0)");
        assert_eq!(spread([100.0, 50.0].into_iter()), "**75** (50–100)");
        assert_eq!(spread(std::iter::empty()), "–");
    }
}
