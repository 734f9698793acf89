//! The bench itself works, on an area of a hundred routers and a star of more neighbours than one socket may join groups.

use scale_bench::rows::{Pauses, Plan, Row, measure};
use scale_bench::seat::{self, Seen};
use scale_bench::suite::Suite;
use std::time::Duration;

#[test]
fn torc_learns_a_small_area_and_follows_its_changes() {
    let rows = vec![Row::Cold, Row::Flap, Row::Stub, Row::Reroute, Row::Churn, Row::Externals, Row::Star];
    let daemons = ringlab::lab::default_daemons();
    let (side, pauses) = (10, Pauses::SHORT);
    let plan = Plan {
        rows: rows.clone(),
        side,
        externals: 1000,
        neighbors: 30,
        events: 2,
        pauses,
        churn: 2,
        daemons,
    };
    let figures = measure(&plan, Suite::Torc).unwrap();
    for row in rows {
        let of_row: Vec<_> = figures.iter().filter(|figure| figure.row == row).collect();
        assert!(!of_row.is_empty(), "{row:?} was not measured");
        for figure in of_row {
            assert!(figure.right < Duration::from_secs(5), "{figure:?}");
            assert!(figure.changes > 0 && figure.memory.rss > 0, "{figure:?}");
            assert_eq!(figure.retransmissions, 0, "{figure:?}");
        }
    }
    let cold = figures.iter().find(|figure| figure.row == Row::Cold).unwrap();
    assert!(cold.changes >= 280, "{cold:?}");
}

#[test]
fn an_operator_of_torc_need_not_wait_and_no_hello_is_late() {
    let daemons = ringlab::lab::default_daemons();
    let listen = Duration::from_secs(2);
    let plan = seat::Plan { statics: 200, externals: 500, calls: 2, listen, daemons };
    let figures = seat::measure(&plan, Suite::Torc).unwrap();
    for row in seat::Row::ALL {
        let of_row: Vec<_> = figures.iter().filter(|figure| figure.row == row).collect();
        assert!(!of_row.is_empty(), "{row:?} was not measured");
        for figure in of_row {
            match figure.seen {
                // On a busy machine.
                Seen::Wait(wall, cpu) => {
                    assert!(wall < Duration::from_secs(5) && !cpu.is_zero(), "{figure:?}")
                }
                Seen::Silence(time) => assert!(time < Duration::from_secs(2), "{figure:?}"),
                Seen::Memory(memory) => assert!(memory.pss > 0, "{figure:?}"),
            }
        }
    }
}
