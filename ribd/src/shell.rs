//! Carries inputs to the engine and its outputs to the kernel and to clients. Decides nothing.
//!
//! Order at start: configuration, interfaces, the kernel's routes, and only then the sockets: who can
//! connect finds a RIB that knows what there is. One input is followed by all its outputs; FIB requests
//! of one round are executed as one batch and answered before the next input.
//!
//! SIGTERM means "this router stops": routes are withdrawn, kernel settings put back, addresses left (so
//! that the host stays reachable). SIGKILL or a crash leaves everything, and the successor adopts it.

use crate::fib_writer::FibWriter;
use crate::kernel_monitor::KernelMonitor;
use crate::sysctl_store::SysctlStore;
use anyhow::Context as _;
use rib::api;
use rib::fib::FibRequest;
use rib::message::{ClientMessage, RibMessage};
use rib::system::SystemOp;
use rib::{ClientId, Input, Output, Rib};
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::record::Recorded;
use routing_runtime::control_server::{ControlRequest, ControlServer};
use routing_runtime::daemon::{DaemonContext, Sorted};
use routing_runtime::deadline::DeadlineTimer;
use routing_runtime::framed::{ConnectionId, FramedListener, ServerEvent};
use routing_runtime::memory::Tidiness;
use routing_runtime::netlink::monitor::LinkMonitor;
use routing_runtime::signals::Signal;
use std::time::Duration;
use tokio::time::Instant;

type Clients = FramedListener<RibMessage, ClientMessage>;

/// Between attempts to read the kernel's tables.
const RESYNC_PAUSE: Duration = Duration::from_millis(500);

/// Requests to the kernel that leave enough free memory behind to give it back.
const BURST: usize = 10_000;

/// The daemon from its context to its end.
pub(crate) async fn run(context: DaemonContext) -> anyhow::Result<()> {
    let mut links = LinkMonitor::start().context("link monitor")?;
    let writer = FibWriter::open().context("netlink socket for routes")?;
    let kernel = KernelMonitor::open(writer.port()).context("route monitor")?;
    let sysctls = SysctlStore::open(&context.socket_path("ribd.sysctl"))?;
    let rib = context.engine(0);
    let tidiness = Tidiness::after(BURST, Duration::ZERO);
    let mut shell = Shell { rib, context, writer, kernel, sysctls, clients: None, resync: false, tidiness };
    let config = Box::new(shell.context.config.clone());
    shell.feed(Input::Reconfigure(config)).await;
    loop {
        let event = links.next().await;
        let complete = event == LinkEvent::SnapshotComplete;
        shell.feed(Input::Link(event)).await;
        if complete {
            break;
        }
    }
    shell.resynchronise().await?;
    let path = shell.context.socket_path("rib.sock");
    shell.clients = Some(Clients::bind(&path).with_context(|| path.display().to_string())?);
    let control = shell.context.control_server::<api::Request>()?;
    shell.serve(links, control).await
}

struct Shell {
    rib: Recorded<Rib>,
    context: DaemonContext,
    writer: FibWriter,
    kernel: KernelMonitor,
    sysctls: SysctlStore,
    /// `None` until the engine is ready for clients.
    clients: Option<Clients>,
    /// The model may differ from the kernel: read the kernel's tables at the next opportunity.
    resync: bool,
    /// Of requests to the kernel; a burst has ended when none is left.
    tidiness: Tidiness,
}

impl Shell {
    async fn serve(mut self, mut links: LinkMonitor, mut control: ControlServer) -> anyhow::Result<()> {
        let mut timer = DeadlineTimer::new().context("timer")?;
        let mut not_before = Instant::now();
        loop {
            if self.resync && Instant::now() >= not_before {
                // Not a reason to end: forwarding goes on as it is.
                if let Err(error) = self.resynchronise().await {
                    tracing::warn!("{error:#}; tried again soon");
                    self.resync = true;
                    not_before = Instant::now() + RESYNC_PAUSE;
                }
            }
            let deadline = self.rib.poll_timeout();
            tokio::select! {
                biased;
                signal = self.context.signals.next() => match signal {
                    Signal::Reload => self.reload().await,
                    Signal::Terminate => {
                        self.feed(Input::Shutdown).await;
                        self.sysctls.restore();
                        return Ok(());
                    }
                    Signal::TerminateNow => return Ok(()),
                },
                event = links.next() => {
                    // A later snapshot means that link events were lost, and with them perhaps a flap
                    // that took next-hop objects along.
                    self.resync |= event == LinkEvent::SnapshotComplete;
                    self.feed(Input::Link(event)).await;
                }
                inputs = self.kernel.next() => match inputs? {
                    Some(inputs) => for input in inputs {
                        self.feed(input).await;
                    },
                    None => {
                        tracing::warn!("route events were lost, the kernel's tables are read anew");
                        self.resync = true;
                    }
                },
                () = tokio::time::sleep_until(not_before), if self.resync => {}
                () = timer.wait(deadline) => {
                    self.rib.handle_timeout(self.context.clock.now());
                    self.drain().await;
                }
                event = next_client_event(&mut self.clients) => self.client_event(event).await,
                request = control.next_request() => match self.context.sort(request) {
                    Sorted::Question(request) => self.answer(request),
                    Sorted::Reconfigure(config, acknowledgement) => {
                        self.feed(Input::Reconfigure(config)).await;
                        acknowledgement.give();
                    }
                    Sorted::Answered => {}
                },
            }
        }
    }

