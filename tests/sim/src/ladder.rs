//! What happened between some routers, as a picture.
//!
//! ```text
//!       time   r0            r1            r2
//!   12.482674   o----Hello---->|             |
//!   12.482791   |<----Hello----o----Hello----x
//!   12.490000   |              *             |         fault 3 begins: …
//! ```
//!
//! One line is one frame that was sent, from `o` to everybody on its segment: an arrowhead where it was taken,
//! `x` where it was lost, `~` where it arrived bent, `:` where nobody wanted it, `?` where it was still to arrive
//! at the end. A line that only crosses a router says `-` there. What a router or its operator says stands to the right of a `*`. Hellos and
//! advertisements that reached everybody are left out, but for the last.

use crate::frame::Frame;
use crate::scenario::{Scenario, SegmentIndex};
use crate::segment::{End, Nature};
use crate::text::{self, Narrator};
use crate::trace::Happening;
use core::fmt::Write;
use rib::fib::FibOp;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of a router.
const COLUMN: usize = 14;
/// Columns of the time.
const TIME: usize = 14;
/// Routers at most.
const ROUTERS: usize = 7;
/// First octets of a frame that never change on the way: the Ethernet and IP headers.
const HEADERS: usize = 34;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct View {
    /// The routers, from left to right.
    pub routers: Vec<usize>,
    /// Lines at most; the last ones.
    pub lines: usize,
    /// Columns at most.
    pub width: usize,
}

impl View {
    /// The routers a text names with their neighbours; all of them, if it names none.
    pub fn of(scenario: &Scenario, text: &str) -> Self {
        let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        let is_named = |r: &usize| words.contains(scenario.routers[*r].name.as_str());
        let all = 0..scenario.routers.len();
        let named: BTreeSet<usize> = all.clone().filter(is_named).collect();
        let segments = |r: usize| scenario.routers[r].ports.iter().map(|p| p.segment);
        let theirs: BTreeSet<SegmentIndex> = named.iter().flat_map(|r| segments(*r)).collect();
        let others = all.filter(|r| named.is_empty() || segments(*r).any(|s| theirs.contains(&s)));
        let mut routers: Vec<usize> = named.iter().copied().collect();
        routers.extend(others.filter(|r| !named.contains(r)));
        routers.truncate(ROUTERS);
        routers.sort_unstable();
        Self { routers, lines: 60, width: 150 }
    }
}

/// What became of a frame at one port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lost,
    UnderWay,
    Taken,
    Unwanted,
    Bent,
}

impl Fate {
    /// Did it not arrive so far?
    fn is_open(self) -> bool {
        matches!(self, Self::Lost | Self::UnderWay)
    }
}

/// A frame and its fates.
struct Flight<'a> {
    from: End,
    frame: &'a Frame,
    fates: Vec<(End, Fate)>,
}

