//! The rehearsal: everything a ring is built to survive, one thing after the other.
//!
//! For every event: probe, break, wait until the kernel tables are what the state demands, look at every flow, mend, wait
//! again. The numbers are what a user would have missed; the verdict is about tables and reachability only.

use crate::fabric::Cut;
use crate::lab::{Death, Lab, Options};
use crate::probe::{Flow, Prober, Recording, living_flows, reach};
use crate::report::{CLASSES, Paint, Row, grid, heading};
use crate::restart::{Cause, restart};
use crate::topology::{LinkKind, Topology};
use anyhow::Result;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Probing before an event and after its end.
const CALM: Duration = Duration::from_millis(300);
/// After a mend a returned MASTER preempts, and SPF back-off needs quiet (HOLDDOWN_INTERVAL, 3 s) before the next failure counts as
/// the first of its kind again (RFC 8405 §4).
const SETTLE: Duration = Duration::from_secs(4);

/// A router whose restart went wrong is given up by its neighbours after the dead interval, 4 s with the timers of a ring.
const AFTERMATH: Duration = Duration::from_secs(5);

/// One thing that breaks and is mended again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A router's power goes.
    RouterDies(String),
    /// A link's cable is cut; both ends lose carrier.
    LinkCut(String),
    /// A link carries nothing any more; both ends keep their carrier.
    LinkSilent(String),
    /// One router's plug is pulled.
    PlugPulled {
        /// Out of which link.
        link: String,
        /// Whose.
        router: String,
    },
    /// A router's suite is told to leave (SIGTERM); the machine goes on.
    RouterStops(String),
    /// A link carries nothing for a moment only.
    LinkBlinks {
        /// Which.
        link: String,
        /// How long.
        time: Duration,
    },
    /// A daemon is replaced by its successor.
    Restart {
        /// Whose.
        router: String,
        /// Which.
        daemon: String,
        /// Why.
        cause: Cause,
    },
}

impl Event {
    /// Makes it happen; [`Lab::heal`] undoes what does not mend itself.
    ///
    /// # Errors
    /// What the lab refuses.
    pub fn strike(&self, lab: &mut Lab) -> Result<()> {
        match self {
            Self::RouterDies(router) => lab.kill(router, &Death::Silent),
            Self::LinkCut(link) => lab.cut(link, None, Cut::Carrier),
            Self::LinkSilent(link) => lab.cut(link, None, Cut::Silent),
            Self::PlugPulled { link, router } => lab.cut(link, Some(router), Cut::Carrier),
            Self::RouterStops(router) => lab.kill(router, &Death::Term),
            Self::LinkBlinks { link, time } => {
                lab.cut(link, None, Cut::Silent)?;
                std::thread::sleep(*time);
                lab.mend(link, None)
            }
            Self::Restart { router, daemon, cause } => restart(lab, router, daemon, *cause),
        }
    }

    /// Where and what, for people.
    pub fn text(&self, topology: &Topology) -> String {
        match self {
            Self::RouterDies(router) => format!("{router} dies ({})", role(topology, router)),
            Self::LinkCut(link) => format!("link {link} cut"),
            Self::LinkSilent(link) => format!("link {link} silent"),
            Self::PlugPulled { link, router } => {
                format!("{router} loses its {link} plug ({})", role(topology, router))
            }
            Self::RouterStops(router) => format!("{router} is stopped ({})", role(topology, router)),
            Self::LinkBlinks { link, time } => format!("link {link} silent for {} ms", time.as_millis()),
            Self::Restart { router, daemon, cause } => format!("{router} {daemon} {cause}"),
        }
    }
}

fn role(topology: &Topology, router: &str) -> &'static str {
    let priority = |name: &str| topology.routers.get(name).and_then(|router| router.vrrp_priority);
    let highest = topology.routers.keys().filter_map(|name| priority(name)).max();
    match priority(router) {
        None => "leaf",
        own if own == highest => "MASTER",
        _ => "BACKUP",
    }
}

/// The events a topology is put through; a quick rehearsal takes one of each kind.
pub fn events(topology: &Topology, quick: bool) -> Vec<Event> {
    let mut exits: Vec<_> =
        topology.routers.iter().filter_map(|(name, r)| Some((r.vrrp_priority?, name))).collect();
    exits.sort_by(|a, b| b.cmp(a));
    let lan = topology.vrrp.as_ref().map(|vrrp| vrrp.link.clone());
    let mut events = Vec::new();
    if let (Some((_, master)), Some(link)) = (exits.first(), lan) {
        events.push(Event::RouterDies((*master).clone()));
        events.push(Event::PlugPulled { link, router: (*master).clone() });
    }
    events.extend(
        topology
            .routers
            .iter()
            .rfind(|(_, r)| r.vrrp_priority.is_none())
            .map(|(n, _)| Event::RouterDies(n.clone())),
    );
    let links = topology.links.iter().filter(|(_, link)| link.kind == LinkKind::Ring);
    let links = links.map(|(name, _)| Event::LinkCut(name.clone()));
    if quick {
        events.extend(links.take(1));
        return events;
    }
    events.extend(links);
    events.extend(exits.get(1).map(|(_, backup)| Event::RouterDies((*backup).clone())));
    events
}

