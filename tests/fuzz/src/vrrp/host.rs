//! The host around the engine: its interfaces, its kernel's obedience, its time.

use super::check;
use ipnetwork::Ipv4Network;
use routing_common::config::Config;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, Link, LinkEvent, VRRP_ADDRESS_PROTOCOL};
use routing_common::machine::Machine;
use routing_common::prefix;
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use vrrp_proto::packet::Received;
use vrrp_proto::{Input, Instance, Output};

/// The LAN.
pub(super) const BASE: IfIndex = IfIndex(2);
/// The interface whose address is a virtual one.
pub(super) const OWNED: IfIndex = IfIndex(3);
/// Outputs of one input, with all that the kernel's answers set off.
const MOST_OUTPUTS: usize = 500;
/// Frames kept for echoes.
const KEPT: usize = 4096;

/// With the LAN's prefix length.
pub(super) fn network(address: Ipv4Addr) -> Ipv4Network {
    Ipv4Network::new(address, 24).unwrap_or_else(|_| prefix::host(address))
}

/// See the module text.
pub(super) struct Host {
    pub(super) engine: Instance,
    pub(super) now: Instant,
    pub(super) events: usize,
    /// Requests to refuse from now on.
    pub(super) refuse: usize,
    /// What left, most recent last.
    pub(super) frames: Vec<Vec<u8>>,
    links: BTreeMap<IfIndex, Link>,
    addresses: BTreeSet<Address>,
    /// Links that went away by [`Host::vanish`], to come back.
    gone: BTreeMap<IfIndex, (Link, Vec<Address>)>,
    open: BTreeMap<IfIndex, InterfaceName>,
    /// Where ARP is heard.
    arp: BTreeSet<IfIndex>,
    next_index: u32,
    stopping: bool,
    finished: bool,
}

impl Host {
    pub(super) fn new(config: Config) -> Self {
        let mut host = Self {
            engine: Instance::new(),
            now: Instant::from_secs(1),
            events: 0,
            refuse: 0,
            frames: Vec::new(),
            links: BTreeMap::new(),
            addresses: BTreeSet::new(),
            gone: BTreeMap::new(),
            open: BTreeMap::new(),
            arp: BTreeSet::new(),
            next_index: 10,
            stopping: false,
            finished: false,
        };
        host.reconfigure(config);
        for (ifindex, name, own) in
            [(BASE, "eth0", Ipv4Addr::new(192, 0, 2, 1)), (OWNED, "eth1", Ipv4Addr::new(198, 51, 100, 1))]
        {
            let link = link(ifindex, name);
            host.gone.insert(ifindex, (link, vec![address(ifindex, network(own), 0)]));
            host.vanish(ifindex);
        }
        host.tell(Input::Link(LinkEvent::SnapshotComplete));
        host
    }

    /// A socket breaks, if there is one.
    pub(super) fn lose_socket(&mut self, ifindex: IfIndex) {
        if self.open.remove(&ifindex).is_none() {
            return;
        }
        self.tell(Input::Fault { ifindex: Some(ifindex), text: "recv: out of memory".into() });
    }

    pub(super) fn tell(&mut self, input: Input<'_>) {
        // A process that has ended hears nothing any more.
        if self.finished {
            return;
        }
        self.stopping |= matches!(input, Input::Shutdown);
        self.engine.handle(self.now, input);
        self.drain();
    }

    pub(super) fn receive(&mut self, ifindex: IfIndex, packet: Received<'_>) {
        // A socket that is not open hears nothing.
        if self.open.contains_key(&ifindex) {
            self.tell(Input::Packet { ifindex, packet });
        }
    }

    pub(super) fn hear_arp(&mut self, ifindex: IfIndex, message: &[u8]) {
        if self.open.contains_key(&ifindex) && self.arp.contains(&ifindex) {
            self.tell(Input::Arp { ifindex, message });
        }
    }

