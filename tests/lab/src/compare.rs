//! The suites side by side: one ring, the same timers, the same failures, one after the other in turn.
//!
//! A B A B and never A A B B, so that a busy hour of the machine hits all alike. Numbers are medians with their extremes. A
//! table of this suite that is wrong ends the run; what another suite does not settle in time is written down and counted.

use crate::document::{Document, machine, version};
use crate::lab::{Lab, Options};
use crate::measure::{Usage, at_rest, cold_start};
use crate::report::Row;
use crate::scenario::{Event, rehearse};
use crate::stack::{Profile, Stack};
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The ring everything is measured on.
const TOPOLOGY: &str = "ring5-c";
/// A router that is not on the LAN, and one that is.
const WATCHED: [&str; 2] = ["vr4", "vr1"];

/// What to compare.
#[derive(Debug)]
pub struct Plan {
    /// The suites, in the order of their turns.
    pub stacks: Vec<Stack>,
    /// Turns of each.
    pub repetitions: usize,
    /// How long routers are watched at rest.
    pub rest: Duration,
    /// Where this project's binaries are.
    pub daemons: PathBuf,
}

/// One turn of one suite.
struct Sample {
    stack: Stack,
    cold: Option<Duration>,
    usages: Vec<Usage>,
    rows: Vec<Row>,
}

/// Measures and writes the document.
///
/// # Errors
/// The lab fails, or this suite has a wrong table.
pub fn write(plan: &Plan, file: &Path) -> Result<()> {
    let mut head = machine()?;
    for stack in &plan.stacks {
        head.push(version(*stack, &plan.daemons)?);
    }
    let load = |when: &str| -> Result<String> {
        let text = std::fs::read_to_string("/proc/loadavg")?;
        Ok(format!("Load of the machine {when}: {}", text.split(' ').take(3).collect::<Vec<_>>().join(" ")))
    };
    head.push(load("before")?);
    let (mut samples, mut defaults) = (Vec::new(), Vec::new());
    for turn in 1..=plan.repetitions {
        for &stack in &plan.stacks {
            println!("turn {turn} of {}: {stack:?}", plan.repetitions);
            samples.push(measure(plan, stack)?);
            let lab = Lab::up(options(plan, stack, Profile::Traditional)?)?;
            let cold = settle(&lab, stack, Profile::Traditional.patience())?;
            lab.down()?;
            defaults.push((stack, cold));
        }
    }
    head.push(load("after")?);
    render(plan, &head, &samples, &defaults).save(file)
}

fn options(plan: &Plan, stack: Stack, profile: Profile) -> Result<Options> {
    Ok(Options { profile, daemons: plan.daemons.clone(), ..Options::new(TOPOLOGY, stack)? })
}

fn failures() -> Vec<Event> {
    vec![
        Event::LinkCut("l45".to_owned()),
        Event::LinkSilent("l45".to_owned()),
        Event::RouterDies("vr5".to_owned()),
        Event::RouterDies("vr1".to_owned()),
        Event::PlugPulled { link: "lan".to_owned(), router: "vr1".to_owned() },
    ]
}

/// Time from start to right tables; `None` if another suite does not get there in time.
fn settle(lab: &Lab, stack: Stack, patience: Duration) -> Result<Option<Duration>> {
    match cold_start(lab, patience) {
        Ok(time) => Ok(Some(time)),
        Err(fault) if stack == Stack::Torc => Err(fault),
        Err(fault) => {
            println!("  {fault:#}");
            Ok(None)
        }
    }
}

fn measure(plan: &Plan, stack: Stack) -> Result<Sample> {
    let patience = Profile::Ring.patience();
    let mut lab = Lab::up(options(plan, stack, Profile::Ring)?)?;
    let cold = settle(&lab, stack, patience)?;
    let usages = at_rest(&lab, &WATCHED, plan.rest)?;
    let mut rows = Vec::new();
    for event in failures() {
        for row in rehearse(&mut lab, &event, patience)? {
            println!("  {}", row.line(crate::report::Paint::detect()));
            ensure!(stack != Stack::Torc || row.is_good(), "not as it must be: {row:?}");
            rows.push(row);
        }
    }
    lab.down()?;
    Ok(Sample { stack, cold, usages, rows })
}

