//! Throws mutated packets at the codec: `cargo run --release -p ospf-proto --example mutate [MILLIONS] [SEED]`.
//!
//! Starts from good packets of every type holding LSAs of every type, damages them in one to four ways
//! (flipped bits, overwritten lengths and counts, cut, grown and spliced octets), repairs checksums half
//! the time so that the damage reaches the inner layers, and walks the way a received packet goes. What
//! may not happen: a panic, or a packet that is accepted but is another one after being written and
//! read again. The same seed gives the same run. Exits 1 at the first failure.

use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaHeader, LsaKey, LsaSpec, NetworkLsa, RouterLink, RouterLinkKind,
    RouterLsa, SummaryLsa,
};
use ospf_proto::packet::{
    DatabaseDescription, Hello, OutgoingBody, PacketBody, Signer, UpdateLsa, decode_header, encode, verify,
};
use routing_common::config::{Md5Key, OspfAuthentication, Secret};
use routing_common::id::{AreaId, RouterId};
use routing_common::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use routing_common::rng::Rng;
use routing_common::wire::checksum;
use std::net::Ipv4Addr;
use std::process::ExitCode;

const ROUTER: RouterId = RouterId(Ipv4Addr::new(10, 255, 0, 1));
const HEADER: usize = 24;

/// How far the inputs got.
#[derive(Debug, Default)]
struct Tally {
    headers: u64,
    authentic: u64,
    bodies: u64,
    valid_lsas: u64,
    invalid_lsas: u64,
}

#[expect(clippy::disallowed_methods, reason = "not an engine: it measures how long it takes")]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<u64>());
    let (Ok(millions), Ok(seed)) = (arguments.next().unwrap_or(Ok(10)), arguments.next().unwrap_or(Ok(1)))
    else {
        eprintln!("usage: mutate [MILLIONS] [SEED]");
        return ExitCode::from(2);
    };
    let runs = millions.saturating_mul(1_000_000);
    let auths = [
        OspfAuthentication::Null,
        OspfAuthentication::Simple(Secret::new("password")),
        OspfAuthentication::Md5(vec![Md5Key { id: 7, secret: Secret::new("correct-horse") }]),
        OspfAuthentication::KeyChain(KeyChain { name: "chain".into(), keys: vec![chain_key()] }),
    ];
    let seeds: Vec<_> =
        auths.iter().flat_map(|auth| packets(auth).into_iter().map(move |p| (auth, p))).collect();
    let mut rng = Rng::new(seed);
    let mut tally = Tally::default();
    let mut input = Vec::new();
    let start = std::time::Instant::now();
    for run in 0..runs {
        let (auth, packet) = &seeds[index(&mut rng, seeds.len())];
        input.clone_from(packet);
        mutate(&mut input, &seeds[index(&mut rng, seeds.len())].1, &mut rng);
        if let Err(what) = receive(&input, auth, &mut tally) {
            eprintln!("run {run} of seed {seed}: {what}\ninput {input:02x?}");
            return ExitCode::FAILURE;
        }
    }
    let took = start.elapsed().as_secs_f64();
    println!("{runs} inputs in {took:.1} s ({:.0}/s), no failure; {tally:?}", runs as f64 / took);
    ExitCode::SUCCESS
}

/// A number in `0..length` (`length` is never 0 here).
fn index(rng: &mut Rng, length: usize) -> usize {
    (rng.next_u64() % length.max(1) as u64) as usize
}

fn octet(rng: &mut Rng) -> u8 {
    // Extremes are where parsers err.
    match rng.below(4) {
        0 => 0,
        1 => 0xff,
        _ => (rng.next_u64() & 0xff) as u8,
    }
}

