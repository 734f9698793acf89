//! S3: the three lists of a neighbour say what its state means (RFC 2328 §10, §13.6).
//!
//! * Link state request list: only in Exchange and Loading, so never in Full; what is requested is on it.
//! * Link state retransmission list: only in Exchange and above, and the database has every LSA on it: what is
//!   retransmitted is the database's instance.
//! * Database summary list: only in Exchange.

use super::{Checker, Turn, Verdict};
use crate::scenario::Daemon;
use crate::world::World;
use ospf_proto::lsa::LsaKey;
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::neighbor::{Neighbor, NeighborState};

/// The law.
#[derive(Debug)]
pub(super) struct Lists;

impl Checker for Lists {
    fn law(&self) -> (&'static str, &'static str) {
        ("S3", "a neighbour's lists fit its state and the database")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        let node = &world.nodes[turn.router];
        let Some(engine) = node.ospf.engine.as_ref().filter(|_| turn.daemon == Daemon::Ospf) else {
            return Ok(());
        };
        for interface in engine.interfaces() {
            for neighbor in interface.neighbors.values() {
                let has = |key: &LsaKey| {
                    let database = DatabaseId::of(key.ls_type, interface.area(), interface.ifindex);
                    engine.lsdb(database).is_some_and(|db| db.get(key).is_some())
                };
                judge(neighbor, has)
                    .map_err(|text| format!("{}: neighbor {}: {text}", node.name, neighbor.id.router_id))?;
            }
        }
        Ok(())
    }
}

fn judge(neighbor: &Neighbor, has: impl Fn(&LsaKey) -> bool) -> Verdict {
    use NeighborState::{Exchange, Loading};
    let state = neighbor.state;
    if !neighbor.link_state_request_list.is_empty() && !matches!(state, Exchange | Loading) {
        return Err(format!("{state:?} with a Link state request list"));
    }
    if let Some(key) = neighbor.requested.iter().find(|k| !neighbor.link_state_request_list.contains_key(k)) {
        return Err(format!("{key} is requested and not on the list"));
    }
    if !neighbor.database_summary_list.is_empty() && state != Exchange {
        return Err(format!("{state:?} with a Database summary list"));
    }
    if !neighbor.link_state_retransmission_list.is_empty() && state < Exchange {
        return Err(format!("{state:?} with a Link state retransmission list"));
    }
    match neighbor.link_state_retransmission_list.keys().find(|key| !has(key)) {
        Some(key) => Err(format!("{key} is to be retransmitted and not in the database")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::{key, lsa, ring};
    use ospf_proto::neighbor::Listed;
    use routing_common::time::Instant;

    #[test]
    fn lists_that_do_not_fit_the_state_break_it() {
        let world = ring(20);
        let engine = world.nodes[0].ospf.engine.as_ref().unwrap();
        let full = engine.interfaces().flat_map(|i| i.neighbors.values()).next().unwrap();
        assert_eq!(full.state, NeighborState::Full);
        assert!(judge(full, |_| true).is_ok());
        let mut bent = full.clone();
        bent.link_state_request_list.insert(key(), *lsa(1, 1).header());
        assert!(judge(&bent, |_| true).is_err());
        bent.state = NeighborState::Loading;
        assert!(judge(&bent, |_| true).is_ok());
        bent.link_state_retransmission_list.insert(key(), Listed::new(Instant::ZERO));
        assert!(judge(&bent, |_| true).is_ok());
        assert!(judge(&bent, |_| false).is_err());
        bent.database_summary_list.push_back((DatabaseId::As, key()));
        assert!(judge(&bent, |_| true).is_err());
        bent = full.clone();
        bent.state = NeighborState::ExStart;
        bent.link_state_retransmission_list.insert(key(), Listed::new(Instant::ZERO));
        assert!(judge(&bent, |_| true).is_err());
        bent = full.clone();
        bent.requested.insert(key());
        assert!(judge(&bent, |_| true).is_err());
    }
}