/// Runs a rehearsal and prints it. `Ok(false)`: something was wrong and is printed.
///
/// # Errors
/// The lab itself fails.
pub fn play(options: Options, quick: bool) -> Result<bool> {
    let paint = Paint::detect();
    let start = Instant::now();
    let patience = options.profile.patience();
    println!("{}: {}", paint.strong(&options.topology.name), options.topology.description);
    let events = events(&options.topology, quick);
    let mut lab = Lab::up(options)?;
    println!("up in {:.1} s", start.elapsed().as_secs_f64());
    let cold = lab.wait_converged(patience);
    println!("{}", grid(&lab, paint)?);
    match cold {
        Ok(time) => println!("cold start: every table right after {:.1} s", time.as_secs_f64()),
        Err(fault) => {
            println!("{}", paint.bad(&format!("cold start: {fault:#}")));
            return Ok(false);
        }
    }
    let (tried, dead) = reach(&lab)?;
    println!("flows: {} of {tried} get through\n\n{}", tried - dead.len(), paint.strong(&heading()));
    let (mut good, mut lateness) = (dead.is_empty(), Duration::ZERO);
    for event in events {
        for row in rehearse(&mut lab, &event, patience)? {
            good &= row.is_good();
            lateness = lateness.max(row.lateness);
            println!("{}", row.line(paint));
        }
    }
    let verdict = if good { paint.good("all tables and flows as they must be") } else { paint.bad("FAILED") };
    println!(
        "\n{verdict}; {:.0} s in all; probes were up to {} ms late",
        start.elapsed().as_secs_f64(),
        lateness.as_millis()
    );
    lab.down()?;
    Ok(good)
}

/// Sending and receiving hosts.
type Pairs = BTreeSet<(String, String)>;

fn living(lab: &Lab) -> Result<Pairs> {
    Ok(living_flows(lab)?.into_iter().map(|flow| (flow.from, flow.to)).collect())
}

/// Breaks one thing and mends it; gives a row for each half.
///
/// # Errors
/// The lab itself fails.
pub fn rehearse(lab: &mut Lab, event: &Event, patience: Duration) -> Result<[Row; 2]> {
    rehearse_and_look(lab, event, patience, |_| Ok(()))
}

/// Like [`rehearse`], and shows the lab to `look` while the thing is broken and the tables are right.
///
/// # Errors
/// The lab itself fails, or `look` does.
pub fn rehearse_and_look(
    lab: &mut Lab,
    event: &Event,
    patience: Duration,
    look: impl FnOnce(&Lab) -> Result<()>,
) -> Result<[Row; 2]> {
    let text = event.text(lab.topology());
    let prober = Prober::start(lab, crate::probe::all_flows(lab), Duration::from_millis(1))?;
    std::thread::sleep(CALM);
    let struck = Instant::now();
    event.strike(lab)?;
    let alive = living(lab)?;
    let broken = lab.wait_converged(patience);
    if broken.is_ok() {
        look(lab)?;
    }
    std::thread::sleep(CALM);
    let mended = Instant::now();
    lab.heal()?;
    let whole = lab.wait_converged(patience);
    std::thread::sleep(SETTLE);
    let end = Instant::now();
    let all = living(lab)?;
    let recording = prober.stop()?;
    let broken = Half { event: text, from: struck, to: mended, outcome: broken, wanted: &alive };
    let back =
        Half { event: "  … and back".to_owned(), from: mended, to: end, outcome: whole, wanted: &all };
    // A host behind the broken part cannot blame the ring for its outage, but it must be back in the end.
    Ok([broken.row(&recording, &alive), back.row(&recording, &alive)])
}

/// Lets something happen that mends itself; gives its row.
///
/// # Errors
/// The lab itself fails.
pub fn endure(lab: &mut Lab, event: &Event, patience: Duration) -> Result<Row> {
    let all = living(lab)?;
    let prober = Prober::start(lab, crate::probe::all_flows(lab), Duration::from_millis(1))?;
    std::thread::sleep(CALM);
    let from = Instant::now();
    event.strike(lab)?;
    let outcome = lab.wait_converged(patience).map(|_| from.elapsed());
    std::thread::sleep(AFTERMATH);
    let to = Instant::now();
    // What it did late counts as well: a successor that removes too much.
    let outcome = outcome.and_then(|time| lab.wait_converged(patience).map(|_| time));
    let recording = prober.stop()?;
    let half = Half { event: event.text(lab.topology()), from, to, outcome, wanted: &all };
    Ok(half.row(&recording, &all))
}

/// One window of a rehearsal.
struct Half<'a> {
    event: String,
    from: Instant,
    to: Instant,
    outcome: Result<Duration>,
    /// Who must get through at its end.
    wanted: &'a Pairs,
}

impl Half<'_> {
    /// `alive`: whose losses count.
    fn row(self, recording: &Recording, alive: &Pairs) -> Row {
        let Self { event, from, to, outcome, wanted } = self;
        let within = |set: &Pairs, flow: &Flow| set.contains(&(flow.from.clone(), flow.to.clone()));
        let counts = |flow: &Flow| within(alive, flow);
        let outages = CLASSES.map(|class| recording.worst(class, from, to, counts).map(|(_, outage)| outage));
        let lost = recording.lost(from, to, counts);
        // Flows count as dead when even the last packets before the window closed were lost.
        let last = to - CALM / 2;
        let flows = recording.flows().iter().enumerate().filter(|(_, flow)| within(wanted, flow));
        let checked: Vec<_> = flows.map(|(index, flow)| (flow, recording.outage(index, last, to))).collect();
        let dead = checked.iter().filter(|(_, outage)| outage.lost == outage.sent);
        let dead = dead.map(|(flow, _)| format!("{} -> {}: nothing arrives", flow.from, flow.to)).collect();
        let (converged, wrong) = match outcome {
            Ok(time) => (Some(time), Vec::new()),
            Err(fault) => (None, vec![format!("{fault:#}")]),
        };
        let (reach, lateness) = ((checked.len(), dead), recording.lateness());
        Row { event, outages, lost, converged, wrong, reach, lateness }
    }
}
