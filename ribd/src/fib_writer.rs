//! The engine's FIB requests as rtnetlink, and the kernel's tables as the engine's snapshot.
//!
//! One socket does all writing, so that its port number tells our own changes from other people's.
//! Requests of one round go out in batches with one acknowledgement each; see `netlink::socket`.

use rib::fib::{
    FibErrorKind, FibFailure, FibOp, FibRequest, FibResults, KERNEL_METRIC, KernelNextHop,
    KernelNextHopContent, KernelRoute, KernelSnapshot, Put, Via,
};
use rib::route::{FibHop, KERNEL_PROTOCOL_OSPF, KERNEL_PROTOCOL_STATIC};
use rib::system::SystemOp;
use routing_common::id::IfIndex;
use routing_common::link::RIBD_ADDRESS_PROTOCOL;
use routing_runtime::netlink::address::AddressSpec;
use routing_runtime::netlink::link;
use routing_runtime::netlink::message::Message;
use routing_runtime::netlink::neighbor;
use routing_runtime::netlink::nexthop::{self, ObjectContent};
use routing_runtime::netlink::route::{self, Route, RouteNextHop, RouteVia};
use routing_runtime::netlink::socket::{NetlinkError, RequestSocket};
use std::io;

/// How often a dump is begun anew because the table changed under it.
const DUMP_ATTEMPTS: usize = 20;
/// RTPROT_* of our next-hop objects.
const OBJECT_PROTOCOL: u8 = KERNEL_PROTOCOL_STATIC;

/// The writing end of the kernel's tables.
#[derive(Debug)]
pub(crate) struct FibWriter {
    socket: RequestSocket,
    port: u32,
}

/// What came of one round of requests.
#[derive(Debug)]
pub(crate) struct Executed {
    /// For the engine.
    pub(crate) results: FibResults,
    /// The socket failed half way: nobody knows which requests were done, a snapshot must tell.
    pub(crate) uncertain: bool,
}

impl FibWriter {
    /// Opens the socket in the current network namespace.
    pub(crate) fn open() -> io::Result<Self> {
        let socket = RequestSocket::open()?;
        let port = socket.port()?;
        Ok(Self { socket, port })
    }

    /// The port number events caused by our own requests carry.
    pub(crate) fn port(&self) -> u32 {
        self.port
    }

    /// Executes requests in order. `requests` is not empty.
    pub(crate) async fn execute(&mut self, requests: &[FibRequest]) -> Executed {
        let messages: Vec<Message> = requests.iter().map(|r| encode(&r.op)).collect();
        let up_to = requests.last().map_or(0, |r| r.token);
        match self.socket.batch(&messages).await {
            Ok(refused) => {
                let failures = refused
                    .into_iter()
                    .filter_map(|f| {
                        let token = requests.get(f.index)?.token;
                        Some(FibFailure { token, kind: kind_of(f.refusal.errno), text: f.refusal.text })
                    })
                    .collect();
                Executed { results: FibResults { up_to, failures }, uncertain: false }
            }
            Err(error) => {
                let failed = |r: &FibRequest| FibFailure {
                    token: r.token,
                    kind: FibErrorKind::Refused,
                    text: error.to_string(),
                };
                let failures = requests.iter().map(failed).collect();
                Executed { results: FibResults { up_to, failures }, uncertain: true }
            }
        }
    }

    /// Addresses and links; sysctls are not this module's.
    pub(crate) async fn execute_system(&mut self, op: &SystemOp) -> Result<(), String> {
        let (message, already) = match op {
            SystemOp::AddAddress(ifindex, network) => (spec(*ifindex, *network).add(), libc::EEXIST),
            SystemOp::RemoveAddress(ifindex, network) => {
                (spec(*ifindex, *network).delete(), libc::EADDRNOTAVAIL)
            }
            SystemOp::BringUp(ifindex) => (link::set_admin(*ifindex, true), 0),
            SystemOp::ForgetUnresolved(ifindex) => {
                return self.forget_unresolved(*ifindex).await.map_err(|e| e.to_string());
            }
            SystemOp::SetSysctl { .. } => return Ok(()),
        };
        match self.socket.request(&message).await {
            // Addresses go before their interface does: that it goes is told next and undoes the wish.
            Err(e) if ![Some(already), Some(libc::ENODEV)].contains(&e.errno()) => Err(e.to_string()),
            _ => Ok(()),
        }
    }

