//! A model of one router's Linux kernel: interfaces, addresses, next-hop objects, routes, and what it does to
//! them without being asked.
//!
//! What it does to them was observed on real kernels, and the lab's suites hold the daemons to it there: objects
//! (and every route that uses them) go without a word when carrier or the interface goes; plain routes stay
//! without carrier and go with the interface; an address with a lifetime goes when nobody renews it. Every change
//! of a link or address is told as the netlink monitor tells it, through [`Kernel::take_events`].

use crate::scenario::Router;
use ipnetwork::Ipv4Network;
use rib::fib::{
    FibErrorKind, FibOp, KernelNextHop, KernelNextHopContent, KernelRoute, KernelSnapshot, Put, Via,
};
use rib::route::FibHop;
use rib::system::SystemOp;
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, Link, LinkEvent, RIBD_ADDRESS_PROTOCOL, VRRP_ADDRESS_PROTOCOL};
use routing_common::time::{Duration, Instant};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The loopback's index.
pub const LOOPBACK: IfIndex = IfIndex(1);
/// The first index of a device somebody makes.
const FIRST_DEVICE: u32 = 1000;

/// The index of a port.
pub fn ifindex(port: usize) -> IfIndex {
    IfIndex(u32::try_from(port).unwrap_or(FIRST_DEVICE) + 2)
}

/// The port of an index; `None` for the loopback and devices.
pub fn port(ifindex: IfIndex) -> Option<usize> {
    (2..FIRST_DEVICE).contains(&ifindex.0).then(|| ifindex.0 as usize - 2)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Object {
    Hop(FibHop),
    Group(Vec<u32>),
}

/// What the kernel would do with a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is for this router.
    Local,
    /// Out of one of these; a flow always takes the same one.
    Forward(Vec<FibHop>),
    /// A blackhole route matched.
    Drop,
    /// No route matched.
    NoRoute,
}

/// The kernel of one router.
#[derive(Debug, Clone)]
pub struct Kernel {
    links: BTreeMap<IfIndex, Link>,
    carriers: BTreeSet<IfIndex>,
    addresses: Vec<(Address, Option<Instant>)>,
    objects: BTreeMap<u32, Object>,
    routes: BTreeMap<Ipv4Network, (u8, Via)>,
    sysctls: BTreeMap<Vec<String>, u32>,
    without_objects: bool,
    /// Route changes to refuse, in a thousand.
    pub refuse_permille: u16,
    events: Vec<LinkEvent>,
    next_device: u32,
    /// Grows whenever forwarding may have changed.
    pub version: u64,
    /// Route and object writes asked for.
    pub writes: u64,
}

fn link(ifindex: IfIndex, name: InterfaceName, mtu: u32) -> Link {
    Link { admin_up: false, running: false, mtu, ..Link::ethernet(ifindex, name) }
}

/// The hardware address of a port.
pub fn mac(router: usize, port: usize) -> [u8; 6] {
    let [_, _, a, b] = (router as u32).to_be_bytes();
    [0x02, 0, 0, a, b, port as u8]
}

impl Kernel {
    /// A kernel just booted: interfaces without addresses, down but for the loopback. `mtu` by port.
    ///
    /// # Errors
    /// More ports than a name can count.
    pub(crate) fn boot(index: usize, router: &Router, mtus: &[u32]) -> anyhow::Result<Self> {
        let loopback =
            Link { admin_up: true, running: true, loopback: true, ..link(LOOPBACK, "lo".parse()?, 65_536) };
        let mut links = BTreeMap::from([(LOOPBACK, loopback)]);
        for (p, mtu) in mtus.iter().enumerate() {
            let eth = Link { mac: Some(mac(index, p)), ..link(ifindex(p), format!("eth{p}").parse()?, *mtu) };
            links.insert(eth.ifindex, eth);
        }
        Ok(Self {
            carriers: links.keys().copied().collect(),
            links,
            addresses: Vec::new(),
            objects: BTreeMap::new(),
            routes: BTreeMap::new(),
            sysctls: BTreeMap::new(),
            without_objects: router.plain_routes,
            refuse_permille: 0,
            events: Vec::new(),
            next_device: FIRST_DEVICE,
            version: 0,
            writes: 0,
        })
    }

