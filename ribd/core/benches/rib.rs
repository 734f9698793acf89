//! What a hundred thousand routes cost the RIB's engine: `cargo xtask bench micro`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ipnetwork::Ipv4Network;
use rib::fib::{FibResults, KernelSnapshot};
use rib::message::{ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, Route, RouteChange};
use rib::{ClientId, Input, Output, Rib};
use routing_common::config;
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::time::Instant;
use std::net::Ipv4Addr;

const ROUTES: u32 = 100_000;
const BATCH: usize = 1000;
const OSPFD: ClientId = ClientId(1);
const NOW: Instant = Instant::from_secs(1);

/// The engine with a kernel that grants everything; gives the number of requests.
fn say(rib: &mut Rib, input: Input) -> u64 {
    rib.handle(NOW, input);
    let mut requests = 0;
    loop {
        let mut up_to = None;
        while let Some(output) = rib.poll_output() {
            if let Output::Fib(request) = output {
                up_to = Some(request.token);
                requests += 1;
            }
        }
        let Some(up_to) = up_to else { return requests };
        rib.handle(NOW, Input::FibResults(FibResults { up_to, failures: Vec::new() }));
    }
}

fn rib() -> Rib {
    let mut rib = Rib::new();
    let config = config::load("bench.toml", "hostname = \"r\"\n").expect("a configuration");
    say(&mut rib, Input::Reconfigure(Box::new(config.config)));
    let (ifindex, network) = (IfIndex(2), "10.0.0.1/24".parse().expect("a network"));
    let link = Link::ethernet(ifindex, "eth0".parse().expect("a name"));
    let address = Address::new(ifindex, network);
    say(&mut rib, Input::Link(LinkEvent::LinkChanged(link)));
    say(&mut rib, Input::Link(LinkEvent::AddressAdded(address)));
    say(&mut rib, Input::Link(LinkEvent::SnapshotComplete));
    say(
        &mut rib,
        Input::KernelSnapshot(KernelSnapshot { objects_supported: true, ..KernelSnapshot::default() }),
    );
    say(&mut rib, Input::ClientConnected(OSPFD));
    let (version, protocol) = (PROTOCOL_VERSION, Some(Protocol::Ospf));
    let hello = ClientMessage::Hello { version, protocol, name: "bench".to_owned() };
    for message in [hello, ClientMessage::BeginSync, ClientMessage::EndSync] {
        say(&mut rib, Input::ClientMessage(OSPFD, message));
    }
    rib
}

fn routes(gateway: u8) -> Vec<RouteChange> {
    let hop = NextHop { gateway: Some(Ipv4Addr::new(10, 0, 0, gateway)), ifindex: IfIndex(2) };
    let route = |n| {
        let prefix = Ipv4Network::new(Ipv4Addr::from_bits(0x0b00_0000 + 256 * n), 24).expect("a prefix");
        let next_hops = [hop].into_iter().collect();
        RouteChange::Replace(Route { prefix, distance: 110, metric: 20, tag: 0, next_hops })
    };
    (0..ROUTES).map(route).collect()
}

fn offer(rib: &mut Rib, routes: &[RouteChange]) -> u64 {
    let messages = routes.chunks(BATCH).map(|batch| ClientMessage::Routes(batch.to_vec()));
    messages.map(|message| say(rib, Input::ClientMessage(OSPFD, message))).sum()
}

fn insert(criterion: &mut Criterion) {
    let (first, second) = (routes(2), routes(3));
    let mut empty = rib();
    assert!(offer(&mut empty, &first) >= u64::from(ROUTES), "the engine installs nothing");
    let mut group = criterion.benchmark_group("RIB, 100,000 routes");
    group.throughput(Throughput::Elements(u64::from(ROUTES))).sample_size(10);
    group.bench_function("insert", |b| {
        b.iter_batched(rib, |mut rib| offer(&mut rib, &first), BatchSize::PerIteration);
    });
    group.bench_function("another next hop", |b| {
        b.iter(|| offer(&mut empty, &second) + offer(&mut empty, &first));
    });
    group.finish();
}

criterion_group!(benches, insert);
criterion_main!(benches);
