//! Those who do not keep to the protocol: senders of junk, of old packets, and of other routers' LSAs.
//!
//! All of them sit on a segment and reach whoever is plugged in, if the segment passes anything. The forger
//! knows what an attacker can: what is flooded past him and, without cryptography, how to sign; with MD5 he has
//! no key and signs with a wrong one. Old packets are remembered from the moment a segment has a replay fault
//! planned, the latest [`MEMORY`] of them.

use crate::frame::{Datagram, Frame, OSPF, VRRP};
use crate::kernel;
use crate::scenario::What;
use crate::segment::{End, Nature};
use crate::world::{Event, World};
use ospf_proto::Instance;
use ospf_proto::lsa::{Lsa, LsaBody, LsaSpec, RouterLink, RouterLinkKind};
use ospf_proto::packet::{OutgoingBody, Signer, encode};
use routing_common::config::{OspfAuthentication, Secret};
use routing_common::id::{AreaId, RouterId};
use routing_common::key_chain::Algorithm;
use routing_common::rng::Rng;
use routing_common::time::Duration;
use std::net::Ipv4Addr;

/// Packets of one segment that are remembered.
pub(crate) const MEMORY: usize = 512;
/// The hardware address of all adversaries.
const MAC: [u8; 6] = [0x02, 0xba, 0xd0, 0, 0, 1];
const ALL_SPF_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);
const ALL_D_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 6);
const VRRP_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// LS age at which an LSA is at its end (s).
const MAX_AGE: u16 = 3600;
/// LSAs in one forged update at most.
const FORGED_AT_ONCE: usize = 4;

/// One act of a fault.
pub(crate) fn act(world: &mut World, what: &What) {
    match *what {
        What::Junk { segment, .. } => junk(world, segment),
        What::Replay { segment, .. } => replay(world, segment),
        What::Forge { segment, victim, max_age, .. } => forge(world, segment, victim, max_age),
        _ => {}
    }
}

/// Brings a frame to every end but one, in no particular order.
fn inject(world: &mut World, segment: usize, but: Option<usize>, frame: &Frame, nature: Nature) {
    for to in world.segments[segment].ends.clone() {
        if Some(to.router) != but {
            let at = world.now + world.rng.duration_up_to(Duration::from_micros(200));
            world.queue.push(at, Event::Arrive { to, at, frame: frame.clone(), nature });
        }
    }
}

/// Does the segment pass what somebody sends who is nobody's port?
fn passes(world: &World, segment: usize) -> bool {
    world.segments[segment].passes(usize::MAX)
}

/// One of the ends, with its address.
fn any_end(world: &mut World, segment: usize) -> Option<(End, Ipv4Addr)> {
    let count = world.segments[segment].ends.len() as u64;
    let place = if count > 0 { world.rng.below(count) } else { return None };
    let end = world.segments[segment].ends[place as usize];
    Some((end, world.scenario.routers[end.router].ports[end.port].address.ip()))
}

/// Random octets as a datagram for one of the groups, now and then with a header like a real one, from an
/// address of the subnet that may be a neighbour's.
fn junk(world: &mut World, segment: usize) {
    let Some((end, address)) = any_end(world, segment).filter(|_| passes(world, segment)) else { return };
    let router_id = world.scenario.routers[end.router].loopback;
    let rng = &mut world.rng;
    let is_vrrp = rng.below(4) == 0;
    let length = match rng.below(4) {
        0 => rng.below(24),
        1 => 24 + rng.below(64),
        _ => 24 + rng.below(1_400),
    };
    let mut payload: Vec<u8> = (0..length).map(|_| rng.below(256) as u8).collect();
    if rng.below(3) > 0 {
        dress(rng, &mut payload, is_vrrp, router_id);
    }
    let own = rng.below(2) == 0;
    let source = if own { address } else { Ipv4Addr::from_bits(address.to_bits() ^ rng.below(256) as u32) };
    let destination = match (is_vrrp, rng.below(4)) {
        (true, _) => VRRP_GROUP,
        (false, 0) => ALL_D_ROUTERS,
        (false, _) => ALL_SPF_ROUTERS,
    };
    let (protocol, ttl) = if is_vrrp { (VRRP, 255) } else { (OSPF, 1) };
    let frame = Frame::ip(MAC, Datagram { source, destination, ttl, protocol, payload: &payload });
    inject(world, segment, Some(end.router).filter(|_| own), &frame, Nature::Junk);
}

