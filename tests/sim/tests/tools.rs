//! The tools around a run: captures, pictures, smaller scenarios, the command line.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use rib::fib::{FibOp, Via};
use rib::route::FibHop;
use routing_common::time::{Duration, Instant};
use routing_sim::frame::{Datagram, Frame, OSPF};
use routing_sim::generate::{self, LASTING, Options, Profile};
use routing_sim::ladder::{View, ladder};
use routing_sim::parallel::{self, Plan};
use routing_sim::scenario::{Authentication, Scenario, What};
use routing_sim::segment::{End, Nature};
use routing_sim::shrink::{Effort, shrink};
use routing_sim::trace::Happening;
use routing_sim::trial::{self, Mode};
use routing_sim::{kernel, pcap, text};
use std::net::Ipv4Addr;
use std::process::{Command, Output};

/// Three routers in a row: a cable, then a switch with nobody else.
const ROW: &str = r#"
name = "row"
seed = 1
chaos-ends = 1000
settle = 20000
rest = 1000
settings = { ring-defaults = true }

[[routers]]
name = "left"
loopback = "10.255.0.1"
ports = [{ segment = 0, address = "10.0.0.1/24", cost = 10, priority = 1 }]

[[routers]]
name = "middle"
loopback = "10.255.0.2"
ports = [
    { segment = 0, address = "10.0.0.2/24", cost = 10, priority = 1 },
    { segment = 1, address = "10.0.1.2/24", cost = 10, priority = 1 },
]

[[routers]]
name = "right"
loopback = "10.255.0.3"
ports = [{ segment = 1, address = "10.0.1.3/24", cost = 10, priority = 1 }]

[[segments]]
kind = "point-to-point"
delay = 100
jitter = 0
mtu = 1500

[[segments]]
kind = "broadcast"
delay = 100
jitter = 0
mtu = 1500
"#;

fn row() -> Scenario {
    Scenario::parse(ROW).unwrap()
}

/// An OSPF packet of some type that is nothing but its header.
fn ospf(host: u8, packet_type: u8) -> Frame {
    let mut payload = vec![2, packet_type, 0, 24, 10, 255, 0, host];
    payload.resize(24, 0);
    let datagram = Datagram {
        source: Ipv4Addr::new(10, 0, 0, host),
        destination: Ipv4Addr::new(224, 0, 0, 5),
        ttl: 1,
        protocol: OSPF,
        payload: &payload,
    };
    Frame::ip([2, 0, 0, 0, 0, host], datagram)
}

fn sent(micros: u64, router: usize, port: usize, frame: &Frame) -> (Instant, Happening) {
    (micros_in(micros), Happening::Sent { from: End { router, port }, frame: frame.clone() })
}

fn arrived(
    micros: u64,
    to: (usize, usize),
    nature: Nature,
    taken: bool,
    frame: &Frame,
) -> (Instant, Happening) {
    let to = End { router: to.0, port: to.1 };
    (micros_in(micros), Happening::Arrived { to, frame: frame.clone(), nature, taken })
}

fn fib(micros: u64, router: usize, op: FibOp) -> (Instant, Happening) {
    (micros_in(micros), Happening::Fib { router, op, done: true })
}

fn event(micros: u64, router: Option<usize>, text: &str) -> (Instant, Happening) {
    (micros_in(micros), Happening::Event { router, text: text.to_owned() })
}

fn micros_in(micros: u64) -> Instant {
    Instant::ZERO + Duration::from_micros(micros)
}

const GENUINE: Nature = Nature::Genuine;

