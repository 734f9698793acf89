use super::*;
use crate::document;
use crate::scenario::Router;
use std::collections::{BTreeMap, BTreeSet};

fn many(seeds: u64) -> impl Iterator<Item = Scenario> {
    (0..seeds).map(|seed| scenario(seed, &Options::default()))
}

#[test]
fn a_seed_makes_one_scenario() {
    for seed in [0, 1, 77, 4_711, u64::MAX] {
        let options = Options::default();
        assert_eq!(scenario(seed, &options), scenario(seed, &options));
    }
    assert_ne!(scenario(1, &Options::default()).routers, scenario(2, &Options::default()).routers);
}

#[test]
fn options_are_obeyed() {
    for seed in 0..200 {
        let options = Options { routers: 7..=9, profile: Some(Profile::Vrrp) };
        let made = scenario(seed, &options);
        assert!((7..=9).contains(&made.routers.len()), "{}", made.name);
        assert!(made.segments.iter().any(|s| s.vrrp.is_some()), "{}", made.name);
    }
}

#[test]
fn scenarios_survive_their_text() {
    for made in many(500).chain([paper::ring5_p(), paper::ring5_c(), scenario(u64::MAX, &Options::default())])
    {
        let text = made.to_toml().unwrap();
        assert_eq!(Scenario::parse(&text).unwrap(), made, "{}", made.name);
    }
}

#[test]
fn every_router_accepts_its_configuration() {
    for made in many(2_000).chain([paper::ring5_p(), paper::ring5_c()]) {
        for router in &made.routers {
            document::config(&made, router, &[]).unwrap_or_else(|e| panic!("{}: {e}", made.name));
        }
    }
}

#[test]
fn faults_name_what_there_is_and_end_in_time() {
    for made in many(2_000) {
        for fault in &made.faults {
            assert!(made.knows(&fault.what), "{}: {fault:?}", made.name);
            let ends = fault.until <= made.chaos_ends || fault.until == LASTING;
            assert!(fault.at <= fault.until.min(made.chaos_ends) && ends, "{}: {fault:?}", made.name);
        }
        assert!(made.routers.iter().all(|r| r.starts <= made.chaos_ends), "{}", made.name);
    }
}

/// Routers that can be reached over any segments from router 0.
fn reached(made: &Scenario) -> usize {
    let mut routers = BTreeSet::from([0]);
    loop {
        let segments: BTreeSet<usize> =
            routers.iter().flat_map(|r| made.routers[*r].ports.iter().map(|p| p.segment)).collect();
        let before = routers.len();
        routers.extend(segments.into_iter().flat_map(|s| made.ends(s).map(|(r, ..)| r)));
        if routers.len() == before {
            return before;
        }
    }
}

#[test]
fn networks_hang_together_and_addresses_differ() {
    for made in many(2_000) {
        assert_eq!(reached(&made), made.routers.len(), "{}", made.name);
        let mut addresses: Vec<_> =
            made.routers.iter().flat_map(|r| r.ports.iter().map(|p| p.address.ip())).collect();
        addresses.extend(made.routers.iter().map(|r| r.loopback));
        let different: BTreeSet<_> = addresses.iter().collect();
        assert_eq!(different.len(), addresses.len(), "{}", made.name);
        for (r, router) in made.routers.iter().enumerate() {
            let segments: BTreeSet<_> = router.ports.iter().map(|p| p.segment).collect();
            assert_eq!(segments.len(), router.ports.len(), "{} router {r}", made.name);
        }
    }
}

/// How many in a hundred scenarios pass.
fn percent(all: &[Scenario], passes: impl Fn(&Scenario) -> bool) -> usize {
    all.iter().filter(|s| passes(s)).count() * 100 / all.len()
}

#[test]
fn every_kind_of_network_and_fault_comes() {
    let all: Vec<Scenario> = many(5_000).collect();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for fault in all.iter().flat_map(|s| &s.faults) {
        let debug = format!("{:?}", fault.what);
        let name = debug.split([' ', '{']).next().unwrap_or_default().to_owned();
        *kinds.entry(name).or_default() += 1;
    }
    let mut sizes: Vec<usize> = all.iter().map(|s| s.routers.len()).collect();
    sizes.sort_unstable();
    let total = |s: &Scenario| s.chaos_ends + s.settle + s.rest;
    let mut times: Vec<u64> = all.iter().map(total).collect();
    times.sort_unstable();
    let work: u64 = all.iter().map(|s| total(s) / 1_000 * s.routers.len() as u64).sum();
    println!("routers: median {}, largest {}", sizes[2_500], sizes[4_999]);
    println!("virtual time: median {} ms, 95 % {} ms", times[2_500], times[4_750]);
    println!("router seconds per scenario: {}", work / 5_000);
    println!("faults: {kinds:?}");
    assert_eq!(kinds.len(), 27, "{kinds:?}");
    assert!((4..=6).contains(&sizes[2_500]) && sizes[4_999] > 20);
    assert!(times[2_500] < 60_000);
    let any = |passes: fn(&Router) -> bool| percent(&all, |s| s.routers.iter().any(passes));
    assert!((10..60).contains(&any(|r| r.default_information.is_some())));
    assert!((5..60).contains(&any(|r| r.redistribute_static.is_some())));
    assert!((5..60).contains(&any(|r| r.redistribute_connected.is_some())));
    assert!((5..60).contains(&any(|r| !r.filter.rules.is_empty())));
    assert!((2..60).contains(&any(|r| r.filter.hidden.is_some())));
    assert!((20..70).contains(&percent(&all, |s| s.segments.iter().any(|g| g.vrrp.is_some()))));
    assert!((1..30).contains(&percent(&all, |s| s.settings.without_rib)));
    assert!((40..60).contains(&percent(&all, |s| s.settings.fast_reroute)));
}
