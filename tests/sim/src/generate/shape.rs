//! Who is joined to whom.
//!
//! A shape is a list of wires between routers by their number. Cables may become either kind of segment, LANs
//! are broadcast networks.

use super::dice::Dice;
use core::ops::RangeInclusive;

/// The forms networks are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// One after the other.
    Line,
    /// In a circle.
    Ring,
    /// Rows and columns.
    Grid,
    /// Every router but the first has one above it.
    Tree,
    /// Two routers, and all others joined to both.
    LeafSpine,
    /// A tree with a few more cables.
    Random,
    /// All on one LAN.
    Lan,
    /// Several LANs, joined by cables.
    Lans,
    /// A ring one side of which is a LAN: the paper's.
    RingWithLan,
    /// Two rings with one router in common.
    TwoRings,
    /// Several cables between two routers, the others in line behind.
    Parallel,
}

/// A wire by its routers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wire {
    /// Between two.
    Cable(usize, usize),
    /// Between any number.
    Lan(Vec<usize>),
}

/// The weight of every shape, and from how many routers on it makes sense.
const SHAPES: [(u64, usize, Shape); 11] = [
    (8, 2, Shape::Line),
    (14, 3, Shape::Ring),
    (8, 4, Shape::Grid),
    (8, 3, Shape::Tree),
    (9, 4, Shape::LeafSpine),
    (16, 3, Shape::Random),
    (9, 2, Shape::Lan),
    (9, 4, Shape::Lans),
    (11, 3, Shape::RingWithLan),
    (6, 5, Shape::TwoRings),
    (7, 2, Shape::Parallel),
];

/// On a large LAN every Hello is heard by all: more routers than this are on one LAN only.
const LARGEST_LAN: usize = 12;

impl Shape {
    /// A shape for this many routers; `lans`: one with a LAN.
    pub(super) fn choose(dice: &mut Dice, routers: usize, lans: bool) -> Self {
        let weights = SHAPES.map(|(weight, least, shape)| {
            let has_lan = matches!(shape, Self::Lan | Self::Lans | Self::RingWithLan);
            let too_large = shape == Self::Lan && routers > LARGEST_LAN;
            let wanted = routers >= least && !too_large && (has_lan || !lans);
            (if wanted { weight } else { 0 }, shape)
        });
        dice.weighted(&weights)
    }

    /// Its wires.
    pub(super) fn wires(self, dice: &mut Dice, routers: usize) -> Vec<Wire> {
        match self {
            Self::Line => line(0..=routers - 1),
            Self::Ring => ring((0..routers).collect()),
            Self::Grid => grid(dice, routers),
            Self::Tree => tree(dice, routers),
            Self::LeafSpine => leaf_spine(dice, routers),
            Self::Random => random(dice, routers),
            Self::Lan => vec![Wire::Lan((0..routers).collect())],
            Self::Lans => lans(dice, routers),
            Self::RingWithLan => ring_with_lan(dice, routers),
            Self::TwoRings => two_rings(dice, routers),
            Self::Parallel => parallel(dice, routers),
        }
    }
}

fn line(routers: RangeInclusive<usize>) -> Vec<Wire> {
    routers.clone().zip(routers.skip(1)).map(|(a, b)| Wire::Cable(a, b)).collect()
}

fn ring(members: Vec<usize>) -> Vec<Wire> {
    let next = members.iter().skip(1).chain(members.first());
    members.iter().zip(next).map(|(a, b)| Wire::Cable(*a, *b)).collect()
}

fn grid(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let columns = dice.within(2..=(routers as u64 / 2).min(6)) as usize;
    let mut wires = Vec::new();
    for r in 0..routers {
        if (r + 1) % columns != 0 && r + 1 < routers {
            wires.push(Wire::Cable(r, r + 1));
        }
        if r + columns < routers {
            wires.push(Wire::Cable(r, r + columns));
        }
    }
    wires
}

fn tree(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    (1..routers).map(|r| Wire::Cable(dice.place(r), r)).collect()
}

fn leaf_spine(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let mut wires: Vec<Wire> =
        (2..routers).flat_map(|leaf| [Wire::Cable(0, leaf), Wire::Cable(1, leaf)]).collect();
    if dice.chance(30) {
        wires.push(Wire::Cable(0, 1));
    }
    wires
}

fn random(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let mut wires = tree(dice, routers);
    for _ in 0..dice.within(1..=routers as u64) {
        let pair = dice.some_of(2, routers);
        if let [a, b] = pair[..] {
            wires.push(Wire::Cable(a, b));
        }
    }
    wires
}

/// Every LAN is joined to the one before by a cable between any of theirs; some routers stand on two LANs.
fn lans(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let count = dice.within(2..=(routers as u64 / 2).min(5)) as usize;
    let mut members = vec![Vec::new(); count];
    for r in 0..routers {
        members[r % count].push(r);
    }
    let mut wires = Vec::new();
    for l in 1..count {
        let (here, there) = (dice.pick(&members[l]), dice.pick(&members[l - 1]));
        if let (Some(here), Some(there)) = (here, there) {
            if dice.chance(70) {
                wires.push(Wire::Cable(there, here));
            } else {
                members[l].push(there);
            }
        }
    }
    wires.extend(members.into_iter().map(Wire::Lan));
    wires
}

fn ring_with_lan(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let mut wires = ring((0..routers).collect());
    wires.remove(0);
    let mut lan = vec![0, 1];
    if routers > 3 && dice.chance(20) {
        lan.push(2);
    }
    wires.push(Wire::Lan(lan));
    wires
}

fn two_rings(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let split = dice.within(3..=routers as u64 - 2) as usize;
    let mut wires = ring((0..split).collect());
    wires.extend(ring(core::iter::once(0).chain(split..routers).collect()));
    wires
}

fn parallel(dice: &mut Dice, routers: usize) -> Vec<Wire> {
    let mut wires = vec![Wire::Cable(0, 1); dice.within(2..=5) as usize];
    wires.extend(line(1..=routers - 1));
    wires
}
