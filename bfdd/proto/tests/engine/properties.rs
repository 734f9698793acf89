//! Laws over two engines, whatever link and parameters are.

use crate::one::{ms, parameters};
use crate::pair::{Pair, Weather};
use bfd_proto::message::SessionState;
use proptest::prelude::*;
use routing_common::time::Duration;

/// A link that is rough, but never so rough that two sound ends lose each other: one loss in a row, and a
/// delay well below what a multiplier of 3 leaves.
fn weather(interval: Duration) -> impl Strategy<Value = Weather> {
    let most = interval.as_micros() as u64 / 2;
    (0u64..=30, 0u64..=30, 0..=most).prop_map(|(lost, doubled, delay)| Weather {
        lost,
        doubled,
        delay: Duration::from_micros(delay),
    })
}

fn interval() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(Duration::from_micros(3300)), Just(ms(10)), Just(ms(300))]
}

fn scene() -> impl Strategy<Value = (u64, Duration, Weather)> {
    (any::<u64>(), interval()).prop_flat_map(|(seed, i)| (Just(seed), Just(i), weather(i)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sound_ends_never_lose_each_other((seed, interval, weather) in scene()) {
        let mut pair = Pair::up(seed, weather, interval, 3);
        pair.forget();
        pair.run(interval * 400);
        prop_assert!(pair.quiet(), "{:?}", pair.told);
    }

    #[test]
    fn stalls_of_both_are_nobodys_failure(
        (seed, interval, weather) in scene(),
        stalls in proptest::collection::vec((1u32..200, 0u32..30), 1..8),
    ) {
        let mut pair = Pair::up(seed, weather, interval, 3);
        pair.forget();
        for (tenths, pause) in stalls {
            pair.run(interval * (3 + pause) / 3);
            pair.freeze(interval * tenths / 10);
            // Between two stalls there is time to hear each other again.
            pair.run(interval * tenths / 10 + interval * 4);
            prop_assert!(pair.quiet(), "{tenths} tenths: {:?}", pair.told);
        }
    }

    #[test]
    fn a_stall_of_one_that_the_other_bears_is_nobodys_failure(
        (seed, interval, weather) in scene(),
        stalls in proptest::collection::vec((0usize..2, 1u32..12), 1..12),
    ) {
        // A multiplier of 5 leaves room for one loss, the delay and 1.2 intervals of silence.
        let mut pair = Pair::up(seed, weather, interval, 5);
        pair.forget();
        for (side, tenths) in stalls {
            pair.run(interval * 5);
            pair.stall(side, interval * tenths / 10);
            pair.run(interval * 3);
            prop_assert!(pair.quiet(), "{:?}", pair.told);
        }
    }

    #[test]
    fn the_sleeper_itself_never_accuses_a_peer_that_went_on(
        (seed, interval, weather) in scene(),
        tenths in 1u32..500,
    ) {
        // What the other side says when it gives up must arrive.
        let mut pair = Pair::up(seed, Weather { lost: 0, ..weather }, interval, 3);
        pair.forget();
        // The other side may rightly find this one silent; then it says so, and only then is this one down.
        pair.stall(0, interval * tenths / 10);
        pair.run(interval * tenths / 10 + interval * 3);
        let expired = pair.peer(0).history.iter().any(|t| t.diagnostic.contains("expired"));
        prop_assert!(!expired, "{:?}", pair.peer(0).history);
    }

    #[test]
    fn a_silent_link_is_noticed_in_time((seed, interval, weather) in scene(), multiplier in 2u8..6, phase in 0u32..100) {
        let weather = Weather { lost: 0, ..weather };
        let mut pair = Pair::up(seed, weather, interval, multiplier);
        pair.run(interval * phase / 10);
        pair.cut = true;
        let cut = pair.now;
        let bound = interval * u32::from(multiplier) + interval + weather.delay;
        pair.run(bound + ms(1));
        for side in 0..2 {
            let (at, state) = *pair.told[side].last().unwrap();
            prop_assert_eq!(state, SessionState::Down);
            prop_assert!(at.since(cut) <= bound, "{:?}", at.since(cut));
        }
    }

    #[test]
    fn a_dead_peer_is_noticed_late_but_once_after_a_stall(
        (seed, interval, weather) in scene(),
        tenths in 1u32..300,
    ) {
        let weather = Weather { lost: 0, ..weather };
        let mut pair = Pair::up(seed, weather, interval, 3);
        pair.cut = true;
        pair.freeze(interval * tenths / 10);
        // The stall, the Detection Time, as much again for it, and the interval and delay of what was under way.
        pair.run(interval * tenths / 10 + interval * 3 * 2 + interval + weather.delay + ms(1));
        prop_assert_eq!(pair.states(), [SessionState::Down; 2]);
    }

    #[test]
    fn parameters_change_without_loss(
        (seed, first, weather) in scene(),
        changes in proptest::collection::vec((0usize..2, interval(), interval(), 3u8..6, 0u64..1500), 1..10),
    ) {
        let mut pair = Pair::up(seed, Weather { delay: weather.delay.min(ms(1)), ..weather }, first, 3);
        pair.forget();
        for (side, transmit, receive, multiplier, pause) in changes {
            let mut p = parameters(transmit, multiplier);
            p.receive_interval = receive;
            pair.register(side, p);
            pair.run(ms(pause));
        }
        pair.run(ms(20_000));
        let downs: Vec<_> = pair.told.iter().flatten().filter(|(_, s)| *s != SessionState::Up).collect();
        prop_assert!(downs.is_empty(), "{:?}", downs);
        // And both ends agree about how fast it goes.
        let actual = [0, 1].map(|side| pair.peer(side));
        for side in 0..2 {
            prop_assert!(!actual[side].polling);
            let multiplier = f64::from(actual[side].detect_multiplier);
            let sends = actual[side].transmit_interval_actual.as_f64().unwrap();
            let waits = actual[1 - side].detection_timeout.as_f64().unwrap();
            prop_assert!((sends * multiplier - waits).abs() < 1e-6, "{sends} x {multiplier}, {waits}");
        }
    }

    #[test]
    fn whatever_happens_both_agree_in_the_end(
        (seed, interval, weather) in scene(),
        acts in proptest::collection::vec((0u8..7, 0usize..2, 0u64..2000), 0..12),
    ) {
        let mut pair = Pair::new(seed, weather);
        for (act, side, pause) in acts {
            match act {
                0 | 1 => pair.register(side, parameters(interval, 3)),
                2 => pair.unregister(side),
                3 => pair.cut = true,
                4 => pair.cut = false,
                5 => pair.stall(side, ms(pause)),
                _ => pair.freeze(ms(pause)),
            }
            pair.run(ms(pause));
        }
        pair.cut = false;
        for side in 0..2 {
            pair.register(side, parameters(interval, 3));
        }
        pair.run(ms(6000));
        pair.settle();
        pair.forget();
        pair.run(interval * 100);
        prop_assert!(pair.quiet());
        let [a, b] = [0, 1].map(|side| pair.peer(side));
        prop_assert_eq!((a.id, a.remote_id), (b.remote_id, b.id));
        pair.unregister(0);
        pair.run(ms(4000));
        prop_assert_eq!(pair.states()[1], SessionState::Down);
        let p = pair.peer(1);
        let signaled = p.history.iter().any(|t| t.from == "up" && t.diagnostic == "neighbor signaled session down");
        prop_assert!(signaled, "the end of a session looks like a failure: {:?}", p.history);
    }

    #[test]
    fn packets_keep_their_distance((seed, interval, weather) in scene(), multiplier in 3u8..10) {
        let mut pair = Pair::up(seed, weather, interval, multiplier);
        let before = pair.sent;
        pair.run(interval * 1000);
        for (after, before) in pair.sent.into_iter().zip(before) {
            let n = after - before;
            // 1000 intervals shortened by 0 to 25 %.
            prop_assert!((1080..1210).contains(&n), "{n}");
        }
    }
}
