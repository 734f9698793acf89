//! Carrying inputs to the engine and its outputs to the kernel.
//!
//! The rule of [`Machine`]: one input, then all outputs, each to its end. Every turn of the loop reads frames and
//! then runs timers, whatever woke it: a Backup must not act on a silence that is only in its own queue.
//!
//! The thread asks for real-time scheduling: with short intervals its adverts must leave, and others' be read, whatever
//! else the host does. Reads are bounded and nothing waits for a disk.
//!
//! No flood stops the rest. The number of frames and of kernel events taken in one turn is bounded; and since
//! frames are read in every turn, what wakes the loop is looked at in the opposite order, a signal
//! first and frames last, so that a LAN that never falls silent cannot keep the operator or the kernel unheard.

use crate::sysctls::Sysctls;
use anyhow::Context as _;
use rib::message::{ClientMessage, RibMessage, Subscription};
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::VRRP_ADDRESS_PROTOCOL;
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::record::Recorded;
use routing_runtime::clock::Clock;
use routing_runtime::control_server::ControlRequest;
use routing_runtime::daemon::{DaemonContext, Sorted};
use routing_runtime::deadline::DeadlineTimer;
use routing_runtime::framed::{ClientEvent, FramedClient};
use routing_runtime::netlink::address::AddressSpec;
use routing_runtime::netlink::link::{self, MacvlanMode};
use routing_runtime::netlink::message::Message;
use routing_runtime::netlink::monitor::LinkMonitor;
use routing_runtime::netlink::socket::RequestSocket;
use routing_runtime::packet_socket::{self, PacketFilter, PacketSocket};
use routing_runtime::ready_set::ReadySet;
use routing_runtime::real_time;
use routing_runtime::signals::Signal;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use vrrp_proto::constants::{GROUP, GROUP_MAC, PROTOCOL};
use vrrp_proto::packet::Received;
use vrrp_proto::{Input, Instance, Output, api};

/// Frames taken from one interface before timers and other interfaces have their turn.
const FRAMES_AT_ONCE: usize = 64;

/// Kernel events taken before frames and timers have their turn.
const EVENTS_AT_ONCE: usize = 256;

/// In SCHED_RR, below BFD's, which has shorter deadlines.
const PRIORITY: u8 = 15;

/// Where the old values of kernel parameters survive a kill.
const SYSCTL_FILE: &str = "vrrpd.sysctls";

/// Runs the daemon until it has finished.
pub(crate) async fn run(mut context: DaemonContext) -> anyhow::Result<()> {
    for text in real_time::claim(PRIORITY, "advertisements").problems {
        context.notice(&Notice::warning("real-time", text));
    }
    let mut control = context.control_server::<api::Request>()?;
    let mut monitor = LinkMonitor::start().context("watching interfaces")?;
    let mut timer = DeadlineTimer::new().context("timer")?;
    let mut rib = FramedClient::new(context.socket_path("rib.sock"));
    let mut shell = Shell {
        engine: context.engine(0),
        clock: context.clock,
        sockets: BTreeMap::new(),
        ready: ReadySet::new().context("waiting for sockets")?,
        netlink: RequestSocket::open().context("netlink")?,
        sysctls: Sysctls::load(context.socket_path(SYSCTL_FILE)),
        notices: Vec::new(),
        finished: false,
    };
    let config = Box::new(context.config.clone());
    shell.input(Input::Reconfigure(config)).await;
    while !shell.finished {
        shell.notices.drain(..).for_each(|notice| context.notice(&notice));
        let deadline = shell.engine.poll_timeout();
        tokio::select! {
            biased;
            signal = context.signals.next() => match signal {
                Signal::Reload => {
                    if let Some(config) = context.reload_config() {
                        shell.input(Input::Reconfigure(Box::new(config))).await;
                    }
                }
                Signal::Terminate => shell.input(Input::Shutdown).await,
                Signal::TerminateNow => break,
            },
            event = monitor.next() => {
                shell.input(Input::Link(event)).await;
                for _ in 1..EVENTS_AT_ONCE {
                    let Some(event) = monitor.try_next() else { break };
                    shell.input(Input::Link(event)).await;
                }
            }
            request = control.next_request() => match context.sort(request) {
                Sorted::Question(request) => shell.answer(request),
                Sorted::Reconfigure(config, acknowledgement) => {
                    shell.input(Input::Reconfigure(config)).await;
                    acknowledgement.give();
                }
                Sorted::Answered => {}
            },
            event = rib.next() => {
                for input in told_by_rib(&mut rib, event) {
                    shell.input(input).await;
                }
            }
            () = timer.wait(deadline) => {}
            _ = shell.ready.next() => {} // read below
        }
        shell.read_frames().await;
        shell.run_timers().await;
    }
    shell.notices.drain(..).for_each(|notice| context.notice(&notice));
    shell.sysctls.restore_all()
}

