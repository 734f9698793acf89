//! The synthetic area, its LSAs, and the routes that follow from it.
//!
//! A grid of point-to-point links with metric 10, a /30 for each, and a loopback for every router. The routers at the end of the suite's
//! links are its corners. Or a star: routers that know the suite and nobody else. [`Area::routes`] is Dijkstra over this model with sets of links for next hops; it shares no code with the
//! engine, only the LSAs' encoding does.

use ospf_proto::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaKey, LsaSpec, RouterLink, RouterLinkKind, RouterLsa,
};
use routing_common::id::RouterId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::net::Ipv4Addr;

/// Address and prefix length.
pub type Prefix = (u32, u8);
/// What the kernel should hold: gateways of every prefix, ascending.
pub type Routes = HashMap<Prefix, Vec<Ipv4Addr>>;

/// Router ID of the suite under test: larger than all others, so it is the master of every exchange.
pub const SUITE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Cost of every link of the suite.
pub const COST: u16 = 10;

const ROUTERS: u32 = 0x0a00_0001;
const CABLES: u32 = 0x6400_0000;
const EXTERNALS: u32 = 0x0b00_0000;
const UPLINKS: u32 = 0xac10_0000;
const OPTION_E: u8 = 0x02;
const UNREACHED: u32 = u32::MAX;

/// Which of the suite's links lead to a router.
type Links = BTreeSet<usize>;

/// The suite's address on its link number `link`.
pub fn suite_address(link: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(UPLINKS + 4 * link as u32 + 1)
}

/// The address of the area's router on the suite's link number `link`.
pub fn gateway_address(link: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(UPLINKS + 4 * link as u32 + 2)
}

#[derive(Debug, Clone)]
struct Link {
    to: usize,
    metric: u16,
    cable: u32,
    end: u32,
}

#[derive(Debug, Clone, Default)]
struct Router {
    links: Vec<Link>,
    /// Networks of /32 that a change adds.
    stubs: Vec<u32>,
    uplinks: Vec<usize>,
    is_boundary: bool,
}

/// The area.
#[derive(Debug, Clone)]
pub struct Area {
    routers: Vec<Router>,
    side: usize,
    externals: u32,
    is_star: bool,
    sequences: BTreeMap<LsaKey, i32>,
}

impl Area {
    /// A grid of `side` × `side` routers that the suite is attached to by one or two links, with `externals` AS-external-LSAs of the
    /// router in the corner farthest from the first link.
    pub fn grid(side: usize, links: usize, externals: u32) -> Self {
        let mut area = Self {
            routers: vec![Router::default(); side * side],
            side,
            externals,
            is_star: false,
            sequences: BTreeMap::new(),
        };
        let mut cable = 0;
        for at in 0..side * side {
            let right = (at % side + 1 < side).then_some(at + 1);
            let below = (at + side < side * side).then_some(at + side);
            for to in right.into_iter().chain(below) {
                area.routers[at].links.push(Link { to, metric: 10, cable, end: 1 });
                area.routers[to].links.push(Link { to: at, metric: 10, cable, end: 2 });
                cable += 1;
            }
        }
        for (link, corner) in [0, side - 1].into_iter().take(links).enumerate() {
            area.routers[corner].uplinks.push(link);
        }
        if let Some(last) = area.routers.last_mut() {
            last.is_boundary = externals > 0;
        }
        area
    }

    /// So many routers around the suite.
    pub fn star(routers: usize) -> Self {
        let router = |link| Router { uplinks: vec![link], ..Router::default() };
        Self {
            routers: (0..routers).map(router).collect(),
            side: routers,
            externals: 0,
            is_star: true,
            sequences: BTreeMap::new(),
        }
    }

    /// Seconds between Hellos: many neighbours are rarely asked how they are.
    pub fn hello_interval(&self) -> u16 {
        if self.is_star { 10 } else { 1 }
    }

    /// Number of the suite's links into the area.
    pub fn links(&self) -> usize {
        self.routers.iter().map(|router| router.uplinks.len()).sum()
    }

    /// Number of LSAs.
    pub fn lsas(&self) -> usize {
        self.routers.len() + self.externals as usize
    }

    /// The router at a place of the grid.
    pub fn at(&self, row: usize, column: usize) -> usize {
        row * self.side + column
    }

    /// Routers of a row and column.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The Router ID of the router on a link of the suite.
    pub fn gateway(&self, link: usize) -> RouterId {
        let at = self.routers.iter().position(|router| router.uplinks.contains(&link));
        id(at.unwrap_or_default())
    }

