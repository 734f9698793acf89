//! Small things the laws' own tests are made of.

use crate::generate::paper;
use crate::scenario::Scenario;
use crate::world::World;
use ospf_proto::lsa::{LsType, Lsa, LsaBody, LsaKey, LsaSpec, NetworkLsa};
use ospf_proto::lsdb::{Lsdb, LsdbEntry, Provenance};
use routing_common::id::RouterId;
use routing_common::time::Instant;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The one LSA.
pub(super) fn key() -> LsaKey {
    let router = Ipv4Addr::new(10, 255, 0, 1);
    let link_state_id = Ipv4Addr::new(10, 0, 0, 1);
    LsaKey { ls_type: LsType::Network, link_state_id, advertising_router: RouterId(router) }
}

/// An instance of it with some content.
pub(super) fn lsa(sequence: i32, content: u32) -> Arc<Lsa> {
    let attached_routers = vec![RouterId(Ipv4Addr::from_bits(content))];
    let body = LsaBody::Network(NetworkLsa { mask: Ipv4Addr::new(255, 255, 255, 0), attached_routers });
    Arc::new(Lsa::build(LsaSpec { age: 0, options: 2, key: key(), sequence }, &body))
}

/// The instance in a database since time zero.
pub(super) fn entry(sequence: i32, age: u16, content: u32) -> LsdbEntry {
    let mut lsdb = Lsdb::default();
    lsdb.install(lsa(sequence, content), age, Provenance::Flooded, None, Instant::ZERO);
    let entry = lsdb.get(&key()).cloned();
    entry.unwrap_or_else(|| unreachable!("it was installed"))
}

/// The paper's ring of five, without laws, after some time.
pub(super) fn ring(seconds: u64) -> World {
    settled(&paper::ring5_p(), seconds)
}

/// The same with BFD every 100 ms.
pub(super) fn ring_with_bfd(seconds: u64) -> World {
    let mut scenario = paper::ring5_p();
    scenario.settings.bfd_interval = Some(100);
    settled(&scenario, seconds)
}

fn settled(scenario: &Scenario, seconds: u64) -> World {
    let scenario = Scenario { seed: 1, ..scenario.clone() };
    let mut world = World::new(&scenario, Vec::new(), false).unwrap();
    world.run_until(Instant::from_secs(seconds));
    world
}