    pub(super) fn reconfigure(&mut self, config: Config) {
        self.tell(Input::Reconfigure(Box::new(config)));
    }

    /// Carries out what the engine wants, then tells what the kernel says to that, until nobody says anything.
    fn drain(&mut self) {
        let mut count = 0;
        loop {
            let (mut refused, mut told) = (Vec::new(), Vec::new());
            while let Some(output) = self.engine.poll_output() {
                count += 1;
                assert!(count < MOST_OUTPUTS, "one input, {count} outputs");
                assert!(!self.finished || matches!(output, Output::Notice(_)), "{output:?} after the end");
                match self.refusal(&output) {
                    Some(ifindex) => refused.push(ifindex),
                    None => told.extend(self.carry_out(output)),
                }
            }
            if refused.is_empty() && told.is_empty() {
                return;
            }
            for ifindex in refused {
                let text = "out of memory".to_owned();
                self.engine.handle(self.now, Input::Fault { ifindex, text });
            }
            for event in told {
                self.engine.handle(self.now, Input::Link(event));
            }
        }
    }

    /// Is this one of the requests to refuse? With the interface it was for.
    fn refusal(&mut self, output: &Output) -> Option<Option<IfIndex>> {
        let ifindex = match output {
            Output::OpenInterface { ifindex, .. } => Some(*ifindex),
            Output::ListenArp { .. }
            | Output::CreateDevice { .. }
            | Output::RemoveDevice { .. }
            | Output::SetDevice { .. }
            | Output::InstallAddress { .. }
            | Output::RemoveAddress { .. }
            | Output::SetSysctl { .. } => None,
            _ => return None,
        };
        self.refuse = self.refuse.checked_sub(1)?;
        Some(ifindex)
    }

    fn carry_out(&mut self, output: Output) -> Vec<LinkEvent> {
        match output {
            Output::OpenInterface { ifindex, name } => {
                assert_eq!(
                    self.links.get(&ifindex).map(|l| &l.name),
                    Some(&name),
                    "opened what is not there"
                );
                self.open.insert(ifindex, name);
                self.arp.remove(&ifindex);
                Vec::new()
            }
            Output::CloseInterface { ifindex } => {
                self.open.remove(&ifindex);
                Vec::new()
            }
            Output::ListenArp { ifindex, addresses } => {
                if addresses.is_empty() {
                    self.arp.remove(&ifindex);
                } else {
                    assert!(self.links.contains_key(&ifindex), "listens on an interface that is gone");
                    self.arp.insert(ifindex);
                }
                Vec::new()
            }
            Output::Transmit { ifindex, frame, kind } => {
                check::frame(&frame, kind);
                assert!(self.links.contains_key(&ifindex), "sent on an interface that is gone");
                if self.frames.len() >= KEPT {
                    self.frames.drain(..KEPT / 2);
                }
                self.frames.push(frame);
                Vec::new()
            }
            Output::CreateDevice { name, parent, mac, alias } => self.create_device(name, parent, mac, alias),
            Output::RemoveDevice { ifindex, .. } => self.remove_link(ifindex),
            Output::SetDevice { ifindex, up } => match self.links.get_mut(&ifindex) {
                Some(link) => {
                    (link.admin_up, link.running) = (up, up);
                    vec![LinkEvent::LinkChanged(link.clone())]
                }
                None => Vec::new(),
            },
            Output::InstallAddress { ifindex, address: network, lifetime } => {
                assert_eq!(network.prefix(), 32, "a virtual address that is not a host");
                assert!(lifetime >= Duration::from_secs(1) && lifetime.subsec_nanos() == 0, "{lifetime:?}");
                let new = address(ifindex, network, VRRP_ADDRESS_PROTOCOL);
                let fresh = self.links.contains_key(&ifindex) && self.addresses.insert(new.clone());
                fresh.then_some(LinkEvent::AddressAdded(new)).into_iter().collect()
            }
            Output::RemoveAddress { ifindex, address: network } => {
                let found = self.addresses.iter().find(|a| a.ifindex == ifindex && a.network == network);
                let Some(found) = found.cloned() else { return Vec::new() };
                assert_eq!(found.protocol, VRRP_ADDRESS_PROTOCOL, "removed an address that is not ours");
                self.addresses.remove(&found);
                vec![LinkEvent::AddressRemoved(found)]
            }
            Output::SetSysctl { .. } | Output::RestoreSysctls { .. } => Vec::new(),
            Output::Notice(notice) => {
                assert!(!notice.text.is_empty() && !notice.code.is_empty());
                Vec::new()
            }
            Output::Finished => {
                assert!(self.stopping, "finished without having been asked");
                assert!(self.open.is_empty(), "finished with open interfaces");
                self.finished = true;
                Vec::new()
            }
        }
    }

