//! From what a candidate says to the next hops the kernel gets, or the reason why there are none.
//!
//! Everything here is a function of candidates and links alone; it never reads what was selected
//! earlier. So evaluating one prefix again after a change gives exactly what evaluating everything
//! afresh would give, and no two static routes can keep each other alive.
//!
//! The **on-link rule**: a static gateway inside a subnet configured on one of this router's interfaces
//! resolves through that interface while it runs, and not at all otherwise. Without it a default route
//! whose LAN leg lost carrier would stay valid through the LAN prefix another router still announces,
//! and traffic would circle between the two.

use crate::links::{Home, Links};
use crate::message::NextHop;
use crate::route::{Candidate, FibHop, FibHops, Origin, Selected, Target, Way};
use crate::select;
use crate::table::{Entry, Table};
use ipnetwork::Ipv4Network;
use routing_common::config::StaticTarget;
use routing_common::id::InterfaceName;
use smallvec::SmallVec;
use std::net::Ipv4Addr;

/// How many routes a gateway may be resolved through, one after the other.
pub const MAX_DEPTH: usize = 8;

/// Why a next hop cannot be used now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inactive {
    /// No such interface.
    #[error("interface {0} does not exist")]
    InterfaceMissing(String),
    /// It exists and has no carrier or is down.
    #[error("interface {0} is not running")]
    InterfaceDown(String),
    /// On-link rule: the gateway's own subnet is on an interface that does not run.
    #[error("gateway {gateway} lives on {interface}, which is not running or has no address")]
    HomeDown {
        /// The gateway.
        gateway: Ipv4Addr,
        /// Where its subnet is configured.
        interface: InterfaceName,
    },
    /// The gateway is this router.
    #[error("gateway {0} is an address of this router")]
    OwnAddress(Ipv4Addr),
    /// Nothing but a default route, or nothing at all, leads to the gateway.
    #[error("no route to gateway {0}")]
    NoRoute(Ipv4Addr),
    /// The gateway resolves through the route itself, or through too many others.
    #[error("gateway {0} resolves through this route itself")]
    Loop(Ipv4Addr),
    /// The gateway resolves through a blackhole.
    #[error("gateway {0} resolves through a blackhole")]
    Blackhole(Ipv4Addr),
}

/// One offered next hop and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HopOutcome {
    /// The gateway as offered.
    pub gateway: Option<Ipv4Addr>,
    /// The interface as offered or found, for shows.
    pub interface: Option<String>,
    /// Found through another route.
    pub recursive: bool,
    /// The kernel's next hops, or why there are none.
    pub hops: Result<FibHops, Inactive>,
}

/// How a gateway that stands without an interface is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The route that leads to it.
    pub through: Option<(Ipv4Network, Origin)>,
    /// The kernel's next hops, or why there are none.
    pub hops: Result<FibHops, Inactive>,
}

/// The prefixes under evaluation, outermost first: the guard against loops.
type Trail = SmallVec<[Ipv4Network; MAX_DEPTH]>;

/// What evaluation may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// All candidates.
    pub table: &'a Table,
    /// All links.
    pub links: &'a Links,
}

