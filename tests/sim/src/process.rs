//! Processes begin and end, and clients find their servers.

use crate::checker::Cause;
use crate::node::{Client, Connection};
use crate::scenario::Daemon;
use crate::world::{Event, World};
use routing_common::time::Duration;

/// Between attempts of a client to reach its server, at first; doubled up to [`LONGEST_PAUSE`] in the shell, drawn here.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// How long the end of a connection takes to be read.
const HANG_UP: Duration = Duration::from_micros(150);

impl World {
    /// Starts a daemon, unless something is in the way.
    pub(crate) fn start(&mut self, router: usize, daemon: Daemon) {
        let node = &self.nodes[router];
        let is_held = node.process(daemon).held_down > 0;
        if !node.power || node.runs(daemon) || is_held || !self.has_business(router, daemon) {
            return;
        }
        self.note(Some(router), format!("{daemon:?} starts"));
        match daemon {
            Daemon::Rib => self.start_rib(router),
            Daemon::Ospf => self.start_ospf(router),
            Daemon::Vrrp => self.start_vrrp(router),
            Daemon::Bfd => self.start_bfd(router),
        }
        for client in clients(daemon) {
            let number = self.hang_up(router, client);
            self.queue.push(self.now, Event::Connect { router, number });
        }
    }

    /// Is there any use for this daemon?
    pub(crate) fn has_business(&self, router: usize, daemon: Daemon) -> bool {
        let settings = &self.scenario.settings;
        match daemon {
            Daemon::Rib => !settings.without_rib,
            Daemon::Ospf => true,
            Daemon::Vrrp => self.scenario.routers[router].ports.iter().any(|p| p.vrrp_priority.is_some()),
            Daemon::Bfd => settings.bfd_interval.is_some(),
        }
    }

    fn start_rib(&mut self, router: usize) {
        use rib::{Input, Rib};
        let events = self.dump(router).into_iter().map(Input::Link);
        self.nodes[router].rib.start(Rib::new());
        for input in core::iter::once(Input::Reconfigure(self.file(router))).chain(events) {
            self.give::<Rib>(router, Cause::Started, input);
        }
        let snapshot = self.nodes[router].kernel.snapshot();
        self.give::<Rib>(router, Cause::Started, Input::KernelSnapshot(snapshot));
    }

    fn start_ospf(&mut self, router: usize) {
        use ospf_proto::{Input, Instance};
        let events = self.dump(router).into_iter().map(Input::Link);
        let seed = self.rng.next_u64();
        let wall = self.nodes[router].clock.wall(self.now);
        let node = &mut self.nodes[router];
        node.ospf.start(Instance::new(&node.config, seed));
        let restored = Input::Restored(node.saved.clone().map(Box::new));
        for input in [Input::WallClock(wall), restored].into_iter().chain(events) {
            self.give::<Instance>(router, Cause::Started, input);
        }
    }

    fn start_vrrp(&mut self, router: usize) {
        use vrrp_proto::{Input, Instance};
        let events = self.dump(router).into_iter().map(Input::Link);
        self.nodes[router].vrrp.start(Instance::new());
        for input in core::iter::once(Input::Reconfigure(self.file(router))).chain(events) {
            self.give::<Instance>(router, Cause::Started, input);
        }
    }

    fn start_bfd(&mut self, router: usize) {
        use bfd_proto::{HostStatus, Input, Instance};
        let events = self.dump(router).into_iter().map(Input::Link);
        let seed = self.rng.next_u64();
        self.nodes[router].bfd.start(Instance::new(seed));
        let host = HostStatus { real_time: Some(20), memory_locked: true, problems: Vec::new() };
        let config = Input::Reconfigure(self.file(router));
        for input in core::iter::once(Input::Host(host)).chain(events).chain([config]) {
            self.give::<Instance>(router, Cause::Started, input);
        }
    }

    /// A process is gone: killed, or after its last word.
    pub(crate) fn end_process(&mut self, router: usize, daemon: Daemon) {
        if !self.nodes[router].runs(daemon) {
            return;
        }
        self.note(Some(router), format!("{daemon:?} ends"));
        let node = &mut self.nodes[router];
        match daemon {
            Daemon::Rib => node.rib.end(),
            Daemon::Ospf => {
                node.ospf.end();
                node.ospf_sockets.clear();
            }
            Daemon::Vrrp => {
                node.vrrp.end();
                node.vrrp_sockets.clear();
                node.vrrp_arp.clear();
            }
            Daemon::Bfd => {
                node.bfd.end();
                node.bfd_sockets.clear();
                node.bfd_ways.clear();
            }
        }
        for client in clients(daemon) {
            let number = self.hang_up(router, client);
            if daemon == client.server() {
                self.retry(router, number);
            }
        }
        // One that was stopped, with nothing to keep it down any more, comes back.
        self.queue.push(self.now + FIRST_PAUSE, Event::Start(router, daemon));
    }

    /// Ends the connection under way, if one stands; answers the next one's number.
    fn hang_up(&mut self, router: usize, client: Client) -> u64 {
        let connection = self.nodes[router].connection_mut(client);
        let Connection { number: old, up, .. } = *connection;
        (connection.number, connection.up) = (connection.next(), false);
        let number = connection.number;
        if up {
            self.push_ordered(router, client.server(), HANG_UP, Event::ClientGone { router, number: old });
            self.push_ordered(router, client.daemon(), HANG_UP, Event::ServerLost { router, number: old });
        }
        number
    }

    /// A server ended a client's connection, or a fault broke it.
    pub(crate) fn disconnect(&mut self, router: usize, number: u64) {
        let client = Client::of(number);
        let connection = self.nodes[router].connection(client);
        if connection.up && connection.number == number {
            let next = self.hang_up(router, client);
            self.retry(router, next);
        }
    }

    /// A fault breaks whatever connections with a server there are.
    pub(crate) fn disconnect_all(&mut self, router: usize, server: Daemon) {
        for client in Client::of_server(server) {
            self.disconnect(router, self.nodes[router].connection(client).number);
        }
    }

    fn retry(&mut self, router: usize, number: u64) {
        let pause = FIRST_PAUSE + self.rng.duration_up_to(LONGEST_PAUSE - FIRST_PAUSE);
        self.queue.push(self.now + pause, Event::Connect { router, number });
    }

    /// A client tries to reach its server.
    pub(crate) fn connect(&mut self, router: usize, number: u64) {
        let client = Client::of(number);
        let node = &mut self.nodes[router];
        let connection = node.connection(client);
        if connection.number != number || connection.up || !node.runs(client.daemon()) {
            return;
        }
        let server = client.server();
        if !node.runs(server) || connection.blocked > 0 {
            if self.has_business(router, server) {
                self.retry(router, number);
            }
            return;
        }
        node.connection_mut(client).up = true;
        self.push_ordered(router, server, HANG_UP, Event::ClientConnected { router, number });
        self.push_ordered(router, client.daemon(), HANG_UP, Event::Connected { router, number });
    }
}

/// Whose connections begin and end with a daemon.
fn clients(daemon: Daemon) -> impl Iterator<Item = Client> {
    Client::ALL.into_iter().filter(move |client| daemon == client.server() || daemon == client.daemon())
}