    /// What the monitors have not been told yet.
    pub(crate) fn take_events(&mut self) -> Vec<LinkEvent> {
        core::mem::take(&mut self.events)
    }

    /// What a monitor tells when it starts.
    pub(crate) fn dump(&self) -> Vec<LinkEvent> {
        let links = self.links.values().cloned().map(LinkEvent::LinkChanged);
        let addresses = self.addresses.iter().map(|(a, _)| LinkEvent::AddressAdded(a.clone()));
        links.chain(addresses).chain([LinkEvent::SnapshotComplete]).collect()
    }

    /// All links.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// All addresses.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.addresses.iter().map(|(a, _)| a)
    }

    /// Is this one of its addresses?
    pub fn has(&self, address: Ipv4Addr) -> bool {
        self.addresses().any(|a| a.network.ip() == address)
    }

    /// Is it one of this interface?
    pub fn has_on(&self, ifindex: IfIndex, address: Ipv4Addr) -> bool {
        self.addresses().any(|a| a.ifindex == ifindex && a.network.ip() == address)
    }

    /// Can frames pass?
    pub fn is_running(&self, ifindex: IfIndex) -> bool {
        self.links.get(&ifindex).is_some_and(|l| l.running)
    }

    /// Is this address on a running interface on top of this one, or on it itself?
    pub fn answers_on(&self, base: IfIndex, address: Ipv4Addr) -> bool {
        self.addresses.iter().any(|(a, _)| {
            let Some(link) = self.links.get(&a.ifindex) else { return false };
            a.network.ip() == address && link.running && (a.ifindex == base || link.parent == Some(base))
        })
    }

    /// What this kernel answers to who asks for an address on this interface: the hardware address of the interface it
    /// lies on, if that works.
    pub fn arp_answer(&self, base: IfIndex, address: Ipv4Addr) -> Option<[u8; 6]> {
        let mut places = self.addresses.iter().filter(|(a, _)| a.network.ip() == address);
        places.find_map(|(a, _)| {
            let link = self.links.get(&a.ifindex).filter(|l| l.running)?;
            (a.ifindex == base || link.parent == Some(base)).then_some(link.mac).flatten()
        })
    }

    /// Is an interface a device on top of this one?
    pub fn is_on(&self, device: IfIndex, base: IfIndex) -> bool {
        self.links.get(&device).is_some_and(|l| l.parent == Some(base))
    }

    /// Is there a device on top of this interface that is administratively up?
    pub fn device_is_up(&self, base: IfIndex) -> bool {
        self.links.values().any(|l| l.parent == Some(base) && l.admin_up)
    }

    /// Plugs a port in or out.
    pub(crate) fn set_carrier(&mut self, ifindex: IfIndex, up: bool) {
        match up {
            true => self.carriers.insert(ifindex),
            false => self.carriers.remove(&ifindex),
        };
        self.refresh(ifindex, |_, _| {}, 0);
    }

    /// `ip link set … up|down`.
    pub(crate) fn set_admin(&mut self, ifindex: IfIndex, up: bool) {
        self.refresh(ifindex, |link, up| link.admin_up = up != 0, u32::from(up));
    }

    /// `ip link set … mtu`.
    pub(crate) fn set_mtu(&mut self, ifindex: IfIndex, mtu: u32) {
        self.refresh(ifindex, |link, mtu| link.mtu = mtu, mtu);
    }

    /// Changes a link and tells, with all that follows for devices on top of it and for routes.
    fn refresh(&mut self, ifindex: IfIndex, change: fn(&mut Link, u32), value: u32) {
        let Some(link) = self.links.get(&ifindex) else { return };
        let mut new = link.clone();
        change(&mut new, value);
        let below = new.parent.is_none_or(|p| self.is_running(p));
        new.running = new.admin_up && self.carriers.contains(&ifindex) && below;
        if new == *link {
            return;
        }
        self.version += 1;
        let (stopped, downed) = (link.running && !new.running, link.admin_up && !new.admin_up);
        self.links.insert(ifindex, new.clone());
        self.events.push(LinkEvent::LinkChanged(new));
        if stopped {
            self.drop_objects_of(ifindex);
        }
        if downed {
            let on = |hops: &[FibHop]| hops.iter().all(|h| h.ifindex == ifindex);
            self.routes.retain(|_, (_, via)| !matches!(via, Via::Plain(hops) if on(hops)));
        }
        let above: Vec<IfIndex> =
            self.links.values().filter(|l| l.parent == Some(ifindex)).map(|l| l.ifindex).collect();
        above.into_iter().for_each(|device| self.refresh(device, |_, _| {}, 0));
    }

    /// Puts an address on, or renews it.
    pub(crate) fn add_address(&mut self, address: Address, until: Option<Instant>) {
        let present = self
            .addresses
            .iter_mut()
            .find(|(a, _)| a.ifindex == address.ifindex && a.network == address.network);
        match present {
            Some((_, lifetime)) => *lifetime = until,
            None => {
                self.version += 1;
                self.addresses.push((address.clone(), until));
                self.events.push(LinkEvent::AddressAdded(address));
            }
        }
    }

    /// Takes an address off; says whether it was there.
    pub(crate) fn remove_address(&mut self, ifindex: IfIndex, network: Ipv4Network) -> bool {
        let place = self.addresses.iter().position(|(a, _)| a.ifindex == ifindex && a.network == network);
        let Some(place) = place else { return false };
        self.version += 1;
        let (address, _) = self.addresses.remove(place);
        self.events.push(LinkEvent::AddressRemoved(address));
        true
    }

    /// When the next lifetime ends, in true time.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.addresses.iter().filter_map(|(_, until)| *until).min()
    }

    /// Takes off what nobody renewed.
    pub(crate) fn expire(&mut self, now: Instant) {
        let over = |until: &Option<Instant>| until.is_some_and(|at| at <= now);
        let due: Vec<Address> =
            self.addresses.iter().filter(|(_, u)| over(u)).map(|(a, _)| a.clone()).collect();
        for address in due {
            self.remove_address(address.ifindex, address.network);
        }
    }

    /// What ribd asks for besides routes.
    pub(crate) fn system(&mut self, op: &SystemOp) {
        match op {
            SystemOp::AddAddress(ifindex, network) if self.links.contains_key(ifindex) => {
                let address = plain_address(*ifindex, *network, RIBD_ADDRESS_PROTOCOL);
                self.add_address(address, None);
            }
            SystemOp::AddAddress(..) => {}
            SystemOp::RemoveAddress(ifindex, network) => {
                self.remove_address(*ifindex, *network);
            }
            SystemOp::BringUp(ifindex) => self.set_admin(*ifindex, true),
            SystemOp::SetSysctl { path, value } => {
                self.sysctls.insert(path.clone(), *value);
                self.version += 1;
            }
            // There is no ARP here.
            SystemOp::ForgetUnresolved(_) => {}
        }
    }

    /// What vrrpd asks for. `until` translates a lifetime into true time.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn vrrp(
        &mut self,
        output: &vrrp_proto::Output,
        until: impl Fn(Duration) -> Instant,
    ) -> Result<(), String> {
        use vrrp_proto::Output;
        let known = |ifindex: &IfIndex| match self.links.contains_key(ifindex) {
            true => Ok(()),
            false => Err(format!("no interface {ifindex}")),
        };
        match output {
            Output::CreateDevice { name, parent, mac, alias } => {
                let mtu = self.links.get(parent).ok_or("no parent")?.mtu;
                let ifindex = IfIndex(self.next_device);
                self.next_device += 1;
                let device = Link {
                    mac: Some(*mac),
                    kind: Some("macvlan".to_owned()),
                    parent: Some(*parent),
                    ..link(ifindex, name.clone(), mtu)
                };
                self.carriers.insert(ifindex);
                let tagged = Link { alias: Some((*alias).to_owned()), ..device.clone() };
                self.links.insert(ifindex, tagged.clone());
                self.events.extend([LinkEvent::LinkChanged(device), LinkEvent::LinkChanged(tagged)]);
            }
            Output::RemoveDevice { ifindex, .. } => {
                known(ifindex)?;
                let on: Vec<Ipv4Network> =
                    self.addresses().filter(|a| a.ifindex == *ifindex).map(|a| a.network).collect();
                for network in on {
                    self.remove_address(*ifindex, network);
                }
                self.links.remove(ifindex);
                self.events.push(LinkEvent::LinkRemoved(*ifindex));
            }
            Output::SetDevice { ifindex, up } => {
                known(ifindex)?;
                self.set_admin(*ifindex, *up);
            }
            Output::InstallAddress { ifindex, address, lifetime } => {
                known(ifindex)?;
                let new = Address {
                    no_prefix_route: true,
                    ..plain_address(*ifindex, *address, VRRP_ADDRESS_PROTOCOL)
                };
                self.add_address(new, Some(until(*lifetime)));
            }
            Output::RemoveAddress { ifindex, address } if !self.remove_address(*ifindex, *address) => {
                return Err("cannot assign requested address".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    /// Carries out a request of ribd.
    ///
    /// # Errors
    /// What the kernel says.
    pub(crate) fn fib(&mut self, op: &FibOp) -> Result<(), (FibErrorKind, &'static str)> {
        self.version += 1;
        self.writes += 1;
        let absent = Err((FibErrorKind::Absent, "absent"));
        let refused = |text| Err((FibErrorKind::Refused, text));
        match op {
            FibOp::PutNextHop { .. } | FibOp::PutGroup { .. } | FibOp::RemoveNextHop { .. }
                if self.without_objects =>
            {
                Err((FibErrorKind::Unsupported, "no objects here"))
            }
            FibOp::PutGroup { mode: Put::Replace, id, .. } if !self.objects.contains_key(id) => absent,
            FibOp::PutNextHop { hop, .. } if !self.is_running(hop.ifindex) => refused("network is down"),
            FibOp::PutNextHop { id, .. } if matches!(self.objects.get(id), Some(Object::Group(_))) => {
                refused("a group cannot become a hop")
            }
            FibOp::PutNextHop { id, hop, .. } => {
                self.objects.insert(*id, Object::Hop(*hop));
                Ok(())
            }
            FibOp::PutGroup { id, .. } if matches!(self.objects.get(id), Some(Object::Hop(_))) => {
                refused("a hop cannot become a group")
            }
            FibOp::PutGroup { id, members, .. } => {
                let known = |m: &u32| matches!(self.objects.get(m), Some(Object::Hop(_)));
                if members.is_empty() || !members.iter().all(known) {
                    return refused("no such member");
                }
                self.objects.insert(*id, Object::Group(members.clone()));
                Ok(())
            }
            FibOp::RemoveNextHop { id } if !self.objects.contains_key(id) => absent,
            FibOp::RemoveNextHop { id } => {
                self.drop_objects(&BTreeSet::from([*id]));
                Ok(())
            }
            FibOp::InstallRoute { via: Via::Object(id), .. } if !self.objects.contains_key(id) => {
                refused("no such object")
            }
            FibOp::InstallRoute { via: Via::Plain(hops), .. }
                if hops.iter().any(|h| self.links.get(&h.ifindex).is_none_or(|l| !l.admin_up)) =>
            {
                refused("network is down")
            }
            FibOp::InstallRoute { prefix, protocol, via } => {
                self.routes.insert(*prefix, (*protocol, via.clone()));
                Ok(())
            }
            FibOp::RemoveRoute { prefix, protocol } => match self.routes.get(prefix) {
                Some((p, _)) if p == protocol => {
                    self.routes.remove(prefix);
                    Ok(())
                }
                _ => absent,
            },
        }
    }

    fn drop_objects_of(&mut self, ifindex: IfIndex) {
        let on = |o: &Object| matches!(o, Object::Hop(h) if h.ifindex == ifindex);
        let gone = self.objects.iter().filter(|(_, o)| on(o)).map(|(id, _)| *id).collect();
        self.drop_objects(&gone);
    }

    fn drop_objects(&mut self, gone: &BTreeSet<u32>) {
        let mut gone = gone.clone();
        for (id, object) in &mut self.objects {
            if let Object::Group(members) = object {
                members.retain(|m| !gone.contains(m));
                if members.is_empty() {
                    gone.insert(*id);
                }
            }
        }
        self.objects.retain(|id, _| !gone.contains(id));
        self.routes.retain(|_, (_, via)| !matches!(via, Via::Object(id) if gone.contains(id)));
    }

    /// Somebody removes the `n`-th route of ours; says which.
    pub(crate) fn remove_any_route(&mut self, n: u64) -> Option<Ipv4Network> {
        let count = self.routes.len() as u64;
        let prefix = *self.routes.keys().nth(n.checked_rem(count)? as usize)?;
        self.routes.remove(&prefix);
        self.version += 1;
        Some(prefix)
    }

    /// What ribd reads when it starts or lost count.
    pub(crate) fn snapshot(&self) -> KernelSnapshot {
        let content = |o: &Object| match o {
            Object::Hop(h) => KernelNextHopContent::Hop(*h),
            Object::Group(m) => KernelNextHopContent::Group(m.clone()),
        };
        let route = |(prefix, (protocol, via)): (&Ipv4Network, &(u8, Via))| KernelRoute {
            prefix: *prefix,
            protocol: *protocol,
            via: via.clone(),
        };
        KernelSnapshot {
            objects_supported: !self.without_objects,
            next_hops: self
                .objects
                .iter()
                .map(|(id, o)| KernelNextHop { id: *id, content: content(o) })
                .collect(),
            routes: self.routes.iter().map(route).collect(),
        }
    }

    /// The routes ribd installed: protocol number and next hops, sorted; none for a blackhole.
    pub fn routes(&self) -> BTreeMap<Ipv4Network, (u8, Vec<FibHop>)> {
        self.routes.iter().map(|(p, (protocol, via))| (*p, (*protocol, self.hops(via)))).collect()
    }

    fn hops(&self, via: &Via) -> Vec<FibHop> {
        let hop_of = |id: &u32| match self.objects.get(id) {
            Some(Object::Hop(h)) => Some(*h),
            _ => None,
        };
        let mut hops: Vec<FibHop> = match via {
            Via::Blackhole => Vec::new(),
            Via::Plain(hops) => hops.to_vec(),
            Via::Object(id) => match self.objects.get(id) {
                Some(Object::Hop(h)) => vec![*h],
                Some(Object::Group(members)) => members.iter().filter_map(hop_of).collect(),
                None => Vec::new(),
            },
        };
        hops.sort_unstable();
        hops
    }

    /// What becomes of a packet to `destination`: longest prefix first, connected routes before ours, and
    /// next hops without carrier left aside as `ignore_routes_with_linkdown` has it.
    pub fn decide(&self, destination: Ipv4Addr) -> Decision {
        let up = |ifindex: IfIndex| self.links.get(&ifindex).is_some_and(|l| l.admin_up);
        if self.addresses().any(|a| a.network.ip() == destination && up(a.ifindex)) {
            return Decision::Local;
        }
        let connected = self
            .addresses()
            .filter(|a| !a.no_prefix_route && a.network.contains(destination) && self.is_running(a.ifindex))
            .map(|a| (a.network.prefix(), a.ifindex))
            .max();
        let routed =
            self.routes.iter().filter(|(p, _)| p.contains(destination)).max_by_key(|(p, _)| p.prefix());
        if let Some((length, ifindex)) = connected
            && routed.is_none_or(|(p, _)| p.prefix() <= length)
        {
            return Decision::Forward(vec![FibHop { gateway: None, ifindex, onlink: false }]);
        }
        let Some((_, (_, via))) = routed else { return Decision::NoRoute };
        if *via == Via::Blackhole {
            return Decision::Drop;
        }
        let mut hops = self.hops(via);
        hops.retain(|h| self.is_running(h.ifindex));
        if hops.is_empty() { Decision::NoRoute } else { Decision::Forward(hops) }
    }
}

/// An address as it is put on without more words.
pub(crate) fn plain_address(ifindex: IfIndex, network: Ipv4Network, protocol: u8) -> Address {
    Address { protocol, ..Address::new(ifindex, network) }
}
