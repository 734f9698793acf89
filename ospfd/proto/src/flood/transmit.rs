//! The next step of flooding (RFC 2328 §13.3).

use crate::instance::Instance;
use crate::interface::{Interface, InterfaceState};
use crate::lsa::{LsaHeader, LsaKey};
use crate::lsdb::DatabaseId;
use crate::neighbor::{NeighborId, is_opaque};
use core::cmp::Ordering;
use routing_common::id::IfIndex;
use routing_common::time::Instant;
use smallvec::SmallVec;

impl Instance {
    /// Floods the database's instance of an LSA out of all eligible interfaces. `from` is the neighbour it
    /// came from, `None` if we originated or aged it. Says whether it goes back out of the receiving
    /// interface.
    pub(crate) fn flood(
        &mut self,
        now: Instant,
        database: DatabaseId,
        key: LsaKey,
        from: Option<NeighborId>,
    ) -> bool {
        let mut flooded_back = false;
        let Some(header) = self.lsdb(database).and_then(|db| db.get(&key)).map(|e| e.header(now)) else {
            return false;
        };
        let eligible: SmallVec<[IfIndex; 8]> =
            self.eligible_interfaces(database).map(|i| i.ifindex).collect();
        for ifindex in eligible {
            if !self.list_for_retransmission(now, &header, from, ifindex) {
                continue; // (2)
            }
            let received_here = from.filter(|f| f.ifindex == ifindex);
            let Some(interface) = self.interfaces.get_mut(&ifindex) else { continue };
            if let Some(sender) = received_here {
                // (3), (4)
                if interface.is_from_designated(sender) || interface.state == InterfaceState::Backup {
                    continue;
                }
                flooded_back = true;
            }
            // (5)
            interface.flood_queue.push((database, key));
            self.flooding.insert(ifindex);
        }
        flooded_back
    }

    /// Step (1): says whether the LSA was put on any retransmission list of this interface.
    fn list_for_retransmission(
        &mut self,
        now: Instant,
        header: &LsaHeader,
        from: Option<NeighborId>,
        ifindex: IfIndex,
    ) -> bool {
        let key = header.key;
        let Some(interface) = self.interfaces.get_mut(&ifindex) else { return false };
        let mut listed: SmallVec<[NeighborId; 1]> = SmallVec::new();
        for neighbor in interface.neighbors.values_mut() {
            // (a); opaque LSAs only to those who take them (RFC 5250 §3).
            if !neighbor.is_flooded_to() || (is_opaque(key.ls_type) && !neighbor.takes_opaque()) {
                continue;
            }
            // (b)
            if let Some(wanted) = neighbor.link_state_request_list.get(&key) {
                let order = header.instance_cmp(wanted);
                if order == Ordering::Less {
                    continue;
                }
                neighbor.link_state_request_list.remove(&key);
                self.request_progress.insert(neighbor.id);
                if order == Ordering::Equal {
                    continue;
                }
            }
            // (c), (d)
            if from != Some(neighbor.id) {
                listed.push(neighbor.id);
            }
        }
        for id in &listed {
            self.expect_acknowledgment(now, *id, key);
        }
        !listed.is_empty()
    }

    /// The interfaces an LSA of this scope goes out of.
    pub(crate) fn eligible_interfaces(&self, database: DatabaseId) -> impl Iterator<Item = &Interface> {
        self.interfaces
            .values()
            .filter(move |i| match database {
                DatabaseId::As => true,
                DatabaseId::Area(area) => i.area() == area,
                DatabaseId::Link(ifindex) => i.ifindex == ifindex,
            })
            .filter(|i| i.is_active())
    }

    /// Takes an LSA off all retransmission lists, because another instance replaces it or it is gone.
    pub(crate) fn forget_retransmissions(&mut self, database: DatabaseId, key: &LsaKey) {
        let listed: SmallVec<[NeighborId; 4]> = self
            .eligible_interfaces(database)
            .flat_map(|i| i.neighbors.values())
            .filter(|n| n.link_state_retransmission_list.contains_key(key))
            .map(|n| n.id)
            .collect();
        for id in listed {
            self.acknowledged(id, key);
        }
    }
}

impl Interface {
    /// Is this neighbour the network's Designated Router or Backup?
    pub(crate) fn is_from_designated(&self, id: NeighborId) -> bool {
        self.neighbors.get(&id.router_id).is_some_and(|n| {
            self.designated_router == Some(n.address) || self.backup_designated_router == Some(n.address)
        })
    }

    /// Is this neighbour the network's Designated Router?
    pub(crate) fn is_from_dr(&self, id: NeighborId) -> bool {
        self.neighbors.get(&id.router_id).is_some_and(|n| self.designated_router == Some(n.address))
    }
}
