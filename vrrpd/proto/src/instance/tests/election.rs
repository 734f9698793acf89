//! Who becomes Active, when, and what the others do about it.

use super::*;
use crate::machine::State;
use crate::router::Cause;

fn lan(priorities: &[u8]) -> Lan {
    let mut nodes = Vec::new();
    for (n, priority) in priorities.iter().enumerate() {
        let mut node = Node::new(&format!("192.0.2.{}", n + 1));
        node.configure(Instant::ZERO, [group(*priority)]);
        nodes.push(node);
    }
    Lan::new(nodes)
}

#[test]
fn f12_a_simultaneous_start_gives_one_active_router() {
    let mut lan = lan(&[100, 200, 150]);
    lan.run_until(at(3300));
    assert_eq!(lan.active(), [1]);
    lan.run_until(at(60_000));
    assert_eq!(lan.active(), [1]);
    assert_eq!(lan.nodes[0].router().stats.transitions + lan.nodes[2].router().stats.transitions, 2);
}

#[test]
fn f11_adjacent_backups_take_over_once() {
    let mut lan = lan(&[200, 100, 102]);
    lan.run_until(at(10_000));
    lan.nodes[0].frozen = true;
    lan.run_until(at(14_000));
    assert_eq!(lan.active(), [2]);
    assert_eq!(lan.nodes[1].router().stats.transitions, 1, "never left Backup");
    let taken = lan.nodes[2].transitions().last().copied().unwrap();
    assert_eq!((taken.to, taken.cause), (State::Active, Cause::AdvertTimeout));
    let last = lan.nodes[0].adverts().last().unwrap().at;
    let silence = taken.at.since(last);
    assert!(silence >= ms(3601) && silence <= ms(3603), "{silence:?}");
}

#[test]
fn the_history_tells_how_long_nobody_was_heard_before_a_takeover() {
    let mut lan = lan(&[200, 100]);
    lan.run_until(at(10_000));
    lan.nodes[0].frozen = true;
    lan.run_until(at(14_000));
    let engine = &lan.nodes[1].engine;
    let ask = |request: api::Request| {
        let value = engine.query(at(14_000), &request).unwrap();
        let text = api::render_text(&request, &value).unwrap();
        (value, text)
    };
    let (rows, text) = ask(api::Request::History { interface: None, vrid: None });
    assert_eq!(rows[0]["transitions"], 2);
    let change = &rows[0]["history"][1];
    assert_eq!((&change["number"], &change["cause"]), (&2.into(), &"advert-timeout".into()));
    let silence = change["silenceMsecs"].as_u64().unwrap();
    assert!((3609..=3612).contains(&silence), "{silence}");
    assert!(rows[0]["history"][0].get("silenceMsecs").is_none(), "nobody had been heard at the start");
    assert!(text.starts_with("eth0 VRID 10 (g0): Master, 2 transitions\nNo  From"), "{text}");
    assert!(text.contains(&format!("advert-timeout  {silence} ms")), "{text}");
    let (rows, text) = ask(api::Request::Summary { interface: None, vrid: Vrid::new(10) });
    assert_eq!(rows[0]["v4Status"], "Master");
    let words: Vec<&str> = text.lines().last().unwrap().split_whitespace().collect();
    assert_eq!(words, ["eth0", "10", "100", "1", "0", "Master", "-"]);
    let (rows, text) = ask(api::Request::Summary { interface: None, vrid: Vrid::new(11) });
    assert_eq!(rows, serde_json::json!([]));
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn a_lost_advertisement_or_two_change_nothing() {
    let mut lan = lan(&[200, 100]);
    lan.run_until(at(10_000));
    lan.nodes[1].deaf = true;
    lan.run_until(at(12_000));
    lan.nodes[1].deaf = false;
    lan.run_until(at(30_000));
    assert_eq!(lan.active(), [0]);
    assert_eq!(lan.nodes[1].router().stats.transitions, 1);
}

#[test]
fn two_active_routers_after_a_partition_heal_with_the_first_advertisement() {
    let mut lan = lan(&[200, 100]);
    lan.run_until(at(10_000));
    lan.nodes[1].deaf = true;
    lan.nodes[0].deaf = true;
    lan.run_until(at(15_000));
    assert_eq!(lan.active(), [0, 1]);
    lan.nodes[0].deaf = false;
    let before = lan.nodes[0].adverts().len();
    let garp = lan.nodes[0].router().stats.garp_tx;
    lan.run_until(at(17_600));
    assert!(lan.nodes[0].adverts().len() >= before + 4, "answers at once besides its cadence");
    assert!(lan.nodes[0].router().stats.garp_tx >= garp + 8, "announces again");
    lan.nodes[1].deaf = false;
    lan.run_until(at(18_700));
    assert_eq!(lan.active(), [0]);
    assert!(!lan.nodes[1].serves());
}

#[test]
fn f2_an_owner_starts_as_active() {
    let mut node = Node::new("192.0.2.1");
    node.configure(at(5), [group(255)]);
    assert_eq!(node.state(), State::Active);
    assert_eq!(node.adverts()[0].priority(), 255);
    assert!(node.serves());
}

#[test]
fn f4_f5_preempt_mode_restrains_a_backup_and_never_an_active_router() {
    let quiet = |priority| VrrpGroup { preempt: false, ..group(priority) };
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [quiet(200)]);
    for second in 1..30 {
        hear(&mut node, at(second * 1000), "192.0.2.9", &group(50));
        node.engine.handle_timeout(at(second * 1000 + 999));
    }
    assert_eq!(node.state(), State::Backup);
    let mut lan = Lan::new(vec![Node::new("192.0.2.1")]);
    lan.nodes[0].configure(Instant::ZERO, [quiet(100)]);
    lan.run_until(at(4000));
    assert_eq!(lan.active(), [0]);
    hear(&mut lan.nodes[0], at(4001), "192.0.2.9", &quiet(101));
    assert_eq!(lan.nodes[0].state(), State::Backup);
}

