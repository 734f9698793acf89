//! Engines recorded in memory and replayed: the same, and not the same after any change.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ospf_proto::{Input as OspfInput, Instance as Ospf, Output as OspfOutput, Received};
use rib::fib::{FibErrorKind, FibFailure, FibResults, KernelSnapshot};
use rib::message::{ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, Route, RouteChange};
use rib::{ClientId, Input as RibInput, Output as RibOutput, Rib};
use routing_common::config::{Config, load};
use routing_common::id::IfIndex;
use routing_common::link::{Address, Link, LinkEvent};
use routing_common::machine::Machine;
use routing_common::record::format::frame;
use routing_common::record::{Call, Configuration, Entry, Reader, Recordable, Recorded, Sink, Turn};
use routing_common::time::{Duration, Instant};
use routing_sim::replay::{Difference, Replayed, replay};
use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::rc::Rc;
use vrrp_proto::packet::Received as VrrpReceived;
use vrrp_proto::{Input as VrrpInput, Instance as Vrrp, Output as VrrpOutput};

#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Sink for Memory {
    fn write(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.0.borrow_mut().extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn give_up(&mut self, why: &str) {
        panic!("{why}");
    }
}

/// A recorded engine, its configuration and its file.
struct Subject<E> {
    engine: Recorded<E>,
    config: Config,
    file: Memory,
}

impl<E: Recordable> Subject<E> {
    fn new(text: &str, seed: u64) -> Self {
        let config = load("router.toml", text).unwrap().config;
        let file = Memory::default();
        let source = Configuration { file: "router.toml".into(), text: text.into() };
        let engine = Recorded::recording(&config, seed, source, Box::new(file.clone()));
        Self { engine, config, file }
    }

    fn outputs(&mut self) -> Vec<E::Output> {
        std::iter::from_fn(|| self.engine.poll_output()).collect()
    }

    fn bytes(&self) -> Vec<u8> {
        self.file.0.borrow().clone()
    }
}

fn link_up(ifindex: u32, name: &str, running: bool) -> LinkEvent {
    LinkEvent::LinkChanged(Link {
        running,
        loopback: name == "lo",
        mac: Some([2, 0, 0, 0, 0, 1]),
        ..Link::ethernet(IfIndex(ifindex), name.parse().unwrap())
    })
}

fn address(ifindex: u32, network: &str) -> LinkEvent {
    LinkEvent::AddressAdded(Address::new(IfIndex(ifindex), network.parse().unwrap()))
}

const STEP: Duration = Duration::from_millis(10);

/// Two routers on a wire until they are Full and know each other's networks, then the wire breaks.
fn ospf() -> Vec<u8> {
    let text = |n: u8| {
        format!(
            "hostname = \"r{n}\"\n[interfaces.eth0]\naddresses = [\"192.0.2.{n}/24\"]\n[ospf]\nrouter-id = \"10.255.0.{n}\"\n\
             [ospf.interfaces.eth0]\narea = \"0.0.0.0\"\n\
             hello-interval = \"1s\"\ndead-interval = \"4s\"\nnetwork-type = \"point-to-point\"\n"
        )
    };
    let mut routers = [1, 2].map(|n| Subject::<Ospf>::new(&text(n), u64::from(n) * 77));
    let mut now = Instant::from_secs(1_000);
    let mut wire: Vec<(usize, OspfOutput)> = Vec::new();
    let mut told = 0;
    for (n, router) in routers.iter_mut().enumerate() {
        let own = address(2, &format!("192.0.2.{}/24", n + 1));
        let events = [link_up(2, "eth0", true), own, LinkEvent::SnapshotComplete].map(OspfInput::Link);
        for input in [OspfInput::WallClock(1_700_000_000), OspfInput::RibConnected].into_iter().chain(events)
        {
            router.engine.handle(now, input);
            wire.extend(router.outputs().into_iter().map(|o| (1 - n, o)));
        }
    }
    for _ in 0..1_500 {
        for (to, output) in std::mem::take(&mut wire) {
            match output {
                OspfOutput::Transmit { source, destination, payload, .. } => {
                    let received =
                        Received { ifindex: IfIndex(2), source, destination, ttl: 1, payload: &payload };
                    routers[to].engine.handle(now, OspfInput::Packet(received));
                    wire.extend(routers[to].outputs().into_iter().map(|o| (1 - to, o)));
                }
                OspfOutput::Rib(message) => told += message.changes().map_or(0, <[_]>::len),
                _ => {}
            }
        }
        now += STEP;
        for (n, router) in routers.iter_mut().enumerate() {
            if router.engine.poll_timeout().is_some_and(|at| at <= now) {
                router.engine.handle_timeout(now);
                wire.extend(router.outputs().into_iter().map(|o| (1 - n, o)));
            }
        }
    }
    assert!(told > 0, "they never agreed on a route");
    let [first, _] = &mut routers;
    first.engine.handle(now, OspfInput::Clear(ospf_proto::Clear::Neighbors(None)));
    first.outputs();
    first.engine.handle(now, OspfInput::Link(link_up(2, "eth0", false)));
    first.outputs();
    let config = Box::new(first.config.clone());
    first.engine.handle(now, OspfInput::Reconfigure(config));
    first.outputs();
    first.engine.handle(now, OspfInput::Shutdown);
    first.outputs();
    first.bytes()
}