impl View<'_> {
    /// The winner among an entry's candidates.
    pub fn evaluate(&self, prefix: Ipv4Network, entry: &Entry) -> Option<Selected> {
        self.evaluate_on(prefix, entry, &Trail::new())
    }

    fn evaluate_on(&self, prefix: Ipv4Network, entry: &Entry, trail: &Trail) -> Option<Selected> {
        let mut trail = trail.clone();
        trail.push(prefix);
        select::in_order(&entry.candidates).into_iter().find_map(|c| {
            let target = self.target(c, &trail)?;
            Some(Selected { origin: c.origin, metric: c.metric, tag: c.tag, target })
        })
    }

    /// Where a candidate of `prefix` leads now; `None` if nowhere.
    fn target(&self, candidate: &Candidate, trail: &Trail) -> Option<Target> {
        let mut hops = FibHops::new();
        match &candidate.way {
            Way::Blackhole => return Some(Target::Blackhole),
            Way::Hops(offered) => hops.extend(offered.iter().filter_map(|h| self.direct(*h).ok())),
            Way::Static(targets) => {
                for t in targets {
                    if let Ok(found) = self.static_hop(t, trail).1 {
                        hops.extend(found);
                    }
                }
                if hops.is_empty() && targets.contains(&StaticTarget::Blackhole) {
                    return Some(Target::Blackhole);
                }
            }
        }
        hops.sort_unstable();
        hops.dedup();
        (!hops.is_empty()).then_some(Target::Hops(hops))
    }

    /// What becomes of each offered next hop, for shows. Empty for a blackhole.
    pub fn explain(&self, prefix: Ipv4Network, candidate: &Candidate) -> Vec<HopOutcome> {
        let mut trail = Trail::new();
        trail.push(prefix);
        match &candidate.way {
            Way::Blackhole => Vec::new(),
            Way::Hops(offered) => offered
                .iter()
                .map(|h| HopOutcome {
                    gateway: h.gateway,
                    interface: Some(self.links.name_of(h.ifindex)),
                    recursive: false,
                    hops: self.direct(*h).map(|hop| FibHops::from_iter([hop])),
                })
                .collect(),
            Way::Static(targets) => targets
                .iter()
                .filter(|t| **t != StaticTarget::Blackhole)
                .map(|t| {
                    let (recursive, hops) = self.static_hop(t, &trail);
                    let (gateway, interface) = match t {
                        StaticTarget::Gateway { address, interface } => (Some(*address), interface.as_ref()),
                        StaticTarget::Interface(name) => (None, Some(name)),
                        StaticTarget::Blackhole => (None, None),
                    };
                    HopOutcome { gateway, interface: interface.map(ToString::to_string), recursive, hops }
                })
                .collect(),
        }
    }

    /// How a gateway is reached, whoever asks.
    pub fn reach(&self, gateway: Ipv4Addr) -> Reach {
        let target = StaticTarget::Gateway { address: gateway, interface: None };
        let hops = self.static_hop(&target, &Trail::new()).1;
        let selected = |(prefix, entry): &(Ipv4Network, &Entry)| {
            (prefix.prefix() > 0)
                .then(|| self.evaluate(*prefix, entry))
                .flatten()
                .map(|s| (*prefix, s.origin))
        };
        let through = hops.is_ok().then(|| self.table.covering(gateway).iter().find_map(selected)).flatten();
        Reach { through, hops }
    }

    /// A next hop that names its interface: usable while the interface runs.
    pub(crate) fn direct(&self, hop: NextHop) -> Result<FibHop, Inactive> {
        let Some(link) = self.links.get(hop.ifindex) else {
            return Err(Inactive::InterfaceMissing(self.links.name_of(hop.ifindex)));
        };
        if !link.running {
            return Err(Inactive::InterfaceDown(link.name.to_string()));
        }
        let onlink = hop.gateway.is_some_and(|g| !self.links.covers(hop.ifindex, g));
        Ok(FibHop { gateway: hop.gateway, ifindex: hop.ifindex, onlink })
    }

    fn named(&self, name: &InterfaceName, gateway: Option<Ipv4Addr>) -> Result<FibHop, Inactive> {
        let link = self.links.by_name(name).ok_or_else(|| Inactive::InterfaceMissing(name.to_string()))?;
        self.direct(NextHop { gateway, ifindex: link.ifindex })
    }

    /// One static target; the flag says whether another route was needed.
    fn static_hop(&self, target: &StaticTarget, trail: &Trail) -> (bool, Result<FibHops, Inactive>) {
        let one = |hop: FibHop| FibHops::from_iter([hop]);
        match target {
            StaticTarget::Blackhole => (false, Ok(FibHops::new())),
            StaticTarget::Interface(name) => (false, self.named(name, None).map(one)),
            StaticTarget::Gateway { address, interface: Some(name) } => {
                (false, self.named(name, Some(*address)).map(one))
            }
            StaticTarget::Gateway { address, interface: None } => match self.links.home_of(*address) {
                Home::Own => (false, Err(Inactive::OwnAddress(*address))),
                Home::Running(ifindex) => {
                    (false, self.direct(NextHop { gateway: Some(*address), ifindex }).map(one))
                }
                Home::Dark(interface) => (false, Err(Inactive::HomeDown { gateway: *address, interface })),
                Home::Nowhere => (true, self.recursive(*address, trail)),
            },
        }
    }

    /// The next hops of the longest selected route to `gateway`. A default route does not count: a
    /// gateway only reachable by it is not known at all.
    fn recursive(&self, gateway: Ipv4Addr, trail: &Trail) -> Result<FibHops, Inactive> {
        let mut looped = false;
        for (prefix, entry) in self.table.covering(gateway) {
            if prefix.prefix() == 0 {
                continue;
            }
            if trail.contains(&prefix) || trail.len() >= MAX_DEPTH {
                looped = true;
                continue;
            }
            match self.evaluate_on(prefix, entry, trail).map(|s| s.target) {
                None => {}
                Some(Target::Blackhole) => return Err(Inactive::Blackhole(gateway)),
                // A connected route says only "on this link": the gateway itself is the next hop.
                Some(Target::Hops(hops)) => {
                    return Ok(hops
                        .into_iter()
                        .map(|h| FibHop {
                            gateway: h.gateway.or(Some(gateway)),
                            onlink: h.onlink
                                || (h.gateway.is_none() && !self.links.covers(h.ifindex, gateway)),
                            ..h
                        })
                        .collect());
                }
            }
        }
        Err(if looped { Inactive::Loop(gateway) } else { Inactive::NoRoute(gateway) })
    }
}