#[test]
fn preemption_waits_for_its_delay_and_then_for_the_timer() {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [VrrpGroup { preempt_delay: ms(10_000), ..group(200) }]);
    let mut became = None;
    for tick in 1..3000u64 {
        let now = at(tick * 10);
        if tick % 100 == 0 {
            hear(&mut node, now, "192.0.2.9", &group(50));
        }
        node.engine.handle_timeout(now);
        node.drain(now);
        if node.state() == State::Active && became.is_none() {
            became = Some(now);
        }
    }
    // Heard first at 1 s; let run from the advertisement of 10 s on (the last one before 11 s).
    let became = became.unwrap();
    assert!(became >= at(13_000) && became <= at(13_300), "{became}");
    assert_eq!(node.transitions().last().unwrap().cause, Cause::Preempt);
}

/// When a better Backup becomes Active beside a worse Active router, if it has its routes from `stand` on.
fn preempts_at(stand: Option<u64>) -> Option<Instant> {
    let mut node = Node::new("192.0.2.1");
    let waiting = VrrpGroup { preempt_routes_wait: ms(20_000), ..group(200) };
    node.configure(Instant::ZERO, [waiting]);
    (1..4000u64).map(|tick| tick * 10).find_map(|time| {
        let now = at(time);
        if time % 1000 == 0 {
            hear(&mut node, now, "192.0.2.9", &group(50));
        }
        if Some(time) == stand {
            node.input(now, Input::RoutesStand(true));
        }
        node.engine.handle_timeout(now);
        node.drain(now);
        (node.state() == State::Active).then_some(now)
    })
}

#[test]
fn preemption_waits_for_the_routes_but_not_for_ever() {
    // The timer runs from the last advertisement before them: three intervals and the skew.
    assert_eq!(preempts_at(Some(500)), Some(at(3220)));
    assert_eq!(preempts_at(Some(7_500)), Some(at(10_220)));
    // Heard first at 1 s, so patience ends at 21 s.
    let impatient = preempts_at(None).unwrap();
    assert!(impatient >= at(23_000) && impatient <= at(24_300), "{impatient}");
}

#[test]
fn routes_do_not_matter_where_nobody_else_is_active() {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [VrrpGroup { preempt_routes_wait: ms(20_000), ..group(200) }]);
    node.engine.handle_timeout(at(3300));
    node.drain(at(3300));
    assert_eq!(node.state(), State::Active);
}

#[test]
fn routes_that_are_lost_again_restart_the_wait() {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [VrrpGroup { preempt_routes_wait: ms(60_000), ..group(200) }]);
    hear(&mut node, at(1000), "192.0.2.9", &group(50));
    node.input(at(1500), Input::RoutesStand(true));
    hear(&mut node, at(2000), "192.0.2.9", &group(50));
    node.input(at(2500), Input::RoutesStand(false));
    hear(&mut node, at(3000), "192.0.2.9", &group(50));
    node.engine.handle_timeout(at(5000));
    node.drain(at(5000));
    assert_eq!(node.state(), State::Backup);
}