/// A router that becomes Master, hears a better one, and whose kernel refuses something while outputs wait.
fn vrrp() -> Vec<u8> {
    let text = |priority: u8| {
        format!(
            "hostname = \"r\"\n[interfaces.eth0]\naddresses = [\"192.0.2.1/24\"]\n[vrrp.groups.lan]\ninterface = \"eth0\"\nvrid = 10\n\
             priority = {priority}\nvirtual-mac = false\nvirtual-addresses = [\"192.0.2.254\"]\n"
        )
    };
    let mut routers = [100, 200].map(|priority| Subject::<Vrrp>::new(&text(priority), 0));
    let mut now = Instant::from_secs(50);
    let mut adverts: Vec<Vec<u8>> = Vec::new();
    for (n, router) in routers.iter_mut().enumerate() {
        let config = Box::new(router.config.clone());
        router.engine.handle(now, VrrpInput::Reconfigure(config));
        router.outputs();
        let own = address(2, &format!("192.0.2.{}/24", n + 1));
        for event in [link_up(2, "eth0", true), own, LinkEvent::SnapshotComplete] {
            router.engine.handle(now, VrrpInput::Link(event));
            router.outputs();
        }
    }
    for step in 0..2_000 {
        now += STEP;
        for (n, router) in routers.iter_mut().enumerate() {
            if router.engine.poll_timeout().is_some_and(|at| at <= now) {
                router.engine.handle_timeout(now);
                let mut refused = step % 7 == 0;
                while let Some(output) = router.engine.poll_output() {
                    match output {
                        VrrpOutput::InstallAddress { ifindex, address, .. } => {
                            let event = VrrpInput::Link(self::address(ifindex.0, &address.to_string()));
                            router.engine.handle(now, event);
                        }
                        // As after 34 octets of Ethernet and IP.
                        VrrpOutput::Transmit { frame, .. } if n == 1 && frame[12..14] == [8, 0] => {
                            adverts.push(frame[34..].to_vec());
                        }
                        VrrpOutput::Transmit { ifindex, .. } if std::mem::take(&mut refused) => {
                            let text = "sending: no buffer space".to_owned();
                            router.engine.handle(now, VrrpInput::Fault { ifindex: Some(ifindex), text });
                        }
                        _ => {}
                    }
                }
            }
        }
        // The better one is heard from some time on.
        for payload in adverts.drain(..).filter(|_| step > 1_000) {
            let (source, destination) = (Ipv4Addr::new(192, 0, 2, 2), vrrp_proto::constants::GROUP);
            let packet = VrrpReceived { source, destination, ttl: 255, payload: &payload };
            routers[0].engine.handle(now, VrrpInput::Packet { ifindex: IfIndex(2), packet });
            routers[0].outputs();
        }
    }
    let [first, _] = &mut routers;
    first.engine.handle(now, VrrpInput::Shutdown);
    first.outputs();
    first.bytes()
}

