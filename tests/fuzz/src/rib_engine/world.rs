//! A RIB, its kernel, its clients and its time.

use super::kernel::{Kernel, Object};
use super::setup;
use ipnetwork::Ipv4Network;
use rib::api::{Request, render_text};
use rib::fib::{FibFailure, FibRequest, FibResults};
use rib::message::{ClientMessage, PROTOCOL_VERSION, Protocol, RibMessage, Route, RouteChange};
use rib::route::{Origin, Way};
use rib::system::SystemOp;
use rib::{ClientId, Input, Output, Rib};
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Outputs of one input.
const MOST_OUTPUTS: usize = 2000;
/// Longer than the longest retry delay, shorter than the stale time.
const PATIENCE: Duration = Duration::from_secs(61);

/// See the module text.
pub(super) struct World {
    pub(super) rib: Rib,
    pub(super) kernel: Kernel,
    pub(super) now: Instant,
    /// Requests wait for [`World::answer`].
    pub(super) late: bool,
    choice: usize,
    links: BTreeMap<IfIndex, Link>,
    addresses: BTreeSet<Address>,
    clients: BTreeSet<ClientId>,
    /// Numbers of connections are never used again; the scripts' numbers are.
    numbers: BTreeMap<ClientId, ClientId>,
    next_number: u64,
    under_way: VecDeque<FibRequest>,
    last_token: u64,
    system: VecDeque<SystemOp>,
}

impl World {
    pub(super) fn new(kernel: Kernel, choice: usize) -> Self {
        let mut world = Self::unborn(kernel, choice);
        world.configure(choice);
        for ifindex in [2, 3, 4].map(IfIndex) {
            world.add_link(ifindex);
            world.toggle_address(ifindex, setup::address_of(ifindex));
        }
        world.start();
        world
    }

    fn unborn(kernel: Kernel, choice: usize) -> Self {
        Self {
            rib: Rib::new(),
            kernel,
            now: Instant::from_secs(1),
            late: false,
            choice,
            links: BTreeMap::new(),
            addresses: BTreeSet::new(),
            clients: BTreeSet::new(),
            numbers: BTreeMap::new(),
            next_number: 100,
            under_way: VecDeque::new(),
            last_token: 0,
            system: VecDeque::new(),
        }
    }

    fn start(&mut self) {
        self.input(Input::Link(LinkEvent::SnapshotComplete));
        self.snapshot();
    }

    pub(super) fn input(&mut self, input: Input) {
        self.rib.handle(self.now, input);
        self.drain();
    }

    fn drain(&mut self) {
        let mut count = 0;
        loop {
            let mut gone = Vec::new();
            while let Some(output) = self.rib.poll_output() {
                count += 1;
                assert!(count < MOST_OUTPUTS, "one input, {count} outputs");
                match output {
                    Output::Fib(request) => {
                        assert_eq!(request.token, self.last_token + 1, "request numbers have a gap");
                        self.last_token = request.token;
                        self.under_way.push_back(request);
                    }
                    Output::System(op) => self.system.push_back(op),
                    Output::ToClient(id, message) => self.told(id, &message),
                    Output::Disconnect(id) => gone.push(id),
                    Output::Notice(notice) => {
                        assert!(!notice.text.is_empty() && !notice.code.is_empty());
                    }
                }
            }
            let mut at_rest = true;
            for id in gone {
                if self.clients.remove(&id) {
                    self.rib.handle(self.now, Input::ClientGone(id));
                    at_rest = false;
                }
            }
            if !self.late && !self.under_way.is_empty() {
                self.carry_out(usize::MAX);
                at_rest = false;
            }
            if at_rest {
                return;
            }
        }
    }

    /// Executes the oldest requests and tells the RIB what came of them.
    fn carry_out(&mut self, most: usize) {
        let mut results = FibResults { up_to: 0, failures: Vec::new() };
        for _ in 0..most {
            let Some(request) = self.under_way.pop_front() else { break };
            results.up_to = request.token;
            if let Err(kind) = self.kernel.apply(&request.op) {
                let text = "refused".to_owned();
                results.failures.push(FibFailure { token: request.token, kind, text });
            }
        }
        if results.up_to > 0 {
            self.rib.handle(self.now, Input::FibResults(results));
        }
    }

    fn told(&self, id: ClientId, message: &RibMessage) {
        assert!(self.numbers.values().any(|n| *n == id), "{message:?} to nobody");
        match message {
            RibMessage::Redistribute(routes) => assert!(!routes.is_empty()),
            RibMessage::Unredistribute(routes) => assert!(!routes.is_empty()),
            _ => {}
        }
    }

    /// Answers some of the requests that wait.
    pub(super) fn answer(&mut self, most: usize) {
        self.carry_out(most);
        self.drain();
    }