fn mutate(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Rng) {
    for _ in 0..=rng.below(4) {
        if bytes.is_empty() {
            bytes.push(octet(rng));
        }
        let at = index(rng, bytes.len());
        match rng.below(7) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = octet(rng),
            2 => bytes.truncate(at),
            3 => bytes.extend((0..rng.below(40)).map(|_| octet(rng))),
            4 => {
                let from = index(rng, other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            5 => {
                let end = bytes.len().min(at + 1 + index(rng, 24));
                bytes.drain(at..end);
            }
            // Counts and lengths stand in the low octets of aligned words.
            _ => {
                let at = at | 3;
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = slot.wrapping_add(rng.below(9) as u8).wrapping_sub(4);
                }
            }
        }
    }
    if rng.below(2) == 0 {
        repair(bytes, rng);
    }
}

/// Sets the packet's length and checksums right, inner ones first.
fn repair(bytes: &mut [u8], rng: &mut Rng) {
    let length = bytes.len();
    if length < HEADER {
        return;
    }
    let packet = if rng.below(4) == 0 { usize::from(bytes[3]) } else { length };
    bytes[0] = 2;
    bytes[2..4].copy_from_slice(&(packet as u16).to_be_bytes());
    if bytes[1] == 4 {
        let mut at = HEADER + 4;
        while let Some(lsa_length) = bytes.get(at + 18..at + 20) {
            let end = at + usize::from(u16::from_be_bytes([lsa_length[0], lsa_length[1]]));
            let Some(lsa) = bytes.get_mut(at + 2..end).filter(|l| l.len() >= 18) else { break };
            let sum = checksum::fletcher(lsa, 14);
            lsa[14..16].copy_from_slice(&sum.to_be_bytes());
            at = end;
        }
    }
    bytes[12..14].fill(0);
    if let Some(body) = bytes.get(HEADER..packet.max(HEADER)) {
        let sum = checksum::internet(&[&bytes[..16], body]);
        bytes[12..14].copy_from_slice(&sum.to_be_bytes());
    }
}

/// The way of a received packet; digests are computed but not insisted on, or nothing would get past them.
fn receive(input: &[u8], auth: &OspfAuthentication, tally: &mut Tally) -> Result<(), String> {
    let Ok(raw) = decode_header(input) else { return Ok(()) };
    tally.headers += 1;
    if raw.checksum_is_valid() && verify(&raw, auth, 0, Some(1)).is_ok() {
        tally.authentic += 1;
    }
    let Ok(body) = raw.decode_body() else { return Ok(()) };
    tally.bodies += 1;
    let again = |outgoing: OutgoingBody<'_>| {
        let bytes = encode(raw.router_id, raw.area_id, &outgoing, &Signer::Null);
        decode_header(&bytes).and_then(|r| r.decode_body()).map_err(|e| format!("own packet refused: {e}"))
    };
    let same = match &body {
        PacketBody::Hello(hello) => again(OutgoingBody::Hello(hello))? == body,
        PacketBody::DatabaseDescription(dd) => again(OutgoingBody::DatabaseDescription(dd))? == body,
        PacketBody::LinkStateRequest(keys) => again(OutgoingBody::LinkStateRequest(keys))? == body,
        PacketBody::LinkStateAck(headers) => again(OutgoingBody::LinkStateAck(headers))? == body,
        PacketBody::LinkStateUpdate(lsas) => {
            let valid: Vec<_> = lsas.iter().filter_map(valid).collect();
            tally.valid_lsas += valid.len() as u64;
            tally.invalid_lsas += (lsas.len() - valid.len()) as u64;
            let aged: Vec<(&Lsa, u16)> = valid.iter().map(|lsa| (*lsa, lsa.header().age)).collect();
            let PacketBody::LinkStateUpdate(read) = again(OutgoingBody::LinkStateUpdate(&aged))? else {
                return Err("an update became something else".into());
            };
            read.len() == valid.len() && read.iter().zip(&valid).all(|(r, v)| same_lsa(r, v))
        }
    };
    if same { Ok(()) } else { Err("read again, the packet is another one".into()) }
}

fn valid(lsa: &UpdateLsa) -> Option<&Lsa> {
    match lsa {
        UpdateLsa::Valid(lsa) => Some(lsa),
        UpdateLsa::Invalid { .. } => None,
    }
}

