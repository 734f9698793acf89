//! A router: a kernel that lives as long as there is power, and daemons that come and go.
//!
//! A daemon is the shipped engine and what its shell keeps for it: sockets, and connections with ribd. A killed daemon loses these; a frozen one keeps them, and what arrives waits in them.

use crate::clock::Clock;
use crate::frame::{Arp, Frame};
use crate::kernel::Kernel;
use crate::scenario::Daemon;
use crate::turn;
use crate::world::Event;
use bfd_proto::SessionView;
use ospf_proto::restart::Saved;
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::machine::Machine;
use routing_common::time::Instant;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::Ipv4Addr;

/// Frames a frozen daemon's sockets hold; more are lost, as in a real socket.
pub(crate) const SOCKET_FRAMES: usize = 200;

/// A daemon: its engine while it runs, and its process.
#[derive(Debug)]
pub struct Slot<E> {
    /// The engine; `None` while it does not run.
    pub engine: Option<E>,
    /// What is the same for all daemons.
    pub process: Process,
}

/// A daemon's process, running or not.
#[derive(Debug, Default)]
pub struct Process {
    /// How often it was started. What was meant for an earlier one is dropped.
    pub incarnation: u32,
    /// How many faults keep it from running.
    pub(crate) held_down: u32,
    /// How many faults keep it from getting time.
    pub(crate) frozen: u32,
    /// What waits while it is frozen.
    pub(crate) backlog: VecDeque<Event>,
    /// The wake-up under way, in true time.
    pub(crate) wake: Option<Instant>,
    /// Told to stop; not started again before it has ended.
    pub(crate) stopping: bool,
    /// Latest delivery of the kernel's news, and of what other daemons say: each keeps its own order.
    pub(crate) ordered: [Instant; 2],
}

impl<E> Default for Slot<E> {
    fn default() -> Self {
        Self { engine: None, process: Process::default() }
    }
}

impl<E> Slot<E> {
    /// Does it run and get time?
    pub fn is_active(&self) -> bool {
        self.engine.is_some() && self.process.frozen == 0
    }

    /// A new process with this engine.
    pub(crate) fn start(&mut self, engine: E) {
        self.process.incarnation += 1;
        self.engine = Some(engine);
    }

    /// The process is gone, with all that waited for it.
    pub(crate) fn end(&mut self) {
        self.engine = None;
        self.process.stopping = false;
        self.process.backlog.clear();
        self.process.wake = None;
    }
}

/// An engine as the process of a router.
pub(crate) trait Hosted: Machine + Sized {
    /// Whose engine it is.
    const DAEMON: Daemon;

    /// Where a router has it.
    fn slot(node: &mut Node) -> &mut Slot<Self>;
}

impl Hosted for rib::Rib {
    const DAEMON: Daemon = Daemon::Rib;

    fn slot(node: &mut Node) -> &mut Slot<Self> {
        &mut node.rib
    }
}

impl Hosted for ospf_proto::Instance {
    const DAEMON: Daemon = Daemon::Ospf;

    fn slot(node: &mut Node) -> &mut Slot<Self> {
        &mut node.ospf
    }
}

impl Hosted for vrrp_proto::Instance {
    const DAEMON: Daemon = Daemon::Vrrp;

    fn slot(node: &mut Node) -> &mut Slot<Self> {
        &mut node.vrrp
    }
}

impl Hosted for bfd_proto::Instance {
    const DAEMON: Daemon = Daemon::Bfd;

    fn slot(node: &mut Node) -> &mut Slot<Self> {
        &mut node.bfd
    }
}

/// A connection between two daemons.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Connection {
    /// Its number; grows with every attempt.
    pub(crate) number: u64,
    /// Does it stand?
    pub(crate) up: bool,
    /// How many faults keep it from being made.
    pub(crate) blocked: u32,
}

/// The socket a BFD session sends by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BfdWay {
    pub(crate) peer: Ipv4Addr,
    pub(crate) local: Ipv4Addr,
    pub(crate) interface: IfIndex,
}

