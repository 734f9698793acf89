//! Faults begin, go on and end.
//!
//! Several faults may hold the same thing down; it comes back when the last of them ends, so causes are counted.
//! A fault that changes a configuration changes [`World::current`], which is what the oracle goes by.

use crate::adversary;
use crate::document::{self, Bend};
use crate::filter::Filter;
use crate::kernel;
use crate::node::Client;
use crate::scenario::{Daemon, Router, What};
use crate::segment::End;
use crate::world::{Event, Phase, World};
use routing_common::link::RIBD_ADDRESS_PROTOCOL;
use routing_common::time::{Duration, Instant};

/// Between two removals of routes.
const REMOVALS: Duration = Duration::from_millis(50);
/// How often ospfd's shell compares its clocks.
const WALL_CLOCK_CHECK: Duration = Duration::from_secs(30);

impl World {
    /// Enters all faults into the queue.
    pub(crate) fn plan_faults(&mut self) {
        for index in 0..self.scenario.faults.len() {
            let fault = self.scenario.faults[index].clone();
            let at = Instant::from_millis(fault.at);
            self.queue.push(at, Event::Fault { index, phase: Phase::Begin });
            self.queue.push(Instant::from_millis(fault.until), Event::Fault { index, phase: Phase::End });
            if let What::Replay { segment, .. } = fault.what {
                self.memory.insert(segment, Vec::new());
            }
        }
    }

    pub(crate) fn fault(&mut self, index: usize, phase: Phase) {
        let fault = self.scenario.faults[index].clone();
        if phase != Phase::Again {
            let word = if phase == Phase::Begin { "begins" } else { "ends" };
            self.note(fault.what.router(), format!("fault {index} {word}: {:?}", fault.what));
        }
        let over = self.now >= Instant::from_millis(fault.until) && phase != Phase::End;
        if over && phase == Phase::Again {
            return;
        }
        self.flows.event(self.now, &fault.what, phase);
        match &fault.what {
            What::Impair { segment, towards, impairment } => {
                let active = &mut self.segments[*segment].impairments;
                match phase {
                    Phase::End => active.remove(&index),
                    _ => active.insert(index, (*towards, *impairment)),
                };
            }
            What::SilentCut { segment, from } => {
                let cuts = &mut self.segments[*segment].cuts;
                match phase {
                    Phase::End => cuts.remove(&index),
                    _ => cuts.insert(index, *from),
                };
            }
            What::Cost { .. }
            | What::Priority { .. }
            | What::VrrpPriority { .. }
            | What::WrongKey { .. }
            | What::OspfOff { .. }
            | What::Passive { .. }
            | What::ExternalsOff { .. }
            | What::FilterOff { .. } => self.configuration_fault(index, &fault.what, phase),
            What::Junk { every, .. } | What::Replay { every, .. } | What::Forge { every, .. } => {
                if phase != Phase::End {
                    adversary::act(self, &fault.what);
                    let at = self.now + Duration::from_millis((*every).max(1));
                    self.queue.push(at, Event::Fault { index, phase: Phase::Again });
                }
            }
            what => self.router_fault(index, what, phase),
        }
    }

    fn router_fault(&mut self, index: usize, what: &What, phase: Phase) {
        let begins = phase == Phase::Begin;
        match *what {
            What::Unplug { segment, router } => {
                let ends: Vec<End> =
                    self.segments[segment].ends.iter().copied().filter(|e| e.router == router).collect();
                for end in ends {
                    count(&mut self.nodes[router].unplugged[end.port], begins);
                }
                self.carriers(segment);
            }
            What::PowerLoss { router } => self.power_fault(router, begins),
            What::Kill { router, daemon } => {
                count(self.held_down(router, daemon), begins);
                match begins {
                    true => self.end_process(router, daemon),
                    false => self.start(router, daemon),
                }
            }
            What::Stop { router, daemon } => self.stop_fault(router, daemon, begins),
            What::Freeze { router, daemon } => {
                let frozen = &mut self.nodes[router].process_mut(daemon).frozen;
                count(frozen, begins);
                if *frozen == 0 {
                    self.thaw(router, daemon);
                }
            }
            What::WallClock { router, seconds } => {
                self.nodes[router].clock.step_wall(if begins { seconds } else { -seconds });
                let incarnation = self.nodes[router].incarnation(Daemon::Ospf);
                let at = self.now + self.rng.duration_up_to(WALL_CLOCK_CHECK);
                self.queue.push(at, Event::WallClock { router, incarnation });
            }
            What::AdminDown { router, port } => {
                count(&mut self.nodes[router].admin_down[port], begins);
                let up = self.nodes[router].admin_down[port] == 0;
                if self.nodes[router].power {
                    self.nodes[router].kernel.set_admin(kernel::ifindex(port), up);
                    self.tell_links(router);
                }
            }
            What::AddressRemoved { router, port } => self.address_fault(router, port, begins),
            What::Mtu { router, port, mtu } => {
                let segment = self.current.routers[router].ports[port].segment;
                let mtu = if begins { mtu } else { self.current.segments[segment].mtu };
                self.nodes[router].kernel.set_mtu(kernel::ifindex(port), mtu);
                self.tell_links(router);
            }
            What::RibDisconnect { router } => {
                for client in Client::of_server(Daemon::Rib) {
                    count(&mut self.nodes[router].connection_mut(client).blocked, begins);
                }
                if begins {
                    self.disconnect_all(router, Daemon::Rib);
                }
            }
            What::KernelRefuses { router, permille } => {
                self.nodes[router].kernel.refuse_permille = if begins { permille } else { 0 };
            }
            What::RoutesRemoved { router } if phase != Phase::End => {
                let number = self.rng.next_u64();
                if let Some(prefix) = self.nodes[router].kernel.remove_any_route(number) {
                    let incarnation = self.nodes[router].incarnation(Daemon::Rib);
                    self.deliver(Event::Disturbed { router, incarnation, prefix });
                }
                self.queue.push(self.now + REMOVALS, Event::Fault { index, phase: Phase::Again });
            }
            What::PlannedRestart { router } if begins => {
                let incarnation = self.nodes[router].incarnation(Daemon::Ospf);
                self.deliver(Event::PrepareRestart { router, incarnation });
            }
            What::Clear { router } if begins => {
                let incarnation = self.nodes[router].incarnation(Daemon::Ospf);
                self.deliver(Event::Clear { router, incarnation });
            }
            _ => {}
        }
    }

