//! Did the topology change (RFC 3623 §3.1 (2), §3.2 (3))?
//!
//! Two questions about LSAs of types 1 to 5 whose contents changed; refreshes do not count. Before helping: may the
//! neighbour have missed one? While helping: was there one in this turn? Contents are compared where LSAs are
//! installed and flushed, and the result is remembered with the LSA.

use super::helper::HelpEnd;
use crate::instance::Instance;
use crate::interface::Interface;
use crate::lsdb::DatabaseId;
use crate::neighbor::Neighbor;
use routing_common::time::Instant;
use std::collections::BTreeSet;

/// The databases that changed in this turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    this_turn: BTreeSet<DatabaseId>,
}

impl Changes {
    /// An LSA of this database says something new, or has reached MaxAge.
    pub(crate) fn in_this_turn(&mut self, database: DatabaseId) {
        self.this_turn.insert(database);
    }
}

impl Instance {
    /// §3.1 (2): is a changed LSA on its way to it?
    pub(super) fn is_missing_changes(&self, interface: &Interface, neighbor: &Neighbor) -> bool {
        neighbor.link_state_retransmission_list.keys().any(|key| {
            let database = DatabaseId::of(key.ls_type, interface.area(), interface.ifindex);
            self.lsdb(database).and_then(|db| db.get(key)).is_some_and(|e| e.is_news)
        })
    }

    /// §3.2 (3): ends our help for everybody to whom what changed in this turn would have been flooded.
    pub(super) fn check_strictly(&mut self, now: Instant) -> bool {
        if self.restart.changes.this_turn.is_empty() {
            return false;
        }
        let changed = std::mem::take(&mut self.restart.changes.this_turn);
        if !self.config.graceful_restart.strict_lsa_checking {
            return false;
        }
        let mut any = false;
        for id in self.helped() {
            let Some(area) = self.interfaces.get(&id.ifindex).map(Interface::area) else { continue };
            let sees = |database: &DatabaseId| match database {
                DatabaseId::As => true,
                DatabaseId::Area(changed) => *changed == area,
                DatabaseId::Link(_) => false,
            };
            let is_done = self.neighbor(id).and_then(|n| n.helping.as_ref()).is_some_and(|h| h.is_done);
            if changed.iter().any(sees) && !is_done {
                self.stop_helping(now, id, HelpEnd::TopologyChanged);
                any = true;
            }
        }
        any
    }
}
