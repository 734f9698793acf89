//! The document.

use super::steps::{self, Played, Step};
use super::{LONG_LOOKS, Plan, Sample, TOPOLOGY, WATCHED, targets};
use crate::document::Document;
use crate::measure::Usage;
use crate::report::Row;
use crate::stack::{Profile, Stack};
use crate::statistics::{Summary, text};

fn name(stack: Stack) -> &'static str {
    match stack {
        Stack::Torc => "Torc",
        Stack::Frr => "FRR",
        Stack::Bird => "BIRD + keepalived",
    }
}

pub(super) fn document(plan: &Plan, head: &[String], samples: &[Sample]) -> Document {
    let mut document = Document::new("Performance", "cargo xtask bench ring");
    document.paragraph(
        "What Torc costs and how long a ring is interrupted, beside other suites on the same ring, the same machine, the \
         same kernel and in the same hour.",
    );
    document.list(head);
    wrong(samples, &mut document);
    method(plan, samples, &mut document);
    against_targets(plan, samples, &mut document);
    document.heading(2, "Outages by direction");
    document.paragraph(
        "Longest run of lost packets of the worst flow, in ms: **median** (p95, worst). *Inside* is between networks of virtual \
         machines, *out* from them to the Internet, *in* the way back through the virtual address. *Lost*: packets of all flows together. \
         *Settled*: seconds until every kernel table, the owner of the virtual address and every OSPF cost were right. Routers die \
         silently: neighbours keep their carrier, so only BFD notices, 20–30 ms at best.",
    );
    outages(plan, samples, &mut document);
    let rows = samples.iter().flat_map(|sample| &sample.played).flat_map(|played| &played.rows);
    let late = Summary::of(rows.map(|row| row.lateness.as_secs_f64() * 1000.0));
    if let Some(late) = late {
        document.paragraph(&format!(
            "The latest probe of an event was {:.0} ms late in the median and {:.0} ms at worst: differences smaller than that mean \
             nothing.",
            late.median, late.worst
        ));
    }
    document.heading(2, "Memory and processor time at rest");
    usage(plan, samples, &mut document);
    document
}

/// Nothing is hidden, least of all that the run was no good.
fn wrong(samples: &[Sample], document: &mut Document) {
    let torc = samples.iter().filter(|sample| sample.stack == Stack::Torc);
    let wrong: Vec<String> =
        torc.flat_map(Sample::wrong).map(|line| format!("`{}`", line.replace('\n', " "))).collect();
    if !wrong.is_empty() {
        document.heading(2, "Not as it must be");
        document.list(&wrong);
    }
}

fn method(plan: &Plan, samples: &[Sample], document: &mut Document) {
    document.heading(2, "Method");
    let turns = plan.suites.iter().map(|stack| {
        let played = samples.iter().filter(|sample| sample.stack == *stack).count();
        format!("{played} of {}", name(*stack))
    });
    document.list(&[
        format!(
            "Topology `{TOPOLOGY}`: five routers in network namespaces, every cable a bridge in a namespace of its own; the LAN \
             is passive in OSPF and carries VRRP."
        ),
        format!(
            "Turns: {}, one of each after the other, then again from the first. Routers at rest and starts with the RFCs' timers \
             are looked at in the first {LONG_LOOKS} turns only.",
            turns.collect::<Vec<_>>().join(", ")
        ),
        "p95 is the value that 19 of 20 turns did not exceed; with fewer than 20 turns it is the worst.".to_owned(),
        "Timers of the ring: hello 1 s, dead 4 s, BFD 10 ms × 3 between neighbours, VRRPv3 adverts every 10 ms, priorities 200 and 100; LSA throttles off or as \
         short as the suite allows; FRR's SPF throttle is 0/50/500 ms, Torc's as its `ring` defaults. FRR 8.4 knows no delay of \
         preemption, keepalived waits 3 s, Torc until its routes stand."
            .to_owned(),
        "Release builds. FRR runs zebra, staticd, ospfd and on the LAN vrrpd, without its watcher; Torc runs ribd, ospfd, on the LAN \
         vrrpd, and mgmtd, its supervisor. BIRD runs with its smallest tick of 1 s."
            .to_owned(),
        "Daemons are those of vr1, the master and the others' way out. *kill -9*: Torc's supervisor starts the successor; the supervisor \
         itself, and the daemons of other suites (zebra in ribd's row), are started again by the lab at once, as a service manager would. \
         *Upgraded*: the program is replaced by a new file, then ospfd is asked to prepare (`graceful-restart prepare ip ospf`) and the \
         others are killed; what runs afterwards is checked to be the new file. All flows count for 5 s and until the tables are right."
            .to_owned(),
        "*SIGTERM of a leaf*: vr5's suite is told to leave and stays away; flows from and to its own network do not count. FRR's daemons \
         are told all at once."
            .to_owned(),
        "*Comes back*: the packets all flows lost from the moment on in which what was broken is whole again, in all rows of a turn that \
         break something."
            .to_owned(),
        "Two rows have a ring of their own: with adverts of 1 s, where all else is as above, and with BFD 3.3 ms × 3, which FRR's \
         least interval of 10 ms does not allow."
            .to_owned(),
        "A packet a millisecond on every one of 30 flows. Expected tables were written by hand before any daemon existed."
            .to_owned(),
        "All virtual machines and probes run on this machine too. Absolute numbers are this machine's; only the difference \
         between columns is a statement."
            .to_owned(),
    ]);
}

