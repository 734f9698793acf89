//! Other people's changes of our routes and next-hop objects.
//!
//! Events of our own requests never reach us: the kernel leaves them out by the port number of the socket
//! that writes. Otherwise every large change of ours would overflow the queue. A queue that overflowed
//! all the same is reported as such; the shell then reads everything anew.

use rib::Input;
use rib::fib::KERNEL_METRIC;
use routing_runtime::netlink::message::Received;
use routing_runtime::netlink::nexthop::{self, GROUP_NEXTHOP};
use routing_runtime::netlink::route::{self, GROUP_IPV4_ROUTE};
use routing_runtime::netlink::socket::{EventSocket, NetlinkError};
use std::io;

/// Listens to route and next-hop events.
#[derive(Debug)]
pub(crate) struct KernelMonitor {
    socket: EventSocket,
}

impl KernelMonitor {
    /// Starts to listen in the current network namespace. A kernel without next-hop objects has no events
    /// of them either.
    pub(crate) fn open(own_port: u32) -> io::Result<Self> {
        let socket = EventSocket::open(&[GROUP_IPV4_ROUTE, GROUP_NEXTHOP])
            .or_else(|_| EventSocket::open(&[GROUP_IPV4_ROUTE]))?;
        socket.ignore(own_port)?;
        Ok(Self { socket })
    }

    /// What others did, possibly nothing; `None` when events were lost. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Input>>, NetlinkError> {
        match self.socket.receive().await {
            Ok(messages) => Ok(Some(messages.filter_map(|m| foreign(&m)).collect())),
            Err(NetlinkError::Overrun) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Forgets what is queued, before a snapshot that will say it all.
    pub(crate) fn discard_queued(&mut self) {
        self.socket.discard_queued();
    }
}

/// What a foreign event may mean for us. Any change at our metric may have replaced a route of ours,
/// whatever protocol number it bears; the engine knows whether there was one.
fn foreign(m: &Received<'_>) -> Option<Input> {
    if let Some(change) = route::parse(m) {
        return (change.route.metric == KERNEL_METRIC).then_some(Input::RouteDisturbed(change.route.prefix));
    }
    let change = nexthop::parse(m)?;
    Some(if change.removed { Input::NextHopRemoved(change.id) } else { Input::NextHopPut(change.id) })
}
