//! L7: a network at rest is silent.
//!
//! Between the two moments at which it is asked for
//! * are sent: Hellos; Link State Updates whose LSAs say what they said before (refreshes, §12.4 (1)), and their
//!   acknowledgments; advertisements and announcements of an Active virtual router;
//! * nothing waits for an acknowledgment but what was refreshed a moment ago;
//! * no shortest path is calculated, no route is written, no neighbour, interface or virtual router changes its
//!   state.
//!
//! LSAs of routers that nobody reaches any more reach MaxAge one day and are flushed, which is news: where such are
//! in a database at rest, their flushing may be heard and calculations are not counted.

use super::rest::{self, Oracle};
use super::{Checker, Verdict};
use crate::frame::{Frame, OSPF, VRRP};
use crate::scenario::RouterIndex;
use crate::segment::End;
use crate::world::World;
use ospf_proto::lsa::{Lsa, LsaKey};
use ospf_proto::lsdb::DatabaseId;
use ospf_proto::packet::{PacketBody, UpdateLsa, decode_header};
use routing_common::id::{AreaId, RouterId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Age in seconds up to which an LSA may wait for acknowledgments.
const UNACKNOWLEDGED: u16 = 5;

/// See the module text.
#[derive(Debug)]
pub(super) struct Silence {
    oracle: Oracle,
    rest: Option<Rest>,
}

/// The network as it came to rest.
#[derive(Debug)]
struct Rest {
    counted: Vec<Counted>,
    /// What LSAs say.
    contents: BTreeMap<LsaKey, Arc<Lsa>>,
    /// Whose LSAs are stale.
    unreached: BTreeSet<RouterId>,
}

/// What must not grow, of one router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    calculations: u64,
    writes: u64,
    neighbor_changes: u64,
    interface_changes: u64,
    virtual_changes: u64,
    session_changes: u64,
}

impl Silence {
    /// Nothing heard yet.
    pub(super) fn new(oracle: Oracle) -> Self {
        Self { oracle, rest: None }
    }
}

impl Checker for Silence {
    fn law(&self) -> (&'static str, &'static str) {
        ("L7", "a network at rest says, calculates and writes nothing new")
    }

    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let Some(rest) = &self.rest else { return Ok(()) };
        let Some(datagram) = frame.datagram() else { return Ok(()) };
        let said = match datagram.protocol {
            OSPF => rest.ospf(datagram.payload),
            VRRP => advertisement(datagram.payload),
            _ => Ok(()),
        };
        said.map_err(|text| format!("{} eth{} sends {text}", rest::name(world, from.router), from.port))
    }

    fn at_rest(&mut self, world: &World) -> Verdict {
        let Some(truth) = self.oracle.ask_undeceived(world) else { return Ok(()) };
        nobody_waits(world)?;
        let mut contents = BTreeMap::new();
        for (_, engine) in rest::engines(world)? {
            let databases = [DatabaseId::Area(AreaId::BACKBONE), DatabaseId::As];
            for (key, entry) in databases.iter().filter_map(|d| engine.lsdb(*d)).flat_map(|db| db.iter()) {
                contents.insert(*key, Arc::clone(&entry.lsa));
            }
        }
        let apart = rest::components(world, &truth).len() > 1;
        let up: BTreeSet<RouterId> = (0..world.nodes.len())
            .filter(|r| truth.state.router_up[*r])
            .map(|r| rest::id(world, r))
            .collect();
        // With several components their stale LSAs cannot be told from those that are refreshed elsewhere.
        let is_stale = |router: &RouterId| apart || !up.contains(router);
        let unreached = contents.keys().map(|key| key.advertising_router).filter(is_stale).collect();
        let counted = (0..world.nodes.len()).map(|r| count(world, r)).collect();
        self.rest = Some(Rest { counted, contents, unreached });
        Ok(())
    }

    fn at_end(&mut self, world: &World) -> Verdict {
        let Some(rest) = &self.rest else { return Ok(()) };
        nobody_waits(world)?;
        for (r, before) in rest.counted.iter().enumerate() {
            let mut now = count(world, r);
            if !rest.unreached.is_empty() {
                (now.calculations, now.writes) = (before.calculations, before.writes);
            }
            if now != *before {
                return Err(format!("{}: {before:?} became {now:?}", rest::name(world, r)));
            }
        }
        Ok(())
    }
}

