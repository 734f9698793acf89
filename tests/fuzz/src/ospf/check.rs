//! What must be true of everything an OSPF engine says.

use ospf_proto::constants::{ALL_D_ROUTERS, ALL_SPF_ROUTERS};
use ospf_proto::packet::{PacketBody, UpdateLsa, decode_header, verify};
use ospf_proto::{Input, Instance, Output};
use rib::message::{Attachment, ClientMessage, PROTOCOL_VERSION, Protocol, RouteChange};
use routing_common::config::OspfAuthentication;
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// Outputs of one input. Nothing a neighbour says may set off more than a burst: the largest database these
/// scripts can build has a few hundred LSAs.
const MOST_OUTPUTS: usize = 2000;
/// Octets of an IPv4 header.
const IP_HEADER: usize = 20;

/// What packets of an interface must look like at a moment.
#[derive(Debug, Clone)]
struct Sender {
    area: AreaId,
    mtu: usize,
    address: Option<Ipv4Addr>,
    authentication: OspfAuthentication,
}

/// All interfaces at a moment. A step may change them in its midst, so a packet may be of before or after.
#[derive(Debug, Clone)]
pub(super) struct Senders {
    router_id: RouterId,
    interfaces: BTreeMap<IfIndex, Sender>,
}

impl Senders {
    pub(super) fn of(engine: &Instance) -> Self {
        let sender = |i: &ospf_proto::interface::Interface| Sender {
            area: i.area(),
            mtu: usize::from(i.mtu),
            address: i.ip(),
            authentication: i.config.authentication.clone(),
        };
        Self {
            router_id: engine.router_id(),
            interfaces: engine.interfaces().map(|i| (i.ifindex, sender(i))).collect(),
        }
    }

    /// Why this is not a packet of this interface.
    fn fault(&self, ifindex: IfIndex, source: Ipv4Addr, payload: &[u8]) -> Option<String> {
        let Some(sender) = self.interfaces.get(&ifindex) else { return Some("no such interface".into()) };
        let raw = match decode_header(payload) {
            Ok(raw) => raw,
            Err(error) => return Some(format!("own packet refused: {error}")),
        };
        let facts = [
            (sender.address == Some(source), "source is not the interface's address"),
            (raw.router_id == self.router_id, "another router id"),
            (raw.area_id == sender.area, "another area"),
            (raw.checksum_is_valid(), "checksum"),
            (fits(payload, sender.mtu), "larger than the MTU"),
        ];
        if let Some((_, what)) = facts.iter().find(|(holds, _)| !holds) {
            return Some((*what).to_owned());
        }
        // Whatever its clock says: the keys of these worlds are accepted always.
        verify(&raw, &sender.authentication, 0, None).err().map(|e| e.to_string())
    }
}

/// Only an update of a single LSA may be longer than the MTU (RFC 2328 App. A.1), or a Hello, which cannot be
/// divided.
fn fits(payload: &[u8], mtu: usize) -> bool {
    let single = payload.get(1) == Some(&4) && payload.get(24..28) == Some(&[0, 0, 0, 1]);
    single || payload.get(1) == Some(&1) || payload.len() + IP_HEADER <= mtu
}

/// What the engine has opened, joined and promised.
#[derive(Debug, Default)]
pub(super) struct Books {
    open: BTreeSet<IfIndex>,
    groups: BTreeSet<(IfIndex, Ipv4Addr)>,
    rib_connected: bool,
    bfd_connected: bool,
    /// Between BeginSync and EndSync.
    syncing: bool,
    told: BTreeSet<ipnetwork::Ipv4Network>,
    shutting_down: bool,
    prepared: bool,
    finished: bool,
}

impl Books {
    /// Notes what the engine is about to be told.
    pub(super) fn told(&mut self, input: &Input<'_>) {
        match input {
            Input::RibConnected => {
                self.rib_connected = true;
                self.syncing = false;
                self.told.clear();
            }
            Input::RibLost => self.rib_connected = false,
            Input::BfdConnected => self.bfd_connected = true,
            Input::BfdLost => self.bfd_connected = false,
            Input::Shutdown => self.shutting_down = true,
            Input::PrepareRestart => self.prepared = true,
            _ => {}
        }
    }

