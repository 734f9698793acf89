//! How each suite is configured and started: every link point-to-point with cost 10, Hellos as the feeder sends them, everything else as
//! its makers set it.
//!
//! Torc runs with its `ring` defaults, without BFD, which the feeder does not speak. FRR's zebra gets the buffer Debian gives it. BIRD
//! gets a larger stack: with a hundred thousand routes it overflows the usual 8 MiB.

use crate::area::{COST, SUITE, suite_address};
use crate::neighbor::{Answers, DEAD_INTERVAL};
use clap::ValueEnum;
use ringlab::process::Process;
use ringlab::stack::Stack;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Where Debian puts FRR's daemons and its script for reloads.
pub const LIBEXEC: &str = "/usr/lib/frr";

/// A suite under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Suite {
    /// This project's ribd and ospfd.
    Torc,
    /// FRR's zebra and ospfd.
    Frr,
    /// BIRD 2.
    Bird,
}

/// Who the suite runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its neighbours only: the daemons that learn routes, started by hand.
    Fed,
    /// An operator besides: everything he talks to, as the makers mean it to run.
    Operated,
}

/// What to write and to start.
#[derive(Debug)]
pub struct Plan {
    /// Files.
    pub files: Vec<(PathBuf, String)>,
    /// Processes in order.
    pub processes: Vec<Process>,
}

/// The suite's interface of a link.
pub fn interface(link: usize) -> String {
    format!("d{link}")
}

impl Suite {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Torc => "Torc",
            Self::Frr => "FRR",
            Self::Bird => "BIRD",
        }
    }

    /// The same suite to the laboratory.
    pub fn stack(self) -> Stack {
        match self {
            Self::Torc => Stack::Torc,
            Self::Frr => Stack::Frr,
            Self::Bird => Stack::Bird,
        }
    }

    /// What its neighbours do with its requests.
    pub fn answers(self) -> Answers {
        match self {
            Self::Frr => Answers::AfterExchange,
            Self::Torc | Self::Bird => Answers::AtOnce,
        }
    }

    /// Configuration and processes of a router with so many links and so many seconds between Hellos.
    pub fn plan(self, role: Role, links: usize, hello: u16, dir: &Path, daemons: &Path) -> Plan {
        match self {
            Self::Torc => torc(role, links, hello, dir, daemons),
            Self::Frr => frr(role, links, hello, dir),
            Self::Bird => bird(links, hello, dir),
        }
    }
}

fn torc(role: Role, links: usize, hello: u16, dir: &Path, daemons: &Path) -> Plan {
    let file = dir.join("router.toml");
    let dead = DEAD_INTERVAL;
    let mut text =
        format!("hostname = \"dut\"\ndefaults = \"ring\"\n[interfaces.lo]\naddresses = [\"{SUITE}/32\"]\n");
    let mut ospf =
        format!("[ospf]\nrouter-id = \"{SUITE}\"\nbfd = false\n[ospf.interfaces.lo]\npassive = true\n");
    for link in 0..links {
        let (name, address) = (interface(link), suite_address(link));
        let _ = write!(text, "[interfaces.{name}]\naddresses = [\"{address}/30\"]\n");
        let _ = write!(
            ospf,
            "[ospf.interfaces.{name}]\nnetwork-type = \"point-to-point\"\ncost = {COST}\nhello-interval = \"{hello}s\"\n\
             dead-interval = \"{dead}s\"\n"
        );
    }
    // The supervisor is ready when the last daemon it starts is.
    let process = |name, socket: &str| Process {
        name,
        program: daemons.join(name),
        arguments: ["--config".into(), file.clone().into(), "--run-dir".into(), dir.into()].into(),
        ready: Some(dir.join(socket)),
    };
    let processes = match role {
        Role::Fed => vec![process("ribd", "ribd.sock"), process("ospfd", "ospfd.sock")],
        Role::Operated => vec![process("mgmtd", "ospfd.sock")],
    };
    Plan { files: vec![(file, text + &ospf)], processes }
}

fn frr(role: Role, links: usize, hello: u16, dir: &Path) -> Plan {
    let dead = DEAD_INTERVAL;
    let mut text = String::from("interface lo\n ip ospf area 0\n!\n");
    for link in 0..links {
        let name = interface(link);
        let _ = write!(
            text,
            "interface {name}\n ip ospf area 0\n ip ospf network point-to-point\n ip ospf cost {COST}\n \
             ip ospf hello-interval {hello}\n ip ospf dead-interval {dead}\n!\n"
        );
    }
    let _ = write!(text, "router ospf\n ospf router-id {SUITE}\n");
    let zserv = dir.join("zserv.api");
    let process = |name: &'static str, ready: PathBuf, more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            vec!["-f".into(), dir.join(format!("{name}.conf")).into(), "-z".into(), zserv.clone().into()];
        arguments.extend(["-i".into(), dir.join(format!("{name}.pid")).into_os_string()]);
        arguments.extend(["--vty_socket".into(), dir.as_os_str().to_owned()]);
        arguments.extend(["-P", "0", "--log", "stdout"].iter().chain(more).map(Into::into));
        Process { name, program: Path::new(LIBEXEC).join(name), arguments, ready: Some(ready) }
    };
    let mut processes = vec![
        process("zebra", zserv.clone(), &["-s", "90000000"]),
        process("ospfd", dir.join("ospfd.vty"), &[]),
    ];
    let mut files =
        vec![(dir.join("zebra.conf"), "hostname dut\n".to_owned()), (dir.join("ospfd.conf"), text)];
    if role == Role::Operated {
        processes.push(process("staticd", dir.join("staticd.vty"), &[]));
        files.push((dir.join("staticd.conf"), String::new()));
    }
    Plan { files, processes }
}

fn bird(links: usize, hello: u16, dir: &Path) -> Plan {
    let dead = DEAD_INTERVAL;
    let mut text = format!(
        "router id {SUITE};\nprotocol device {{ scan time 10; }}\n\
         protocol kernel {{ ipv4 {{ import none; export all; }}; merge paths on; }}\n\
         protocol ospf v2 {{\n ipv4 {{ import all; export none; }};\n area 0 {{\n  interface \"lo\" {{ stub; }};\n"
    );
    for link in 0..links {
        let name = interface(link);
        let _ = writeln!(
            text,
            "  interface \"{name}\" {{ type ptp; cost {COST}; hello {hello}; dead {dead}; }};"
        );
    }
    text.push_str(" };\n}\n");
    let (file, socket) = (dir.join("bird.conf"), dir.join("bird.ctl"));
    let script = "ulimit -s 65536 && exec /usr/sbin/bird -f -c \"$0\" -s \"$1\"";
    let process = Process {
        name: "bird",
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into(), file.clone().into(), socket.clone().into()],
        ready: Some(socket),
    };
    Plan { files: vec![(file, text)], processes: vec![process] }
}
