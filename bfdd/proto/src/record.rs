//! The engine's inputs in an owned form, for recordings. See [`routing_common::record`].

use crate::instance::{ClientId, HostStatus, Input, Instance, Received};
use crate::message::ClientMessage;
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::record::Recordable;
use routing_common::time::Instant;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// [`Input`], owned. Any change here is a new version of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// [`Input::Link`].
    Link(LinkEvent),
    /// [`Input::Reconfigure`] with the configuration loaded last.
    Reconfigure,
    /// [`Input::Packet`].
    Packet {
        /// The interface it came by.
        interface: IfIndex,
        /// IP source address.
        source: Ipv4Addr,
        /// IP destination address.
        destination: Ipv4Addr,
        /// IP time to live.
        ttl: u8,
        /// Port 4784.
        multihop: bool,
        /// The UDP payload.
        payload: Vec<u8>,
        /// The kernel's stamp.
        received: Instant,
    },
    /// [`Input::ClientConnected`].
    ClientConnected(ClientId),
    /// [`Input::ClientMessage`].
    ClientMessage(ClientId, ClientMessage),
    /// [`Input::ClientGone`].
    ClientGone(ClientId),
    /// [`Input::TransmitFailed`].
    TransmitFailed(u32),
    /// [`Input::Fault`].
    Fault(String),
    /// [`Input::Host`].
    Host(HostStatus),
    /// [`Input::Shutdown`].
    Shutdown,
}

impl Recordable for Instance {
    const DAEMON: &'static str = "bfdd";
    type Record = Record;

    /// The configuration is the engine's first input.
    fn create(_: &Config, seed: u64) -> Self {
        Self::new(seed)
    }

    fn record(input: &Input<'_>) -> Record {
        match input {
            Input::Link(event) => Record::Link(event.clone()),
            Input::Reconfigure(_) => Record::Reconfigure,
            Input::Packet(p) => Record::Packet {
                interface: p.interface,
                source: p.source,
                destination: p.destination,
                ttl: p.ttl,
                multihop: p.multihop,
                payload: p.payload.to_vec(),
                received: p.received,
            },
            Input::ClientConnected(client) => Record::ClientConnected(*client),
            Input::ClientMessage(client, message) => Record::ClientMessage(*client, message.clone()),
            Input::ClientGone(client) => Record::ClientGone(*client),
            Input::TransmitFailed(session) => Record::TransmitFailed(*session),
            Input::Fault(text) => Record::Fault(text.clone()),
            Input::Host(status) => Record::Host(status.clone()),
            Input::Shutdown => Record::Shutdown,
        }
    }

    fn input<'a>(record: &'a Record, config: &Config) -> Input<'a> {
        match record {
            Record::Link(event) => Input::Link(event.clone()),
            Record::Reconfigure => Input::Reconfigure(Box::new(config.clone())),
            Record::Packet { interface, source, destination, ttl, multihop, payload, received } => {
                Input::Packet(Received {
                    interface: *interface,
                    source: *source,
                    destination: *destination,
                    ttl: *ttl,
                    multihop: *multihop,
                    payload,
                    received: *received,
                })
            }
            Record::ClientConnected(client) => Input::ClientConnected(*client),
            Record::ClientMessage(client, message) => Input::ClientMessage(*client, message.clone()),
            Record::ClientGone(client) => Input::ClientGone(*client),
            Record::TransmitFailed(session) => Input::TransmitFailed(*session),
            Record::Fault(text) => Input::Fault(text.clone()),
            Record::Host(status) => Input::Host(status.clone()),
            Record::Shutdown => Input::Shutdown,
        }
    }
}