    async fn reload(&mut self) {
        if let Some(config) = self.context.reload_config() {
            self.feed(Input::Reconfigure(Box::new(config))).await;
        }
    }

    async fn client_event(&mut self, event: ServerEvent<ClientMessage>) {
        self.feed(match event {
            ServerEvent::Connected(id) => Input::ClientConnected(ClientId(id.0)),
            ServerEvent::Message(id, message) => Input::ClientMessage(ClientId(id.0), message),
            ServerEvent::Disconnected(id, _) => Input::ClientGone(ClientId(id.0)),
        })
        .await;
    }

    fn answer(&self, request: ControlRequest) {
        let result = serde_json::from_value::<api::Request>(request.body.clone())
            .map_err(|e| format!("not a request of ribd: {e}"))
            .and_then(|r| self.rib.engine().query(self.context.clock.now(), &r));
        request.respond(result);
    }

    /// Reads the kernel's tables. No request is under way here: every round is answered before it ends.
    async fn resynchronise(&mut self) -> anyhow::Result<()> {
        self.resync = false;
        self.kernel.discard_queued();
        let snapshot = self.writer.snapshot().await.context("reading the kernel's routes")?;
        self.feed(Input::KernelSnapshot(snapshot)).await;
        Ok(())
    }

    async fn feed(&mut self, input: Input) {
        self.rib.handle(self.context.clock.now(), input);
        self.drain().await;
    }

    /// Executes outputs until there are none. Answers are inputs, so this takes a few rounds.
    async fn drain(&mut self) {
        loop {
            let mut requests: Vec<FibRequest> = Vec::new();
            let mut system: Vec<SystemOp> = Vec::new();
            let mut ended: Vec<ClientId> = Vec::new();
            while let Some(output) = self.rib.poll_output() {
                match output {
                    Output::Fib(request) => requests.push(request),
                    Output::System(op) => system.push(op),
                    Output::ToClient(id, message) => {
                        if let Some(clients) = &mut self.clients {
                            clients.send(ConnectionId(id.0), &message);
                        }
                    }
                    Output::Disconnect(id) => ended.push(id),
                    Output::Notice(notice) => self.context.notice(&notice),
                }
            }
            if requests.is_empty() && system.is_empty() && ended.is_empty() {
                self.tidiness.tidy(self.context.clock.now());
                return;
            }
            if !requests.is_empty() {
                self.tidiness.note(self.context.clock.now(), requests.len());
                let executed = self.writer.execute(&requests).await;
                self.resync |= executed.uncertain;
                self.rib.handle(self.context.clock.now(), Input::FibResults(executed.results));
            }
            for id in ended {
                self.disconnect(id);
            }
            for op in system {
                let outcome = match &op {
                    SystemOp::SetSysctl { path, value } => self.sysctls.set(path, *value),
                    op => self.writer.execute_system(op).await,
                };
                self.rib.handle(self.context.clock.now(), Input::SystemResult(op, outcome));
            }
        }
    }

    /// Ends a connection. The listener does not tell about ends of our own making, so the engine is.
    fn disconnect(&mut self, id: ClientId) {
        if let Some(clients) = &mut self.clients {
            clients.close(ConnectionId(id.0));
        }
        self.rib.handle(self.context.clock.now(), Input::ClientGone(id));
    }
}

/// The next event of a client; none while there is no socket.
async fn next_client_event(clients: &mut Option<Clients>) -> ServerEvent<ClientMessage> {
    match clients {
        Some(clients) => clients.next().await,
        None => std::future::pending().await,
    }
}