#[test]
fn a_picture_shows_who_got_what() {
    let (hello, update, dd, ack) = (ospf(1, 1), ospf(2, 4), ospf(3, 2), ospf(1, 5));
    let bent = update.corrupted(|_| 0);
    let prefix = "10.0.0.0/24".parse().unwrap();
    let gateway = Some(Ipv4Addr::new(10, 0, 1, 2));
    let hop = FibHop { gateway, ifindex: kernel::ifindex(0), onlink: false };
    let entries = [
        event(1_000, Some(1), "power on"),
        // Everybody got this Hello, which is no news.
        sent(2_000, 0, 0, &hello),
        arrived(2_100, (1, 0), GENUINE, true, &hello),
        // This one was lost.
        sent(3_000, 0, 0, &hello),
        sent(4_000, 1, 0, &update),
        arrived(4_100, (0, 0), Nature::Corrupted, true, &bent),
        sent(5_000, 2, 0, &dd),
        arrived(5_100, (1, 1), GENUINE, true, &dd),
        arrived(5_200, (1, 1), Nature::Duplicate, true, &dd),
        sent(6_000, 1, 1, &update),
        arrived(6_100, (2, 0), GENUINE, false, &update),
        event(7_000, None, "fault 0 begins"),
        fib(7_500, 2, FibOp::PutNextHop { id: 0x7470_0001, hop }),
        fib(7_500, 2, FibOp::InstallRoute { prefix, protocol: 188, via: Via::Object(0x7470_0001) }),
        fib(7_600, 2, FibOp::RemoveRoute { prefix, protocol: 188 }),
        sent(8_000, 0, 0, &ack),
    ];
    let view = View { routers: vec![0, 1, 2], lines: 60, width: 120 };
    let expected = "        time  left          middle        right
   0.001000s  |             *             |             middle * power on
   0.003000s  o----Hello----x             |
   0.004000s  ~---Update----o             |
   0.005000s  |             |<----DD------o
   0.005200s  |             *             |             middle eth1 (s1) <- [again] 10.0.0.3 > 224.0.0.5: Database Descr
   0.006000s  |             o---Update----:
   0.007000s  |             |             |             - * fault 0 begins
   0.007500s  |             |             *             right kernel +hop #1 10.0.1.2 eth0, +10.0.0.0/24 hop #1
   0.007600s  |             |             *             right kernel -10.0.0.0/24
   0.008000s  o-----Ack-----?             |
(1 Hellos and advertisements that reached everybody are left out)
";
    assert_eq!(ladder(&row(), &entries, &view), expected);
    let last = ladder(&row(), &entries, &View { routers: vec![1, 2], lines: 2, width: 80 });
    assert_eq!(last.lines().count(), 3, "{last}");
    assert!(last.contains("+hop #1") && last.contains("middle        right"), "{last}");
}

#[test]
fn a_picture_is_of_those_the_text_names_and_their_neighbours() {
    assert_eq!(View::of(&row(), "right: has no route").routers, [1, 2]);
    assert_eq!(View::of(&row(), "left: has no route").routers, [0, 1]);
    assert_eq!(View::of(&row(), "nobody").routers, [0, 1, 2]);
}

#[test]
fn a_capture_has_the_format_the_world_reads() {
    let (hello, junk) = (ospf(1, 1), ospf(2, 9));
    let at = 3_000_000_007;
    let happening = Happening::Sent { from: End { router: 0, port: 0 }, frame: hello.clone() };
    let entries = [
        (Instant::from_nanos(at), happening),
        arrived(3_000_100, (1, 0), GENUINE, true, &hello),
        arrived(3_000_200, (1, 0), Nature::Junk, false, &junk),
        sent(4_000_000, 1, 1, &hello),
    ];
    let file = pcap::capture(&row(), &entries, 0);
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    assert_eq!(
        file[..24],
        [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0]
    );
    let length = hello.octets().len();
    assert_eq!([number(24), number(28), number(32), number(36)], [3, 7, length as u32, length as u32]);
    assert_eq!(file[40..40 + length], *hello.octets());
    let second = 40 + length;
    assert_eq!([number(second), number(second + 4)], [3, 200_000]);
    assert_eq!(file[second + 16..], *junk.octets());
    assert_eq!(pcap::capture(&row(), &entries, 1).len(), 24 + 16 + length);
}

