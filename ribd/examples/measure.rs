//! How fast routes get from a client into the kernel. Needs root; works in a namespace of its own.
//!
//! `cargo run --release --example measure -- target/release/ribd [ROUTES]`, after building ribd itself.

use anyhow::{Context, Result, bail, ensure};
use rib::message::{ClientMessage, NextHop, PROTOCOL_VERSION, Protocol, RibMessage, Route, RouteChange};
use routing_common::id::IfIndex;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Routes per message, as a protocol daemon would batch them.
const BATCH: usize = 10_000;

struct Lab(String, Option<Child>);

impl Drop for Lab {
    fn drop(&mut self) {
        if let Some(mut child) = self.1.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

impl Lab {
    fn ip(&self, arguments: &str) -> Result<()> {
        let status = Command::new("ip").args(["-n", &self.0]).args(arguments.split(' ')).status()?;
        ensure!(status.success(), "ip {arguments}");
        Ok(())
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let ribd = arguments.next().context("usage: measure RIBD [ROUTES]")?;
    let count: u32 = arguments.next().map_or(Ok(100_000), |n| n.parse())?;
    let name = format!("ribd-measure-{}", std::process::id());
    let directory = std::env::temp_dir().join(&name);
    std::fs::create_dir_all(&directory)?;
    ensure!(Command::new("ip").args(["netns", "add", &name]).status()?.success(), "ip netns add");
    let mut lab = Lab(name, None);
    lab.ip("link add eth0 index 2000 type veth peer name peer0")?;
    lab.ip("link set peer0 up")?;
    let config = directory.join("r.toml");
    std::fs::write(&config, "hostname = \"r\"\n[interfaces.eth0]\naddresses = [\"10.0.0.1/24\"]\n")?;
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &lab.0, &ribd, "--config"]).arg(&config);
    lab.1 = Some(command.arg("--run-dir").arg(&directory).spawn()?);
    let result = measure(&directory, count);
    drop(lab);
    let _ = std::fs::remove_dir_all(&directory);
    result
}

fn measure(directory: &Path, count: u32) -> Result<()> {
    let mut client = connect(&directory.join("rib.sock"))?;
    let hello = ClientMessage::Hello {
        version: PROTOCOL_VERSION,
        protocol: Some(Protocol::Ospf),
        name: "measure".into(),
    };
    say(&mut client, &hello)?;
    hear(&mut client)?;
    // The address is put on and the link comes up meanwhile.
    std::thread::sleep(Duration::from_millis(500));

    let begin = Instant::now();
    say(&mut client, &ClientMessage::BeginSync)?;
    offer(&mut client, count, BATCH, Ipv4Addr::new(10, 0, 0, 2))?;
    say(&mut client, &ClientMessage::EndSync)?;
    ensure!(hear(&mut client)? == RibMessage::Synced, "no answer to EndSync");
    report("install", count, begin.elapsed());

    for (number, gateway) in [(1, 3), (2, 4), (3, 5)] {
        let begin = Instant::now();
        // In one message, as one SPF run tells it: then it is one write to the kernel.
        offer(&mut client, count, usize::MAX >> 40, Ipv4Addr::new(10, 0, 0, gateway))?;
        say(&mut client, &ClientMessage::FibBarrier(number))?;
        ensure!(hear(&mut client)? == RibMessage::FibDone(number), "no answer to the barrier");
        report("move to another gateway", count, begin.elapsed());
    }

    let begin = Instant::now();
    say(&mut client, &ClientMessage::Goodbye { withdraw: true })?;
    say(&mut client, &ClientMessage::FibBarrier(9))?;
    ensure!(hear(&mut client)? == RibMessage::FibDone(9), "no answer to the barrier");
    report("withdraw", count, begin.elapsed());
    Ok(())
}

fn report(what: &str, count: u32, took: Duration) {
    println!(
        "{what}: {count} routes in {:.1} ms, {:.0} routes/s",
        took.as_secs_f64() * 1e3,
        f64::from(count) / took.as_secs_f64()
    );
}

fn offer(client: &mut UnixStream, count: u32, batch: usize, gateway: Ipv4Addr) -> Result<()> {
    let hop = NextHop { gateway: Some(gateway), ifindex: IfIndex(2000) };
    let base = Ipv4Addr::new(32, 0, 0, 0).to_bits();
    let mut changes = Vec::with_capacity(batch);
    for i in 0..count {
        let prefix = routing_common::prefix::of(Ipv4Addr::from_bits(base + (i << 8)), 24);
        let next_hops = [hop].into_iter().collect();
        changes.push(RouteChange::Replace(Route { prefix, distance: 110, metric: 20, tag: 0, next_hops }));
        if changes.len() == batch || i + 1 == count {
            say(client, &ClientMessage::Routes(std::mem::take(&mut changes)))?;
        }
    }
    Ok(())
}

fn connect(path: &Path) -> Result<UnixStream> {
    for _ in 0..1000 {
        if let Ok(stream) = UnixStream::connect(path) {
            return Ok(stream);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("ribd does not listen at {}", path.display())
}

fn say(stream: &mut UnixStream, message: &ClientMessage) -> Result<()> {
    let body = postcard::to_extend(message, Vec::new())?;
    stream.write_all(&u32::try_from(body.len())?.to_be_bytes())?;
    Ok(stream.write_all(&body)?)
}

fn hear(stream: &mut UnixStream) -> Result<RibMessage> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length))?];
    stream.read_exact(&mut body)?;
    Ok(postcard::from_bytes(&body)?)
}
