//! What the parts of a calculation and of flooding cost: `cargo xtask bench micro`.

mod area;

use area::{area, id};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ospf_proto::lsa::{Lsa, LsaBody, LsaSpec, RouterLsa};
use ospf_proto::lsdb::{Lsdb, Provenance};
use ospf_proto::packet::{OutgoingBody, Signer, decode_header, encode, max_payload, pack_updates};
use ospf_proto::route::{RoutingTable, diff};
use ospf_proto::spf::{Calculation, Change, Scope, SpfArea, SpfInput, dijkstra};
use routing_common::config::OspfAuthentication;
use routing_common::id::AreaId;
use routing_common::time::Instant;
use std::sync::Arc;

const SIZES: [u32; 3] = [100, 1_000, 10_000];

/// Link State Updates of a thousand router-LSAs, at Ethernet's MTU.
fn codecs(criterion: &mut Criterion) {
    let (lsas, _, _) = area(1_000);
    let list: Vec<(&Lsa, u16)> = lsas.values().map(|lsa| (lsa, 1)).collect();
    let updates: Vec<_> = pack_updates(&list, max_payload(1500, &OspfAuthentication::Null)).collect();
    let pack = |lsas| encode(id(0), AreaId::BACKBONE, &OutgoingBody::LinkStateUpdate(lsas), &Signer::Null);
    let packets: Vec<Vec<u8>> = updates.iter().map(|lsas| pack(lsas)).collect();
    let mut group = criterion.benchmark_group("Link State Updates of 1,000 router-LSAs");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("encode", |b| b.iter(|| updates.iter().map(|lsas| pack(lsas).len()).sum::<usize>()));
    group.bench_function("decode", |b| {
        b.iter(|| {
            let bodies = packets.iter().map(|packet| decode_header(packet).and_then(|raw| raw.decode_body()));
            bodies.filter(Result::is_ok).count()
        });
    });
    group.finish();
}

fn install(criterion: &mut Criterion) {
    let (lsas, _, _) = area(10_000);
    let lsas: Vec<Arc<Lsa>> = lsas.into_values().map(Arc::new).collect();
    let now = Instant::from_secs(1);
    let fill = |mut database: Lsdb| {
        for lsa in &lsas {
            database.install(Arc::clone(lsa), 1, Provenance::Flooded, None, now);
        }
        database
    };
    let full = fill(Lsdb::default());
    let mut group = criterion.benchmark_group("install 10,000 router-LSAs");
    group.throughput(Throughput::Elements(10_000)).sample_size(20);
    group.bench_function("new", |b| b.iter(|| fill(Lsdb::default()).len()));
    group.bench_function("newer", |b| {
        b.iter_batched(|| full.clone(), |database| fill(database).len(), BatchSize::LargeInput);
    });
    group.finish();
}

/// The far router gets or loses its first link.
fn without_link(lsa: &Lsa) -> Lsa {
    let LsaBody::Router(body) = lsa.body() else { return lsa.clone() };
    let links = body.links.iter().skip(2).copied().collect();
    let header = lsa.header();
    let spec = LsaSpec { age: 0, options: header.options, key: header.key, sequence: header.sequence + 1 };
    Lsa::build(spec, &LsaBody::Router(RouterLsa { links, ..body.clone() }))
}

fn spf(criterion: &mut Criterion) {
    for routers in SIZES {
        let (lsas, externals, interfaces) = area(routers);
        let far = without_link(&lsas[&ospf_proto::lsa::LsaKey::router(id(routers / 2))]);
        let mut broken = lsas.clone();
        let whole = broken.insert(far.key(), far.clone());
        let areas =
            [&lsas, &broken].map(|lsas| SpfArea { area: AreaId::BACKBONE, lsas, interfaces: &interfaces });
        let [input, after] = [0, 1].map(|n| SpfInput {
            router_id: id(0),
            areas: &areas[n..=n],
            externals: &externals,
            maximum_paths: 8,
            rfc1583_compatibility: false,
        });
        let empty = RoutingTable::default();
        let mut calculation = Calculation::default();
        let mut group = criterion.benchmark_group(format!("SPF, {routers} routers"));
        group.sample_size(20);
        group.bench_function("graph and tree", |b| b.iter(|| dijkstra::run(&areas[0], id(0)).vertices()));
        group.bench_function("everything", |b| {
            b.iter(|| calculation.run(Change::Topology, &input, &empty).networks.len());
        });
        let mut table = calculation.run(Change::Topology, &input, &empty);
        group.bench_function("diff of equal tables", |b| b.iter(|| diff(&table, &table, 110).len()));
        let mut scope = Scope::nothing(usize::MAX);
        scope.note(whole.as_ref(), Some(&far));
        group.bench_function("a far link goes and comes", |b| {
            b.iter(|| {
                for input in [&after, &input] {
                    calculation.update(Change::Topology, &scope, input, &mut table, 110);
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, codecs, install, spf);
criterion_main!(benches);