/// What the RIB's news say about this router's routes and about its company. A RIB that is gone leaves the routes in the
/// kernel, but what became of them until it is back nobody knows.
fn told_by_rib(
    rib: &mut FramedClient<ClientMessage, RibMessage>,
    event: ClientEvent<RibMessage>,
) -> Vec<Input<'static>> {
    match event {
        ClientEvent::Connected => {
            let subscription =
                Subscription { routes_stand: true, attachments: true, ..Subscription::default() };
            for message in ClientMessage::listen("vrrpd", subscription) {
                if let Err(error) = rib.send(&message) {
                    tracing::warn!(%error, "asking ribd about the routes and the others on the LAN");
                }
            }
            Vec::new()
        }
        ClientEvent::Message(RibMessage::RoutesStand(stand)) => vec![Input::RoutesStand(stand)],
        ClientEvent::Message(RibMessage::Attached(attachments)) => vec![Input::Attached(attachments)],
        ClientEvent::Message(_) => Vec::new(),
        ClientEvent::Disconnected(_) => vec![Input::RoutesStand(false), Input::Attached(Vec::new())],
    }
}

/// Advertisements, and ARP about these addresses.
fn filter(arp: Vec<Ipv4Addr>) -> PacketFilter {
    PacketFilter::Ipv4 { protocol: PROTOCOL, destination: GROUP, arp }
}

/// The engine and everything its outputs need.
struct Shell {
    engine: Recorded<Instance>,
    clock: Clock,
    sockets: BTreeMap<IfIndex, PacketSocket>,
    /// All of them.
    ready: ReadySet,
    netlink: RequestSocket,
    sysctls: Sysctls,
    /// Told after the work is done: logging may block.
    notices: Vec<Notice>,
    finished: bool,
}

impl Shell {
    /// One input, then all outputs.
    async fn input(&mut self, input: Input<'_>) {
        self.engine.handle(self.clock.now(), input);
        self.drain().await;
    }

