//! Programs that were written for FRR, at the sockets of a Torc router: FRR's own shell, and Debian's exporter.

use anyhow::{Context as _, Result, ensure};
use interop_tests::eventually;
use ringlab::lab::{Lab, Options, default_daemons};
use ringlab::netns;
use ringlab::stack::{Profile, Stack};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const ROUTER: &str = "vr1";
const PATIENCE: Duration = Duration::from_secs(20);

/// A process of this test in the router's namespace; it ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A ring, and a directory in which one of its routers serves FRR's sockets.
struct Seat {
    lab: Lab,
    sockets: PathBuf,
    _server: Process,
}

impl Seat {
    fn take() -> Result<Self> {
        let lab = Lab::up(Options::new("ring5-c", Stack::Torc)?)?;
        lab.wait_converged(Profile::Ring.patience())?;
        let sockets = lab.run_dir().join("frr");
        let mut serve = Command::new(default_daemons().join("torc"));
        serve
            .arg("--run-dir")
            .arg(lab.run_dir().join(ROUTER))
            .args(["serve-frr", "--directory"])
            .arg(&sockets);
        let server = start(&lab, serve)?;
        eventually(PATIENCE, || {
            ensure!(sockets.join("bfdd.vty").exists(), "no sockets in {}", sockets.display());
            Ok(())
        })?;
        Ok(Self { lab, sockets, _server: server })
    }

    /// FRR's shell with these commands; what it prints, and whether it was content.
    fn vtysh(&self, arguments: &[&str]) -> Result<(String, bool)> {
        let output = self.vtysh_output(arguments)?;
        Ok((String::from_utf8(output.stdout)?, output.status.success()))
    }

    fn vtysh_output(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new("vtysh");
        command.arg("--vty_socket").arg(&self.sockets).args(arguments);
        command.env("VTYSH_HISTFILE", "/dev/null").env("VTYSH_PAGER", "cat").stdin(Stdio::null());
        command.output().context("vtysh (package frr)")
    }