    fn held_down(&mut self, router: usize, daemon: Daemon) -> &mut u32 {
        &mut self.nodes[router].process_mut(daemon).held_down
    }

    fn power_fault(&mut self, router: usize, begins: bool) {
        count(&mut self.nodes[router].power_faults, begins);
        if begins && self.nodes[router].power {
            self.power_off(router);
        }
        if !begins && self.now >= Instant::from_millis(self.scenario.routers[router].starts) {
            self.power_on(router);
        }
    }

    /// An operator's stop. Who has not ended when it is over is killed, as a supervisor does.
    fn stop_fault(&mut self, router: usize, daemon: Daemon, begins: bool) {
        count(self.held_down(router, daemon), begins);
        let incarnation = self.nodes[router].incarnation(daemon);
        let runs = self.nodes[router].runs(daemon);
        let stopping = &mut self.nodes[router].process_mut(daemon).stopping;
        if begins {
            *stopping = runs;
            self.deliver(Event::Terminate { router, daemon, incarnation });
        } else {
            if *stopping && *self.held_down(router, daemon) == 0 {
                self.end_process(router, daemon);
            }
            self.start(router, daemon);
        }
    }

    /// Somebody takes an address off; at the end it is there again, whoever put it back.
    fn address_fault(&mut self, router: usize, port: usize, begins: bool) {
        let network = self.scenario.routers[router].ports[port].address;
        let node = &mut self.nodes[router];
        if !node.power {
            return;
        }
        if begins {
            node.kernel.remove_address(kernel::ifindex(port), network);
        } else {
            let address = kernel::plain_address(kernel::ifindex(port), network, RIBD_ADDRESS_PROTOCOL);
            node.kernel.add_address(address, None);
        }
        self.tell_links(router);
    }

    /// Works out what the files say while some faults change them, and has the daemons read them.
    fn configuration_fault(&mut self, index: usize, what: &What, phase: Phase) {
        match phase {
            Phase::End => self.reconfiguring.remove(&index),
            _ => self.reconfiguring.insert(index),
        };
        let Some(router) = what.router() else { return };
        let mut settings = self.scenario.routers[router].clone();
        let mut bends = vec![Bend::default(); settings.ports.len()];
        for index in self.reconfiguring.clone() {
            match self.scenario.faults[index].what {
                What::Cost { router: r, port, cost } if r == router => settings.ports[port].cost = cost,
                What::Priority { router: r, port, priority } if r == router => {
                    settings.ports[port].priority = priority;
                }
                What::VrrpPriority { router: r, port, priority } if r == router => {
                    settings.ports[port].vrrp_priority = Some(priority);
                }
                What::WrongKey { router: r, port } if r == router => bends[port].wrong_key = true,
                What::OspfOff { router: r, port } if r == router => bends[port].ospf_off = true,
                What::Passive { router: r, port } if r == router => bends[port].passive = true,
                What::ExternalsOff { router: r } if r == router => {
                    settings.static_routes.clear();
                    settings.default_information = None;
                }
                What::FilterOff { router: r } if r == router => settings.filter = Filter::default(),
                _ => {}
            }
        }
        for (port, bend) in settings.ports.iter_mut().zip(&bends) {
            port.passive |= bend.passive;
            port.without_ospf |= bend.ospf_off;
        }
        self.bends[router] = bends;
        self.configure(router, settings, &Daemon::ALL);
    }

    /// Writes a router's file from other settings and has these daemons read it. What the loader refuses changes nothing, as on a real router.
    pub fn configure(&mut self, router: usize, settings: Router, daemons: &[Daemon]) {
        self.current.routers[router] = settings;
        match document::config(&self.current, &self.current.routers[router], &self.bends[router]) {
            Ok(config) => self.nodes[router].config = config,
            Err(error) => return self.note(Some(router), format!("configuration refused: {error}")),
        }
        for &daemon in daemons {
            let incarnation = self.nodes[router].incarnation(daemon);
            self.deliver(Event::Reload { router, daemon, incarnation });
        }
    }
}

fn count(causes: &mut u32, begins: bool) {
    *causes = if begins { *causes + 1 } else { causes.saturating_sub(1) };
}
