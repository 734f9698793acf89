//! The engine's inputs in an owned form, for recordings. See [`routing_common::record`].

use crate::instance::{Input, Instance};
use crate::packet::Received;
use rib::message::Attachment;
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::record::Recordable;
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
        /// The base interface.
        ifindex: IfIndex,
        /// IP source address.
        source: Ipv4Addr,
        /// IP destination address.
        destination: Ipv4Addr,
        /// IP time to live.
        ttl: u8,
        /// What follows the IP header.
        payload: Vec<u8>,
    },
    /// [`Input::Fault`].
    Fault {
        /// The interface the output was for, if one.
        ifindex: Option<IfIndex>,
        /// What was tried and what the kernel said.
        text: String,
    },
    /// [`Input::Shutdown`].
    Shutdown,
    /// [`Input::RoutesStand`].
    RoutesStand(bool),
    /// [`Input::Attached`].
    Attached(Vec<Attachment>),
    /// [`Input::Arp`].
    Arp {
        /// The base interface.
        ifindex: IfIndex,
        /// What follows the Ethernet header.
        message: Vec<u8>,
    },
}

impl Recordable for Instance {
    const DAEMON: &'static str = "vrrpd";
    type Record = Record;

    /// The configuration is the engine's first input, and it makes no random choices.
    fn create(_: &Config, _: u64) -> Self {
        Self::new()
    }

    fn record(input: &Input<'_>) -> Record {
        match input {
            Input::Link(event) => Record::Link(event.clone()),
            Input::Reconfigure(_) => Record::Reconfigure,
            Input::Packet { ifindex, packet: Received { source, destination, ttl, payload } } => {
                Record::Packet {
                    ifindex: *ifindex,
                    source: *source,
                    destination: *destination,
                    ttl: *ttl,
                    payload: payload.to_vec(),
                }
            }
            Input::Fault { ifindex, text } => Record::Fault { ifindex: *ifindex, text: text.clone() },
            Input::Shutdown => Record::Shutdown,
            Input::RoutesStand(stand) => Record::RoutesStand(*stand),
            Input::Attached(attachments) => Record::Attached(attachments.clone()),
            Input::Arp { ifindex, message } => Record::Arp { ifindex: *ifindex, message: message.to_vec() },
        }
    }

    fn input<'a>(record: &'a Record, config: &Config) -> Input<'a> {
        match record {
            Record::Link(event) => Input::Link(event.clone()),
            Record::Reconfigure => Input::Reconfigure(Box::new(config.clone())),
            Record::Packet { ifindex, source, destination, ttl, payload } => Input::Packet {
                ifindex: *ifindex,
                packet: Received { source: *source, destination: *destination, ttl: *ttl, payload },
            },
            Record::Fault { ifindex, text } => Input::Fault { ifindex: *ifindex, text: text.clone() },
            Record::Shutdown => Input::Shutdown,
            Record::RoutesStand(stand) => Input::RoutesStand(*stand),
            Record::Attached(attachments) => Input::Attached(attachments.clone()),
            Record::Arp { ifindex, message } => Input::Arp { ifindex: *ifindex, message },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use routing_common::config;
    use routing_common::id::RouterId;
    use routing_common::record::format::{MAGIC, frame};
    use routing_common::record::{Call, Configuration, Entry, Header, Reader};

    fn records() -> [Record; 8] {
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(224, 0, 0, 18));
        [
            Record::Link(LinkEvent::LinkRemoved(IfIndex(4))),
            Record::Reconfigure,
            Record::Packet { ifindex: IfIndex(3), source, destination, ttl: 255, payload: vec![0x31, 10] },
            Record::Fault { ifindex: Some(IfIndex(2)), text: "no".into() },
            Record::Shutdown,
            Record::RoutesStand(true),
            Record::Attached(vec![Attachment {
                network: "192.0.2.0/24".parse().unwrap(),
                routers: vec![RouterId(source)],
                left: Vec::new(),
            }]),
            Record::Arp { ifindex: IfIndex(3), message: vec![0, 1, 8, 0] },
        ]
    }

    #[test]
    fn every_input_comes_back_as_it_was() {
        let config = config::load("r.toml", "hostname = \"r\"\n").unwrap().config;
        for record in records() {
            assert_eq!(Instance::record(&Instance::input(&record, &config)), record);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..60), kind in 0..9_u8) {
            let header = Header { daemon: Instance::DAEMON.into(), release: "1".into(), seed: 0, source: Configuration::default() };
            let mut file = [&MAGIC[..], &frame(&Entry::<()>::Header(header)).unwrap()].concat();
            // An input at some time: what follows its kind is the noise.
            let payload = [&[2, 1, 7, kind][..], &noise].concat();
            file.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
            file.extend(&payload);
            let (_, mut reader) = Reader::open(&file).unwrap();
            if let Ok(entry) = reader.entry::<Record>() {
                prop_assert!(matches!(entry, Some(Entry::Call(Call::Input(..)))), "{entry:?}");
            }
        }
    }
}
