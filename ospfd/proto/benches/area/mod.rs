//! Random areas. Routers form a ring with as many random chords, so the mean degree is 4; costs are 1 to 10, links are
//! point-to-point with a /30 each, every router has one stub network and every tenth originates ten AS-external-LSAs.

use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaKey, LsaSpec, RouterLink, RouterLinkKind, RouterLsa,
};
use ospf_proto::spf::{SpfInterface, SpfInterfaceKind, SpfNeighbor};
use routing_common::id::{IfIndex, RouterId};
use routing_common::prefix;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(crate) type Lsas = BTreeMap<LsaKey, Lsa>;

/// A small generator with a fixed seed: the same areas in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(limit)) as u32
    }
}

pub(crate) fn id(router: u32) -> RouterId {
    RouterId(Ipv4Addr::from_bits(0x0a00_0001 + router))
}

fn put(lsas: &mut Lsas, ls_type: LsType, link_state_id: Ipv4Addr, router: RouterId, body: &LsaBody) {
    let key = LsaKey { ls_type, link_state_id, advertising_router: router };
    lsas.insert(key, Lsa::build(LsaSpec { age: 0, options: 2, key, sequence: 1 }, body));
}

/// The area's and the external LSAs, and the interfaces of router 0.
pub(crate) fn area(routers: u32) -> (Lsas, Lsas, Vec<SpfInterface>) {
    let mut dice = Dice(u64::from(routers));
    let mut links: Vec<Vec<RouterLink>> = vec![Vec::new(); routers as usize];
    let mut interfaces = Vec::new();
    for cable in 0..2 * routers {
        let a = cable % routers;
        let b = if cable < routers { (a + 1) % routers } else { (a + 1 + dice.below(routers - 1)) % routers };
        let subnet = 0x6400_0000 + cable * 4;
        for (from, to, own, other) in [(a, b, 1, 2), (b, a, 2, 1)] {
            let data = Ipv4Addr::from_bits(subnet + own);
            let metric = 1 + dice.below(10) as u16;
            let kind = RouterLinkKind::PointToPoint { neighbor: id(to), data };
            let network = prefix::of(data, 30);
            let stub = RouterLinkKind::Stub { network: network.ip(), mask: network.mask() };
            links[from as usize].extend([RouterLink { kind, metric }, RouterLink { kind: stub, metric }]);
            if from == 0 {
                interfaces.push(SpfInterface {
                    ifindex: IfIndex(1 + cable),
                    address: Some(data),
                    network,
                    kind: SpfInterfaceKind::PointToPoint,
                    cost: metric,
                    neighbors: vec![SpfNeighbor {
                        router_id: id(to),
                        address: Ipv4Addr::from_bits(subnet + other),
                    }],
                });
            }
        }
    }
    let (mut lsas, mut externals) = (Lsas::new(), Lsas::new());
    for (router, mut links) in (0..).zip(links) {
        let mask = Ipv4Addr::new(255, 255, 255, 0);
        let kind = RouterLinkKind::Stub { network: Ipv4Addr::from_bits(0xa000_0000 + router * 256), mask };
        links.push(RouterLink { kind, metric: 1 });
        let as_boundary = router % 10 == 0;
        let body = LsaBody::Router(RouterLsa { as_boundary, links, ..RouterLsa::default() });
        put(&mut lsas, LsType::Router, id(router).0, id(router), &body);
        for n in (0..10).filter(|_| as_boundary) {
            let body = LsaBody::AsExternal(ExternalLsa {
                mask,
                type2: true,
                metric: 20,
                forwarding_address: Ipv4Addr::UNSPECIFIED,
                tag: 0,
            });
            let network = Ipv4Addr::from_bits(0xc000_0000 + (router + n) * 256);
            put(&mut externals, LsType::AsExternal, network, id(router), &body);
        }
    }
    (lsas, externals, interfaces)
}