/// Makes the beginning look right, so that the octets get past the first checks.
fn dress(rng: &mut Rng, payload: &mut [u8], is_vrrp: bool, router_id: Ipv4Addr) {
    let length = (payload.len() as u16).to_be_bytes();
    let kind = 1 + rng.below(5) as u8;
    let mut header = match is_vrrp {
        true => vec![if rng.below(2) == 0 { 0x31 } else { 0x21 }, 10, rng.below(256) as u8, 1, 0, 100],
        false => vec![2, kind, length[0], length[1]],
    };
    if !is_vrrp {
        header.extend(router_id.octets());
        header.extend([0; 4]);
        // Any checksum, and any of the three AuTypes.
        header.extend([rng.below(256) as u8, rng.below(256) as u8, 0, rng.below(3) as u8]);
    }
    for (slot, octet) in payload.iter_mut().zip(header) {
        *slot = octet;
    }
}

/// A packet of the past arrives again, at everybody but its sender.
fn replay(world: &mut World, segment: usize) {
    let Some(memory) = world.memory.get_mut(&segment) else { return };
    if memory.len() > MEMORY {
        memory.drain(..memory.len() - MEMORY);
    }
    let count = memory.len() as u64;
    if count == 0 || !passes(world, segment) {
        return;
    }
    let place = world.rng.below(count) as usize;
    let Some((from, frame)) = world.memory.get(&segment).and_then(|m| m.get(place)).cloned() else { return };
    inject(world, segment, Some(from.router), &frame, Nature::Replayed);
}

/// A Link State Update with copies of the victim's LSAs that say it withdrew them, or something else than it does,
/// once in the name of each router of the segment. In the name of one alone, whoever is reached over that router would
/// not hear of it: it does not believe its own name, and nobody floods back to it (§13.3). If the victim is there, what
/// it said before and what was forged would exist side by side until its next refresh, by the protocol's rules.
fn forge(world: &mut World, segment: usize, victim: usize, max_age: bool) {
    if !passes(world, segment) {
        return;
    }
    let victim_id = RouterId(world.scenario.routers[victim].loopback);
    let Some((area, authentication, known)) = overheard(world, segment, victim_id) else { return };
    let mut forged = Vec::new();
    for _ in 0..=world.rng.below(FORGED_AT_ONCE as u64 - 1) {
        if !known.is_empty() {
            let place = world.rng.below(known.len() as u64) as usize;
            forged.push(falsify(&mut world.rng, &known[place], max_age));
        }
    }
    forged.sort_by_key(Lsa::key);
    forged.dedup_by_key(|lsa| lsa.key());
    if forged.is_empty() {
        return;
    }
    let lsas: Vec<(&Lsa, u16)> = forged.iter().map(|lsa| (lsa, lsa.header().age.max(1))).collect();
    let wrong = Secret::new("guess");
    // Ahead of every honest clock, so that nothing but the digest speaks against it.
    let guess =
        Signer::Cryptographic { algorithm: Algorithm::Md5, key_id: 1, secret: &wrong, sequence: u32::MAX };
    let signer = match &authentication {
        OspfAuthentication::Null => Signer::Null,
        OspfAuthentication::Simple(password) => Signer::Simple(password),
        OspfAuthentication::Md5(_) | OspfAuthentication::KeyChain(_) => guess,
    };
    for end in world.segments[segment].ends.clone() {
        let router = &world.scenario.routers[end.router];
        let (impersonated, source) = (RouterId(router.loopback), router.ports[end.port].address.ip());
        let payload = encode(impersonated, area, &OutgoingBody::LinkStateUpdate(&lsas), &signer);
        let datagram =
            Datagram { source, destination: ALL_SPF_ROUTERS, ttl: 1, protocol: OSPF, payload: &payload };
        inject(world, segment, Some(end.router), &Frame::ip(MAC, datagram), Nature::Forged);
    }
}

/// What somebody who listens on a segment knows: the area, how packets are signed, and a router's LSAs. He has
/// it from what was flooded there; here it is taken from the first router that has it.
fn overheard(
    world: &World,
    segment: usize,
    victim: RouterId,
) -> Option<(AreaId, OspfAuthentication, Vec<Lsa>)> {
    let engine = |end: &End| -> Option<(&Instance, AreaId, OspfAuthentication)> {
        let engine = world.nodes[end.router].ospf.engine.as_ref()?;
        let interface = engine.interfaces().find(|i| i.ifindex == kernel::ifindex(end.port))?;
        interface.is_active().then(|| (engine, interface.area(), interface.config.authentication.clone()))
    };
    let (engine, area, authentication) = world.segments[segment].ends.iter().find_map(engine)?;
    let areas = engine.areas().map(|(_, area)| &area.lsdb);
    let known = areas
        .chain(engine.lsdb(ospf_proto::lsdb::DatabaseId::As))
        .flat_map(|lsdb| lsdb.iter())
        .filter(|(key, _)| key.advertising_router == victim)
        .map(|(_, entry)| entry.lsa.as_ref().clone())
        .collect();
    Some((area, authentication, known))
}

