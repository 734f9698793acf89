//! What people see: rows of a scenario and tables, in colour only on a terminal.

use crate::lab::Lab;
use crate::probe::{Class, Outage};
use crate::table;
use anyhow::Result;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Colours if standard output is a terminal and `NO_COLOR` is not set.
    pub fn detect() -> Self {
        Self { on: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    /// None.
    pub fn plain() -> Self {
        Self { on: false }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// For what is well.
    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// For what is not.
    pub fn bad(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    /// For headings.
    pub fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }
}

/// One event of a scenario and what it did.
#[derive(Debug)]
pub struct Row {
    /// What happened.
    pub event: String,
    /// Worst outage by class: intra, outbound, inbound.
    pub outages: [Option<Outage>; 3],
    /// Packets lost by all flows together.
    pub lost: usize,
    /// Time until every table was right; absent if it never was.
    pub converged: Option<Duration>,
    /// What was still wrong.
    pub wrong: Vec<String>,
    /// Flows tried and flows dead after it settled.
    pub reach: (usize, Vec<String>),
    /// How late the probes themselves were at worst.
    pub lateness: Duration,
}

/// The classes in the order of a row.
pub const CLASSES: [Class; 3] = [Class::Intra, Class::Outbound, Class::Inbound];

impl Row {
    /// Are the tables right and all flows alive?
    pub fn is_good(&self) -> bool {
        self.wrong.is_empty() && self.reach.1.is_empty()
    }

    /// The longest outage of any flow.
    pub fn longest(&self) -> Duration {
        self.outages.iter().flatten().map(|outage| outage.longest).max().unwrap_or_default()
    }

    /// The row as text.
    pub fn line(&self, paint: Paint) -> String {
        let mut line = format!("{:<44}", self.event);
        for outage in &self.outages {
            let text = outage.map_or("-".to_owned(), |outage| outage.longest.as_millis().to_string());
            let _ = write!(line, "{text:>9}");
        }
        let converged =
            self.converged.map_or("never".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()));
        let alive = self.reach.0 - self.reach.1.len();
        let verdict = if self.is_good() { paint.good("ok") } else { paint.bad("WRONG") };
        let flows = format!("{alive}/{}", self.reach.0);
        let _ = write!(line, "{:>8}{converged:>9}{flows:>10}  {verdict}", self.lost);
        for wrong in self.wrong.iter().chain(&self.reach.1) {
            let _ = write!(line, "\n    {}", paint.bad(wrong));
        }
        line
    }
}

/// The heading of [`Row::line`].
pub fn heading() -> String {
    format!(
        "{:<44}{:>9}{:>9}{:>9}{:>8}{:>9}{:>10}  tables",
        "event (worst outage in ms)", "inside", "out", "in", "lost", "settled", "flows"
    )
}

/// Every router's kernel table as one grid, columns as in the topology.
///
/// # Errors
/// The tables cannot be read.
pub fn grid(lab: &Lab, paint: Paint) -> Result<String> {
    let topology = lab.topology();
    let expected = lab.expected()?;
    let tables = lab.tables()?;
    let mut columns = vec![(crate::oracle::default_prefix(), "default".to_owned())];
    columns.extend(topology.vm_networks().map(|(network, _)| (network, network.to_string())));
    let mut text = format!("{:<6}", "at");
    for (_, name) in &columns {
        let _ = write!(text, " {name:<14}");
    }
    for (router, table) in &tables {
        let _ = write!(text, "\n{router:<6}");
        for (prefix, _) in &columns {
            let found =
                table.get(prefix).map(|route| table::names(topology, route).into_iter().collect::<Vec<_>>());
            let found = match found {
                None => "no route".to_owned(),
                Some(nodes) if nodes.is_empty() => "-".to_owned(),
                Some(nodes) => nodes.join("+"),
            };
            let cell = expected.get(router).and_then(|row| row.get(prefix));
            let single = std::collections::BTreeMap::from([(
                router.clone(),
                cell.map(|cell| (*prefix, cell.clone())).into_iter().collect(),
            )]);
            let fits = table::judge(topology, &single, &tables).is_empty();
            let padded = format!(" {found:<14}");
            text.push_str(&if cell.is_none() {
                padded
            } else if fits {
                paint.good(&padded)
            } else {
                paint.bad(&padded)
            });
        }
    }
    Ok(text + "\n")
}
