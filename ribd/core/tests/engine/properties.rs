//! Two laws. *Incremental ≡ full*: whatever happened on the way, the kernel holds what a RIB that starts
//! now with the same configuration, links and offers would put there. *Model ≡ kernel*: what the RIB
//! believes to be in the kernel is there.

use crate::world::*;
use proptest::prelude::*;
use rib::message::{ClientMessage, NextHop, Route, RouteChange};
use rib::{ClientId, Input};
use routing_common::time::Duration;
use std::collections::BTreeMap;

const PREFIXES: [&str; 9] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.1.0/24",
    "10.2.0.0/16",
    "10.0.1.0/24",
    "172.16.0.0/12",
    "172.16.1.0/24",
    "192.168.1.0/24",
];

const CONFIGS: [&str; 4] = [
    "",
    "[[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"192.168.1.254\"\n\
     [[static-routes]]\nprefix = \"10.2.0.0/16\"\nnext-hop = \"172.16.1.1\"\n\
     [[static-routes]]\nprefix = \"10.1.1.0/24\"\nnext-hop = \"10.2.0.1\"\ndistance = 120\n",
    "[[static-routes]]\nprefix = \"10.1.0.0/16\"\nnext-hop = \"10.2.0.1\"\n\
     [[static-routes]]\nprefix = \"10.2.0.0/16\"\nnext-hop = \"10.1.0.1\"\n\
     [[static-routes]]\nprefix = \"172.16.0.0/12\"\nblackhole = true\ndistance = 200\n\
     [[static-routes]]\nprefix = \"172.16.1.0/24\"\ninterface = \"eth2\"\n",
    "[rib]\nnext-hop-objects = false\n\
     [[static-routes]]\nprefix = \"10.2.0.0/16\"\nnext-hop = \"172.16.1.1\"\n\
     [[static-routes]]\nprefix = \"10.2.0.0/16\"\nnext-hop = \"10.0.1.9\"\n",
];

#[derive(Debug, Clone)]
enum Step {
    Offer(Vec<(usize, u8)>),
    /// The same, and the next one goes on with it.
    Part(Vec<(usize, u8)>),
    Alternates(Vec<(usize, u8)>),
    Lost(u8),
    Withdraw(usize),
    Carrier(u32, bool),
    Configure(usize),
    ForeignRoute(usize),
    ForeignObject(usize),
    ClientRestart,
    RibRestart,
    Refuse(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let offers = || prop::collection::vec((0..PREFIXES.len(), 0u8..16), 1..5);
    prop_oneof![
        6 => offers().prop_map(Step::Offer),
        2 => offers().prop_map(Step::Part),
        2 => offers().prop_map(Step::Alternates),
        1 => (1u8..16).prop_map(Step::Lost),
        2 => (0..PREFIXES.len()).prop_map(Step::Withdraw),
        4 => (ETH0..=ETH2, any::<bool>()).prop_map(|(i, up)| Step::Carrier(i, up)),
        1 => (0..CONFIGS.len()).prop_map(Step::Configure),
        1 => (0..PREFIXES.len()).prop_map(Step::ForeignRoute),
        1 => (0usize..4).prop_map(Step::ForeignObject),
        1 => Just(Step::ClientRestart),
        1 => Just(Step::RibRestart),
        1 => (1usize..4).prop_map(Step::Refuse),
        1 => (0u64..3000).prop_map(Step::Wait),
    ]
}

/// The next hops a bit set stands for; none is a blackhole.
fn hops(bits: u8) -> Vec<NextHop> {
    let all = [hop("10.0.1.2", ETH1), hop("10.0.1.3", ETH1), hop("10.0.2.2", ETH2), hop("9.9.9.9", ETH0)];
    all.into_iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0).map(|(_, h)| h).collect()
}

/// A world and what it was told, to tell it to another one.
struct Run {
    world: World,
    config: usize,
    down: Vec<u32>,
    offered: BTreeMap<usize, Route>,
    client: ClientId,
}

impl Run {
    fn new() -> Self {
        let mut run = Self {
            world: World::new(CONFIGS[0]),
            config: 0,
            down: Vec::new(),
            offered: BTreeMap::new(),
            client: ClientId(1),
        };
        run.synchronise();
        run
    }

