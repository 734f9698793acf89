//! The engine's inputs in a form that can be written down, for recordings. See [`routing_common::record`].

use crate::fib::{FibResults, KernelSnapshot, NextHopId};
use crate::instance::Rib;
use crate::io::Input;
use crate::message::ClientMessage;
use crate::session::ClientId;
use crate::system::SystemOp;
use ipnetwork::Ipv4Network;
use routing_common::config::Config;
use routing_common::link::LinkEvent;
use routing_common::record::Recordable;
use serde::{Deserialize, Serialize};

/// [`Input`] without the configuration. Any change here is a new version of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// [`Input::Reconfigure`] with the configuration loaded last.
    Reconfigure,
    /// [`Input::Link`].
    Link(LinkEvent),
    /// [`Input::KernelSnapshot`].
    KernelSnapshot(KernelSnapshot),
    /// [`Input::RouteDisturbed`].
    RouteDisturbed(Ipv4Network),
    /// [`Input::NextHopPut`].
    NextHopPut(NextHopId),
    /// [`Input::NextHopRemoved`].
    NextHopRemoved(NextHopId),
    /// [`Input::FibResults`].
    FibResults(FibResults),
    /// [`Input::SystemResult`].
    SystemResult(SystemOp, Result<(), String>),
    /// [`Input::ClientConnected`].
    ClientConnected(ClientId),
    /// [`Input::ClientMessage`].
    ClientMessage(ClientId, ClientMessage),
    /// [`Input::ClientGone`].
    ClientGone(ClientId),
    /// [`Input::Shutdown`].
    Shutdown,
}

impl Recordable for Rib {
    const DAEMON: &'static str = "ribd";
    type Record = Record;

    /// The configuration is the engine's first input, and it makes no random choices.
    fn create(_: &Config, _: u64) -> Self {
        Self::new()
    }

    fn record(input: &Input) -> Record {
        match input.clone() {
            Input::Reconfigure(_) => Record::Reconfigure,
            Input::Link(event) => Record::Link(event),
            Input::KernelSnapshot(snapshot) => Record::KernelSnapshot(snapshot),
            Input::RouteDisturbed(prefix) => Record::RouteDisturbed(prefix),
            Input::NextHopPut(id) => Record::NextHopPut(id),
            Input::NextHopRemoved(id) => Record::NextHopRemoved(id),
            Input::FibResults(results) => Record::FibResults(results),
            Input::SystemResult(op, outcome) => Record::SystemResult(op, outcome),
            Input::ClientConnected(id) => Record::ClientConnected(id),
            Input::ClientMessage(id, message) => Record::ClientMessage(id, message),
            Input::ClientGone(id) => Record::ClientGone(id),
            Input::Shutdown => Record::Shutdown,
        }
    }

    fn input(record: &Record, config: &Config) -> Input {
        match record.clone() {
            Record::Reconfigure => Input::Reconfigure(Box::new(config.clone())),
            Record::Link(event) => Input::Link(event),
            Record::KernelSnapshot(snapshot) => Input::KernelSnapshot(snapshot),
            Record::RouteDisturbed(prefix) => Input::RouteDisturbed(prefix),
            Record::NextHopPut(id) => Input::NextHopPut(id),
            Record::NextHopRemoved(id) => Input::NextHopRemoved(id),
            Record::FibResults(results) => Input::FibResults(results),
            Record::SystemResult(op, outcome) => Input::SystemResult(op, outcome),
            Record::ClientConnected(id) => Input::ClientConnected(id),
            Record::ClientMessage(id, message) => Input::ClientMessage(id, message),
            Record::ClientGone(id) => Input::ClientGone(id),
            Record::Shutdown => Input::Shutdown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fib::{FibErrorKind, FibFailure, KernelNextHop, KernelNextHopContent, KernelRoute, Via};
    use proptest::prelude::*;
    use routing_common::config;
    use routing_common::id::IfIndex;
    use routing_common::record::format::{MAGIC, frame};
    use routing_common::record::{Call, Configuration, Entry, Header, Reader};

    fn records() -> [Record; 12] {
        let prefix: Ipv4Network = "10.0.0.0/8".parse().unwrap();
        let failure = FibFailure { token: 8, kind: FibErrorKind::Absent, text: "gone".into() };
        let snapshot = KernelSnapshot {
            objects_supported: true,
            next_hops: vec![KernelNextHop { id: 1, content: KernelNextHopContent::Group(vec![2, 3]) }],
            routes: vec![KernelRoute { prefix, protocol: 188, via: Via::Object(1) }],
        };
        [
            Record::Reconfigure,
            Record::Link(LinkEvent::LinkRemoved(IfIndex(4))),
            Record::KernelSnapshot(snapshot),
            Record::RouteDisturbed(prefix),
            Record::NextHopPut(5),
            Record::NextHopRemoved(6),
            Record::FibResults(FibResults { up_to: 9, failures: vec![failure] }),
            Record::SystemResult(SystemOp::AddAddress(IfIndex(2), prefix), Err("refused".into())),
            Record::ClientConnected(ClientId(1)),
            Record::ClientMessage(ClientId(1), ClientMessage::EndSync),
            Record::ClientGone(ClientId(1)),
            Record::Shutdown,
        ]
    }

    #[test]
    fn every_input_comes_back_as_it_was() {
        let config = config::load("r.toml", "hostname = \"r\"\n").unwrap().config;
        for record in records() {
            assert_eq!(Rib::record(&Rib::input(&record, &config)), record);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..60), kind in 0..13_u8) {
            let header = Header { daemon: Rib::DAEMON.into(), release: "1".into(), seed: 0, source: Configuration::default() };
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