#[test]
fn a_protocol_analyser_reads_a_capture() {
    let scenario = row();
    let (trial, entries) = trial::traced(&scenario);
    assert_eq!(trial.failure, None);
    let folder = tempfile::tempdir().unwrap();
    let files = pcap::write_all(&scenario, &entries, folder.path()).unwrap();
    assert_eq!(files.len(), 2);
    let fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "ip.src", "-e", "ospf.msg"];
    let output = Command::new("tshark").arg("-r").arg(&files[0]).args(fields).output();
    let output = output.expect("tshark is needed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    // OSPF message types as numbers, as the simulator's own reader names them.
    let names = |kind| match kind {
        "Hello" => "1",
        "DD" => "2",
        "Request" => "3",
        "Update" => "4",
        "Ack" => "5",
        other => other,
    };
    let expected: Vec<String> = entries
        .iter()
        .filter_map(|(at, happening)| match happening {
            Happening::Sent { from: End { router, port: 0 }, frame } if *router < 2 => {
                let nanos = at.as_nanos();
                let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
                let source = frame.datagram().unwrap().source;
                Some(format!("{seconds}.{rest:09}\t{source}\t{}", names(text::kind(frame))))
            }
            _ => None,
        })
        .collect();
    assert!(expected.len() > 30);
    assert_eq!(shown.lines().collect::<Vec<_>>(), expected);
}

/// A large scenario with an unplugging fault.
fn large() -> Scenario {
    let options = Options { routers: 12..=20, profile: Some(Profile::Everything) };
    let mut all = (0..).map(|seed| generate::scenario(seed, &options));
    all.find(|s| s.faults.len() > 10 && fails(s)).unwrap()
}

/// An invented bug: router 3 is there and somebody pulls the plug of anybody.
fn fails(scenario: &Scenario) -> bool {
    let unplugs = scenario.faults.iter().any(|f| matches!(f.what, What::Unplug { .. }));
    unplugs && scenario.routers.iter().any(|r| r.name == "r3")
}

#[test]
fn a_scenario_shrinks_to_what_its_failure_needs() {
    let whole = large();
    let found = shrink(&whole, Effort::default(), fails);
    let small = found.scenario;
    assert!(fails(&small));
    let shown = small.to_toml().unwrap();
    let names: Vec<&str> = small.routers.iter().map(|r| r.name.as_str()).collect();
    // Router 3, and whoever has the plug, unless that is router 3.
    assert!(names.contains(&"r3") && names.len() <= 2, "{shown}");
    assert_eq!((small.faults.len(), small.segments.len()), (1, 1), "{shown}");
    assert_eq!(small.routers.iter().map(|r| r.ports.len()).sum::<usize>(), 1, "{shown}");
    assert_eq!((small.faults[0].at, small.chaos_ends), (0, 0), "{shown}");
    assert!([0, LASTING].contains(&small.faults[0].until), "{shown}");
    assert_eq!((small.rest, small.settle), (0, whole.settle), "{shown}");
    assert!(
        small.routers.iter().all(|r| r.starts == 0 && r.clock_offset == 0 && r.clock_rate == 0),
        "{shown}"
    );
    assert!(small.routers.iter().all(|r| r.static_routes.is_empty()), "{shown}");
    let segment = &small.segments[0];
    assert_eq!((segment.jitter, segment.authentication), (0, Authentication::Null), "{shown}");
    assert_eq!(Scenario::parse(&shown).unwrap(), small);
}

#[test]
fn no_candidate_takes_longer_than_the_whole() {
    let length = |s: &Scenario| s.chaos_ends + s.settle + s.rest;
    let options = Options { routers: 2..=6, profile: None };
    for whole in (0..40).map(|seed| generate::scenario(seed, &options)) {
        let longest = length(&whole);
        shrink(&whole, Effort { runs: 100, ..Effort::default() }, |candidate| {
            assert!(length(candidate) <= longest, "{}", candidate.to_toml().unwrap());
            assert!(candidate.routers.iter().all(|r| r.starts <= candidate.chaos_ends));
            candidate.faults.len() + candidate.routers.len() > 2
        });
    }
}