    fn synchronise(&mut self) {
        self.client = ClientId(self.client.0 + 1);
        let routes: Vec<Route> = self.offered.values().cloned().collect();
        self.world.ospf(self.client, &routes);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Offer(offers) => {
                let routes: Vec<(usize, Route)> =
                    offers.iter().map(|(p, bits)| (*p, route(PREFIXES[*p], &hops(*bits)))).collect();
                self.world.offer(self.client, &routes.iter().map(|(_, r)| r.clone()).collect::<Vec<_>>());
                self.offered.extend(routes);
            }
            Step::Part(offers) => {
                let routes: Vec<(usize, Route)> =
                    offers.iter().map(|(p, bits)| (*p, route(PREFIXES[*p], &hops(*bits)))).collect();
                let changes = routes.iter().map(|(_, r)| RouteChange::Replace(r.clone())).collect();
                self.world.say(self.client, ClientMessage::Part(changes));
                self.offered.extend(routes);
            }
            Step::Alternates(alternates) => {
                let first = |bits: u8| hops(bits).first().copied();
                let changes = alternates.iter().map(|(p, bits)| (net(PREFIXES[*p]), first(*bits))).collect();
                self.world.say(self.client, ClientMessage::Alternates { changes, more: false });
            }
            Step::Lost(bits) => self.world.say(self.client, ClientMessage::Lost(hops(bits))),
            Step::Withdraw(p) => {
                self.offered.remove(&p);
                self.world.withdraw(self.client, PREFIXES[p]);
            }
            Step::Carrier(ifindex, up) => {
                self.down.retain(|i| *i != ifindex);
                if !up {
                    self.down.push(ifindex);
                }
                self.world.carrier(ifindex, up);
            }
            Step::Configure(config) => {
                self.config = config;
                self.world.configure(CONFIGS[config]);
            }
            Step::ForeignRoute(p) => {
                if self.world.kernel.routes.remove(&net(PREFIXES[p])).is_some() {
                    self.world.input(Input::RouteDisturbed(net(PREFIXES[p])));
                }
            }
            Step::ForeignObject(n) => {
                if let Some(id) = self.world.kernel.object_ids().get(n).copied() {
                    self.world.kernel.foreign_object_removal(id);
                    self.world.input(Input::NextHopRemoved(id));
                }
            }
            Step::ClientRestart => {
                self.world.input(Input::ClientGone(self.client));
                self.synchronise();
            }
            Step::RibRestart => {
                self.world = World::unborn(core::mem::take(&mut self.world.kernel));
                self.world.start(CONFIGS[self.config], &self.down);
                self.synchronise();
            }
            Step::Refuse(n) => self.world.kernel.refuse = n,
            Step::Wait(millis) => self.world.wait(Duration::from_millis(millis)),
        }
    }

    /// What a RIB that starts now would put into an empty kernel.
    fn fresh(&self) -> Forwarding {
        let mut kernel = Kernel::default();
        self.down.iter().for_each(|i| kernel.carrier(*i, false));
        let mut world = World::unborn(kernel);
        world.start(CONFIGS[self.config], &self.down);
        world.ospf(ClientId(1), &self.offered.values().cloned().collect::<Vec<_>>());
        world.kernel.forwarding()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happened_the_kernel_ends_up_as_from_a_fresh_start(steps in prop::collection::vec(step(), 1..40)) {
        let mut run = Run::new();
        for step in steps {
            run.take(step);
        }
        run.world.kernel.refuse = 0;
        // Longer than the longest retry delay, shorter than the stale time.
        run.world.wait(Duration::from_secs(61));
        prop_assert_eq!(run.world.kernel.forwarding(), run.fresh());
    }

    #[test]
    fn model_and_kernel_agree_after_every_step(steps in prop::collection::vec(step(), 1..40)) {
        let mut run = Run::new();
        for step in steps {
            run.take(step);
            let believed: Vec<_> =
                run.world.rib.fib().iter().filter(|(_, e)| e.sent.is_some()).map(|(p, _)| p).collect();
            let held: Vec<_> = run.world.kernel.routes.keys().copied().collect();
            // A refused replacement leaves the former route, which the model forgets on purpose.
            if !run.world.rib.fib().has_failed() {
                prop_assert_eq!(believed, held);
                let objects: Vec<u32> = run.world.rib.fib().objects().iter().map(|(id, _)| id).collect();
                prop_assert_eq!(objects, run.world.kernel.object_ids());
            }
        }
    }
}