/// Median with extremes, in whole numbers.
fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return "–".to_owned() };
    let half = values.len() / 2;
    let median =
        if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) };
    format!("**{median:.digits$}** ({least:.digits$}–{most:.digits$})")
}

fn name(stack: Stack) -> &'static str {
    match stack {
        Stack::Torc => "Torc",
        Stack::Frr => "FRR",
        Stack::Bird => "BIRD + keepalived",
    }
}

fn render(
    plan: &Plan,
    head: &[String],
    samples: &[Sample],
    defaults: &[(Stack, Option<Duration>)],
) -> Document {
    let mut document = Document::new("Performance", "cargo xtask bench ring");
    document.paragraph(
        "What Torc costs and how long a ring is interrupted, beside other suites on the same ring, the same machine, the \
         same kernel and in the same hour.",
    );
    document.list(head);
    method(plan, &mut document);
    document.heading(2, "Outages");
    document.paragraph(
        "Longest run of lost packets of the worst flow, in ms: median (least–most). *Inside* is between networks of virtual \
         machines, *out* from them to the Internet, *in* the way back through the virtual address. *Settled*: seconds until every \
         kernel table, the owner of the virtual address and every OSPF cost were right. Routers die silently: neighbours keep \
         their carrier, so only BFD notices, 20–30 ms at best.",
    );
    outages(plan, samples, &mut document);
    let late = samples.iter().flat_map(|s| &s.rows).map(|row| row.lateness).max().unwrap_or_default();
    document.paragraph(&format!(
        "Probes themselves were up to {} ms late: differences smaller than that mean nothing.",
        late.as_millis()
    ));
    document.heading(2, "Start");
    document.paragraph(
        "Seconds from the start of the first process of five routers that start together until every table is right.",
    );
    starts(plan, samples, defaults, &mut document);
    document.heading(2, "Memory and processor time at rest");
    usage(plan, samples, &mut document);
    document
}

fn method(plan: &Plan, document: &mut Document) {
    document.heading(2, "Method");
    let turns: Vec<&str> = plan.stacks.iter().map(|stack| name(*stack)).collect();
    document.list(&[
        format!(
            "Topology `{TOPOLOGY}`: five routers in network namespaces, every cable a bridge in a namespace of its own; the LAN \
             is passive in OSPF and carries VRRP."
        ),
        format!("{} turns: {}, then again from the first.", plan.repetitions, turns.join(", ")),
        "Timers of the ring: hello 1 s, dead 4 s, BFD 10 ms × 3 between neighbours, VRRPv3 adverts every 10 ms, priorities 200 and 100; LSA throttles off or as \
         short as the suite allows; FRR's SPF throttle is 0/50/500 ms, Torc's as its `ring` defaults. FRR 8.4 knows no delay of \
         preemption, keepalived waits 3 s, Torc until its routes stand."
            .to_owned(),
        "Release builds. FRR runs zebra, staticd, ospfd and on the LAN vrrpd, without its watcher; Torc runs ribd, ospfd, on the LAN \
         vrrpd, and mgmtd, its supervisor. BIRD runs with its smallest tick of 1 s."
            .to_owned(),
        "A packet a millisecond on every one of 30 flows. Expected tables were written by hand before any daemon existed."
            .to_owned(),
        "All virtual machines and probes run on this machine too. Absolute numbers are this machine's; only the difference \
         between columns is a statement."
            .to_owned(),
    ]);
}

