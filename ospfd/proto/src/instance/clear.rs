//! The operator's `clear` commands.

use super::{Clear, Event, Instance};
use crate::interface::InterfaceEvent;
use crate::neighbor::{NeighborEvent, NeighborId};
use routing_common::id::IfIndex;
use routing_common::time::Instant;

impl Instance {
    pub(super) fn clear(&mut self, now: Instant, what: Clear) {
        match what {
            Clear::Process => {
                self.abandon_restart(now);
                self.take_everything_down(now);
                self.refresh_interfaces(now);
                self.schedule(Event::OriginateRouter);
                self.schedule(Event::OriginateExternal);
            }
            Clear::Neighbors(router_id) => {
                let ids: Vec<NeighborId> = self
                    .interfaces
                    .values()
                    .flat_map(|i| i.neighbors.values().map(|n| n.id))
                    .filter(|id| router_id.is_none_or(|r| r == id.router_id))
                    .collect();
                for id in ids {
                    self.neighbor_event(now, id, NeighborEvent::KillNbr);
                    // Our forgetting it in a Hello makes it answer at once.
                    self.send_hello(now, id.ifindex);
                }
            }
            Clear::Interface(ifindex) => {
                let all: Vec<IfIndex> = self
                    .interfaces
                    .keys()
                    .copied()
                    .filter(|i| ifindex.is_none_or(|wanted| wanted == *i))
                    .collect();
                for ifindex in all {
                    self.interface_event(now, ifindex, InterfaceEvent::InterfaceDown);
                    self.refresh_interface(now, ifindex);
                }
            }
        }
    }
}