/// What is said on a connection by the client.
#[derive(Debug, Clone)]
pub(crate) enum ToServer {
    Rib(rib::message::ClientMessage),
    Bfd(bfd_proto::message::ClientMessage),
}

/// What the server says.
#[derive(Debug, Clone)]
pub(crate) enum ToClient {
    Rib(rib::message::RibMessage),
    Bfd(bfd_proto::message::BfdMessage),
}

/// A router.
#[derive(Debug)]
pub struct Node {
    /// Host name.
    pub name: String,
    /// What its configuration file says now.
    pub config: Config,
    /// Its clocks.
    pub clock: Clock,
    /// How many faults keep power away; off while there is any, or before its start.
    pub(crate) power_faults: u32,
    /// Has it power?
    pub power: bool,
    /// The kernel; meaningless without power.
    pub kernel: Kernel,
    /// ribd.
    pub rib: Slot<rib::Rib>,
    /// ospfd.
    pub ospf: Slot<ospf_proto::Instance>,
    /// vrrpd.
    pub vrrp: Slot<vrrp_proto::Instance>,
    /// bfdd.
    pub bfd: Slot<bfd_proto::Instance>,
    /// OSPF's open sockets with their groups.
    pub(crate) ospf_sockets: BTreeMap<IfIndex, BTreeSet<Ipv4Addr>>,
    /// VRRP's open sockets.
    pub(crate) vrrp_sockets: BTreeSet<IfIndex>,
    /// Addresses about which they hear ARP.
    pub(crate) vrrp_arp: BTreeMap<IfIndex, Vec<Ipv4Addr>>,
    /// Interfaces on which BFD is listened for.
    pub(crate) bfd_sockets: BTreeSet<IfIndex>,
    /// How BFD's sessions send.
    pub(crate) bfd_ways: BTreeMap<u32, BfdWay>,
    /// By client.
    pub(crate) connections: [Connection; 3],
    /// Faults that took a port's carrier, by port.
    pub(crate) unplugged: Vec<u32>,
    /// Faults that hold a port administratively down.
    pub(crate) admin_down: Vec<u32>,
    /// What ospfd asked to keep; a file that goes with the power.
    pub(crate) saved: Option<Saved>,
    /// Latest expiry of an address that is arranged for.
    pub(crate) expiry: Option<Instant>,
}

/// Who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    /// ospfd to ribd.
    Ospf,
    /// vrrpd to ribd.
    Vrrp,
    /// ospfd to bfdd.
    OspfBfd,
}

impl Client {
    pub(crate) const ALL: [Self; 3] = [Self::Ospf, Self::Vrrp, Self::OspfBfd];

    pub(crate) fn daemon(self) -> Daemon {
        match self {
            Self::Ospf | Self::OspfBfd => Daemon::Ospf,
            Self::Vrrp => Daemon::Vrrp,
        }
    }

    pub(crate) fn server(self) -> Daemon {
        match self {
            Self::Ospf | Self::Vrrp => Daemon::Rib,
            Self::OspfBfd => Daemon::Bfd,
        }
    }

    /// All that talk to this daemon.
    pub(crate) fn of_server(server: Daemon) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |client| client.server() == server)
    }

    /// Whose connection has this number?
    pub(crate) fn of(number: u64) -> Self {
        Self::ALL[(number % Self::ALL.len() as u64) as usize]
    }
}

impl Connection {
    /// None yet. A client's numbers leave the same remainder, so that no two connections share one.
    pub(crate) fn of(client: Client) -> Self {
        Self { number: client as u64, up: false, blocked: 0 }
    }

    /// The number of the next one.
    pub(crate) fn next(self) -> u64 {
        self.number + Client::ALL.len() as u64
    }
}

impl Node {
    /// The present or latest connection of a client.
    pub(crate) fn connection(&self, client: Client) -> Connection {
        self.connections[client as usize]
    }