#[test]
fn shrinking_is_repeatable_and_bounded() {
    let whole = large();
    let effort = Effort { runs: 200, time: core::time::Duration::from_secs(3_600) };
    let once = shrink(&whole, effort, fails);
    assert_eq!(once, shrink(&whole, effort, fails));
    let mut asked = 0;
    let bounded = shrink(&whole, Effort { runs: 7, ..effort }, |s| {
        asked += 1;
        fails(s)
    });
    assert_eq!((bounded.runs, asked), (7, 7));
    assert!(fails(&bounded.scenario));
    assert_eq!(shrink(&whole, effort, |_| false).scenario, whole);
}

#[test]
fn seeds_run_side_by_side_as_one_after_the_other() {
    let options = Options { routers: 2..=3, profile: Some(Profile::Calm) };
    let plan = Plan {
        seeds: 5..=12,
        options,
        jobs: 1,
        keep_going: true,
        mode: Mode::Once,
        limit: core::time::Duration::from_secs(600),
    };
    let [one, two] = [1, 3].map(|jobs| parallel::run(&Plan { jobs, ..plan.clone() }));
    assert_eq!((one.runs, one.events, one.frames), (two.runs, two.events, two.frames));
    assert_eq!((one.runs, &one.failures), (8, &two.failures));
    assert!(one.events > 1_000 && one.virtual_time.as_secs() > 60);
}

fn cli(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_routing-sim")).args(words).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn the_command_line_shows_and_runs_a_seed() {
    let shown = cli(&["show", "7", "--routers", "3"]);
    assert!(shown.status.success());
    let scenario = Scenario::parse(&out(&shown)).unwrap();
    assert_eq!(scenario, generate::scenario(7, &Options { routers: 3..=3, ..Options::default() }));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("row.toml");
    std::fs::write(&file, ROW).unwrap();
    let captures = folder.path().join("captures");
    let run =
        cli(&["run", file.to_str().unwrap(), "--trace", "--twice", "--pcap", captures.to_str().unwrap()]);
    let told = out(&run);
    assert!(run.status.success(), "{told}");
    assert!(told.contains("left ospfd") && told.contains("Database Description"), "{told}");
    assert!(told.lines().last().unwrap().starts_with("row: all laws were kept; 3 routers"), "{told}");
    assert!(captures.join("row-segment1.pcap").exists());
    let many =
        cli(&["--seeds", "4", "--first", "3", "--routers", "2..3", "--profile", "calm", "--jobs", "2"]);
    assert!(many.status.success(), "{}", out(&many));
    assert!(out(&many).starts_with("4 seeds in ") && out(&many).ends_with("all laws were kept\n"));
}

#[test]
fn the_command_line_reports_a_failure_and_refuses_nonsense() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("refused.toml");
    // No such cost: routers refuse the configuration.
    std::fs::write(&file, ROW.replacen("cost = 10", "cost = 0", 1)).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = cli(&["run", file.to_str().unwrap(), "--out", path]);
    let told = out(&run);
    assert_eq!(run.status.code(), Some(1), "{told}");
    assert!(told.starts_with("FAILED row") && told.contains("refused at 0.000000s"), "{told}");
    let small = std::fs::read_to_string(folder.path().join("row-small.toml")).unwrap();
    assert_eq!(Scenario::parse(&small).unwrap().routers.len(), 1, "{small}");
    assert!(folder.path().join("row-segment0.pcap").exists());
    for nonsense in [
        &["--seeds", "5", "--seed", "5"][..],
        &["--seeds", "5", "--trace"],
        &["--seeds", "5", "--routers", "9..3"],
        &["--seeds", "0"],
        &["run", "/no/such/file"],
        &["replay", file.to_str().unwrap()],
        &[],
    ] {
        let output = cli(nonsense);
        assert!(!output.status.success() && !output.stderr.is_empty(), "{nonsense:?}");
    }
}