/// Equal in all but the wire's age, which reading cuts to MaxAge.
fn same_lsa(read: &UpdateLsa, sent: &Lsa) -> bool {
    valid(read).is_some_and(|read| {
        read.header() == sent.header() && read.body() == sent.body() && read.raw()[2..] == sent.raw()[2..]
    })
}

fn chain_key() -> ChainKey {
    ChainKey {
        id: 3,
        secret: Secret::new("battery-staple"),
        algorithm: Algorithm::HmacSha256,
        send: Lifetime::ALWAYS,
        accept: Lifetime::ALWAYS,
    }
}

/// One good packet of each type, the update with every type of LSA.
fn packets(auth: &OspfAuthentication) -> Vec<Vec<u8>> {
    let lsas = lsas();
    let headers: Vec<LsaHeader> = lsas.iter().map(|lsa| *lsa.header()).collect();
    let keys: Vec<LsaKey> = lsas.iter().map(Lsa::key).collect();
    let aged: Vec<(&Lsa, u16)> = lsas.iter().map(|lsa| (lsa, 10)).collect();
    let hello = Hello {
        network_mask: Ipv4Addr::new(255, 255, 255, 0),
        hello_interval: 10,
        options: 2,
        priority: 1,
        dead_interval: 40,
        designated_router: Ipv4Addr::new(10, 0, 0, 1),
        backup_designated_router: Ipv4Addr::new(10, 0, 0, 2),
        neighbors: vec![ROUTER; 3],
    };
    let description = DatabaseDescription {
        interface_mtu: 1500,
        options: 2,
        init: false,
        more: true,
        master: true,
        sequence: 77,
        headers: headers.clone(),
    };
    // proof: none of the keys above has a lifetime.
    let signer = Signer::new(auth, 0, 9).expect("a key signs");
    [
        OutgoingBody::Hello(&hello),
        OutgoingBody::DatabaseDescription(&description),
        OutgoingBody::LinkStateRequest(&keys),
        OutgoingBody::LinkStateUpdate(&aged),
        OutgoingBody::LinkStateAck(&headers),
    ]
    .iter()
    .map(|body| encode(ROUTER, AreaId::BACKBONE, body, &signer))
    .collect()
}

fn lsas() -> Vec<Lsa> {
    let a = Ipv4Addr::new(10, 0, 0, 1);
    let mask = Ipv4Addr::new(255, 255, 255, 0);
    let links = [
        RouterLinkKind::PointToPoint { neighbor: ROUTER, data: a },
        RouterLinkKind::Transit { designated_router: a, address: a },
        RouterLinkKind::Stub { network: a, mask },
        RouterLinkKind::Virtual { neighbor: ROUTER, address: a },
    ]
    .map(|kind| RouterLink { kind, metric: 10 });
    let summary = SummaryLsa { mask, metric: 20 };
    let external = ExternalLsa { mask, type2: true, metric: 20, forwarding_address: a, tag: 5 };
    [
        (LsType::Router, LsaBody::Router(RouterLsa { links: links.into(), ..RouterLsa::default() })),
        (LsType::Network, LsaBody::Network(NetworkLsa { mask, attached_routers: vec![ROUTER; 3] })),
        (LsType::SummaryNetwork, LsaBody::SummaryNetwork(summary.clone())),
        (LsType::SummaryAsbr, LsaBody::SummaryAsbr(summary)),
        (LsType::AsExternal, LsaBody::AsExternal(external.clone())),
        (LsType::Nssa, LsaBody::Nssa(external)),
        (LsType::OpaqueLink, LsaBody::Opaque([3; 12].into())),
        (LsType::OpaqueArea, LsaBody::Opaque([1; 8].into())),
        (LsType::OpaqueAs, LsaBody::Opaque([4; 16].into())),
    ]
    .into_iter()
    .map(|(ls_type, body)| {
        let key = LsaKey { ls_type, link_state_id: a, advertising_router: ROUTER };
        Lsa::build(LsaSpec { age: 0, options: 2, key, sequence: -5 }, &body)
    })
    .collect()
}
