//! An operator at a terminal: a pseudo-terminal, the real shell, a real router under it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use nix::pty::{Winsize, openpty};
use ringlab::lab::{Lab, Options, default_daemons};
use ringlab::netns;
use ringlab::stack::{Profile, Stack};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Output};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(20);

/// The shell at the other end of a terminal, and what the screen has shown.
struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    /// Without what only moves the cursor or chooses colours.
    shown: String,
    raw: Vec<u8>,
    /// As it came, from the beginning.
    bytes: Vec<u8>,
}

impl Terminal {
    fn open(lab: &Lab, router: &str) -> Self {
        Self::open_with(lab, router, &[])
    }

    /// With these variables in its environment.
    fn open_with(lab: &Lab, router: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = shell(lab, router);
        for unset in ["VTYSH_PAGER", "PAGER", "NO_COLOR"] {
            command.env_remove(unset);
        }
        command.envs(variables.iter().copied());
        Self::start(lab, router, command)
    }

    fn start(lab: &Lab, router: &str, mut command: Command) -> Self {
        let size = Winsize { ws_row: 60, ws_col: 200, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let slave = || File::from(pty.slave.try_clone().unwrap());
        command.env("TERM", "xterm").stdin(slave()).stdout(slave()).stderr(slave());
        let child = netns::within(&lab.names().node(router), || Ok(command.spawn()?)).unwrap();
        let keys = File::from(pty.master);
        let mut reader = keys.try_clone().unwrap();
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            // The terminal ends with the shell.
            while let Ok(count) = reader.read(&mut piece) {
                if count == 0 || sender.send(piece[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keys, screen, shown: String::new(), raw: Vec::new(), bytes: Vec::new() }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line and waits for the next prompt; what the screen showed in between.
    #[track_caller]
    fn enter(&mut self, line: &str, prompt: &str) -> String {
        self.press(line);
        self.press("\r");
        self.wait_for(&format!("{prompt} "))
    }

    /// What was shown up to and with `text`.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Some(at) = self.shown.find(text) {
                let rest = self.shown.split_off(at + text.len());
                return std::mem::replace(&mut self.shown, rest);
            }
            match self.screen.recv_timeout(Duration::from_millis(100)) {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => panic!("the shell ended: {:?}", self.shown),
            }
            assert!(begun.elapsed() < PATIENCE, "no {text:?} in {:?}", self.shown);
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        self.raw.extend_from_slice(bytes);
        self.bytes.extend_from_slice(bytes);
        let text = String::from_utf8_lossy(&self.raw).into_owned();
        self.raw.clear();
        let mut rest = text.as_str();
        while let Some(at) = rest.find('\u{1b}') {
            self.shown.push_str(&rest[..at]);
            let sequence = &rest[at..];
            // CSI … letter; one that is cut waits for its end.
            match sequence.char_indices().skip(2).find(|(_, c)| c.is_ascii_alphabetic()) {
                Some((end, _)) => rest = &sequence[end + 1..],
                None => {
                    self.raw = sequence.as_bytes().to_vec();
                    return;
                }
            }
        }
        self.shown.push_str(rest);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn shell(lab: &Lab, router: &str) -> Command {
    let mut command = Command::new(default_daemons().join("torc"));
    command.arg("--run-dir").arg(lab.run_dir().join(router));
    command
}

/// What another shell says.
fn other(lab: &Lab, router: &str, commands: &[&str]) -> Output {
    let mut command = shell(lab, router);
    for line in commands {
        command.args(["-c", line]);
    }
    netns::within(&lab.names().node(router), || Ok(command.output()?)).unwrap()
}

#[track_caller]
fn cost_is(lab: &Lab, cost: u64) {
    let shown = lab.torc_show("vr1", &["show", "ip", "ospf", "interface", "eth1", "json"]).unwrap();
    assert_eq!(shown["interfaces"]["eth1"]["cost"], cost, "{shown}");
}

/// 200 lines, of which the hundredth is wrong if it is to be.
fn paste(wrong: bool) -> String {
    let mut lines: Vec<String> = (0..198).map(|n| format!("ip route 10.77.{n}.0/24 blackhole 200")).collect();
    if wrong {
        lines[100] = "ip route 10.77.100.0/24 blackhole 999".to_owned();
    }
    lines.push("interface eth1".to_owned());
    lines.push(" ip ospf cost 23".to_owned());
    format!("\u{1b}[200~{}\u{1b}[201~", lines.join("\n"))
}

#[test]
fn an_operator_types_a_session() {
    let lab = Lab::up(Options::new("ring3", Stack::Torc).unwrap()).unwrap();
    lab.wait_converged(Profile::Ring.patience()).unwrap();
    let wait =
        |arguments: &[&str]| shell(&lab, "vr1").args(["wait", "converged"]).args(arguments).output().unwrap();
    assert!(wait(&["--neighbors", "2"]).status.success());
    let given_up = wait(&["--neighbors", "3", "--timeout", "0"]);
    assert!(String::from_utf8_lossy(&given_up.stderr).contains("2 of 3 neighbors are Full"), "{given_up:?}");
    assert!(!given_up.status.success());
    let mut t = Terminal::open(&lab, "vr1");
    t.wait_for("vr1# ");

    // Help in the middle of a line, completion by TAB, a live value, abbreviations.
    t.press("show ip ospf nei?");
    let help = t.wait_for("vr1# show ip ospf nei");
    assert!(help.contains("neighbor") && help.contains("Neighbors"), "{help}");
    t.press("\t");
    t.wait_for("neighbor ");
    t.press("10.255.0.2\r");
    let shown = t.wait_for("vr1# ");
    assert!(shown.contains("Full/-") && !shown.contains("10.255.0.3"), "{shown}");
    t.press("sh ip ospf interface lo\t");
    t.wait_for("interface lo ");
    let shown = t.enter("", "vr1#");
    assert!(shown.contains("lo is up"), "{shown}");
    let shown = t.enter("sh ip ospf nei | count", "vr1#");
    assert!(shown.contains("3"), "{shown}");

    // Each line takes effect; a mistake changes nothing.
    t.enter("conf t", "vr1(config)#");
    t.enter("int eth1", "vr1(config-if)#");
    t.enter("ip ospf cost 21", "vr1(config-if)#");
    cost_is(&lab, 21);
    let refused = t.enter("ip ospf cost 70000", "vr1(config-if)#");
    assert!(refused.contains("% Unknown command"), "{refused}");
    let refused = t.enter("ip address 172.16.99.0/24", "vr1(config-if)#");
    assert!(refused.contains("error:") || refused.contains('%'), "{refused}");
    cost_is(&lab, 21);
    t.enter("end", "vr1#");

    // A paste is one transaction: with a mistake in the middle nothing of it is in force.
    t.enter("configure terminal", "vr1(config)#");
    t.press(&paste(true));
    t.press("\r");
    t.wait_for("line 101: ip route 10.77.100.0/24 blackhole 999");
    t.wait_for("None of the 200 lines was taken");
    t.wait_for("vr1(config)# ");
    cost_is(&lab, 21);
    t.press(&paste(false));
    t.press("\r");
    t.wait_for("vr1(config-if)# ");
    cost_is(&lab, 23);
    let routes = lab.torc_show("vr1", &["show", "ip", "route", "static", "json"]).unwrap();
    assert!(routes.to_string().contains("10.77.197.0/24"), "all of it is in force");
    t.enter("end", "vr1#");

    // A candidate under a lock, committed to be confirmed, and not confirmed.
    t.enter("configure", "vr1(config)#");
    t.enter("interface eth1", "vr1(config-if)#");
    t.enter("ip ospf cost 25", "vr1(config-if)#");
    cost_is(&lab, 23);
    let difference = t.enter("compare", "vr1(config-if)#");
    assert!(
        difference.contains("- ip ospf cost 23") && difference.contains("+ ip ospf cost 25"),
        "{difference}"
    );
    let locked_out = other(&lab, "vr1", &["configure terminal", "interface eth1", "ip ospf cost 99"]);
    let why = String::from_utf8_lossy(&locked_out.stderr).into_owned();
    assert!(!locked_out.status.success() && why.contains("locked by"), "{why}");
    let refused = t.enter("end", "vr1(config-if)#");
    assert!(refused.contains("`commit` it, or leave with `exit discard`"), "{refused}");
    let said = t.enter("commit confirmed 3s comment try a detour", "vr1(config-if)#");
    assert!(said.contains("`confirm` within 3s"), "{said}");
    cost_is(&lab, 25);
    t.enter("end", "vr1#");
    let begun = Instant::now();
    while other(&lab, "vr1", &["show configuration | include cost 25"]).stdout.ends_with(b"25\n") {
        assert!(begun.elapsed() < PATIENCE, "not taken back");
        std::thread::sleep(Duration::from_millis(100));
    }
    cost_is(&lab, 23);

    // Back by the history; saved for the next boot.
    let history = t.enter("show configuration history", "vr1#");
    assert!(history.contains("try a detour") && history.contains("nobody confirmed"), "{history}");
    t.enter("rollback 1 confirmed 5", "vr1#");
    cost_is(&lab, 25);
    t.enter("confirm", "vr1#");
    let state = t.enter("show configuration state", "vr1#");
    assert!(state.contains("not saved"), "{state}");
    let state = t.enter("write", "vr1#");
    assert!(state.contains("; saved."), "{state}");
    let startup = std::fs::read_to_string(lab.run_dir().join("vr1/router.toml")).unwrap();
    assert!(startup.contains("cost = 25"), "{startup}");
    t.press("exit\r");
    let begun = Instant::now();
    while t.child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "the shell does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    lab.down().unwrap();
}

/// What goes on until interrupted ends with Ctrl-C, and the shell does not. The signal is sent by hand: the pseudo-terminal is
/// nobody's controlling one.
#[test]
fn an_operator_watches_and_follows_what_happens() {
    let lab = Lab::up(Options::new("ring3", Stack::Torc).unwrap()).unwrap();
    lab.wait_converged(Profile::Ring.patience()).unwrap();
    let mut t = Terminal::open(&lab, "vr1");
    t.wait_for("vr1# ");
    let interrupt = |t: &Terminal| {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(t.child.id()).unwrap());
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    };

    t.press("terminal monitor\r");
    t.wait_for("% Interrupt with Ctrl-C");
    // The first look is over before anything happens.
    std::thread::sleep(Duration::from_secs(1));
    assert!(
        other(&lab, "vr1", &["configure terminal", "interface eth1", "ip ospf cost 77"]).status.success()
    );
    let told = t.wait_for("routes changed; ");
    assert!(told.contains("Z ospf full calculation (topology): "), "{told}");
    interrupt(&t);
    t.wait_for("vr1# ");

    t.press("watch 1 show ip ospf neighbor | include Full\r");
    for _ in 0..2 {
        let look = t.wait_for("Every 1 s: show ip ospf neighbor");
        assert!(!look.contains("vr1#"), "{look}");
    }
    t.wait_for("Full/-");
    interrupt(&t);
    t.wait_for("vr1# ");
    let alive = t.enter("show version", "vr1#");
    assert!(alive.contains("this shell"), "{alive}");
    drop(t);

    // Outside the router's namespace nothing is sent. The address would be ours if it were.
    let outside = shell(&lab, "vr1").args(["-c", "ping 127.0.0.1"]).output().unwrap();
    let why = String::from_utf8_lossy(&outside.stderr).into_owned();
    assert!(!outside.status.success() && why.contains("another network namespace"), "{why}");
    let inside = other(&lab, "vr1", &["ping 10.255.0.1"]);
    assert!(String::from_utf8_lossy(&inside.stdout).contains("5 received"), "{inside:?}");
    lab.down().unwrap();
}

#[test]
fn long_answers_go_through_the_pager_and_states_have_colours() {
    let lab = Lab::up(Options::new("ring3", Stack::Torc).unwrap()).unwrap();
    lab.wait_converged(Profile::Ring.patience()).unwrap();
    let mut t = Terminal::open_with(&lab, "vr1", &[("VTYSH_PAGER", "sed 's/^/paged /'")]);
    t.wait_for("vr1# ");
    let is_paged = |t: &mut Terminal, line: &str| {
        let shown = t.enter(line, "vr1#");
        assert!(shown.contains("show version"), "{shown}");
        shown.contains("paged   show version")
    };
    assert!(is_paged(&mut t, "list"), "more lines than the terminal has");
    assert!(!is_paged(&mut t, "list | include version"), "one");
    assert!(!is_paged(&mut t, "list | no-more"));
    t.enter("terminal length 0", "vr1#");
    assert!(!is_paged(&mut t, "list"));
    t.enter("terminal paginate", "vr1#");
    assert!(is_paged(&mut t, "list"));

    let painted = |t: &mut Terminal, line: &str| {
        t.bytes.clear();
        let shown = t.enter(line, "vr1#");
        assert!(shown.contains("Full/-"), "{shown}");
        String::from_utf8_lossy(&t.bytes).contains("\u{1b}[32mFull/-\u{1b}[0m")
    };
    assert!(painted(&mut t, "show ip ospf neighbor"));
    assert!(!painted(&mut t, "show ip ospf neighbor json"));
    t.enter("no terminal colour", "vr1#");
    assert!(!painted(&mut t, "show ip ospf neighbor"));
    let mut plain = Terminal::open_with(&lab, "vr1", &[("NO_COLOR", "1")]);
    plain.wait_for("vr1# ");
    assert!(!painted(&mut plain, "show ip ospf neighbor"));
    let shown = plain.enter("list", "vr1#");
    assert!(!shown.contains("paged"), "nobody asked for a pager");

    // Under the name of FRR's shell it keeps what was typed, but no key.
    let file = lab.run_dir().join("history");
    let mut command = Command::new(default_daemons().join("torc"));
    command.args(["vtysh", "--vty_socket"]).arg(lab.run_dir().join("vr1")).arg("-H").arg(&file);
    let mut vtysh = Terminal::start(&lab, "vr1", command);
    vtysh.wait_for("vr1# ");
    for (line, prompt) in [
        ("configure terminal", "vr1(config)#"),
        ("interface eth1", "vr1(config-if)#"),
        ("ip ospf authentication-key geheim", "vr1(config-if)#"),
        ("no ip ospf authentication-key", "vr1(config-if)#"),
    ] {
        vtysh.enter(line, prompt);
    }
    let history = std::fs::read_to_string(&file).unwrap();
    assert!(history.contains("ip ospf authentication-key <hidden>"), "{history}");
    assert!(history.contains("configure terminal") && !history.contains("geheim"), "{history}");
    lab.down().unwrap();
}

/// The shell as user 4321 with these further groups, in the router's namespace. This takes root.
fn as_somebody(lab: &Lab, groups: &str, commands: &[&str]) -> (bool, String) {
    let program = lab.run_dir().join("torc-for-everybody");
    if !program.exists() {
        std::fs::copy(default_daemons().join("torc"), &program).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=4321", "--regid=4321", &format!("--groups={groups}")]).arg(program);
    command.arg("--run-dir").arg(lab.run_dir().join("vr1")).current_dir("/");
    for line in commands {
        command.args(["-c", line]);
    }
    let output = netns::within(&lab.names().node("vr1"), || Ok(command.output()?)).unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn groups_look_and_change_in_every_daemon() {
    let lab = Lab::up(Options::new("ring3", Stack::Torc).unwrap()).unwrap();
    lab.wait_converged(Profile::Ring.patience()).unwrap();
    for dir in [lab.run_dir().to_owned(), lab.run_dir().join("vr1")] {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let looks = [
        "show ip ospf neighbor",
        "show ip route summary",
        "show vrrp",
        "show bfd",
        "show processes",
        "show running-config",
    ];
    for look in looks {
        let (well, said) = as_somebody(&lab, "901,902", &[look]);
        assert!(!well && said.contains("may not be asked by you"), "{look}: {said}");
    }
    let granted = [
        "configure terminal",
        "torc access operators 901",
        "torc access readers 902",
        "interface eth1",
        "ip ospf authentication-key geheim",
        "ip ospf authentication",
    ];
    let granted = other(&lab, "vr1", &granted);
    assert!(granted.status.success(), "{granted:?}");
    for look in looks {
        let (well, said) = as_somebody(&lab, "902", &[look]);
        assert!(well && !said.is_empty() && !said.contains("geheim"), "{look}: {said}");
        let (well, said) = as_somebody(&lab, "1", &[look]);
        assert!(!well && said.contains("may not talk to this router"), "{look}: {said}");
    }
    for change in [
        &["graceful-restart prepare ip ospf"][..],
        &["configure terminal", "hostname other"],
        &["configure"],
        &["rollback 1"],
        &["write"],
        &["reload"],
        &["confirm"],
    ] {
        let (well, said) = as_somebody(&lab, "902", change);
        assert!(!well && said.contains("that takes root or a member of group 901"), "{change:?}: {said}");
    }
    let (well, said) = as_somebody(&lab, "901", &["configure terminal", "hostname other"]);
    assert!(well, "{said}");
    let history = other(&lab, "vr1", &["show configuration history"]);
    assert!(String::from_utf8_lossy(&history.stdout).contains("uid 4321"), "{history:?}");
    let (well, said) = as_somebody(&lab, "901", &["graceful-restart prepare ip ospf"]);
    assert!(well, "{said}");
    // Everything back: the sockets close again.
    assert!(other(&lab, "vr1", &["rollback 2"]).status.success());
    let (well, said) = as_somebody(&lab, "901,902", &["show ip route summary"]);
    assert!(
        !well && ["may not be asked by you", "takes root"].iter().any(|why| said.contains(why)),
        "{said}"
    );
    lab.down().unwrap();
}
