//! The judgements against slow ones that are right by looking at them: prefixes as strings of bits.

use super::*;
use crate::config::MetricType;
use crate::prefix::{self, Ipv4Network};
use proptest::prelude::*;
use std::net::Ipv4Addr;

/// Most bits of a prefix in the exhaustive tests, besides 32.
const BITS: u8 = 3;

/// The first `length` bits as text.
fn bits(p: Ipv4Network) -> String {
    format!("{:032b}", p.ip().to_bits()).chars().take(p.prefix().into()).collect()
}

/// Every prefix whose bits behind the first three are zero, of length up to three or 32.
fn universe() -> Vec<Ipv4Network> {
    let lengths = || (0..=BITS).chain([32]);
    let addresses = (0..1u32 << BITS).map(|n| Ipv4Addr::from_bits(n << (32 - BITS)));
    let mut all: Vec<_> = addresses.flat_map(|a| lengths().map(move |l| prefix::of(a, l))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// FRR's rules, one after the other.
fn entry_matches(e: &PrefixListEntry, p: Ipv4Network) -> bool {
    if !bits(p).starts_with(&bits(e.prefix)) {
        return false;
    }
    if e.ge.is_none() && e.le.is_none() {
        return p.prefix() == e.prefix.prefix();
    }
    if let Some(le) = e.le
        && p.prefix() > le
    {
        return false;
    }
    if let Some(ge) = e.ge
        && p.prefix() < ge
    {
        return false;
    }
    true
}

/// Asks for sequence 1, then 2, and so on.
fn slowly_permitted(list: &[PrefixListEntry], p: Ipv4Network) -> bool {
    for sequence in 0..=40 {
        for e in list.iter().filter(|e| e.sequence == sequence) {
            if entry_matches(e, p) {
                return e.action == Action::Permit;
            }
        }
    }
    false
}

#[test]
fn every_entry_matches_what_frr_s_rules_say() {
    let lengths = || [None].into_iter().chain((0..=BITS).chain([32]).map(Some));
    let mut asked = 0;
    for prefix in universe() {
        let own = prefix.prefix();
        for (ge, le) in lengths().flat_map(|ge| lengths().map(move |le| (ge, le))) {
            if ge.is_some_and(|g| g < own) || le.is_some_and(|l| l < ge.unwrap_or(own)) {
                continue;
            }
            let entry = PrefixListEntry { sequence: 1, action: Action::Permit, prefix, ge, le };
            let list = PrefixList { name: "x".into(), entries: vec![entry.clone()] };
            for candidate in universe() {
                assert_eq!(
                    list.permits(candidate),
                    entry_matches(&entry, candidate),
                    "{entry:?} {candidate}"
                );
                asked += 1;
            }
        }
    }
    assert!(asked > 4_000, "{asked}");
}

#[test]
fn access_lists_take_in_what_is_inside_unless_they_are_exact() {
    for prefix in universe() {
        for exact in [false, true] {
            let entry = AccessListEntry { sequence: 5, action: Action::Permit, prefix, exact };
            let list = AccessList { name: "a".into(), entries: vec![entry] };
            for candidate in universe() {
                let inside = bits(candidate).starts_with(&bits(prefix));
                let wanted = inside && (!exact || candidate.prefix() == prefix.prefix());
                assert_eq!(list.permits(candidate), wanted, "{prefix} {exact} {candidate}");
            }
        }
    }
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![Just(Action::Permit), Just(Action::Deny)]
}

fn any_prefix() -> impl Strategy<Value = Ipv4Network> {
    (0u32..16, 0u8..=6).prop_map(|(n, l)| prefix::of(Ipv4Addr::from_bits(n << 28 | 3 << 26), l))
}

fn prefix_entry() -> impl Strategy<Value = PrefixListEntry> {
    (any_prefix(), action(), 0u8..4, 0u8..4, 1u8..4).prop_map(|(prefix, action, more, longer, which)| {
        let ge = prefix.prefix() + more;
        let le = if longer == 3 { 32 } else { ge + longer };
        let (ge, le) = (Some(ge).filter(|_| which & 1 != 0), Some(le).filter(|_| which & 2 != 0));
        PrefixListEntry { sequence: 0, action, prefix, ge, le }
    })
}

fn prefix_entries() -> impl Strategy<Value = Vec<PrefixListEntry>> {
    (prop::collection::vec(prefix_entry(), 1..6), prop::collection::btree_set(1u32..40, 6)).prop_map(
        |(mut entries, sequences)| {
            for (e, sequence) in entries.iter_mut().zip(sequences) {
                e.sequence = sequence;
            }
            entries
        },
    )
}

fn prefix_list() -> impl Strategy<Value = PrefixList> {
    prefix_entries().prop_map(|entries| PrefixList { name: "p".into(), entries })
}

fn set_metric() -> impl Strategy<Value = SetMetric> {
    let n = || prop_oneof![0u32..30, 16_777_200u32..=16_777_214];
    prop_oneof![n().prop_map(SetMetric::To), n().prop_map(SetMetric::Plus), n().prop_map(SetMetric::Minus)]
}

fn metric_type() -> impl Strategy<Value = MetricType> {
    prop_oneof![Just(MetricType::Type1), Just(MetricType::Type2)]
}

fn map_entry() -> impl Strategy<Value = RouteMapEntry> {
    let interface = prop_oneof![Just("eth0"), Just("eth1")].prop_map(|i| i.parse().ok());
    let matches = (
        prop::option::of(prefix_list()),
        prop::option::of(prefix_list()),
        prop_oneof![3 => Just(None), 1 => interface],
        prop::option::weighted(0.3, 0u32..2),
        prop::option::weighted(0.3, 0u32..2),
    );
    let sets = (prop::option::of(set_metric()), prop::option::of(metric_type()), prop::option::of(0u32..9));
    (action(), matches, sets).prop_map(|(action, m, s)| RouteMapEntry {
        sequence: 0,
        action,
        description: None,
        matches: Match {
            prefix_list: m.0,
            access_list: None,
            next_hop: m.1,
            interface: m.2,
            tag: m.3,
            metric: m.4,
        },
        sets: Set { metric: s.0, metric_type: s.1, tag: s.2 },
    })
}

/// The same in the words of the manual: all clauses of the first entry that matches, computed with signed numbers.
fn slowly_applied(map: &RouteMap, route: &Subject<'_>, before: Attributes) -> Option<Attributes> {
    for entry in &map.entries {
        let m = &entry.matches;
        let mut clauses = Vec::new();
        if let Some(list) = &m.prefix_list {
            clauses.push(slowly_permitted(&list.entries, route.prefix));
        }
        if let Some(list) = &m.next_hop {
            let gateway = route.next_hop.map_or("0.0.0.0/32".to_owned(), |g| format!("{g}/32"));
            clauses.push(slowly_permitted(&list.entries, gateway.parse().unwrap()));
        }
        if let Some(interface) = &m.interface {
            clauses.push(route.interface.map(|i| i.as_str()) == Some(interface.as_str()));
        }
        clauses.extend(m.tag.map(|t| t == route.tag));
        clauses.extend(m.metric.map(|m| m == route.metric));
        if clauses.contains(&false) {
            continue;
        }
        if entry.action == Action::Deny {
            return None;
        }
        let metric = match entry.sets.metric {
            None => i64::from(before.metric),
            Some(SetMetric::To(n)) => i64::from(n),
            Some(SetMetric::Plus(n)) => i64::from(before.metric) + i64::from(n),
            Some(SetMetric::Minus(n)) => i64::from(before.metric) - i64::from(n),
        };
        let mut after = before;
        after.metric = u32::try_from(metric.clamp(0, 16_777_214)).unwrap();
        if let Some(kind) = entry.sets.metric_type {
            after.metric_type = kind;
        }
        if let Some(tag) = entry.sets.tag {
            after.tag = tag;
        }
        return Some(after);
    }
    None
}

proptest! {
    #[test]
    fn the_first_entry_by_sequence_decides(list in prefix_list(), candidate in any_prefix()) {
        prop_assert_eq!(list.permits(candidate), slowly_permitted(&list.entries, candidate));
    }

    #[test]
    fn what_an_earlier_entry_covers_never_decides(list in prefix_list(), candidate in any_prefix()) {
        let mut shorter = list.clone();
        let covered = |i: usize| {
            let range = list.entries[i].range();
            list.entries[..i].iter().any(|before| before.range().covers(&range))
        };
        let kept = (0..list.entries.len()).filter(|i| !covered(*i));
        shorter.entries = kept.map(|i| list.entries[i].clone()).collect();
        prop_assert_eq!(shorter.permits(candidate), list.permits(candidate));
    }

    #[test]
    fn a_route_map_does_what_its_manual_says(
        mut entries in prop::collection::vec(map_entry(), 1..5),
        prefix in any_prefix(),
        next_hop in prop::option::of(any_prefix()),
        interface in prop::option::of(prop_oneof![Just("eth0"), Just("eth1")]),
        (tag, metric, before_metric, kind) in (0u32..3, 0u32..3, 0u32..60, metric_type()),
    ) {
        for (n, e) in entries.iter_mut().enumerate() {
            e.sequence = u16::try_from(n + 1).unwrap();
        }
        let map = RouteMap { name: "m".into(), entries };
        let interface = interface.map(|i| i.parse().unwrap());
        let next_hop = next_hop.map(|n| n.ip());
        let route = Subject { prefix, next_hop, interface: interface.as_ref(), tag, metric };
        let before = Attributes { metric: before_metric, metric_type: kind, tag };
        let after = map.apply(&route, before);
        prop_assert_eq!(after, slowly_applied(&map, &route, before));
        prop_assert!(map.has_conditions() || after.is_some());
    }
}