impl Rest {
    fn ospf(&self, payload: &[u8]) -> Verdict {
        let Ok(body) = decode_header(payload).and_then(|raw| raw.decode_body()) else {
            return Err("something unreadable".to_owned());
        };
        match body {
            PacketBody::Hello(_) | PacketBody::LinkStateAck(_) => Ok(()),
            PacketBody::LinkStateUpdate(lsas) => lsas.iter().try_for_each(|lsa| self.update(lsa)),
            PacketBody::DatabaseDescription(_) => Err("a Database Description".to_owned()),
            PacketBody::LinkStateRequest(keys) => Err(format!("a request for {keys:?}")),
        }
    }

    fn update(&self, lsa: &UpdateLsa) -> Verdict {
        let UpdateLsa::Valid(lsa) = lsa else { return Err("an invalid LSA".to_owned()) };
        let header = lsa.header();
        if self.unreached.contains(&header.key.advertising_router) {
            return Ok(());
        }
        let known = self.contents.get(&header.key);
        match known.is_some_and(|old| lsa.same_contents_at(header.age, old, 0)) {
            true => Ok(()),
            false => Err(format!("news of {:?}, age {}: {:?}", header.key, header.age, lsa.body())),
        }
    }
}

/// An advertisement of priority 0 is a farewell.
fn advertisement(payload: &[u8]) -> Verdict {
    match payload.get(2) {
        Some(0) | None => Err("an advertisement of priority 0".to_owned()),
        Some(_) => Ok(()),
    }
}

/// Is all that is not just being refreshed acknowledged?
fn nobody_waits(world: &World) -> Verdict {
    for (r, engine) in rest::engines(world)? {
        let local = world.nodes[r].clock.local(world.now);
        for interface in engine.interfaces() {
            for neighbor in interface.neighbors.values() {
                for key in neighbor.link_state_retransmission_list.keys() {
                    let database = DatabaseId::of(key.ls_type, interface.area(), interface.ifindex);
                    let entry = engine.lsdb(database).and_then(|db| db.get(key));
                    if entry.is_some_and(|e| e.age(local) > UNACKNOWLEDGED && !e.is_max_age(local)) {
                        let (who, whom) = (rest::name(world, r), neighbor.id.router_id);
                        return Err(format!("{who} waits for {whom} to acknowledge {key:?}"));
                    }
                }
            }
        }
    }
    Ok(())
}

fn count(world: &World, r: RouterIndex) -> Counted {
    let node = &world.nodes[r];
    let interfaces = || node.ospf.engine.iter().flat_map(|engine| engine.interfaces());
    let neighbors = interfaces().flat_map(|i| i.neighbors.values());
    Counted {
        calculations: node.ospf.engine.iter().flat_map(|e| e.areas()).map(|(_, area)| area.spf_runs).sum(),
        writes: node.kernel.writes,
        neighbor_changes: neighbors.map(|n| u64::from(n.state_changes)).sum(),
        interface_changes: interfaces().map(|i| i.statistics.state_changes).sum(),
        session_changes: node.sessions().map(|s| s.ups + s.downs).sum(),
        virtual_changes: node.vrrp.engine.iter().flat_map(|e| e.routers()).map(|v| v.stats.transitions).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::ring;
    use crate::generate::paper::ring5_p;
    use crate::run;
    use crate::scenario::Scenario;
    use crate::trace::Happening;
    use ospf_proto::packet::PacketBody;

    #[test]
    fn what_is_counted_may_not_grow() {
        let mut world = ring(20);
        let mut law = Silence::new(Oracle::default());
        assert_eq!(law.at_rest(&world), Ok(()));
        assert_eq!(law.at_end(&world), Ok(()));
        world.nodes[0].kernel.writes += 1;
        assert!(law.at_end(&world).is_err());
    }

    #[test]
    fn of_all_that_is_said_while_a_network_starts_only_hellos_acknowledgments_and_old_news_are_silence() {
        let world = run::traced(&Scenario { settle: 20_000, rest: 0, ..ring5_p() }, Vec::new()).unwrap();
        let mut law = Silence::new(Oracle::default());
        law.at_rest(&world).unwrap();
        let mut refused = 0;
        for (_, happening) in world.transcript.entries.iter().flatten() {
            let Happening::Sent { from, frame } = happening else { continue };
            let verdict = law.sent(&world, *from, frame);
            let Some(datagram) = frame.datagram().filter(|d| d.protocol == OSPF) else {
                assert_eq!(verdict, Ok(()));
                continue;
            };
            match decode_header(datagram.payload).unwrap().decode_body().unwrap() {
                PacketBody::Hello(_) | PacketBody::LinkStateAck(_) => assert_eq!(verdict, Ok(())),
                PacketBody::LinkStateUpdate(_) => refused += u32::from(verdict.is_err()),
                _ => assert!(verdict.is_err()),
            }
        }
        assert!(refused > 10, "{refused}");
        assert!(advertisement(&[0x31, 10, 0, 1]).is_err());
    }
}