    /// Torc's own shell.
    fn torc(&self, command: &str) -> Result<String> {
        let mut shell = Command::new(default_daemons().join("torc"));
        shell.arg("--run-dir").arg(self.lab.run_dir().join(ROUTER)).args(["-c", command]);
        let output = shell.output()?;
        ensure!(output.status.success(), "{command}: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The metrics of a server that may still be starting, once they are `right`.
    fn metrics(&self, port: u16, right: impl Fn(&str) -> Result<()>) -> Result<String> {
        let mut page = String::new();
        eventually(PATIENCE, || {
            page = self.page(port, "/metrics")?;
            right(&page)
        })?;
        Ok(page)
    }

    /// A page from a server in the router's namespace.
    fn page(&self, port: u16, path: &str) -> Result<String> {
        netns::within(&self.lab.names().node(ROUTER), || {
            let mut stream = TcpStream::connect(("127.0.0.1", port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
            let mut page = String::new();
            stream.read_to_string(&mut page)?;
            Ok(page)
        })
    }
}

/// The series of a page: names with their labels in order of the alphabet, without figures.
fn series(page: &str, wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let one = |line: &str| {
        let (series, _) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let mut labels: Vec<&str> = labels.strip_suffix('}')?.split(',').collect();
        labels.sort_unstable();
        wanted(name).then(|| format!("{name} {}", labels.join(",")))
    };
    page.lines().filter(|l| l.starts_with("frr_")).filter_map(one).collect()
}

fn start(lab: &Lab, mut command: Command) -> Result<Process> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    netns::within(&lab.names().node(ROUTER), || Ok(Process(command.spawn()?)))
}

#[test]
fn frrs_shell_sees_and_configures_a_torc_router() -> Result<()> {
    let seat = Seat::take()?;
    // What does not change from one moment to the next is the same to the last octet.
    for command in
        ["show ip ospf interface eth1 json", "show ip ospf route json", "show ip ospf border-routers"]
    {
        let steady = |text: &str| -> String {
            text.lines().filter(|l| !l.contains("HelloInMsecs")).map(|l| format!("{l}\n")).collect()
        };
        // A Hello between the two questions counts in one answer only.
        eventually(PATIENCE, || {
            let (theirs, content) = seat.vtysh(&["-c", command])?;
            // Ours may differ for a moment, but never fail.
            let ours = seat.torc(command).unwrap();
            ensure!(content && steady(&theirs) == steady(&ours), "{command}: {theirs}\n{ours}");
            Ok(())
        })?;
    }
    let neighbors = |text: &str| -> Result<serde_json::Value> {
        let mut value: serde_json::Value = serde_json::from_str(text)?;
        for neighbor in value["neighbors"].as_object_mut().context("no neighbors")?.values_mut() {
            for row in neighbor.as_array_mut().context("no rows")? {
                // Clocks run between the two questions.
                row.as_object_mut().context("no row")?.retain(|key, _| !key.to_lowercase().contains("time"));
            }
        }
        Ok(value)
    };
    let command = "show ip ospf neighbor json";
    let (theirs, _) = seat.vtysh(&["-c", command])?;
    let (theirs, ours) = (neighbors(&theirs)?, neighbors(&seat.torc(command)?)?);
    ensure!(
        theirs == ours && theirs["neighbors"].as_object().is_some_and(|n| n.len() == 2),
        "{theirs}\n{ours}"
    );

    let set = ["-c", "configure terminal", "-c", "interface eth1", "-c", "ip ospf cost 33"];
    ensure!(seat.vtysh(&set)?.1, "a line that is right");
    ensure!(seat.torc("show ip ospf interface eth1 json")?.contains("\"cost\": 33"));
    let wrong = ["-c", "configure terminal", "-c", "interface eth1", "-c", "ip ospf cost 70000"];
    ensure!(!seat.vtysh(&wrong)?.1, "a line that is wrong");
    let (configuration, content) = seat.vtysh(&["-c", "show running-config"])?;
    ensure!(content && configuration.matches(" ip ospf cost 33\n").count() == 1, "{configuration}");
    ensure!(!seat.vtysh(&["-c", "show ip ospf bogus"])?.1);

    // A file, as `vtysh -f` reads it, is one transaction, though its lines go to several daemons of FRR.
    let history = |seat: &Seat| -> Result<usize> {
        let history = seat.torc("show configuration history json")?;
        let history: serde_json::Value = serde_json::from_str(&history)?;
        Ok(history["revisions"].as_array().context("revisions")?.len())
    };
    let before = history(&seat)?;
    let file = seat.lab.run_dir().join("more.conf");
    std::fs::write(&file, "interface eth1\n ip ospf cost 15\nexit\nip route 10.99.0.0/16 blackhole\n")?;
    ensure!(seat.vtysh(&["-f", file.to_str().context("a path")?])?.1);
    ensure!(seat.torc("show ip route static json")?.contains("10.99.0.0/16"));
    ensure!(history(&seat)? == before + 1, "{}", seat.torc("show configuration history")?);
    // With a mistake in it nothing is in force, and FRR's shell names the line.
    std::fs::write(
        &file,
        "ip route 10.98.0.0/16 blackhole\ninterface eth1\n ip ospf cost 16\n ip address 224.0.0.5/24\nexit\n",
    )?;
    let wrong = seat.vtysh_output(&["-f", file.to_str().context("a path")?])?;
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    ensure!(!wrong.status.success() && told.contains("line 4:"), "{wrong:?}");
    ensure!(String::from_utf8_lossy(&wrong.stdout).contains("nothing of the file is in force"), "{wrong:?}");
    ensure!(!seat.torc("show ip route static json")?.contains("10.98.0.0/16"));
    ensure!(history(&seat)? == before + 1);
    seat.lab.down()
}

#[test]
fn the_exporter_written_for_frr_scrapes_a_ring() -> Result<()> {
    const PORT: u16 = 9342;
    const OWN_PORT: u16 = 9343;
    let seat = Seat::take()?;
    let mut exporter = Command::new("prometheus-frr-exporter");
    exporter.arg(format!("--frr.socket.dir-path={}", seat.sockets.display()));
    // Its BFD collector asks FRR's shell.
    exporter.arg(format!("--frr.vtysh.options=--vty_socket {}", seat.sockets.display()));
    exporter
        .args(["--no-collector.bgp", "--collector.vrrp"])
        .arg(format!("--web.listen-address=127.0.0.1:{PORT}"));
    let _exporter = start(&seat.lab, exporter).context("Debian's prometheus-frr-exporter")?;
    // On a busy machine a first scrape may come before FRR's shell, which the exporter starts, has found all sockets.
    let page = seat.metrics(PORT, |page| {
        for collector in ["ospf", "bfd", "vrrp"] {
            let up = format!("frr_collector_up{{collector=\"{collector}\"}} 1");
            ensure!(page.lines().any(|l| l == up), "{collector}: {page}");
        }
        Ok(())
    })?;
    let has = |line: &str| page.lines().any(|l| l == line);
    ensure!(
        has("frr_ospf_neighbor_adjacencies{area=\"0.0.0.0\",iface=\"eth1\",vrf=\"default\"} 1"),
        "{page}"
    );
    ensure!(has("frr_bfd_peer_count 2"), "{page}");
    ensure!(page.contains("frr_vrrp_state{interface=\"eth0\",proto=\"v4\",state=\"Master\""), "{page}");

    // Torc's own metrics have the same series under the same names; this version of the exporter has none for routes, and it
    // has one for IPv6.
    let mut metrics = Command::new(default_daemons().join("torc"));
    metrics.arg("--run-dir").arg(seat.lab.run_dir().join(ROUTER)).args(["serve-metrics", "--listen"]);
    metrics.arg(format!("127.0.0.1:{OWN_PORT}"));
    let _metrics = start(&seat.lab, metrics)?;
    let own = seat.metrics(OWN_PORT, |_| Ok(()))?;
    let theirs = series(&page, |name| !name.starts_with("frr_scrape") && !name.starts_with("frr_exporter"));
    let ours = series(&own, |name| name.starts_with("frr_") && !name.starts_with("frr_route"));
    let theirs: BTreeSet<_> =
        theirs.into_iter().filter(|s| !s.contains("v6") && !s.starts_with("frr_collector")).collect();
    ensure!(theirs == ours, "{theirs:#?}\n{ours:#?}");
    for line in [
        "torc_routes_stand 1",
        "torc_up 1",
        "torc_configuration_saved 1",
        "torc_daemon_running{daemon=\"ospfd\"} 1",
    ] {
        ensure!(own.lines().any(|l| l == line), "{line}: {own}");
    }
    seat.lab.down()
}
