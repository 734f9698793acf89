//! What route requests cost before the kernel sees them: `cargo xtask bench micro`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ipnetwork::Ipv4Network;
use routing_runtime::netlink::route::{Route, RouteNextHop, RouteVia, install};
use std::net::Ipv4Addr;

const ROUTES: u32 = 1000;

fn route(number: u32, via: RouteVia) -> Route {
    let prefix = Ipv4Network::new(Ipv4Addr::from_bits(0x0b00_0000 + 256 * number), 24).expect("a prefix");
    Route { prefix, protocol: 188, metric: 20, via }
}

fn batch(criterion: &mut Criterion) {
    let hop = |n| RouteNextHop { gateway: Some(Ipv4Addr::new(10, 0, 0, n)), ifindex: 2, onlink: false };
    let mut group = criterion.benchmark_group("netlink, 1,000 routes");
    group.throughput(Throughput::Elements(u64::from(ROUTES)));
    for (name, via) in [
        ("through an object", RouteVia::Object(7)),
        ("one next hop", RouteVia::NextHops(vec![hop(2)])),
        ("two next hops", RouteVia::NextHops(vec![hop(2), hop(3)])),
    ] {
        let routes: Vec<Route> = (0..ROUTES).map(|n| route(n, via.clone())).collect();
        group.bench_function(name, |b| b.iter(|| routes.iter().map(install).collect::<Vec<_>>().len()));
    }
    group.finish();
}

criterion_group!(benches, batch);
criterion_main!(benches);