fn outages(plan: &Plan, samples: &[Sample], document: &mut Document) {
    let Some(events) = samples.first().map(|sample| sample.rows.len()) else { return };
    let mut table = Vec::new();
    for event in 0..events {
        for &stack in &plan.stacks {
            let rows: Vec<&Row> =
                samples.iter().filter(|s| s.stack == stack).filter_map(|s| s.rows.get(event)).collect();
            let Some(first) = rows.first() else { continue };
            let mut cells = vec![first.event.trim().to_owned(), name(stack).to_owned()];
            for class in 0..first.outages.len() {
                let lost = rows.iter().filter_map(|row| row.outages[class]);
                cells.push(spread(lost.map(|outage| outage.longest.as_secs_f64() * 1000.0).collect(), 0));
            }
            let settled: Vec<f64> =
                rows.iter().filter_map(|r| r.converged).map(|t| t.as_secs_f64()).collect();
            let never = rows.len() - settled.len();
            let note =
                if never == 0 { String::new() } else { format!("; never in {never} of {}", rows.len()) };
            cells.push(spread(settled, 1) + &note);
            table.push(cells);
        }
    }
    document.table(&["event", "suite", "inside", "out", "in", "settled, s"], &table);
}

fn starts(plan: &Plan, samples: &[Sample], defaults: &[(Stack, Option<Duration>)], document: &mut Document) {
    let rows = plan.stacks.iter().map(|&stack| {
        let ring =
            samples.iter().filter(|s| s.stack == stack).filter_map(|s| s.cold).map(|t| t.as_secs_f64());
        let traditional =
            defaults.iter().filter(|(s, _)| *s == stack).filter_map(|(_, t)| *t).map(|t| t.as_secs_f64());
        vec![name(stack).to_owned(), spread(ring.collect(), 2), spread(traditional.collect(), 2)]
    });
    let rows: Vec<_> = rows.collect();
    document.table(&["suite", "ring timers (1/4 s)", "the RFCs' defaults (10/40 s, adverts 1 s)"], &rows);
}

fn usage(plan: &Plan, samples: &[Sample], document: &mut Document) {
    document.paragraph(&format!(
        "All processes of one router with ring timers, watched for {} s after it had converged: KiB and ms of processor time. *RSS* \
         counts what processes share for each of them, so it is too much for a router; *PSS* divides it, also among the five routers of \
         this machine, so it is too little; *anonymous* is heap, stacks and written pages, shared with nobody. A router alone on its \
         machine lies between PSS and RSS.",
        plan.rest.as_secs()
    ));
    let mut table = Vec::new();
    for (index, router) in WATCHED.iter().enumerate() {
        let what = if index == 0 { "leaf" } else { "on the LAN" };
        for &stack in &plan.stacks {
            let usages: Vec<Usage> = samples
                .iter()
                .filter(|s| s.stack == stack)
                .filter_map(|s| s.usages.get(index).copied())
                .collect();
            let whole = |number: u64| u32::try_from(number).map_or(f64::INFINITY, f64::from);
            let column = |of: &dyn Fn(&Usage) -> f64| spread(usages.iter().map(of).collect(), 0);
            let processes = usages.first().map_or(0, |usage| usage.processes);
            table.push(vec![
                format!("{router} ({what})"),
                name(stack).to_owned(),
                processes.to_string(),
                column(&|u| whole(u.rss)),
                column(&|u| whole(u.pss)),
                column(&|u| whole(u.anonymous)),
                column(&|u| u.cpu.as_secs_f64() * 1000.0),
            ]);
        }
    }
    document.table(&["router", "suite", "processes", "RSS", "PSS", "anonymous", "CPU, ms"], &table);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_the_median_with_its_extremes() {
        assert_eq!(spread(vec![3.0, 1.0, 2.0], 0), "**2** (1–3)");
        assert_eq!(spread(vec![4.0, 1.0, 2.0, 3.0], 1), "**2.5** (1.0–4.0)");
        assert_eq!(spread(Vec::new(), 0), "–");
    }
}