    async fn forget_unresolved(&mut self, wanted: IfIndex) -> Result<(), NetlinkError> {
        let mut found = Vec::new();
        let dumped =
            self.socket.dump(&neighbor::dump(wanted), |m| found.extend(neighbor::incomplete(&m))).await;
        match dumped {
            // An entry that was missed costs what all of them would.
            Err(NetlinkError::Interrupted) => {}
            Err(e) if e.errno() == Some(libc::ENODEV) => {}
            other => other?,
        }
        // Kernels that do not filter tell about all interfaces.
        for (ifindex, address) in found.into_iter().filter(|(ifindex, _)| *ifindex == wanted) {
            match self.socket.request(&neighbor::delete(ifindex, address)).await {
                Err(e) if ![Some(libc::ENOENT), Some(libc::ENODEV)].contains(&e.errno()) => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads our routes and the next-hop objects.
    pub(crate) async fn snapshot(&mut self) -> Result<KernelSnapshot, NetlinkError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.snapshot_once().await {
                Err(NetlinkError::Interrupted) if attempt < DUMP_ATTEMPTS => {}
                other => return other,
            }
        }
    }

    async fn snapshot_once(&mut self) -> Result<KernelSnapshot, NetlinkError> {
        let mut snapshot = KernelSnapshot { objects_supported: true, ..KernelSnapshot::default() };
        let found = &mut snapshot.next_hops;
        let dumped = self
            .socket
            .dump(&nexthop::dump(), |m| {
                found.extend(nexthop::parse(&m).map(|c| KernelNextHop {
                    id: c.id,
                    content: match c.protocol {
                        OBJECT_PROTOCOL => content(c.content),
                        _ => KernelNextHopContent::Foreign,
                    },
                }));
            })
            .await;
        match dumped {
            Err(e) if e.errno() == Some(libc::EOPNOTSUPP) => snapshot.objects_supported = false,
            other => other?,
        }
        for protocol in [KERNEL_PROTOCOL_STATIC, KERNEL_PROTOCOL_OSPF] {
            let found = &mut snapshot.routes;
            self.socket
                .dump(&route::dump(protocol), |m| {
                    let ours = route::parse(&m)
                        .map(|c| c.route)
                        .filter(|r| r.protocol == protocol && r.metric == KERNEL_METRIC);
                    found.extend(ours.map(|r| KernelRoute { prefix: r.prefix, protocol, via: via(r.via) }));
                })
                .await?;
        }
        Ok(snapshot)
    }
}

fn spec(ifindex: IfIndex, network: ipnetwork::Ipv4Network) -> AddressSpec {
    AddressSpec { ifindex, network, protocol: RIBD_ADDRESS_PROTOCOL, no_prefix_route: false, lifetime: None }
}

fn kind_of(errno: i32) -> FibErrorKind {
    match errno {
        libc::ESRCH | libc::ENOENT => FibErrorKind::Absent,
        libc::EOPNOTSUPP => FibErrorKind::Unsupported,
        _ => FibErrorKind::Refused,
    }
}

fn encode(op: &FibOp) -> Message {
    match op {
        FibOp::PutNextHop { id, hop } => {
            nexthop::put(nexthop::Put::Create, *id, OBJECT_PROTOCOL, &to_kernel(hop))
        }
        FibOp::PutGroup { mode, id, members } => {
            nexthop::put_group(put(*mode), *id, OBJECT_PROTOCOL, members)
        }
        FibOp::RemoveNextHop { id } => nexthop::remove(*id),
        FibOp::InstallRoute { prefix, protocol, via } => {
            let via = match via {
                Via::Blackhole => RouteVia::Blackhole,
                Via::Object(id) => RouteVia::Object(*id),
                Via::Plain(hops) => RouteVia::NextHops(hops.iter().map(to_kernel).collect()),
            };
            route::install(&Route { prefix: *prefix, protocol: *protocol, metric: KERNEL_METRIC, via })
        }
        FibOp::RemoveRoute { prefix, protocol } => route::remove(*prefix, KERNEL_METRIC, *protocol),
    }
}

fn put(mode: Put) -> nexthop::Put {
    match mode {
        Put::Create => nexthop::Put::Create,
        Put::Replace => nexthop::Put::Replace,
    }
}

fn to_kernel(hop: &FibHop) -> RouteNextHop {
    RouteNextHop { gateway: hop.gateway, ifindex: hop.ifindex.0, onlink: hop.onlink }
}

fn from_kernel(hop: RouteNextHop) -> FibHop {
    FibHop { gateway: hop.gateway, ifindex: IfIndex(hop.ifindex), onlink: hop.onlink }
}

fn via(via: RouteVia) -> Via {
    match via {
        RouteVia::Blackhole => Via::Blackhole,
        RouteVia::Object(id) => Via::Object(id),
        RouteVia::NextHops(hops) => {
            let mut hops: Vec<FibHop> = hops.into_iter().map(from_kernel).collect();
            hops.sort_unstable();
            Via::Plain(hops.into())
        }
        RouteVia::Other => Via::Plain(Box::default()),
    }
}

fn content(content: ObjectContent) -> KernelNextHopContent {
    match content {
        ObjectContent::Hop(hop) => KernelNextHopContent::Hop(from_kernel(hop)),
        ObjectContent::Group(members) => KernelNextHopContent::Group(members),
        ObjectContent::Other => KernelNextHopContent::Other,
    }
}
