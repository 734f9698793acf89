//! The figures as text.

use super::{Figures, Options, Work};
use core::fmt::Write;

/// A row of the table: its name, and the figure of one size.
type Row = (&'static str, fn(&Figures) -> f64);

const ROWS: [Row; 17] = [
    ("Cables", |f| f.cables as f64),
    ("Cold start: wall-clock time (s)", |f| f.cold_start.wall),
    ("Cold start: CPU time (s)", |f| f.cold_start.cpu),
    ("Cold start: CPU time per router (ms)", |f| 1e3 * f.cold_start.cpu / f.routers as f64),
    ("Cold start: virtual time (s)", |f| f.cold_start.passed),
    ("Cold start: largest memory (MB)", |f| f.memory as f64 * 1024.0 / 1e6),
    ("Cold start: packets", |f| f.cold_start.packets as f64),
    ("Cold start: LSA receptions", |f| f.cold_start.lsas as f64),
    ("Cold start: LSA receptions per router", |f| f.cold_start.lsas as f64 / f.routers as f64),
    ("Cold start: SPF runs per router, mean", |f| f.cold_start.trees as f64 / f.routers as f64),
    ("Cold start: SPF runs per router, most", |f| f.most_trees as f64),
    ("Rest: CPU time per router and minute (ms)", |f| 1e3 * f.rest.cpu / f.routers as f64),
    ("Rest: packets per router and minute", |f| f.rest.packets as f64 / f.routers as f64),
    ("Flap: CPU time per router (ms)", |f| 1e3 * per_flap(f, |w| w.cpu)),
    ("Flap: packets per router", |f| per_flap(f, |w| w.packets as f64)),
    ("Flap: LSA receptions per router", |f| per_flap(f, |w| w.lsas as f64)),
    ("Flap: SPF runs per router", |f| per_flap(f, |w| w.trees as f64)),
];

/// What a router does more in the minute of a flap than in one of rest.
fn per_flap(figures: &Figures, part: fn(&Work) -> f64) -> f64 {
    let flaps = f64::from(figures.flap_count.max(1));
    (part(&figures.flaps) / flaps - part(&figures.rest)) / figures.routers as f64
}

/// A table of all sizes, and how every figure grows with the number of routers from size to size.
pub(super) fn table(options: &Options, all: &[Figures]) -> String {
    let mut text = String::new();
    let rib = if options.with_rib { "with" } else { "without" };
    let topology = format!("{:?}", options.topology).to_lowercase();
    let _ =
        writeln!(text, "Topology: {topology}, seed {}, {rib} RIB, {} flaps.\n", options.seed, options.flaps);
    let sizes: Vec<String> = all.iter().map(|f| whole(f.routers as f64)).collect();
    let _ = writeln!(text, "| Routers | {} | Growth |", sizes.join(" | "));
    let _ = writeln!(text, "|:--|{}--:|", "--:|".repeat(all.len()));
    for (name, figure) in ROWS {
        if name.starts_with("Flap") && options.flaps == 0 {
            continue;
        }
        let figures: Vec<f64> = all.iter().map(figure).collect();
        let cells: Vec<String> = figures.iter().map(|f| number(*f)).collect();
        let _ = writeln!(text, "| {name} | {} | {} |", cells.join(" | "), growth(all, &figures));
    }
    let compared: usize = all.iter().map(|f| f.compared).sum();
    let _ =
        writeln!(text, "\n{} routes were compared with a calculation of their own.", whole(compared as f64));
    text
}

/// The slopes between sizes in a diagram with logarithmic axes: 1 is linear, 2 quadratic.
fn growth(all: &[Figures], figures: &[f64]) -> String {
    let slope = |n: usize| {
        let (from, to) = (figures[n], figures[n + 1]);
        let sizes = all[n + 1].routers as f64 / all[n].routers as f64;
        if from > 0.0 && to > 0.0 {
            format!("{:.1}", (to / from).ln() / sizes.ln())
        } else {
            "–".to_owned()
        }
    };
    let slopes: Vec<String> = (0..all.len().saturating_sub(1)).map(slope).collect();
    slopes.join(", ")
}

/// Three digits at least.
fn number(figure: f64) -> String {
    match figure.abs() {
        size if size >= 100.0 => whole(figure),
        size if size >= 10.0 => format!("{figure:.1}"),
        size if size >= 1.0 => format!("{figure:.2}"),
        _ => format!("{figure:.3}"),
    }
}

/// A whole number with commas.
fn whole(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) && digits.as_bytes()[n - 1] != b'-' {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The table as a page of the documentation.
pub(super) fn page(table: &str) -> String {
    let output = |command: &mut std::process::Command| {
        let output = command.output().map(|o| o.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    let date = output(std::process::Command::new("date").args(["-u", "+%Y-%m-%d %H:%M (UTC)"]));
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cpu = cpu.trim_start_matches([' ', '\t', ':']);
    let version = env!("CARGO_PKG_VERSION");
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<&str> = load.split_whitespace().take(3).collect();
    let load = load.join(" ");
    format!(
        "# Scale\n\n\
         <!-- Written by `routing-sim scale --write docs/scale.md` (release build). Do not edit; run it again. -->\n\n\
         What a large area costs: Torc's OSPF engines, as they are shipped, in a simulated network\n\
         (`tests/sim/src/scale.rs`). One area, point-to-point cables, one loopback a router, traditional timers (hello\n\
         10 s), all routers switched on within three seconds. All of it runs in one thread on one core, so the times of\n\
         a real router are these divided by the number of routers.\n\n\
         - *Cold start* ends when all databases are complete and the same and every router has a route to every\n\
         \x20 loopback and cable.\n\
         - *Rest* is a minute without events: Hellos only.\n\
         - *Flap*: one cable loses carrier and gets it back 20 s later. What a router does in that minute more than at\n\
         \x20 rest.\n\
         - *Growth*: the exponents between one size and the next; 1 is linear, 2 quadratic.\n\n\
         Torc {version}, {date}, {cpu}, load of the machine afterwards {load} (a load above 1 makes wall-clock times\n\
         meaningless, and CPU times larger than they are on a quiet machine).\n\n{table}"
    )
}