    fn create_device(
        &mut self,
        name: InterfaceName,
        parent: IfIndex,
        mac: [u8; 6],
        alias: &str,
    ) -> Vec<LinkEvent> {
        let taken = self.links.values().any(|l| l.name == name);
        if taken || !self.links.contains_key(&parent) {
            return Vec::new();
        }
        self.next_index += 1;
        let ifindex = IfIndex(self.next_index);
        let device = Link {
            admin_up: false,
            running: false,
            mac: Some(mac),
            kind: Some("macvlan".into()),
            parent: Some(parent),
            ..link(ifindex, name.as_str())
        };
        // The kernel takes an alias only once the device is there.
        let tagged = Link { alias: Some(alias.to_owned()), ..device.clone() };
        self.links.insert(ifindex, tagged.clone());
        vec![LinkEvent::LinkChanged(device), LinkEvent::LinkChanged(tagged)]
    }

    fn remove_link(&mut self, ifindex: IfIndex) -> Vec<LinkEvent> {
        if self.links.remove(&ifindex).is_none() {
            return Vec::new();
        }
        let gone: Vec<Address> = self.addresses.iter().filter(|a| a.ifindex == ifindex).cloned().collect();
        self.addresses.retain(|a| a.ifindex != ifindex);
        gone.into_iter().map(LinkEvent::AddressRemoved).chain([LinkEvent::LinkRemoved(ifindex)]).collect()
    }

    fn tell_all(&mut self, events: Vec<LinkEvent>) {
        for event in events {
            self.tell(Input::Link(event));
        }
    }

    pub(super) fn change_link(&mut self, ifindex: IfIndex, change: impl FnOnce(&mut Link)) {
        let Some(link) = self.links.get_mut(&ifindex) else { return };
        change(link);
        let link = link.clone();
        self.tell(Input::Link(LinkEvent::LinkChanged(link)));
    }

    /// Somebody takes a virtual address away.
    pub(super) fn steal(&mut self, nth: usize) {
        let tagged = self.addresses.iter().filter(|a| a.protocol == VRRP_ADDRESS_PROTOCOL);
        if let Some(address) = tagged.cloned().nth(nth) {
            self.addresses.remove(&address);
            self.tell(Input::Link(LinkEvent::AddressRemoved(address)));
        }
    }

    pub(super) fn toggle_own_address(&mut self, ifindex: IfIndex) {
        if !self.links.contains_key(&ifindex) {
            return;
        }
        let subnet = if ifindex == BASE { [192, 0, 2, 1] } else { [198, 51, 100, 1] };
        let own = address(ifindex, network(subnet.into()), 0);
        let event = if self.addresses.remove(&own) {
            LinkEvent::AddressRemoved(own)
        } else {
            self.addresses.insert(own.clone());
            LinkEvent::AddressAdded(own)
        };
        self.tell(Input::Link(event));
    }

    /// Somebody removes a device of ours.
    pub(super) fn remove_device(&mut self, nth: usize) {
        let device = self.links.values().filter(|l| l.kind.is_some()).nth(nth).map(|l| l.ifindex);
        if let Some(ifindex) = device {
            let events = self.remove_link(ifindex);
            self.tell_all(events);
        }
    }