#[test]
fn the_delay_of_a_preemption_counts_from_the_start_as_a_backup() {
    let mut node = Node::new("192.0.2.1");
    let own = node.addresses[0].clone();
    for event in node.steal(own.ifindex, own.network) {
        node.input(Instant::ZERO, Input::Link(event));
    }
    node.configure(Instant::ZERO, [VrrpGroup { preempt_delay: ms(10_000), ..group(200) }]);
    for second in 1..=40u64 {
        if second == 20 {
            node.addresses.push(own.clone());
            node.input(at(20_000), Input::Link(LinkEvent::AddressAdded(own.clone())));
        }
        hear(&mut node, at(1000 * second), "192.0.2.9", &group(50));
        node.engine.handle_timeout(at(1000 * second + 500));
        node.drain(at(1000 * second + 500));
        let wanted = match second {
            ..20 => State::Initialize,
            20..32 => State::Backup,
            _ => State::Active,
        };
        assert_eq!(node.state(), wanted, "second {second}");
    }
}

#[test]
fn f6_priority_zero_makes_a_backup_wait_for_its_skew_only() {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [group(100)]);
    hear(&mut node, at(500), "192.0.2.9", &group(200));
    hear(&mut node, at(600), "192.0.2.9", &group(0));
    assert_eq!(node.engine.poll_timeout(), Some(at(600) + Duration::from_nanos(609_375_000)));
    node.engine.handle_timeout(at(1210));
    node.drain(at(1210));
    assert_eq!(node.state(), State::Active);
    assert_eq!(node.transitions().last().unwrap().cause, Cause::PriorityZero);
    let before = node.adverts().len();
    hear(&mut node, at(1500), "192.0.2.9", &group(0));
    assert_eq!(node.adverts().len(), before + 1, "an Active router answers at once");
    assert_eq!(node.engine.poll_timeout().map(|t| t <= at(2500)), Some(true));
}

#[test]
fn f3_f10_equal_priorities_are_settled_by_the_address() {
    for priority in [100, 255] {
        let mut lan = lan(&[priority, priority]);
        lan.run_until(at(8_000));
        assert_eq!(lan.active(), [1], "priority {priority}");
        assert!(!lan.nodes[0].serves());
    }
}

#[test]
fn t2_a_backup_learns_the_interval_of_the_active_router() {
    for (interval, down) in [(100, 360_937_500), (4000, 14_437_500_000)] {
        let mut node = Node::new("192.0.2.1");
        node.configure(Instant::ZERO, [group(100)]);
        let other = VrrpGroup { advertisement_interval: ms(interval), ..group(200) };
        hear(&mut node, at(1000), "192.0.2.9", &other);
        assert_eq!(node.engine.poll_timeout(), Some(at(1000) + Duration::from_nanos(down)));
        assert!(node.router().alarms.contains_key(&crate::router::Alarm::IntervalMismatch));
    }
}

#[test]
fn t3_version_2_drops_another_interval() {
    let two = |priority| VrrpGroup { version: VrrpVersion::V2, ..group(priority) };
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [two(100)]);
    let before = node.engine.poll_timeout();
    hear(&mut node, at(1000), "192.0.2.9", &VrrpGroup { advertisement_interval: ms(2000), ..two(200) });
    assert_eq!(node.engine.poll_timeout(), before);
    assert_eq!(node.router().discards.of(Discard::Interval), 1);
    hear(&mut node, at(1000), "192.0.2.9", &two(200));
    assert_eq!(node.engine.poll_timeout(), Some(at(1000) + Duration::from_nanos(3_609_375_000)));
}

#[test]
fn t4_ten_thousand_advertisements_keep_the_raster() {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [VrrpGroup { advertisement_interval: ms(10), ..group(255) }]);
    for n in 1..=10_000u64 {
        let now = at(10 * n) + Duration::from_micros(n * 7919 % 9_000);
        node.engine.handle_timeout(now);
        node.drain(now);
    }
    assert_eq!(node.adverts().len(), 10_001);
    assert!(node.engine.poll_timeout().unwrap() <= at(10 * 10_001));
}