    /// All LSAs as they are now.
    pub fn all(&mut self) -> Vec<Lsa> {
        let routers = (0..self.routers.len()).map(|at| self.router_lsa(at)).collect::<Vec<_>>();
        let externals = (0..self.externals).map(|n| self.external(n)).collect::<Vec<_>>();
        [routers, externals].concat()
    }

    /// What the routers on the suite's links know before they meet it: each itself alone in a star, else one database for all.
    pub fn known(&mut self) -> Vec<Vec<Lsa>> {
        let all = self.all();
        if self.is_star { all.into_iter().map(|lsa| vec![lsa]).collect() } else { vec![all] }
    }

    /// Puts up or takes down the link between two neighbours; gives the LSAs that say so.
    pub fn set_link(&mut self, a: usize, b: usize, is_up: bool) -> Vec<Lsa> {
        let known = self.routers[a].links.iter().find(|link| link.to == b).map(|link| link.cable);
        match (is_up, known) {
            (false, Some(_)) => {
                self.routers[a].links.retain(|link| link.to != b);
                self.routers[b].links.retain(|link| link.to != a);
            }
            (true, None) => {
                let cable = self.cable_between(a, b);
                self.routers[a].links.push(Link { to: b, metric: 10, cable, end: 1 });
                self.routers[b].links.push(Link { to: a, metric: 10, cable, end: 2 });
            }
            _ => {}
        }
        vec![self.router_lsa(a), self.router_lsa(b)]
    }

    /// Adds or removes a host network at a router; gives its LSA.
    pub fn set_stub(&mut self, at: usize, is_there: bool) -> Vec<Lsa> {
        let address = 0xc633_6400 + at as u32 % 256;
        self.routers[at].stubs = if is_there { vec![address] } else { Vec::new() };
        vec![self.router_lsa(at)]
    }

    /// Gives all links of a router a metric; gives its LSA.
    pub fn set_metric(&mut self, at: usize, metric: u16) -> Vec<Lsa> {
        self.routers[at].links.iter_mut().for_each(|link| link.metric = metric);
        vec![self.router_lsa(at)]
    }

    /// The number that [`Area::grid`] gave to the cable between a router and the one to the right of it or below it.
    fn cable_between(&self, a: usize, b: usize) -> u32 {
        let mut cable = 0;
        for at in 0..self.routers.len() {
            let right = (at % self.side + 1 < self.side).then_some(at + 1);
            let below = (at + self.side < self.routers.len()).then_some(at + self.side);
            for to in right.into_iter().chain(below) {
                if (at, to) == (a.min(b), a.max(b)) {
                    return cable;
                }
                cable += 1;
            }
        }
        cable
    }

    fn build(&mut self, key: LsaKey, body: &LsaBody) -> Lsa {
        let sequence = self.sequences.entry(key).and_modify(|n| *n += 1).or_insert(i32::MIN + 1);
        Lsa::build(LsaSpec { age: 1, options: OPTION_E, key, sequence: *sequence }, body)
    }

    fn router_lsa(&mut self, at: usize) -> Lsa {
        let router = &self.routers[at];
        let mut links = Vec::new();
        let mut point_to_point = |neighbor, data: Ipv4Addr, metric| {
            let kind = RouterLinkKind::PointToPoint { neighbor, data };
            links.push(RouterLink { kind, metric });
            let network = Ipv4Addr::from_bits(data.to_bits() & !3);
            let kind = RouterLinkKind::Stub { network, mask: Ipv4Addr::from_bits(!3) };
            links.push(RouterLink { kind, metric });
        };
        for link in &router.links {
            point_to_point(id(link.to), Ipv4Addr::from_bits(CABLES + 4 * link.cable + link.end), link.metric);
        }
        for uplink in &router.uplinks {
            point_to_point(RouterId(SUITE), gateway_address(*uplink), COST);
        }
        for host in router.stubs.iter().copied().chain([id(at).to_bits()]) {
            let kind = RouterLinkKind::Stub { network: Ipv4Addr::from_bits(host), mask: Ipv4Addr::BROADCAST };
            links.push(RouterLink { kind, metric: 0 });
        }
        let as_boundary = router.is_boundary;
        let body = LsaBody::Router(RouterLsa { as_boundary, links, ..RouterLsa::default() });
        self.build(LsaKey::router(id(at)), &body)
    }

