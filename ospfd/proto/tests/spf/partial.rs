//! Partial runs give what full ones give.

use crate::model::{Leaf, LeafKind, Network};
use crate::oracle::{leaves, networks};
use ospf_proto::route::RoutingTable;
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
}
