//! What a dump of the kernel's tables says, and how the model takes it over.
//!
//! At start this is how a restarted RIB finds the routes its predecessor left and touches none of them;
//! after an overrun it is the cure. It must only be applied while no request is under way.

use super::objects::{Content, ID_BASE, ID_LAST, Objects};
use super::{Fib, FibOp, NextHopId, Via};
use crate::route::FibHop;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A route in table main with one of our protocol numbers and our metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelRoute {
    /// Destination.
    pub prefix: Ipv4Network,
    /// Kernel protocol number.
    pub protocol: u8,
    /// Where it leads.
    pub via: Via,
}

/// What a kernel object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KernelNextHopContent {
    /// One next hop.
    Hop(FibHop),
    /// A group of objects with equal weights.
    Group(Vec<NextHopId>),
    /// Something we never make.
    Other,
    /// Made by another program: neither used nor removed, and its number is not taken.
    Foreign,
}

/// A next-hop object of the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelNextHop {
    /// Its number.
    pub id: NextHopId,
    /// What it is.
    pub content: KernelNextHopContent,
}

/// A complete dump.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KernelSnapshot {
    /// Does this kernel have next-hop objects at all?
    pub objects_supported: bool,
    /// Objects; those outside our range are ignored.
    pub next_hops: Vec<KernelNextHop>,
    /// Routes with our protocol numbers.
    pub routes: Vec<KernelRoute>,
}

impl Objects {
    /// The table as the kernel has it.
    fn from_kernel(found: Vec<KernelNextHop>) -> Self {
        let mut objects = Self::default();
        let (groups, hops): (Vec<_>, Vec<_>) = found
            .into_iter()
            .filter(|n| (ID_BASE..=ID_LAST).contains(&n.id))
            .partition(|n| matches!(n.content, KernelNextHopContent::Group(_)));
        for n in hops {
            match n.content {
                KernelNextHopContent::Hop(hop) => objects.adopt(n.id, Content::Hop(hop)),
                KernelNextHopContent::Foreign => objects.reserve(n.id),
                _ => objects.adopt(n.id, Content::Group(Vec::new())),
            }
        }
        for n in groups {
            if let KernelNextHopContent::Group(mut members) = n.content {
                members.sort_unstable();
                // With a member we do not know it is not a group of ours any more.
                if !members.iter().all(|m| objects.contains(*m)) {
                    members.clear();
                }
                objects.adopt(n.id, Content::Group(members));
            }
        }
        objects
    }
}

impl Fib {
    /// Believes the kernel: objects and routes are what the dump says. Routes nobody wants are *held* if
    /// `hold` says so for them: they stay until [`Fib::release_held`]. Returns how many routes the model
    /// had and the kernel has not.
    pub fn adopt(&mut self, snapshot: KernelSnapshot, hold: impl Fn(Ipv4Network, u8) -> bool) -> usize {
        self.set_objects_supported(snapshot.objects_supported);
        *self.objects_mut() = Objects::from_kernel(snapshot.next_hops);
        let mut found: BTreeMap<Ipv4Network, (u8, Via)> = BTreeMap::new();
        let mut surplus = Vec::new();
        for route in snapshot.routes {
            let via = match route.via {
                Via::Object(id) if !self.objects().contains(id) => Via::Plain(Box::default()),
                via => via,
            };
            if let Some((protocol, _)) = found.insert(route.prefix, (route.protocol, via)) {
                surplus.push(FibOp::RemoveRoute { prefix: route.prefix, protocol });
            }
        }
        let missing = self.take_over_routes(found, hold);
        self.queue(surplus);
        missing
    }
}