/// A client brings routes; the kernel refuses one, answering between outputs as the shell does.
fn rib() -> Vec<u8> {
    let text = "hostname = \"r\"\n[interfaces.eth0]\naddresses = [\"192.0.2.1/24\"]\n[[static-routes]]\nprefix = \"0.0.0.0/0\"\n\
                next-hop = \"192.0.2.254\"\n";
    let mut subject = Subject::<Rib>::new(text, 0);
    let (client, mut now) = (ClientId(1), Instant::from_secs(9));
    let hop = NextHop { gateway: Some(Ipv4Addr::new(192, 0, 2, 9)), ifindex: IfIndex(2) };
    let routes = (0..5u8).map(|n| {
        let prefix = format!("10.0.{n}.0/24").parse().unwrap();
        RouteChange::Replace(Route {
            prefix,
            distance: 110,
            metric: 20,
            tag: 0,
            next_hops: [hop].into_iter().collect(),
        })
    });
    let hello = ClientMessage::Hello {
        version: PROTOCOL_VERSION,
        protocol: Some(Protocol::Ospf),
        name: "ospfd".into(),
    };
    // What the daemon does when it reads its file again.
    let text = format!("{text}[[static-routes]]\nprefix = \"10.9.0.0/16\"\nblackhole = true\n");
    let reloaded = load("router.toml", &text).unwrap().config;
    let mut source = Some(Configuration { file: "router.toml".into(), text });
    let inputs = [
        RibInput::Reconfigure(Box::new(subject.config.clone())),
        RibInput::Link(link_up(2, "eth0", true)),
        RibInput::Link(address(2, "192.0.2.1/24")),
        RibInput::Link(LinkEvent::SnapshotComplete),
        RibInput::KernelSnapshot(KernelSnapshot { objects_supported: true, ..KernelSnapshot::default() }),
        RibInput::ClientConnected(client),
        RibInput::ClientMessage(client, hello),
        RibInput::ClientMessage(client, ClientMessage::BeginSync),
        RibInput::ClientMessage(client, ClientMessage::Routes(routes.collect())),
        RibInput::ClientMessage(client, ClientMessage::EndSync),
        RibInput::Reconfigure(Box::new(reloaded)),
        RibInput::RouteDisturbed("10.0.1.0/24".parse().unwrap()),
        RibInput::NextHopPut(0x746f_0001),
        RibInput::NextHopRemoved(0x746f_0001),
        RibInput::Link(link_up(2, "eth0", false)),
        RibInput::ClientGone(client),
        RibInput::Shutdown,
    ];
    let mut refusals = 2;
    for (number, input) in inputs.into_iter().enumerate() {
        now += STEP;
        if number > 0
            && matches!(input, RibInput::Reconfigure(_))
            && let Some(source) = source.take()
        {
            let entry = frame(&Entry::<()>::Configured(source)).unwrap();
            assert!(subject.file.write(&entry).is_continue());
        }
        subject.engine.handle(now, input);
        while let Some(output) = subject.engine.poll_output() {
            match output {
                RibOutput::Fib(request) => {
                    let failure =
                        FibFailure { token: request.token, kind: FibErrorKind::Refused, text: "no".into() };
                    let failures = if refusals > 0 { vec![failure] } else { Vec::new() };
                    refusals -= i32::from(refusals > 0);
                    let results = FibResults { up_to: request.token, failures };
                    subject.engine.handle(now, RibInput::FibResults(results));
                }
                RibOutput::System(op) => subject.engine.handle(now, RibInput::SystemResult(op, Ok(()))),
                _ => {}
            }
        }
        if let Some(at) = subject.engine.poll_timeout() {
            now = now.max(at);
            subject.engine.handle_timeout(now);
            subject.outputs();
        }
    }
    subject.bytes()
}

fn same(bytes: &[u8], daemon: &str) -> Replayed {
    let replayed = replay(bytes).unwrap_or_else(|why| panic!("{why:#}"));
    assert_eq!((replayed.daemon.as_str(), replayed.torn), (daemon, 0));
    assert!(replayed.turns > replayed.inputs && replayed.outputs > 10, "{replayed}");
    replayed
}

#[test]
fn each_engine_does_again_what_it_did() {
    for (bytes, daemon) in [(ospf(), "ospfd"), (vrrp(), "vrrpd"), (rib(), "ribd")] {
        let whole = same(&bytes, daemon);
        assert!(whole.inputs > 15, "{whole}");
        // Killed at any moment: the same up to there.
        let (_, reader) = Reader::open(&bytes).unwrap();
        for end in (reader.offset()..bytes.len()).step_by(97) {
            let cut = replay(&bytes[..end]).unwrap_or_else(|why| panic!("cut at {end}: {why:#}"));
            assert!(cut.turns <= whole.turns);
        }
    }
}

/// Where the frames of a recording begin and which turn they belong to.
fn frames<E: Recordable>(bytes: &[u8]) -> Vec<(usize, u64, Entry<E::Record>)> {
    let (_, mut reader) = Reader::open(bytes).unwrap();
    let (mut frames, mut turn, mut at) = (Vec::new(), 0, reader.offset());
    while let Some(entry) = reader.entry().unwrap() {
        turn += u64::from(matches!(entry, Entry::Call(_)));
        frames.push((at, turn, entry));
        at = reader.offset();
    }
    frames
}

/// Changes one bit in every byte of every frame's content in turn.
fn any_change_is_noticed<E: Recordable>(bytes: &[u8], step: usize) {
    let mut frames = frames::<E>(bytes);
    let turns = frames.last().unwrap().1;
    frames.retain(|(_, turn, _)| *turn <= 40 || *turn > turns - 10);
    let mut differences = 0;
    for (begin, turn, entry) in frames {
        // A comment may change.
        if matches!(entry, Entry::Configured(_)) {
            continue;
        }
        let length = frame(&entry).unwrap().len();
        for at in (begin + 4..begin + length).step_by(step) {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (at % 7);
            let Err(why) = replay(&changed) else { panic!("byte {at} of {entry:?} is not compared") };
            let Some(difference) = why.downcast_ref::<Difference>() else { continue };
            assert_eq!(difference.turn, turn, "byte {at}: {difference}");
            assert!(difference.to_string().starts_with(&format!("turn {turn} at ")), "{difference}");
            differences += 1;
        }
    }
    assert!(differences > 50, "{differences}: most changes are no damage of the format");
}