#[test]
fn t6_a_router_that_slept_listens_before_it_speaks() {
    let mut lan = lan(&[200, 100]);
    lan.run_until(at(10_000));
    lan.nodes[0].frozen = true;
    lan.run_until(at(20_000));
    assert_eq!(lan.active(), [1]);
    lan.nodes[0].frozen = false;
    let spoken = lan.nodes[0].adverts().len();
    lan.run_until(at(20_900));
    assert_eq!(lan.nodes[0].adverts().len(), spoken, "not a word before it listened");
    assert_eq!(lan.nodes[0].router().stats.stalls, 1);
    lan.run_until(at(40_000));
    assert_eq!(lan.active(), [0], "and preempts as it should");
    assert_eq!(lan.nodes[0].transitions().last().unwrap().cause, Cause::Preempt);
}

#[test]
fn t6_how_long_a_router_listens_after_a_sleep_is_not_up_to_a_router_long_gone() {
    let mut lan = lan(&[100]);
    let slow = VrrpGroup { advertisement_interval: ms(40_000), ..group(200) };
    hear(&mut lan.nodes[0], at(1000), "192.0.2.9", &slow);
    hear(&mut lan.nodes[0], at(1001), "192.0.2.9", &VrrpGroup { priority: 0, ..slow });
    lan.run_until(at(60_000));
    assert_eq!(lan.active(), [0]);
    lan.nodes[0].frozen = true;
    lan.run_until(at(70_000));
    lan.nodes[0].frozen = false;
    lan.run_until(at(71_000));
    assert!(lan.active().is_empty());
    lan.run_until(at(71_200));
    assert_eq!(lan.active(), [0], "one interval of our own and an eighth");
}

#[test]
fn t3_version_2_goes_by_its_own_interval_from_the_moment_it_changes() {
    let two = |priority, seconds: u64| VrrpGroup {
        version: VrrpVersion::V2,
        advertisement_interval: Duration::from_secs(seconds),
        ..group(priority)
    };
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [two(100, 1)]);
    hear(&mut node, at(1000), "192.0.2.9", &two(200, 1));
    // The operator changes the Backup first: it has to wait for as long as the new interval says.
    node.configure(at(1500), [two(100, 10)]);
    assert_eq!(node.engine.poll_timeout(), Some(at(1000) + Duration::from_nanos(30_609_375_000)));
    assert_eq!(node.state(), State::Backup);
}

#[test]
fn t6_a_short_sleep_costs_advertisements_and_nothing_else() {
    let mut lan = lan(&[200, 100]);
    lan.run_until(at(10_000));
    lan.nodes[0].frozen = true;
    lan.run_until(at(12_000));
    lan.nodes[0].frozen = false;
    lan.run_until(at(20_000));
    assert_eq!(lan.active(), [0]);
    assert_eq!(lan.nodes[0].router().stats.transitions, 2);
    assert_eq!(lan.nodes[1].router().stats.transitions, 1);
}

#[test]
fn t6_a_sleeping_backup_listens_before_it_takes_over() {
    // Whether its queue kept what came in meanwhile or overflowed.
    for overflowed in [false, true] {
        let mut lan = lan(&[200, 100]);
        lan.run_until(at(10_000));
        lan.nodes[1].frozen = true;
        lan.nodes[1].deaf = overflowed;
        lan.run_until(at(30_000));
        lan.nodes[1].frozen = false;
        lan.nodes[1].deaf = false;
        lan.run_until(at(60_000));
        assert_eq!(lan.active(), [0]);
        assert_eq!(lan.nodes[1].router().stats.transitions, 1);
        assert_eq!(lan.nodes[1].router().stats.stalls, u64::from(overflowed));
    }
}

#[test]
fn f9_priority_changes_at_run_time_take_effect_without_a_flap() {
    let mut lan = lan(&[200, 100]);
    lan.run_until(at(10_000));
    let now = lan.now;
    lan.nodes[0].configure(now, [group(150)]);
    lan.run_until(at(20_000));
    assert_eq!(lan.active(), [0]);
    assert_eq!(lan.nodes[0].adverts().last().unwrap().priority(), 150);
    lan.nodes[0].configure(at(20_000), [group(50)]);
    lan.run_until(at(24_000));
    assert_eq!(lan.active(), [1]);
    assert!(!lan.nodes[0].serves());
}