/// The LSA as its originator never made it.
fn falsify(rng: &mut Rng, lsa: &Lsa, max_age: bool) -> Lsa {
    let header = lsa.header();
    let sequence = match rng.below(8) {
        0 => i32::MAX,
        // The next one is a positive number.
        1 if header.sequence < -1 => -1,
        n => header.sequence.saturating_add(n as i32),
    };
    let (age, body) = match max_age {
        true => (MAX_AGE, lsa.body().clone()),
        false => (rng.below(600) as u16, other_body(rng, lsa.body())),
    };
    // Sometimes the very instance, only dead: nothing but its age is made up.
    let sequence = if max_age && rng.below(2) == 0 { header.sequence } else { sequence };
    Lsa::build(LsaSpec { age, options: header.options, key: lsa.key(), sequence }, &body)
}

fn other_body(rng: &mut Rng, body: &LsaBody) -> LsaBody {
    let mut body = body.clone();
    match &mut body {
        LsaBody::Router(router) => {
            router.links.iter_mut().for_each(|link| link.metric = 1 + rng.below(100) as u16);
            let network = Ipv4Addr::new(203, 0, 113, rng.below(256) as u8);
            let mask = Ipv4Addr::BROADCAST;
            router.links.push(RouterLink { kind: RouterLinkKind::Stub { network, mask }, metric: 1 });
        }
        LsaBody::Network(network) => network.attached_routers.truncate(1),
        LsaBody::AsExternal(external) => external.metric = rng.below(1_000) as u32,
        _ => {}
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::paper;
    use crate::run;
    use crate::scenario::{Authentication, Fault, Scenario};
    use crate::trace::Happening;

    /// The side between the second and the third router.
    const SEGMENT: usize = 1;

    fn attacked(what: What, authentication: Authentication) -> World {
        let mut scenario = Scenario { chaos_ends: 20_000, settle: 0, rest: 0, ..paper::ring5_p() };
        scenario.segments[SEGMENT].authentication = authentication;
        scenario.faults.push(Fault { at: 15_000, until: 20_000, what });
        run::traced(&scenario, Vec::new()).unwrap()
    }

    fn arrived(world: &World, wanted: Nature) -> usize {
        let entries = world.transcript.entries.as_ref().unwrap();
        let is_wanted =
            |h: &Happening| matches!(h, Happening::Arrived { nature, taken: true, .. } if *nature == wanted);
        entries.iter().filter(|(_, h)| is_wanted(h)).count()
    }

    #[test]
    fn junk_and_old_packets_reach_the_daemons() {
        let world = attacked(What::Junk { segment: SEGMENT, every: 50 }, Authentication::Null);
        assert!(arrived(&world, Nature::Junk) > 50);
        let world = attacked(What::Replay { segment: SEGMENT, every: 50 }, Authentication::Null);
        assert!(arrived(&world, Nature::Replayed) > 50);
        assert!(world.memory[&SEGMENT].len() <= MEMORY + 100);
    }

    /// RFC 2328 §13.4: who sees false copies of its LSAs goes past their sequence numbers; under MD5 there are
    /// none to see.
    #[test]
    fn a_forger_makes_the_victim_fight_back_unless_he_lacks_the_key() {
        let sequence = |world: &World| {
            let engine = world.nodes[2].ospf.engine.as_ref().unwrap();
            let own = engine.router_id();
            let area = engine.areas().next().unwrap().1;
            let mut own = area.lsdb.iter().filter(|(key, _)| key.advertising_router == own);
            own.next().unwrap().1.lsa.header().sequence
        };
        let what = |max_age| What::Forge { segment: SEGMENT, victim: 2, max_age, every: 200 };
        let quiet = sequence(&attacked(what(false), Authentication::Md5));
        let fought = sequence(&attacked(what(false), Authentication::Null));
        assert!(fought > quiet + 2 || fought < quiet, "{fought:#x} {quiet:#x}");
        assert!(arrived(&attacked(what(true), Authentication::Simple), Nature::Forged) > 3);
    }
}
