//! S2: an LSA in any database is, octet for octet but for its age, what its Advertising Router originated.
//!
//! The RFC takes two LSAs with the same key, sequence number, checksum and MaxAge-or-not for the same instance
//! (§13.1) and never looks at the contents; that is only right if nobody but the originator makes any. All
//! originators are simulated, so the law is stronger than "same identity, same octets": every instance must
//! have been seen at its originator, in its database or leaving it, before anybody else has it.
//!
//! Not compared with each other are two originations of one identity by one router: after a restart the
//! sequence starts again, and two contents share a Fletcher checksum once in 65,000 times. That is the
//! protocol's weakness and no router's fault.
//!
//! With a forger who has the key on some segment the law says nothing. Bits flipped on the way make no exception
//! necessary: to get here they need the same luck with the packet's checksum and with the LSA's.

use super::shadow::{Change, Shared};
use super::{Checker, Turn, Verdict};
use crate::frame::{Frame, OSPF};
use crate::scenario::{Authentication, Daemon, What};
use crate::segment::End;
use crate::wire;
use crate::world::World;
use ospf_proto::lsa::LsaKey;
use ospf_proto::lsdb::DatabaseId;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// What identifies an instance of an LSA.
type Identity = (u8, Ipv4Addr, Ipv4Addr, i32, u16);

/// The law.
#[derive(Debug)]
pub(super) struct SameOctets {
    shadows: Shared,
    originated: BTreeMap<Identity, Vec<Box<[u8]>>>,
}

impl SameOctets {
    pub(super) fn new(shadows: &Shared) -> Self {
        Self { shadows: Shared::clone(shadows), originated: BTreeMap::new() }
    }

    /// Its Advertising Router has this LSA.
    fn note(&mut self, octets: &[u8]) -> Verdict {
        let lsa = wire::lsa_header(octets)?;
        let identity = (lsa.kind, lsa.id, lsa.router, lsa.sequence, lsa.checksum);
        let known = self.originated.entry(identity).or_default();
        if !known.iter().any(|k| k[2..] == octets[2..]) {
            known.push(octets.into());
        }
        Ok(())
    }

    /// Somebody else has it.
    fn judge(&self, octets: &[u8]) -> Verdict {
        let lsa = wire::lsa_header(octets)?;
        let identity = (lsa.kind, lsa.id, lsa.router, lsa.sequence, lsa.checksum);
        let known = self.originated.get(&identity).map_or(&[][..], Vec::as_slice);
        match known.iter().any(|k| k[2..] == octets[2..]) {
            true => Ok(()),
            false => Err(format!(
                "type {} {} of {} sequence {:#x} checksum {:#06x}: its originator never made these octets",
                lsa.kind, lsa.id, lsa.router, lsa.sequence, lsa.checksum
            )),
        }
    }
}

fn can_be_forged(world: &World) -> bool {
    world.scenario.faults.iter().any(|f| match f.what {
        What::Forge { segment, .. } => world.scenario.segments[segment].authentication != Authentication::Md5,
        _ => false,
    })
}

impl Checker for SameOctets {
    fn law(&self) -> (&'static str, &'static str) {
        ("S2", "an LSA is everywhere what its Advertising Router originated")
    }

    fn after(&mut self, world: &World, turn: &Turn<'_>) -> Verdict {
        if turn.daemon != Daemon::Ospf {
            return Ok(());
        }
        let changes = self.shadows.borrow_mut().changes(world, turn);
        let own = world.scenario.routers[turn.router].loopback;
        let is_own = |key: &LsaKey| key.advertising_router.0 == own;
        let is_shared = |c: &&Change| !matches!(c.database, DatabaseId::Link(_));
        for Change { key, new, .. } in changes.iter().filter(is_shared) {
            let Some(entry) = new else { continue };
            match is_own(key) {
                true => self.note(entry.lsa.raw())?,
                false if can_be_forged(world) => {}
                false => self
                    .judge(entry.lsa.raw())
                    .map_err(|text| format!("{}: {text}", world.nodes[turn.router].name))?,
            }
        }
        Ok(())
    }

    /// What was replaced in the turn that sent it is in no database any more.
    fn sent(&mut self, world: &World, from: End, frame: &Frame) -> Verdict {
        let Some(datagram) = frame.datagram().filter(|d| d.protocol == OSPF) else { return Ok(()) };
        if datagram.payload.get(1) != Some(&4) {
            return Ok(());
        }
        let own = world.scenario.routers[from.router].loopback;
        let length = usize::from(wire::u16_at(datagram.payload, 2)).min(datagram.payload.len());
        // What is wrong with the packet itself is another law's business.
        let lsas = wire::update(datagram.payload.get(24..length).unwrap_or_default()).unwrap_or_default();
        lsas.iter().filter(|l| l.router == own).try_for_each(|l| self.note(l.octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::fixtures::lsa;
    use crate::checker::shadow::Shared;

    #[test]
    fn other_octets_under_the_same_identity_break_it() {
        let mut law = SameOctets::new(&Shared::default());
        let right = lsa(7, 1);
        law.note(right.raw()).unwrap();
        let mut aged = right.raw().to_vec();
        aged[1] = 77;
        assert!(law.judge(&aged).is_ok());
        let mut bent = right.raw().to_vec();
        *bent.last_mut().unwrap() ^= 1;
        assert!(law.judge(&bent).is_err());
        assert!(law.judge(lsa(8, 1).raw()).is_err(), "nobody made that one");
    }
}