#[test]
fn a_changed_byte_is_named_with_its_turn() {
    any_change_is_noticed::<Rib>(&rib(), 1);
    any_change_is_noticed::<Vrrp>(&vrrp(), 3);
    any_change_is_noticed::<Ospf>(&ospf(), 5);
}

/// The file again, with its entries changed.
fn rewritten<E: Recordable>(
    bytes: &[u8],
    change: impl Fn(u64, Entry<E::Record>) -> Vec<Entry<E::Record>>,
) -> Vec<u8> {
    let entries = frames::<E>(bytes);
    let mut out = bytes[..entries[0].0].to_vec();
    for (_, turn, entry) in entries {
        for entry in change(turn, entry) {
            out.extend(frame(&entry).unwrap());
        }
    }
    out
}

#[test]
fn what_no_daemon_writes_is_refused() {
    let bytes = rib();
    let refused = |bytes: &[u8]| format!("{:#}", replay(bytes).unwrap_err());
    let keep = rewritten::<Rib>(&bytes, |_, entry| vec![entry]);
    assert_eq!(keep, bytes);
    let backwards = rewritten::<Rib>(&bytes, |turn, entry| match entry {
        Entry::Call(Call::Input(_, record)) if turn == 5 => {
            vec![Entry::Call(Call::Input(Instant::ZERO, record))]
        }
        entry => vec![entry],
    });
    assert!(refused(&backwards).contains("after turn 4: time runs backwards"), "{}", refused(&backwards));
    let without = |gone: fn(&Entry<<Rib as Recordable>::Record>) -> bool| {
        rewritten::<Rib>(&bytes, |turn, e| if turn == 3 && gone(&e) { vec![] } else { vec![e] })
    };
    assert!(
        refused(&without(|e| matches!(e, Entry::Turn(_))))
            .contains("after turn 3: the turn's outcome is missing")
    );
    assert!(
        refused(&without(|e| matches!(e, Entry::Call(_))))
            .contains("after turn 2: an outcome without a call")
    );
    let configured = |text: &str| {
        let source = Configuration { file: "router.toml".into(), text: text.into() };
        rewritten::<Rib>(&bytes, |turn, entry| match entry {
            Entry::Turn(_) if turn == 2 => vec![entry, Entry::Configured(source.clone())],
            entry => vec![entry],
        })
    };
    assert!(replay(&configured("hostname = \"other\"\n")).is_ok(), "nobody was told to use it");
    let forgotten = rewritten::<Rib>(&bytes, |_, entry| match entry {
        Entry::Configured(_) => vec![],
        entry => vec![entry],
    });
    let difference = replay(&forgotten).unwrap_err().downcast::<Difference>().unwrap();
    assert_eq!(difference.call, "Reconfigure", "{difference}");
    assert!(
        refused(&configured("hostname = 7\n")).contains("after turn 2"),
        "{}",
        refused(&configured("hostname = 7\n"))
    );
    let again = Entry::Header(Reader::open(&bytes).unwrap().0);
    let twice = rewritten::<Rib>(
        &bytes,
        |turn, entry| {
            if turn == 1 { vec![again.clone(), entry] } else { vec![entry] }
        },
    );
    assert!(refused(&twice).contains("a second header"));
    let text = "hostname = \"r\"\n";
    let mut other = Reader::open(&bytes).unwrap().0;
    (other.daemon, other.source.text) = ("toasterd".into(), text.into());
    let header = frame(&Entry::<()>::Header(other)).unwrap();
    assert!(refused(&[&bytes[..8], &header].concat()).contains("toasterd"));
}

#[test]
fn outputs_that_were_not_said_and_outputs_too_many_are_told_apart() {
    let bytes = rib();
    let with = |change: fn(&mut Turn)| {
        let bytes = rewritten::<Rib>(&bytes, |turn, mut entry| {
            if let (1, Entry::Turn(outcome)) = (turn, &mut entry) {
                change(outcome);
            }
            vec![entry]
        });
        replay(&bytes).unwrap_err().downcast::<Difference>().unwrap()
    };
    let more = with(|turn| turn.outputs += 1);
    assert_eq!((more.turn, more.recorded.outputs), (1, more.replayed.outputs + 1));
    let digest = with(|turn| turn.digest ^= 1);
    assert_eq!(digest.replayed.digest, digest.recorded.digest ^ 1);
    assert_eq!(u64::try_from(digest.outputs.len()).unwrap(), digest.replayed.outputs);
}