    fn external(&mut self, number: u32) -> Lsa {
        let body = LsaBody::AsExternal(ExternalLsa {
            mask: Ipv4Addr::new(255, 255, 255, 0),
            type2: true,
            metric: 20,
            forwarding_address: Ipv4Addr::UNSPECIFIED,
            tag: 0,
        });
        let key = LsaKey {
            ls_type: LsType::AsExternal,
            link_state_id: Ipv4Addr::from_bits(EXTERNALS + 256 * number),
            advertising_router: id(self.routers.len() - 1),
        };
        self.build(key, &body)
    }

    /// The routes the suite must have in its kernel.
    pub fn routes(&self) -> Routes {
        let (distances, links) = self.paths();
        let mut best: HashMap<Prefix, (u32, Links)> = HashMap::new();
        let mut offer = |prefix: Prefix, cost: u32, links: &Links| {
            let known = best.entry(prefix).or_insert((cost, Links::new()));
            if cost < known.0 {
                *known = (cost, Links::new());
            }
            if cost == known.0 {
                known.1.extend(links);
            }
        };
        for (at, router) in self.routers.iter().enumerate().filter(|(at, _)| distances[*at] != UNREACHED) {
            let (distance, links) = (distances[at], &links[at]);
            for link in &router.links {
                offer((CABLES + 4 * link.cable, 30), distance + u32::from(link.metric), links);
            }
            for host in router.stubs.iter().copied().chain([id(at).to_bits()]) {
                offer((host, 32), distance, links);
            }
            if router.is_boundary {
                for number in 0..self.externals {
                    offer((EXTERNALS + 256 * number, 24), distance, links);
                }
            }
        }
        let gateways = |links: Links| links.into_iter().map(gateway_address);
        best.into_iter().map(|(prefix, (_, links))| (prefix, gateways(links).collect())).collect()
    }

    /// Distance of every router and the links to it.
    fn paths(&self) -> (Vec<u32>, Vec<Links>) {
        let mut distances = vec![UNREACHED; self.routers.len()];
        let mut links = vec![Links::new(); self.routers.len()];
        let mut queue = BinaryHeap::new();
        for (at, router) in self.routers.iter().enumerate() {
            for uplink in &router.uplinks {
                distances[at] = u32::from(COST);
                links[at].insert(*uplink);
                queue.push(Reverse((u32::from(COST), at)));
            }
        }
        let mut done = vec![false; self.routers.len()];
        while let Some(Reverse((distance, at))) = queue.pop() {
            if std::mem::replace(&mut done[at], true) {
                continue;
            }
            for link in &self.routers[at].links {
                let through = distance + u32::from(link.metric);
                if through < distances[link.to] {
                    distances[link.to] = through;
                    links[link.to].clear();
                    queue.push(Reverse((through, link.to)));
                }
                if through == distances[link.to] {
                    let through = links[at].clone();
                    links[link.to].extend(through);
                }
            }
        }
        (distances, links)
    }
}

fn id(router: usize) -> RouterId {
    RouterId(Ipv4Addr::from_bits(ROUTERS + router as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_a_route_to_every_router_and_every_cable() {
        assert_eq!(Area::grid(10, 1, 0).routes().len(), 280);
        assert_eq!(Area::grid(10, 1, 7).routes().len(), 287);
    }

    #[test]
    fn a_star_has_a_route_to_every_router_over_its_own_link() {
        let mut star = Area::star(200);
        assert_eq!((star.links(), star.known().len()), (200, 200));
        let routes = star.routes();
        assert_eq!(routes.len(), 200);
        assert_eq!(routes[&(id(199).to_bits(), 32)], [gateway_address(199)]);
    }

    #[test]
    fn a_metric_moves_half_of_the_grid_from_one_link_to_the_other() {
        let mut area = Area::grid(10, 2, 0);
        let via_first = |area: &Area| {
            area.routes().values().filter(|gateways| gateways.contains(&gateway_address(0))).count()
        };
        let before = via_first(&area);
        area.set_metric(0, 1000);
        assert!(before > 140 && via_first(&area) < 5, "{before} to {}", via_first(&area));
    }

    #[test]
    fn a_link_that_comes_back_is_the_one_that_went() {
        let mut area = Area::grid(4, 2, 0);
        let before = area.routes();
        let (a, b) = (area.at(3, 1), area.at(3, 2));
        area.set_link(a, b, false);
        assert_ne!(area.routes(), before);
        let again = area.set_link(a, b, true);
        assert_eq!(area.routes(), before);
        assert_eq!(again[0].header().sequence, i32::MIN + 2);
    }
}
