//! Partial runs give what full ones give.

use crate::model::{Leaf, LeafKind, Network};
use crate::oracle::{leaves, networks};
use ospf_proto::route::{RoutingTable, diff};
use ospf_proto::spf::{Calculation, Change};
use proptest::prelude::*;

/// Leaves of `new` whose kind `change` covers, those of `old` for the rest.
///
/// The E and B bits of router-LSAs follow the leaves here, so a change of summaries or externals alone must
/// leave the set of their routers alone; that is kept by only changing metrics and prefixes in place.
fn replaced(old: &[Leaf], new: &[Leaf], change: Change) -> Vec<Leaf> {
    if change >= Change::IntraPrefix {
        return new.to_vec();
    }
    let covered = |kind| match kind {
        LeafKind::Stub => false,
        LeafKind::Summary => change >= Change::Summary,
        LeafKind::External1 | LeafKind::External2 => true,
    };
    let changed = |(n, leaf): (usize, &Leaf)| {
        let mut leaf = leaf.clone();
        if covered(leaf.kind) {
            leaf.metric += 1 + n as u32 % 3;
            if let Some(other) = new.get(n) {
                leaf.metric = other.metric;
            }
        }
        leaf
    };
    old.iter().enumerate().map(changed).collect()
}

/// One thing happens to a network.
#[derive(Debug, Clone)]
enum Event {
    Power(usize),
    Cost(usize, usize, u16),
    Leaf(usize, u32),
    NoLeaf(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0..64usize).prop_map(Event::Power),
        (0..64usize, 0..2usize, 1..5u16).prop_map(|(cable, end, cost)| Event::Cost(cable, end, cost)),
        (0..64usize, 0..5u32).prop_map(|(leaf, metric)| Event::Leaf(leaf, metric)),
        (0..64usize).prop_map(Event::NoLeaf),
    ];
    prop::collection::vec(event, 1..8)
}

fn happened(network: &Network, event: &Event) -> Network {
    let mut after = network.clone();
    match *event {
        Event::Power(router) => {
            let router = router % after.alive.len();
            after.alive[router] = !after.alive[router];
        }
        Event::Cost(cable, end, cost) if !after.cables.is_empty() => {
            let cable = cable % after.cables.len();
            after.cables[cable].ends[end].1 = cost;
        }
        Event::Leaf(leaf, metric) if !after.leaves.is_empty() => {
            let leaf = leaf % after.leaves.len();
            after.leaves[leaf].metric = metric;
        }
        Event::NoLeaf(leaf) if !after.leaves.is_empty() => {
            let leaf = leaf % after.leaves.len();
            after.leaves.remove(leaf);
        }
        Event::Cost(..) | Event::Leaf(..) | Event::NoLeaf(_) => {}
    }
    after
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn partial_runs_equal_full_ones(
        (network, new) in networks().prop_flat_map(|n| { let count = n.alive.len(); (Just(n), leaves(count)) }),
        change in prop_oneof![Just(Change::External), Just(Change::Summary), Just(Change::IntraPrefix)],
        maximum_paths in 1..4u8,
    ) {
        let after = Network { leaves: replaced(&network.leaves, &new, change), ..network.clone() };
        for root in network.routers().filter(|r| network.alive[*r]) {
            let mut calculation = Calculation::default();
            let first = network.run(
                root, maximum_paths, Change::Topology, &mut calculation, &RoutingTable::default(),
            );
            let partial = after.run(root, maximum_paths, change, &mut calculation, &first);
            prop_assert_eq!(partial, after.table(root, maximum_paths));
        }
    }

    #[test]
    fn a_table_that_is_brought_up_to_date_is_the_one_calculated_anew(
        network in networks(),
        events in events(),
        maximum_paths in 1..4u8,
    ) {
        for root in network.routers().filter(|r| network.alive[*r]) {
            let mut calculation = Calculation::default();
            let mut before = network.clone();
            // Border routers make everything be calculated: here they have gone.
            before.leaves.retain(|leaf| leaf.kind != LeafKind::Summary);
            let first = RoutingTable::default();
            let mut table = before.run(root, maximum_paths, Change::Topology, &mut calculation, &first);
            for event in &events {
                let after = happened(&before, event);
                let expected = after.table(root, maximum_paths);
                let expected_changes = diff(&table, &expected, 110);
                let changes = after.update(&before, root, maximum_paths, &mut calculation, &mut table);
                prop_assert_eq!(&table, &expected, "after {:?}", event);
                prop_assert_eq!(changes, expected_changes, "after {:?}", event);
                before = after;
            }
        }
    }
}