    /// Answers all of them, and lets retries succeed.
    pub(super) fn settle(&mut self) {
        self.kernel.refuse = 0;
        self.answer(usize::MAX);
        self.wait(PATIENCE);
        self.answer(usize::MAX);
    }

    /// Lets time pass, every timer at its moment; each must move the next one into the future.
    pub(super) fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        for count in 0.. {
            assert!(count < 10_000, "too many timers within {span:?}");
            let Some(at) = self.rib.poll_timeout().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.rib.handle_timeout(self.now);
            let next = self.rib.poll_timeout();
            assert!(
                next.is_none_or(|at| at > self.now),
                "after the timers of {} one is due at {next:?}",
                self.now
            );
            self.drain();
        }
        self.now = end;
    }

    pub(super) fn configure(&mut self, choice: usize) {
        self.choice = choice;
        self.input(Input::Reconfigure(Box::new(setup::config(choice))));
    }

    // Links.

    fn link_changed(&mut self, ifindex: IfIndex) {
        if let Some(link) = self.links.get(&ifindex).cloned() {
            self.input(Input::Link(LinkEvent::LinkChanged(link)));
        }
    }

    pub(super) fn carrier(&mut self, ifindex: IfIndex, up: bool) {
        let Some(link) = self.links.get_mut(&ifindex) else { return };
        link.running = up && link.admin_up;
        let running = link.running;
        self.kernel.carrier(ifindex, running);
        self.link_changed(ifindex);
    }

    pub(super) fn set_admin(&mut self, ifindex: IfIndex, up: bool) {
        let Some(link) = self.links.get_mut(&ifindex) else { return };
        (link.admin_up, link.running) = (up, up);
        if up {
            self.kernel.carrier(ifindex, true);
        } else {
            self.kernel.interface_down(ifindex);
        }
        self.link_changed(ifindex);
    }

    pub(super) fn remove_link(&mut self, ifindex: IfIndex) {
        if self.links.remove(&ifindex).is_none() {
            return;
        }
        self.kernel.interface_down(ifindex);
        for address in self.addresses.iter().filter(|a| a.ifindex == ifindex).cloned().collect::<Vec<_>>() {
            self.addresses.remove(&address);
            self.input(Input::Link(LinkEvent::AddressRemoved(address)));
        }
        self.input(Input::Link(LinkEvent::LinkRemoved(ifindex)));
    }

    pub(super) fn add_link(&mut self, ifindex: IfIndex) {
        if !self.links.contains_key(&ifindex) {
            self.links.insert(ifindex, setup::link(ifindex));
            self.kernel.carrier(ifindex, true);
            self.link_changed(ifindex);
        }
    }

    pub(super) fn toggle_address(&mut self, ifindex: IfIndex, network: Ipv4Network) {
        let address = setup::address(ifindex, network);
        if !self.links.contains_key(&ifindex) {
            return;
        }
        let event = if self.addresses.remove(&address) {
            if self.addresses.iter().all(|a| a.ifindex != ifindex) {
                self.kernel.addressless(ifindex);
            }
            LinkEvent::AddressRemoved(address)
        } else {
            self.addresses.insert(address.clone());
            LinkEvent::AddressAdded(address)
        };
        self.input(Input::Link(event));
    }

    // Strangers in the kernel.

    pub(super) fn foreign_route(&mut self, nth: usize) {
        if let Some(prefix) = self.kernel.routes.keys().copied().nth(nth) {
            self.kernel.routes.remove(&prefix);
            self.input(Input::RouteDisturbed(prefix));
        }
    }

    pub(super) fn foreign_object(&mut self, nth: usize, how: u8) {
        let Some(id) = self.kernel.objects.keys().copied().nth(nth) else { return };
        if how & 1 == 0 {
            self.kernel.drop_objects(BTreeSet::from([id]));
            self.input(Input::NextHopRemoved(id));
        } else if let Some(Object::Hop(hop)) = self.kernel.objects.get_mut(&id) {
            hop.gateway = Some(std::net::Ipv4Addr::new(10, 0, 1, how));
            self.input(Input::NextHopPut(id));
        }
    }

    /// A dump. The shell asks for one only while nothing is under way.
    pub(super) fn snapshot(&mut self) {
        if self.under_way.is_empty() {
            let snapshot = self.kernel.snapshot();
            self.input(Input::KernelSnapshot(snapshot));
        }
    }

    pub(super) fn answer_system(&mut self, well: bool) {
        if let Some(op) = self.system.pop_front() {
            let outcome = if well { Ok(()) } else { Err("read-only".to_owned()) };
            self.input(Input::SystemResult(op, outcome));
        }
    }

    // Clients.

    pub(super) fn connect(&mut self, id: ClientId) {
        self.disconnect(id);
        self.next_number += 1;
        let number = ClientId(self.next_number);
        self.numbers.insert(id, number);
        self.clients.insert(number);
        self.input(Input::ClientConnected(number));
    }

    pub(super) fn disconnect(&mut self, id: ClientId) {
        if let Some(number) = self.numbers.get(&id).copied()
            && self.clients.remove(&number)
        {
            self.input(Input::ClientGone(number));
        }
    }

    pub(super) fn say(&mut self, id: ClientId, message: ClientMessage) {
        if let Some(number) = self.numbers.get(&id).copied().filter(|n| self.clients.contains(n)) {
            self.input(Input::ClientMessage(number, message));
        }
    }

    /// A whole OSPF session, synchronised with no routes.
    pub(super) fn session(&mut self, id: ClientId) {
        self.connect(id);
        let (version, protocol) = (PROTOCOL_VERSION, Some(Protocol::Ospf));
        self.say(id, ClientMessage::Hello { version, protocol, name: "ospfd".into() });
        self.say(id, ClientMessage::BeginSync);
        self.say(id, ClientMessage::EndSync);
    }

    // Laws.

    /// What the RIB believes to be in the kernel is there, when it has no reason to doubt.
    pub(super) fn agree(&self) {
        if !self.under_way.is_empty() || self.rib.fib().has_failed() || !self.rib.is_ready() {
            return;
        }
        let believed: Vec<_> =
            self.rib.fib().iter().filter(|(_, e)| e.sent.is_some()).map(|(p, _)| p).collect();
        let held: Vec<_> = self.kernel.routes.keys().copied().collect();
        assert_eq!(believed, held, "model and kernel disagree about routes");
        let believed: Vec<u32> = self.rib.fib().objects().iter().map(|(id, _)| id).collect();
        let held: Vec<u32> = self.kernel.objects.keys().copied().collect();
        assert_eq!(believed, held, "model and kernel disagree about objects");
    }

    pub(super) fn inspect(&self) {
        let routes = |longer| Request::Routes { protocol: None, prefix: Some(setup::PREFIXES[1]), longer };
        for request in [
            Request::Routes { protocol: None, prefix: None, longer: false },
            routes(true),
            Request::RouteSummary,
            Request::Fib { prefix: None },
            Request::FailedRoutes,
            Request::Why { prefix: setup::PREFIXES[1] },
            Request::NextHopTracking,
            Request::Statics,
            Request::NextHopGroups { id: None },
            Request::Interfaces,
            Request::InterfaceDetails { name: None },
            Request::Descriptions,
            Request::Forwarding,
            Request::Clients,
            Request::System,
        ] {
            let value = self.rib.query(self.now, &request).unwrap_or_else(|e| panic!("{request:?}: {e}"));
            assert!(render_text(&request, &value).is_ok(), "{request:?}: own reply refused: {value}");
        }
    }

    /// The second law of [`super`].
    pub(super) fn compare_with_fresh_start(&mut self) {
        let kernel = Kernel {
            down: self.kernel.down.clone(),
            without_objects: self.kernel.without_objects,
            ..Kernel::default()
        };
        let mut fresh = Self::unborn(kernel, self.choice);
        fresh.configure(self.choice);
        for link in self.links.values() {
            fresh.input(Input::Link(LinkEvent::LinkChanged(link.clone())));
        }
        for address in &self.addresses {
            fresh.input(Input::Link(LinkEvent::AddressAdded(address.clone())));
        }
        fresh.start();
        fresh.session(ClientId(1));
        fresh.say(ClientId(1), ClientMessage::Routes(self.offered().map(RouteChange::Replace).collect()));
        // A refused replacement leaves the former route in place, which a fresh start knows nothing of.
        if !self.rib.fib().has_failed() && !fresh.rib.fib().has_failed() {
            assert_eq!(self.kernel.forwarding(), fresh.kernel.forwarding(), "as from a fresh start");
        }
    }

    /// What the table holds of OSPF.
    fn offered(&self) -> impl Iterator<Item = Route> {
        let candidates =
            self.rib.table().iter().flat_map(|(p, entry)| entry.candidates.iter().map(move |c| (p, c)));
        candidates.filter(|(_, c)| c.origin == Origin::Client(Protocol::Ospf)).map(|(prefix, c)| Route {
            prefix,
            distance: c.distance,
            metric: c.metric,
            tag: c.tag,
            next_hops: match &c.way {
                Way::Hops(hops) => hops.clone(),
                Way::Static(_) | Way::Blackhole => Default::default(),
            },
        })
    }

    /// Stops on purpose: nothing of ours is left on a kernel that obeys.
    pub(super) fn shut_down(&mut self) {
        self.input(Input::Shutdown);
        self.settle();
        assert!(self.kernel.routes.is_empty(), "routes are left: {:?}", self.kernel.routes);
    }
}