    /// A base interface goes, its macvlans with it; or it comes back.
    pub(super) fn vanish(&mut self, ifindex: IfIndex) {
        if let Some((link, addresses)) = self.gone.remove(&ifindex) {
            self.links.insert(ifindex, link.clone());
            self.tell(Input::Link(LinkEvent::LinkChanged(link)));
            for address in addresses {
                self.addresses.insert(address.clone());
                self.tell(Input::Link(LinkEvent::AddressAdded(address)));
            }
            return;
        }
        let Some(link) = self.links.get(&ifindex).cloned() else { return };
        let own = self.addresses.iter().filter(|a| a.ifindex == ifindex && a.protocol == 0);
        self.gone.insert(ifindex, (link, own.cloned().collect()));
        let above: Vec<IfIndex> =
            self.links.values().filter(|l| l.parent == Some(ifindex)).map(|l| l.ifindex).collect();
        for ifindex in above.into_iter().chain([ifindex]) {
            let events = self.remove_link(ifindex);
            self.tell_all(events);
        }
    }

    /// Runs the engine's timers of the next moment; `false` if none is due by `end`. Afterwards the next
    /// deadline lies in the future, or the shell would spin.
    pub(super) fn advance(&mut self, end: Instant) -> bool {
        let next = self.engine.poll_timeout().filter(|at| *at <= end && !self.finished);
        let Some(next) = next else {
            self.now = self.now.max(end);
            return false;
        };
        self.now = self.now.max(next);
        self.events += 1;
        for round in 0.. {
            assert!(round < 8, "after {round} rounds of timers there still is one due at {}", self.now);
            self.engine.handle_timeout(self.now);
            self.drain();
            if self.engine.poll_timeout().is_none_or(|at| at > self.now) {
                return true;
            }
        }
        true
    }

    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.events <= super::EVENTS && self.advance(end) {}
    }

    /// Nobody runs for a while.
    pub(super) fn sleep(&mut self, span: Duration) {
        self.now += span;
    }

    /// Asks everything and shows it.
    pub(super) fn inspect(&self) {
        check::shows(&self.engine, self.now);
    }

    /// The kernel stops refusing and gets the time to become what is wished for.
    pub(super) fn recover(&mut self) {
        self.refuse = 0;
        let end = self.now + Duration::from_secs(5);
        while self.advance(end) {}
        let serving = self.engine.routers().filter(|r| r.state == vrrp_proto::machine::State::Active);
        for router in serving.collect::<Vec<_>>() {
            for virtual_address in &router.group.virtual_addresses {
                let held = self.addresses.iter().any(|a| a.network.ip() == virtual_address.ip());
                assert!(held, "active for {virtual_address} without holding it");
            }
        }
    }

    /// Ends the engine on a kernel that obeys: nothing of ours may be left. When the script has ended it before,
    /// the kernel may have refused to clean up.
    pub(super) fn shut_down(&mut self) {
        let on_our_word = !self.stopping;
        self.tell(Input::Shutdown);
        let end = self.now + Duration::from_secs(60);
        while !self.finished && self.advance(end) {}
        assert!(self.finished, "shut down and never finished");
        if !on_our_word {
            return;
        }
        assert!(self.links.values().all(|l| l.kind.is_none()), "a device is left: {:?}", self.links);
        let left = self.addresses.iter().find(|a| a.protocol == VRRP_ADDRESS_PROTOCOL);
        assert!(left.is_none(), "an address is left: {left:?}");
    }
}

fn link(ifindex: IfIndex, name: &str) -> Link {
    Link {
        mac: Some([2, 0, 0, 0, 0, 9]),
        ..Link::ethernet(ifindex, name.parse().unwrap_or_else(|e| panic!("{e}")))
    }
}

fn address(ifindex: IfIndex, network: Ipv4Network, protocol: u8) -> Address {
    Address { protocol, ..Address::new(ifindex, network) }
}
