//! What the laws of a network at rest have in common: what is expected of it, and whether anything is.
//!
//! A fault that goes on while the network rests is part of its truth if the oracle can know it: a cut cable, a router
//! without power, a configuration. Where any other goes on, a daemon that is frozen or a kernel that refuses, nothing
//! is promised and nothing asked.

use crate::kernel;
use crate::oracle::{self, Neighborhood, State, Tables};
use crate::scenario::{RouterIndex, What};
use crate::world::World;
use ospf_proto::Instance;
use ospf_proto::interface::Interface;
use routing_common::id::RouterId;
use routing_common::time::{Duration, Instant};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What the oracle says of the network as it is.
#[derive(Debug)]
pub(super) struct Truth {
    /// The hardware.
    pub(super) state: State,
    /// Tables by router.
    pub(super) tables: Vec<Tables>,
    /// Neighbourhoods by router and port.
    pub(super) neighborhoods: Vec<Vec<Option<Neighborhood>>>,
}

/// What the oracle said, and when it was last true.
type Answer = (Instant, Rc<Truth>);

/// The oracle's answer, asked once for all laws of one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Oracle {
    answer: Rc<RefCell<Option<Answer>>>,
    deceived: Rc<Cell<bool>>,
}

impl Oracle {
    /// A router was sent an old packet again, by somebody, and had reason to believe it. Without cryptographic authentication nothing in RFC
    /// 2328 prevents that, and nobody contradicts it before the LSA's next refresh: neighbours do not flood back
    /// what they are believed to have sent (§13.3), and its originator may be beyond them.
    pub(super) fn was_deceived(&self) {
        self.deceived.set(true);
    }

    /// [`Self::ask`] for laws that depend on what is in databases.
    pub(super) fn ask_undeceived(&self, world: &World) -> Option<Rc<Truth>> {
        if self.deceived.get() { None } else { self.ask(world) }
    }

    /// The truth at this moment; `None` if nothing can be expected.
    pub(super) fn ask(&self, world: &World) -> Option<Rc<Truth>> {
        if !is_expected(world) {
            return None;
        }
        let mut known = self.answer.borrow_mut();
        if let Some((at, truth)) = known.as_ref()
            && *at == world.now
        {
            return Some(Rc::clone(truth));
        }
        let state = world.state();
        let truth = match known.take() {
            // The long rest: nothing has changed but the time.
            Some((_, truth)) if truth.state == state => truth,
            _ => Rc::new(Truth {
                tables: oracle::tables(&world.current, &state),
                neighborhoods: oracle::neighborhoods(&world.current, &state),
                state,
            }),
        };
        *known = Some((world.now, Rc::clone(&truth)));
        Some(truth)
    }
}

/// Is no fault under way but such as the oracle knows?
pub(super) fn is_expected(world: &World) -> bool {
    world.scenario.faults.iter().filter(|f| is_under_way(world, f.at, f.until)).all(|fault| {
        matches!(
            fault.what,
            What::SilentCut { from: None, .. }
                | What::Unplug { .. }
                | What::PowerLoss { .. }
                | What::AdminDown { .. }
                | What::Cost { .. }
                | What::Priority { .. }
                | What::VrrpPriority { .. }
                | What::OspfOff { .. }
                | What::Passive { .. }
                | What::ExternalsOff { .. }
                | What::FilterOff { .. }
                | What::WallClock { .. }
                | What::Clear { .. }
        )
    })
}

/// Does a fault of this span go on now?
pub(super) fn is_under_way(world: &World, at: u64, until: u64) -> bool {
    Instant::from_millis(at) <= world.now && world.now < Instant::from_millis(until)
}

/// The interval of BFD; zero without.
pub(super) fn bfd_interval(world: &World) -> Duration {
    Duration::from_millis(world.scenario.settings.bfd_interval.unwrap_or_default())
}

/// A router by its name, for reports.
pub(super) fn name(world: &World, router: RouterIndex) -> &str {
    &world.nodes[router].name
}

/// Router ID of a router.
pub(super) fn id(world: &World, router: RouterIndex) -> RouterId {
    RouterId(world.current.routers[router].loopback)
}

/// The routers with power and their OSPF engines.
///
/// # Errors
/// One of them does not run ospfd.
pub(super) fn engines(world: &World) -> Result<Vec<(RouterIndex, &Instance)>, String> {
    let up = world.nodes.iter().enumerate().filter(|(_, node)| node.power);
    up.map(|(r, node)| {
        let engine = node.ospf.engine.as_ref().filter(|_| node.ospf.is_active());
        engine.map(|e| (r, e)).ok_or_else(|| format!("{}: ospfd does not run", node.name))
    })
    .collect()
}

/// A port as OSPF has it.
pub(super) fn interface(engine: &Instance, port: usize) -> Option<&Interface> {
    engine.interfaces().find(|i| i.ifindex == kernel::ifindex(port))
}

/// The routers with power in groups that OSPF connects, each in order.
pub(super) fn components(world: &World, truth: &Truth) -> Vec<BTreeSet<RouterIndex>> {
    let by_id = |wanted: &std::net::Ipv4Addr| {
        world.current.routers.iter().position(|router| router.loopback == *wanted)
    };
    let mut left: BTreeSet<RouterIndex> =
        (0..world.nodes.len()).filter(|r| truth.state.router_up[*r]).collect();
    let mut components = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut component = BTreeSet::from([first]);
        let mut next = vec![first];
        while let Some(r) = next.pop() {
            // Neighbours nobody is adjacent with do not exchange databases.
            let bonds = truth.neighborhoods[r].iter().flatten().filter(|n| n.bond != oracle::Bond::TwoWay);
            for neighbor in bonds.flat_map(|n| &n.neighbors).filter_map(by_id) {
                if left.remove(&neighbor) {
                    component.insert(neighbor);
                    next.push(neighbor);
                }
            }
        }
        components.push(component);
    }
    components
}
