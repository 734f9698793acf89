//! The engine's inputs in an owned form, for recordings. See [`routing_common::record`].

use crate::instance::{Clear, Input, Instance, Received};
use crate::restart::Saved;
use bfd_proto::message::BfdMessage;
use rib::message::RibMessage;
use routing_common::config::Config;
use routing_common::id::IfIndex;
use routing_common::link::LinkEvent;
use routing_common::record::Recordable;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// [`Input`], owned. Any change here is a new version of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// [`Input::Packet`].
    Packet {
        /// The interface it came in by.
        ifindex: IfIndex,
        /// IP source address.
        source: Ipv4Addr,
        /// IP destination address.
        destination: Ipv4Addr,
        /// IP time to live.
        ttl: u8,
        /// The OSPF packet.
        payload: Vec<u8>,
    },
    /// [`Input::Link`].
    Link(LinkEvent),
    /// [`Input::Reconfigure`] with the configuration loaded last.
    Reconfigure,
    /// [`Input::Rib`].
    Rib(RibMessage),
    /// [`Input::RibConnected`].
    RibConnected,
    /// [`Input::RibLost`].
    RibLost,
    /// [`Input::WallClock`].
    WallClock(u64),
    /// [`Input::Clear`].
    Clear(Clear),
    /// [`Input::Shutdown`].
    Shutdown,
    /// [`Input::Bfd`].
    Bfd(BfdMessage),
    /// [`Input::BfdConnected`].
    BfdConnected,
    /// [`Input::BfdLost`].
    BfdLost,
    /// [`Input::Restored`].
    Restored(Option<Box<Saved>>),
    /// [`Input::PrepareRestart`].
    PrepareRestart,
}

impl Recordable for Instance {
    const DAEMON: &'static str = "ospfd";
    type Record = Record;

    fn create(config: &Config, seed: u64) -> Self {
        Self::new(config, seed)
    }

    fn record(input: &Input<'_>) -> Record {
        match input {
            Input::Packet(Received { ifindex, source, destination, ttl, payload }) => Record::Packet {
                ifindex: *ifindex,
                source: *source,
                destination: *destination,
                ttl: *ttl,
                payload: payload.to_vec(),
            },
            Input::Link(event) => Record::Link(event.clone()),
            Input::Reconfigure(_) => Record::Reconfigure,
            Input::Rib(message) => Record::Rib(message.clone()),
            Input::RibConnected => Record::RibConnected,
            Input::RibLost => Record::RibLost,
            Input::WallClock(seconds) => Record::WallClock(*seconds),
            Input::Clear(what) => Record::Clear(*what),
            Input::Shutdown => Record::Shutdown,
            Input::Bfd(message) => Record::Bfd(message.clone()),
            Input::BfdConnected => Record::BfdConnected,
            Input::BfdLost => Record::BfdLost,
            Input::Restored(saved) => Record::Restored(saved.clone()),
            Input::PrepareRestart => Record::PrepareRestart,
        }
    }

    fn input<'a>(record: &'a Record, config: &Config) -> Input<'a> {
        match record {
            Record::Packet { ifindex, source, destination, ttl, payload } => Input::Packet(Received {
                ifindex: *ifindex,
                source: *source,
                destination: *destination,
                ttl: *ttl,
                payload,
            }),
            Record::Link(event) => Input::Link(event.clone()),
            Record::Reconfigure => Input::Reconfigure(Box::new(config.clone())),
            Record::Rib(message) => Input::Rib(message.clone()),
            Record::RibConnected => Input::RibConnected,
            Record::RibLost => Input::RibLost,
            Record::WallClock(seconds) => Input::WallClock(*seconds),
            Record::Clear(what) => Input::Clear(*what),
            Record::Shutdown => Input::Shutdown,
            Record::Bfd(message) => Input::Bfd(message.clone()),
            Record::BfdConnected => Input::BfdConnected,
            Record::BfdLost => Input::BfdLost,
            Record::Restored(saved) => Input::Restored(saved.clone()),
            Record::PrepareRestart => Input::PrepareRestart,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::restart::Life;
    use proptest::prelude::*;
    use routing_common::config;
    use routing_common::id::RouterId;
    use routing_common::record::format::{MAGIC, frame};
    use routing_common::record::{Call, Configuration, Entry, Header, Reader};

    fn saved() -> Saved {
        Saved {
            router_id: RouterId(Ipv4Addr::new(10, 0, 0, 9)),
            interfaces: vec!["eth0".parse().unwrap()],
            cryptographic_sequence: 7,
            grace_sequence: -8,
            life: Life::Restarting { until: 9 },
        }
    }

    fn records() -> [Record; 11] {
        let (source, destination) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(224, 0, 0, 5));
        let payload = vec![2, 1, 0, 44];
        [
            Record::Packet { ifindex: IfIndex(3), source, destination, ttl: 1, payload },
            Record::Link(LinkEvent::LinkRemoved(IfIndex(4))),
            Record::Reconfigure,
            Record::Rib(RibMessage::FibDone(5)),
            Record::RibConnected,
            Record::RibLost,
            Record::WallClock(6),
            Record::Clear(Clear::Interface(Some(IfIndex(7)))),
            Record::Shutdown,
            Record::Restored(Some(Box::new(saved()))),
            Record::PrepareRestart,
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
        fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..60), kind in 0..12_u8) {
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