    pub(super) fn is_member(&self, ifindex: IfIndex, group: Ipv4Addr) -> bool {
        self.groups.contains(&(ifindex, group))
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Checks one output, the `count`th of its step.
    pub(super) fn check(&mut self, count: usize, before: &Senders, after: &Senders, output: &Output) {
        assert!(count <= MOST_OUTPUTS, "one input, {count} outputs");
        assert!(!self.finished || matches!(output, Output::Notice(_)), "{output:?} after the end");
        match output {
            Output::Transmit { ifindex, source, destination, payload } => {
                assert!(self.open.contains(ifindex), "sent on a closed interface");
                datagram(before, after, *ifindex, *source, *destination, payload);
            }
            Output::OpenInterface { ifindex, .. } => assert!(self.open.insert(*ifindex), "opened twice"),
            Output::CloseInterface { ifindex } => {
                assert!(self.open.remove(ifindex), "closed twice");
                self.groups.retain(|(i, _)| i != ifindex);
            }
            Output::JoinGroup { ifindex, group } => {
                assert!(self.open.contains(ifindex), "joined on a closed interface");
                assert!([ALL_SPF_ROUTERS, ALL_D_ROUTERS].contains(group));
                assert!(self.groups.insert((*ifindex, *group)), "joined {group} twice");
            }
            Output::LeaveGroup { ifindex, group } => {
                assert!(self.groups.remove(&(*ifindex, *group)), "left {group} without having joined");
            }
            Output::Rib(message) => self.rib(message),
            Output::Bfd(_) => assert!(self.bfd_connected, "spoke to a bfdd that is not there"),
            // What is kept is what the next process finds; the world gives it.
            Output::Persist(saved) => assert!(saved.interfaces.len() <= 16),
            Output::Notice(notice) => assert!(!notice.text.is_empty() && !notice.code.is_empty()),
            Output::Finished => {
                assert!(self.shutting_down || self.prepared, "finished without having been asked");
                assert!(self.prepared || self.open.is_empty(), "finished with open interfaces");
                self.finished = true;
            }
        }
    }

    /// The contract of a session with the RIB.
    fn rib(&mut self, message: &ClientMessage) {
        assert!(self.rib_connected, "{message:?} without a session");
        match message {
            ClientMessage::Hello { version, protocol, .. } => {
                assert_eq!((*version, *protocol), (PROTOCOL_VERSION, Some(Protocol::Ospf)));
            }
            ClientMessage::BeginSync => {
                assert!(!self.syncing, "began to synchronise twice");
                self.syncing = true;
            }
            ClientMessage::EndSync => assert!(core::mem::take(&mut self.syncing), "ended what had not begun"),
            ClientMessage::Routes(changes) | ClientMessage::Part(changes) => {
                assert!(!changes.is_empty(), "an empty list of routes");
                changes.iter().for_each(|c| self.route(c));
            }
            ClientMessage::Attached(attachments) => {
                let networks: BTreeSet<_> = attachments.iter().map(|a| a.network).collect();
                assert_eq!(networks.len(), attachments.len(), "a network twice");
                for Attachment { network, routers, left } in attachments {
                    assert_eq!(*network, prefix::canonical(*network), "host bits in a network");
                    assert!(routers.iter().all(|id| !left.contains(id)), "there and left: {attachments:?}");
                }
            }
            ClientMessage::Alternates { changes, .. } => {
                assert!(!changes.is_empty(), "an empty list of alternates");
            }
            ClientMessage::Lost(hops) => assert!(!hops.is_empty(), "nothing is lost"),
            ClientMessage::Subscribe(_) | ClientMessage::FibBarrier(_) | ClientMessage::Goodbye { .. } => {}
        }
    }

    fn route(&mut self, change: &RouteChange) {
        match change {
            RouteChange::Replace(route) => {
                assert_eq!(route.prefix, prefix::canonical(route.prefix), "host bits in a route");
                assert!(!route.next_hops.is_empty(), "{}: a blackhole", route.prefix);
                let unique: BTreeSet<_> = route.next_hops.iter().collect();
                assert_eq!(unique.len(), route.next_hops.len(), "{}: a next hop twice", route.prefix);
                self.told.insert(route.prefix);
            }
            RouteChange::Withdraw(prefix) => {
                assert!(self.told.remove(prefix), "{prefix} withdrawn and never told");
            }
        }
    }
}

fn datagram(
    before: &Senders,
    after: &Senders,
    ifindex: IfIndex,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    payload: &[u8],
) {
    let group = [ALL_SPF_ROUTERS, ALL_D_ROUTERS].contains(&destination);
    assert!(group || !destination.is_multicast(), "to {destination}");
    assert!(destination != source && !destination.is_unspecified(), "to {destination} from {source}");
    if let Some(fault) = before.fault(ifindex, source, payload)
        && let Some(also) = after.fault(ifindex, source, payload)
    {
        // What flushes under an old identity is neither the one nor the other.
        let mixed = Senders { router_id: before.router_id, interfaces: after.interfaces.clone() };
        let fault = mixed.fault(ifindex, source, payload).map(|_| format!("{fault}; {also}"));
        assert!(fault.is_none(), "{ifindex}: {}: {payload:02x?}", fault.unwrap_or_default());
    }
    let body = decode_header(payload).and_then(|raw| raw.decode_body()).expect("own packet refused");
    match body {
        PacketBody::LinkStateUpdate(lsas) => {
            assert!(!lsas.is_empty(), "an empty update");
            assert!(lsas.iter().all(|l| matches!(l, UpdateLsa::Valid(_))), "an LSA of ours is invalid");
        }
        PacketBody::LinkStateRequest(keys) => assert!(!keys.is_empty(), "an empty request"),
        PacketBody::LinkStateAck(headers) => assert!(!headers.is_empty(), "an empty acknowledgment"),
        PacketBody::Hello(_) | PacketBody::DatabaseDescription(_) => {}
    }
}