/// One line to be.
enum Item<'a> {
    Flight(Flight<'a>),
    Routes(usize, Vec<&'a FibOp>),
    Said(&'a Happening),
}

/// Draws the end of what happened.
pub fn ladder(scenario: &Scenario, entries: &[(Instant, Happening)], view: &View) -> String {
    let items = items(scenario, entries);
    let narrator = Narrator::new(scenario);
    let mut lines: Vec<String> = Vec::new();
    let mut hidden = 0;
    for (at, item) in items.iter().rev() {
        if lines.len() >= view.lines {
            break;
        }
        match line(view, &narrator, *at, item) {
            Some(_) if !lines.is_empty() && is_routine(item) => hidden += 1,
            Some(line) => lines.push(line),
            None => {}
        }
    }
    lines.reverse();
    let mut text = format!("{:>12}  ", "time");
    for router in &view.routers {
        // Writing to a string cannot fail; here and below.
        let _ = write!(text, "{:<COLUMN$}", narrator.router(*router));
    }
    let mut text = text.trim_end().to_owned() + "\n";
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    if hidden > 0 {
        let _ = writeln!(text, "({hidden} Hellos and advertisements that reached everybody are left out)");
    }
    text
}

/// Frames with their fates and everything that was said, in order.
fn items<'a>(scenario: &Scenario, entries: &'a [(Instant, Happening)]) -> Vec<(Instant, Item<'a>)> {
    let segment = |end: &End| scenario.routers[end.router].ports[end.port].segment;
    let end = entries.last().map_or(Instant::ZERO, |(at, _)| *at);
    let mut items: Vec<(Instant, Item<'_>)> = Vec::new();
    // The latest frames of a segment, by what cannot change on the way.
    let mut latest: BTreeMap<(SegmentIndex, usize, &[u8]), Vec<usize>> = BTreeMap::new();
    for (at, happening) in entries {
        match happening {
            Happening::Sent { from, frame } => {
                let here = segment(from);
                let travel =
                    Duration::from_micros(scenario.segments[here].delay + scenario.segments[here].jitter);
                let fate = if *at + travel >= end { Fate::UnderWay } else { Fate::Lost };
                let ends = scenario.ends(here).map(|(router, port, _)| End { router, port });
                let fates = ends.filter(|end| end != from).map(|end| (end, fate)).collect();
                latest.entry((here, frame.octets().len(), head(frame))).or_default().push(items.len());
                items.push((*at, Item::Flight(Flight { from: *from, frame, fates })));
            }
            Happening::Arrived { to, frame, nature, taken } => {
                let fate = match (nature, taken) {
                    (Nature::Corrupted, _) => Fate::Bent,
                    (Nature::Genuine, true) => Fate::Taken,
                    (Nature::Genuine, false) => Fate::Unwanted,
                    _ => {
                        items.push((*at, Item::Said(happening)));
                        continue;
                    }
                };
                let candidates = latest.get(&(segment(to), frame.octets().len(), head(frame)));
                let flights = candidates.into_iter().flatten().rev();
                land(&mut items, flights, *to, frame, fate);
            }
            Happening::Fib { router, op, done: true } => match items.last_mut() {
                Some((when, Item::Routes(whose, ops))) if (*when, *whose) == (*at, *router) => ops.push(op),
                _ => items.push((*at, Item::Routes(*router, vec![op]))),
            },
            _ => items.push((*at, Item::Said(happening))),
        }
    }
    items
}

fn head(frame: &Frame) -> &[u8] {
    &frame.octets()[..frame.octets().len().min(HEADERS)]
}

/// Finds the flight that ends here: the latest that has not.
fn land<'a>(
    items: &mut [(Instant, Item<'_>)],
    flights: impl Iterator<Item = &'a usize>,
    to: End,
    frame: &Frame,
    fate: Fate,
) {
    for index in flights {
        let Item::Flight(flight) = &mut items[*index].1 else { continue };
        if fate != Fate::Bent && flight.frame != frame {
            continue;
        }
        if let Some(open) = flight.fates.iter_mut().find(|(end, f)| *end == to && f.is_open()) {
            open.1 = fate;
            return;
        }
    }
}

/// Nothing but life going on?
fn is_routine(item: &Item<'_>) -> bool {
    match item {
        Item::Flight(flight) => {
            matches!(text::kind(flight.frame), "Hello" | "VRRP")
                && flight.fates.iter().all(|(_, fate)| *fate == Fate::Taken || *fate == Fate::Unwanted)
        }
        Item::Routes(..) | Item::Said(_) => false,
    }
}

/// A line of the picture; `None` if none of its routers are in it.
fn line(view: &View, narrator: &Narrator, at: Instant, item: &Item<'_>) -> Option<String> {
    let column = |router: usize| view.routers.iter().position(|r| *r == router);
    let mut cells: Vec<char> = vec![' '; view.routers.len() * COLUMN];
    for c in 0..view.routers.len() {
        cells[c * COLUMN] = '|';
    }
    let right = match item {
        Item::Flight(flight) => {
            let from = column(flight.from.router)?;
            draw(&mut cells, from, flight, column)?;
            String::new()
        }
        Item::Routes(router, ops) => {
            cells[column(*router)? * COLUMN] = '*';
            let ops: Vec<String> = ops.iter().map(|op| text::fib(op)).collect();
            format!("{} kernel {}", narrator.router(*router), ops.join(", "))
        }
        Item::Said(happening) => {
            if let Some(router) = whose(happening) {
                cells[column(router)? * COLUMN] = '*';
            }
            narrator.line(at, happening)?.split_off(TIME)
        }
    };
    let time = at.to_string();
    let line = format!("{time:>12}  {}{right}", cells.iter().collect::<String>());
    Some(line.trim_end().chars().take(view.width).collect())
}

fn draw(
    cells: &mut [char],
    from: usize,
    flight: &Flight<'_>,
    column: impl Fn(usize) -> Option<usize>,
) -> Option<()> {
    let fates: BTreeMap<usize, Fate> =
        flight.fates.iter().filter_map(|(end, fate)| Some((column(end.router)?, *fate))).collect();
    let left = (*fates.keys().next()?).min(from);
    let right = (*fates.keys().next_back()?).max(from);
    cells[left * COLUMN + 1..right * COLUMN].fill('-');
    let label = text::kind(flight.frame);
    for gap in left..right {
        let middle = gap * COLUMN + (COLUMN + 1 - label.len()) / 2;
        for (n, letter) in label.chars().enumerate() {
            cells[middle + n] = letter;
        }
    }
    cells[from * COLUMN] = 'o';
    for (to, fate) in fates {
        let (head, next) = if to < from { ('<', to * COLUMN + 1) } else { ('>', to * COLUMN - 1) };
        match fate {
            Fate::Taken => {
                cells[to * COLUMN] = '|';
                cells[next] = head;
            }
            Fate::Lost => cells[to * COLUMN] = 'x',
            Fate::UnderWay => cells[to * COLUMN] = '?',
            Fate::Unwanted => cells[to * COLUMN] = ':',
            Fate::Bent => cells[to * COLUMN] = '~',
        }
    }
    Some(())
}

fn whose(happening: &Happening) -> Option<usize> {
    match happening {
        Happening::Sent { from, .. } => Some(from.router),
        Happening::Arrived { to, .. } => Some(to.router),
        Happening::Notice { router, .. } | Happening::Fib { router, .. } => Some(*router),
        Happening::Event { router, .. } => *router,
    }
}
