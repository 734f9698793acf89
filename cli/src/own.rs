//! Answers the shell finds itself: commands that match, the daemons' memory, the configuration without its modes.

use crate::commands::Meaning;
use anyhow::Result;
use regex::RegexBuilder;
use routing_common::control::processes::Processes;
use routing_common::grammar::CommandTable;
use routing_common::render::Table;
use serde::Serialize;

/// The commands whose words or whose help match.
pub(crate) fn find(table: &CommandTable<Meaning>, regex: &str) -> Result<String> {
    let regex = RegexBuilder::new(regex).case_insensitive(true).build()?;
    let found = table
        .commands()
        .filter(|c| regex.is_match(c.syntax) || c.help.iter().any(|help| regex.is_match(help)));
    Ok(found.map(|c| format!("  {}\n", c.syntax)).collect())
}

/// What a daemon takes, in KiB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemoryRow {
    name: String,
    pid: u32,
    /// Resident now.
    resident_kib: u64,
    /// Most it ever was.
    resident_peak_kib: u64,
    swapped_kib: u64,
    threads: u64,
}

/// The kernel's figures for every daemon that runs. One that ended since it was listed is left out.
pub(crate) fn memory(processes: &Processes) -> Vec<MemoryRow> {
    let row = |name: &str, pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        memory_row(name, pid, &status)
    };
    processes.processes.iter().filter_map(|p| row(&p.name, p.pid?)).collect()
}

fn memory_row(name: &str, pid: u32, status: &str) -> Option<MemoryRow> {
    let figure = |label: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(label))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse().ok()
    };
    Some(MemoryRow {
        name: name.to_owned(),
        pid,
        resident_kib: figure("VmRSS")?,
        resident_peak_kib: figure("VmHWM")?,
        swapped_kib: figure("VmSwap").unwrap_or(0),
        threads: figure("Threads")?,
    })
}

pub(crate) fn memory_text(rows: &[MemoryRow]) -> String {
    let mut table = Table::new(["Daemon", "Pid", "Resident KiB", "Peak KiB", "Swapped KiB", "Threads"]);
    for column in 1..6 {
        table = table.right(column);
    }
    for row in rows {
        table.row([
            row.name.clone(),
            row.pid.to_string(),
            row.resident_kib.to_string(),
            row.resident_peak_kib.to_string(),
            row.swapped_kib.to_string(),
            row.threads.to_string(),
        ]);
    }
    table.text()
}

/// The lines of a configuration, each with those of the modes it stands in before it. A mode with lines in it has none of its own.
pub(crate) fn flat(text: &str) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let is_line =
        |line: &&str| !matches!(line.trim(), "" | "!" | "exit" | "end") && !line.trim().starts_with('!');
    let lines: Vec<&str> = text.lines().filter(is_line).collect();
    let mut modes: Vec<(usize, &str)> = Vec::new();
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        modes.retain(|(of_mode, _)| *of_mode < depth(line));
        if lines.get(at + 1).is_some_and(|next| depth(next) > depth(line)) {
            modes.push((depth(line), line.trim()));
            continue;
        }
        let words: Vec<&str> = modes.iter().map(|(_, mode)| *mode).chain([line.trim()]).collect();
        out.push_str(&words.join(" "));
        out.push('\n');
    }
    out
}

/// Does a daemon run in another network namespace than this shell? Unknown counts as no.
pub(crate) fn is_elsewhere(processes: &Processes) -> bool {
    let of = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    let here = of("self");
    let theirs = processes.processes.iter().filter_map(|p| of(&p.pid?.to_string()));
    here.is_some_and(|here| theirs.into_iter().any(|there| there != here))
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing_common::control::processes::ProcessRow;

    #[test]
    fn lines_are_self_contained() {
        let text = "hostname r1\n!\ninterface eth0\n ip address 10.0.0.1/24\n ip ospf area 0\nexit\n!\ninterface eth1\nexit\n!\n\
                    bfd\n profile fast\n  detect-multiplier 3\n exit\n peer 10.0.0.2\n exit\nexit\n!\nend\n";
        assert_eq!(
            flat(text),
            "hostname r1\ninterface eth0 ip address 10.0.0.1/24\ninterface eth0 ip ospf area 0\ninterface eth1\n\
             bfd profile fast detect-multiplier 3\nbfd peer 10.0.0.2\n"
        );
    }

    #[test]
    fn commands_are_found_by_words_and_by_help() {
        let table = crate::commands::table();
        let found = find(&table, "nht").unwrap();
        assert_eq!(found, "  show ip nht [json]\n");
        assert!(find(&table, "AS boundary").unwrap().contains("  show ip ospf border-routers [json]\n"));
        assert_eq!(find(&table, "nothing like it").unwrap(), "");
        assert!(find(&table, "(").is_err());
    }

    #[test]
    fn memory_is_what_the_kernel_says() {
        let me = std::process::id();
        let row = |name: &str, pid| ProcessRow {
            name: name.into(),
            pid,
            state: "running".into(),
            restarts: 0,
            uptime_msec: None,
        };
        let rows = memory(&Processes { processes: vec![row("ospfd", Some(me)), row("bfdd", None)] });
        assert_eq!(rows.len(), 1, "what does not run takes nothing");
        assert!(
            rows[0].resident_kib > 100
                && rows[0].resident_peak_kib >= rows[0].resident_kib
                && rows[0].threads >= 1
        );
        let own = Processes { processes: vec![row("ospfd", Some(me))] };
        assert!(!is_elsewhere(&own), "we are where we are");
        let text = memory_text(&rows);
        assert!(text.lines().nth(1).unwrap().starts_with("ospfd"), "{text}");
        assert_eq!(serde_json::to_value(&rows).unwrap()[0]["pid"], me);
    }
}