    /// Carries out what the engine wants. What the kernel refuses goes back in as a fault.
    async fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            let ifindex = match &output {
                Output::OpenInterface { ifindex, .. } => Some(*ifindex),
                _ => None,
            };
            if let Err(error) = self.carry_out(output).await {
                let fault = Input::Fault { ifindex, text: format!("{error:#}") };
                self.engine.handle(self.clock.now(), fault);
            }
        }
    }

    async fn carry_out(&mut self, output: Output) -> anyhow::Result<()> {
        match output {
            Output::OpenInterface { ifindex, name } => self.open(ifindex, &name),
            Output::CloseInterface { ifindex } => {
                self.sockets.remove(&ifindex);
                Ok(())
            }
            Output::ListenArp { ifindex, addresses } => match self.sockets.get(&ifindex) {
                Some(socket) => socket
                    .set_filter(&filter(addresses))
                    .with_context(|| format!("listening for ARP on interface {ifindex}")),
                None if addresses.is_empty() => Ok(()),
                None => anyhow::bail!("no socket on interface {ifindex}"),
            },
            Output::Transmit { ifindex, frame, .. } => match self.sockets.get(&ifindex) {
                Some(socket) => {
                    socket.send(&frame).with_context(|| format!("sending on interface {ifindex}"))
                }
                None => anyhow::bail!("no socket on interface {ifindex}"),
            },
            Output::CreateDevice { name, parent, mac, alias } => {
                for message in link::create_macvlan(&name, parent, mac, MacvlanMode::Private, alias) {
                    self.ask(message, || format!("making device {name}")).await?;
                }
                Ok(())
            }
            Output::RemoveDevice { ifindex, name } => {
                self.ask(link::delete(ifindex), || format!("removing device {name}")).await?;
                self.sysctls.forget(&name)
            }
            Output::SetDevice { ifindex, up } => {
                let word = if up { "up" } else { "down" };
                self.ask(link::set_admin(ifindex, up), || format!("setting device {ifindex} {word}")).await
            }
            Output::InstallAddress { ifindex, address, lifetime } => {
                let spec = AddressSpec {
                    ifindex,
                    network: address,
                    protocol: VRRP_ADDRESS_PROTOCOL,
                    no_prefix_route: true,
                    lifetime: Some(lifetime),
                };
                self.ask(spec.replace(), || format!("putting {address} on interface {ifindex}")).await
            }
            Output::RemoveAddress { ifindex, address } => {
                let spec = AddressSpec {
                    ifindex,
                    network: address,
                    protocol: VRRP_ADDRESS_PROTOCOL,
                    no_prefix_route: true,
                    lifetime: None,
                };
                self.ask(spec.delete(), || format!("taking {address} off interface {ifindex}")).await
            }
            Output::SetSysctl { interface, family, key, value } => {
                self.sysctls.set(&interface, family, key, value)
            }
            Output::RestoreSysctls { interface } => self.sysctls.restore(&interface),
            Output::Notice(notice) => {
                self.notices.push(notice);
                Ok(())
            }
            Output::Finished => {
                self.finished = true;
                Ok(())
            }
        }
    }

    fn open(&mut self, ifindex: IfIndex, name: &InterfaceName) -> anyhow::Result<()> {
        let socket = PacketSocket::open(ifindex, filter(Vec::new()))
            .with_context(|| format!("listening on {name}"))?;
        socket.join_mac(GROUP_MAC).with_context(|| format!("joining {GROUP} on {name}"))?;
        self.ready.add(ifindex, &socket).with_context(|| format!("waiting on {name}"))?;
        self.sockets.insert(ifindex, socket);
        Ok(())
    }

    /// One request to the kernel. That its object is gone already is no fault: the monitor will tell the
    /// engine, which then wants something else.
    async fn ask(&mut self, message: Message, what: impl Fn() -> String) -> anyhow::Result<()> {
        match self.netlink.request(&message).await {
            Err(e) if matches!(e.errno(), Some(libc::ENODEV | libc::EADDRNOTAVAIL)) => {
                tracing::debug!("{}: {e}", what());
                Ok(())
            }
            other => other.with_context(what),
        }
    }

    async fn read_frames(&mut self) {
        for ifindex in self.ready.ready() {
            for _ in 0..FRAMES_AT_ONCE {
                // Looked up anew each time: an input may close the interface.
                let Some(socket) = self.sockets.get_mut(&ifindex) else { break };
                match socket.try_recv() {
                    Ok(Some(packet_socket::Received::Arp(message))) => {
                        self.engine.handle(self.clock.now(), Input::Arp { ifindex, message });
                    }
                    Ok(Some(packet_socket::Received::Ipv4(frame))) => {
                        let packet = Received {
                            source: frame.source,
                            destination: frame.destination,
                            ttl: frame.ttl,
                            payload: frame.payload,
                        };
                        self.engine.handle(self.clock.now(), Input::Packet { ifindex, packet });
                    }
                    Ok(None) => break,
                    // The interface went down; the monitor tells the engine.
                    Err(error) => {
                        tracing::debug!(%error, "reading on interface {ifindex}");
                        break;
                    }
                }
                self.drain().await;
            }
        }
    }

    async fn run_timers(&mut self) {
        let now = self.clock.now();
        if self.engine.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.engine.handle_timeout(now);
            self.drain().await;
        }
    }

    fn answer(&self, request: ControlRequest) {
        let result = match serde_json::from_value::<api::Request>(request.body.clone()) {
            Ok(question) => self.engine.engine().query(self.clock.now(), &question),
            Err(error) => Err(format!("not a request to vrrpd: {error}")),
        };
        request.respond(result);
    }
}