    pub(crate) fn connection_mut(&mut self, client: Client) -> &mut Connection {
        &mut self.connections[client as usize]
    }

    /// Is this daemon running (frozen or not)?
    pub fn runs(&self, daemon: Daemon) -> bool {
        match daemon {
            Daemon::Rib => self.rib.engine.is_some(),
            Daemon::Ospf => self.ospf.engine.is_some(),
            Daemon::Vrrp => self.vrrp.engine.is_some(),
            Daemon::Bfd => self.bfd.engine.is_some(),
        }
    }

    /// Its present or last process.
    pub fn process(&self, daemon: Daemon) -> &Process {
        match daemon {
            Daemon::Rib => &self.rib.process,
            Daemon::Ospf => &self.ospf.process,
            Daemon::Vrrp => &self.vrrp.process,
            Daemon::Bfd => &self.bfd.process,
        }
    }

    pub(crate) fn process_mut(&mut self, daemon: Daemon) -> &mut Process {
        match daemon {
            Daemon::Rib => &mut self.rib.process,
            Daemon::Ospf => &mut self.ospf.process,
            Daemon::Vrrp => &mut self.vrrp.process,
            Daemon::Bfd => &mut self.bfd.process,
        }
    }

    /// Number of its present or last process.
    pub fn incarnation(&self, daemon: Daemon) -> u32 {
        self.process(daemon).incarnation
    }

    /// When its engine wants to be called, in its own time.
    pub fn deadline(&self, daemon: Daemon) -> Option<Instant> {
        match daemon {
            Daemon::Rib => self.rib.engine.as_ref().and_then(Machine::poll_timeout),
            Daemon::Ospf => self.ospf.engine.as_ref().and_then(Machine::poll_timeout),
            Daemon::Vrrp => self.vrrp.engine.as_ref().and_then(Machine::poll_timeout),
            Daemon::Bfd => self.bfd.engine.as_ref().and_then(Machine::poll_timeout),
        }
    }

    /// Calls it because the time has come.
    pub(crate) fn serve_timers(&mut self, daemon: Daemon, local: Instant) {
        match daemon {
            Daemon::Rib => self.rib.engine.iter_mut().for_each(|e| e.handle_timeout(local)),
            Daemon::Ospf => self.ospf.engine.iter_mut().for_each(|e| e.handle_timeout(local)),
            Daemon::Vrrp => self.vrrp.engine.iter_mut().for_each(|e| e.handle_timeout(local)),
            Daemon::Bfd => self.bfd.engine.iter_mut().for_each(|e| e.handle_timeout(local)),
        }
    }

    /// The sessions of bfdd; none while it does not run.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = SessionView> {
        self.bfd.engine.iter().flat_map(bfd_proto::Instance::views)
    }

    /// Is an ARP packet on a port handed to vrrpd?
    pub(crate) fn vrrp_takes(&self, ifindex: IfIndex, arp: &Arp) -> bool {
        let about = self.vrrp_arp.get(&ifindex).filter(|_| self.vrrp_sockets.contains(&ifindex));
        about.is_some_and(|addresses| addresses.contains(&arp.sender) || addresses.contains(&arp.target))
    }

    /// Is a datagram handed to bfdd? A kernel drops one whose checksum is wrong.
    pub(crate) fn bfd_takes(&self, ifindex: IfIndex, frame: &Frame) -> bool {
        let (Some(ip), Some(udp)) = (frame.datagram(), frame.udp()) else { return false };
        udp.destination_port == turn::bfd::PORT
            && self.bfd_sockets.contains(&ifindex)
            && self.kernel.has(ip.destination)
    }

    /// May a datagram to `destination` on a port be handed to ospfd?
    pub(crate) fn ospf_takes(&self, ifindex: IfIndex, destination: Ipv4Addr) -> bool {
        self.ospf_sockets
            .get(&ifindex)
            .is_some_and(|groups| groups.contains(&destination) || self.kernel.has_on(ifindex, destination))
    }
}
