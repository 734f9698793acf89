//! OSPF engines fed with anything at any time.
//!
//! The router under test has a loopback, a point-to-point link and a broadcast link with MD5 to two peers, a
//! broadcast link with a password to nobody and a passive one. The peers are engines as well, so that
//! adjacencies form by themselves and a script of a few octets reaches deep states; the script then loses,
//! repeats and damages what they say, speaks for routers that do not exist, and plays kernel, operator and
//! RIB. `check` holds what must be true after every step, on all three.

mod check;
mod craft;
mod operate;
mod setup;
mod world;

use crate::script::Script;
use ospf_proto::api::{DatabaseKind, Request, render_text};
use ospf_proto::{Input, Instance};
use routing_common::time::{Duration, Instant};
use serde_json::Value;
use world::World;

/// Steps after which a script ends, however much of it is left.
const STEPS: usize = 400;
/// Deliveries and timers after which it ends: what bounds a run's time.
const EVENTS: usize = 6000;

/// The target. The first octet says who is there and whether adjacencies stand already.
pub fn ospf_engine(data: &[u8]) {
    let mut script = Script::new(data);
    let beginning = script.u8();
    let mut world = World::new(beginning & 1 == 0, beginning & 2 == 0);
    if beginning & 4 != 0 {
        world.run(Duration::from_secs(12));
    }
    for _ in 0..STEPS {
        if script.is_over() || world.events > EVENTS {
            break;
        }
        operate::step(&mut world, &mut script);
    }
    world.inspect();
    if beginning & 8 != 0 {
        world.shut_down();
    }
}

/// Every packet three routers exchange from their start until their adjacencies stand and one of them leaves:
/// seeds for the decoders.
pub fn capture() -> Vec<Vec<u8>> {
    let mut world = World::new(true, true);
    world.capture = Some(Vec::new());
    world.run(Duration::from_secs(12));
    world.reconfigure(|config| {
        if let Some(ospf) = &mut config.ospf {
            ospf.default_information = setup::default_information(1);
        }
    });
    world.run(Duration::from_secs(8));
    world.shut_down();
    world.capture.take().unwrap_or_default()
}

/// A router with adjacencies, to ask.
pub(crate) struct Asked {
    engine: Instance,
    now: Instant,
}

impl Asked {
    pub(crate) fn new() -> Self {
        let mut world = World::new(true, true);
        world.run(Duration::from_secs(12));
        let now = world.now;
        Self { engine: world.nodes.remove(0).engine, now }
    }

    pub(crate) fn query(&self, request: &Request) -> Result<Value, String> {
        self.engine.query(self.now, request)
    }
}

/// Every request that no router may refuse.
fn requests() -> Vec<Request> {
    let database = |kind, self_originate| Request::Database {
        kind,
        link_state_id: None,
        advertising_router: None,
        self_originate,
    };
    let mut all = vec![
        Request::Summary,
        Request::Neighbors { filter: None, detail: false },
        Request::Neighbors { filter: None, detail: true },
        Request::Interfaces { name: None },
        database(None, false),
        database(None, true),
        Request::DatabaseMaxAge,
        Request::Routes,
        Request::RouteDetail,
        Request::BorderRouters,
        Request::ReachableRouters,
        Request::Traffic { name: None },
        Request::Vrfs,
        Request::Events,
        Request::SpfLog,
        Request::FastReroute,
        Request::DatabaseDetail { link_state_id: None, advertising_router: None, self_originate: false },
    ];
    all.extend(DatabaseKind::ALL.map(|kind| database(Some(kind), false)));
    all
}

/// Asks everything and shows it.
fn ask_all(engine: &Instance, now: Instant) {
    for request in requests() {
        let value = engine.query(now, &request).unwrap_or_else(|e| panic!("{request:?} refused: {e}"));
        render_text(&request, &value).unwrap_or_else(|e| panic!("{request:?}: own reply refused: {e}"));
    }
}

/// An input that ends a router's life.
fn farewell() -> Input<'static> {
    Input::Shutdown
}