fn against_targets(plan: &Plan, samples: &[Sample], document: &mut Document) {
    document.heading(2, "Targets");
    document.paragraph(
        "What was asked of Torc, on this kind of machine, before there was any of it: the median, in brackets the worst. Measured: \
         **median** (p95, worst), of times the worst flow whatever its direction. A dash: the suite cannot do it, was not \
         asked, or failed at it, and the run printed why. That nothing happens when nothing fails, at rest and on a busy machine, is \
         measured by `cargo xtask bench soak` ([soak.md](soak.md)).",
    );
    let mut head = vec!["event", "in", "target"];
    for stack in &plan.suites {
        head.push(name(*stack));
        if *stack == Stack::Torc {
            head.push("met");
        }
    }
    let mut table = Vec::new();
    for target in targets::all() {
        let mut cells = vec![target.event.clone(), target.unit.to_owned(), target.text()];
        for &stack in &plan.suites {
            let turns = samples.iter().filter(|sample| sample.stack == stack);
            let summary = Summary::of(turns.filter_map(|sample| target.value(sample)));
            cells.push(text(summary, 0));
            if stack == Stack::Torc {
                let met = summary.map(|summary| if target.is_met(&summary) { "yes" } else { "**no**" });
                cells.push(met.unwrap_or("–").to_owned());
            }
        }
        table.push(cells);
    }
    document.table(&head, &table);
}

fn outages(plan: &Plan, samples: &[Sample], document: &mut Document) {
    let mut table = Vec::new();
    for step in steps::all() {
        for half in 0..if step.is_mended() { 2 } else { 1 } {
            for &stack in &plan.suites {
                let played = samples.iter().filter(|s| s.stack == stack).filter_map(|s| s.played(&step));
                let rows: Vec<&Row> = played.filter_map(|played: &Played| played.rows.get(half)).collect();
                table.extend(outage(&step, stack, &rows));
            }
        }
    }
    document.table(&["event", "suite", "inside", "out", "in", "lost", "settled, s"], &table);
}

/// The line of one half of a step.
fn outage(step: &Step, stack: Stack, rows: &[&Row]) -> Option<Vec<String>> {
    let first = rows.first()?;
    let timers = match step.profile {
        Profile::SlowAdverts => ", adverts 1 s",
        Profile::FastBfd => ", BFD 3.3 ms × 3",
        _ => "",
    };
    let mut cells = vec![first.event.trim().to_owned() + timers, name(stack).to_owned()];
    for class in 0..first.outages.len() {
        let seen = rows.iter().filter_map(|row| row.outages[class]);
        cells.push(text(Summary::of(seen.map(|outage| outage.longest.as_secs_f64() * 1000.0)), 0));
    }
    let lost = rows.iter().map(|row| u32::try_from(row.lost).map_or(f64::INFINITY, f64::from));
    cells.push(text(Summary::of(lost), 0));
    let settled: Vec<f64> = rows.iter().filter_map(|r| r.converged).map(|t| t.as_secs_f64()).collect();
    let never = rows.len() - settled.len();
    let note = if never == 0 { String::new() } else { format!("; never in {never} of {}", rows.len()) };
    cells.push(text(Summary::of(settled), 1) + &note);
    Some(cells)
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
    for (index, (router, what)) in WATCHED.iter().enumerate() {
        for &stack in &plan.suites {
            let turns = samples.iter().filter(|s| s.stack == stack).filter_map(|s| s.usages.as_ref());
            let usages: Vec<Usage> = turns.filter_map(|(usages, _)| usages.get(index).copied()).collect();
            let whole = |number: u64| u32::try_from(number).map_or(f64::INFINITY, f64::from);
            let column = |of: &dyn Fn(&Usage) -> f64| text(Summary::of(usages.iter().map(of)), 0);
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
