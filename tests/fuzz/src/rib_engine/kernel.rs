//! A model of the kernel's routes and next-hop objects: what a request does, and what a lost carrier does in
//! silence.

use ipnetwork::Ipv4Network;
use rib::fib::{
    FibErrorKind, FibOp, KernelNextHop, KernelNextHopContent, KernelRoute, KernelSnapshot, Put, Via,
};
use rib::route::FibHop;
use routing_common::id::IfIndex;
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};

/// What a next-hop object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Object {
    Hop(FibHop),
    Group(Vec<u32>),
}

/// See the module text.
#[derive(Debug, Clone, Default)]
pub(super) struct Kernel {
    pub(super) objects: BTreeMap<u32, Object>,
    pub(super) routes: BTreeMap<Ipv4Network, (u8, Via)>,
    /// Interfaces without carrier, administratively down or absent.
    pub(super) down: BTreeSet<IfIndex>,
    pub(super) without_objects: bool,
    /// Requests to refuse from now on.
    pub(super) refuse: usize,
}

impl Kernel {
    /// Carries out one request.
    pub(super) fn apply(&mut self, op: &FibOp) -> Result<(), FibErrorKind> {
        well_formed(op);
        if self.refuse > 0 {
            self.refuse -= 1;
            return Err(FibErrorKind::Refused);
        }
        match op {
            FibOp::PutNextHop { id, hop } => self.put(Put::Create, *id, Object::Hop(*hop)),
            FibOp::PutGroup { mode, id, members } => self.put(*mode, *id, Object::Group(members.clone())),
            FibOp::RemoveNextHop { .. } if self.without_objects => Err(FibErrorKind::Unsupported),
            FibOp::RemoveNextHop { id } if self.objects.contains_key(id) => {
                self.drop_objects(BTreeSet::from([*id]));
                Ok(())
            }
            FibOp::InstallRoute { prefix, protocol, via } => {
                let usable = match via {
                    Via::Blackhole => true,
                    Via::Object(id) => self.objects.contains_key(id),
                    Via::Plain(hops) => hops.iter().all(|h| !self.down.contains(&h.ifindex)),
                };
                if !usable {
                    return Err(FibErrorKind::Refused);
                }
                self.routes.insert(*prefix, (*protocol, via.clone()));
                Ok(())
            }
            FibOp::RemoveRoute { prefix, protocol }
                if self.routes.get(prefix).is_some_and(|(p, _)| p == protocol) =>
            {
                self.routes.remove(prefix);
                Ok(())
            }
            FibOp::RemoveNextHop { .. } | FibOp::RemoveRoute { .. } => Err(FibErrorKind::Absent),
        }
    }

    fn put(&mut self, mode: Put, id: u32, object: Object) -> Result<(), FibErrorKind> {
        if self.without_objects {
            return Err(FibErrorKind::Unsupported);
        }
        let old = self.objects.get(&id);
        if mode == Put::Replace && old.is_none() {
            return Err(FibErrorKind::Absent);
        }
        // Neither can become the other.
        let sound = old.is_none_or(|o| core::mem::discriminant(o) == core::mem::discriminant(&object))
            && match &object {
                Object::Hop(hop) => !self.down.contains(&hop.ifindex),
                Object::Group(members) => {
                    members.iter().all(|m| matches!(self.objects.get(m), Some(Object::Hop(_))))
                }
            };
        if !sound {
            return Err(FibErrorKind::Refused);
        }
        self.objects.insert(id, object);
        Ok(())
    }

    /// Objects go: out of groups, with groups left empty and routes left without.
    pub(super) fn drop_objects(&mut self, mut gone: BTreeSet<u32>) {
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

    /// An interface cannot carry anything any more, or can again. Its objects go without a word; routes with
    /// next hops of their own stay while the interface is administratively up.
    pub(super) fn carrier(&mut self, ifindex: IfIndex, up: bool) {
        if up {
            self.down.remove(&ifindex);
            return;
        }
        self.down.insert(ifindex);
        let through = |o: &Object| matches!(o, Object::Hop(h) if h.ifindex == ifindex);
        let gone = self.objects.iter().filter(|(_, o)| through(o)).map(|(id, _)| *id).collect();
        self.drop_objects(gone);
    }

    /// The interface itself is down or gone: routes over it go as well, whole ones if a next hop is dead.
    pub(super) fn interface_down(&mut self, ifindex: IfIndex) {
        self.carrier(ifindex, false);
        self.addressless(ifindex);
    }

    /// The interface lost its last address: routes with next hops of their own over it go.
    pub(super) fn addressless(&mut self, ifindex: IfIndex) {
        let dead = |via: &Via| matches!(via, Via::Plain(hops) if hops.iter().any(|h| h.ifindex == ifindex));
        self.routes.retain(|_, (_, via)| !dead(via));
    }

    /// What would be used for each prefix: protocol and next hops; none is a blackhole.
    pub(super) fn forwarding(&self) -> BTreeMap<Ipv4Network, (u8, BTreeSet<FibHop>)> {
        let hop = |id: &u32| match self.objects.get(id) {
            Some(Object::Hop(h)) => Some(*h),
            _ => None,
        };
        let hops = |via: &Via| -> BTreeSet<FibHop> {
            match via {
                Via::Blackhole => BTreeSet::new(),
                Via::Plain(hops) => hops.iter().copied().collect(),
                Via::Object(id) => match self.objects.get(id) {
                    Some(Object::Group(members)) => members.iter().filter_map(hop).collect(),
                    _ => hop(id).into_iter().collect(),
                },
            }
        };
        self.routes.iter().map(|(p, (protocol, via))| (*p, (*protocol, hops(via)))).collect()
    }

    pub(super) fn snapshot(&self) -> KernelSnapshot {
        let content = |o: &Object| match o {
            Object::Hop(h) => KernelNextHopContent::Hop(*h),
            Object::Group(m) => KernelNextHopContent::Group(m.clone()),
        };
        let route = |(p, (protocol, via)): (&Ipv4Network, &(u8, Via))| KernelRoute {
            prefix: *p,
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
}

/// No request may be one that a kernel could only refuse.
fn well_formed(op: &FibOp) {
    match op {
        FibOp::PutNextHop { id, .. } | FibOp::RemoveNextHop { id } => ours(*id),
        FibOp::PutGroup { id, members, .. } => {
            ours(*id);
            members.iter().for_each(|m| ours(*m));
            let unique: BTreeSet<_> = members.iter().collect();
            assert!(!members.is_empty() && unique.len() == members.len(), "group {id}: {members:?}");
        }
        FibOp::InstallRoute { prefix, protocol, via } => {
            assert_eq!(*prefix, prefix::canonical(*prefix), "host bits in a route");
            assert!(rib::route::protocol_of_kernel(*protocol).is_some());
            if let Via::Plain(hops) = via {
                let unique: BTreeSet<_> = hops.iter().collect();
                assert!(!hops.is_empty() && unique.len() == hops.len(), "{prefix} via {hops:?}");
            }
        }
        FibOp::RemoveRoute { prefix, .. } => assert_eq!(*prefix, prefix::canonical(*prefix)),
    }
}

fn ours(id: u32) {
    assert!((rib::fib::objects::ID_BASE..=rib::fib::objects::ID_LAST).contains(&id), "object {id:#x}");
}
