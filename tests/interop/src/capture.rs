//! What was on the wire, and whether it was right.
//!
//! `tcpdump` records, `tshark` is the first judge: nothing malformed, nothing it calls an error. It does not check every checksum there is
//! (LSAs carry one of their own), so [`Recording::checksums`] does, with code that shares nothing with our daemons.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use ringlab::netns;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Everything routing protocols say.
pub const PROTOCOLS: &str = "ip proto 89 or ip proto 112";
/// What tshark must not find. 8388608 is its severity "error".
const FAULTS: &str = "_ws.malformed || _ws.expert.severity >= 8388608 || ip.checksum.status == \"Bad\" || vrrp.checksum.status == \"Bad\"";
const PCAP_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A running capture; it ends with the value.
#[derive(Debug)]
pub struct Capture {
    child: Child,
    file: PathBuf,
}

impl Capture {
    /// Records what passes the bridge of a switch's namespace and fits the filter.
    ///
    /// # Errors
    /// No `tcpdump`, or it does not start.
    pub fn start(switch: &str, filter: &str, file: &Path) -> Result<Self> {
        // An earlier capture's header would pass for ours below.
        let _ = std::fs::remove_file(file);
        let child = netns::within(switch, || {
            let mut command = Command::new("tcpdump");
            command
                .args(["-i", "br0", "-U", "-n", "--immediate-mode", "-Z", "root", "-w"])
                .arg(file)
                .arg(filter);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().context("tcpdump cannot be started: install Debian's package tcpdump")
        })?;
        let mut capture = Self { child, file: file.to_owned() };
        let deadline = Instant::now() + Duration::from_secs(5);
        // The file's header is written when the capture is armed.
        while std::fs::metadata(file).map_or(0, |m| m.len()) < PCAP_HEADER as u64 {
            if let Some(status) = capture.child.try_wait()? {
                bail!("tcpdump ended with {status}");
            }
            ensure!(Instant::now() < deadline, "tcpdump does not start in {switch}");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(capture)
    }

    /// Ends the capture.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub fn stop(mut self) -> Result<Recording> {
        // Frames on their way through the kernel still count.
        std::thread::sleep(Duration::from_millis(100));
        self.end()?;
        Ok(Recording { file: self.file.clone() })
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            netns::signal_all(&[i32::try_from(self.child.id())?], Signal::SIGTERM);
            self.child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// A finished capture.
#[derive(Debug)]
pub struct Recording {
    file: PathBuf,
}

/// Packets whose checksums were recalculated.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// OSPF packets.
    pub ospf: usize,
    /// LSAs with a body.
    pub lsas: usize,
    /// VRRP advertisements.
    pub vrrp: usize,
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.ospf += other.ospf;
        self.lsas += other.lsas;
        self.vrrp += other.vrrp;
    }
}

impl Recording {
    /// What a file holds.
    pub fn of(file: &Path) -> Self {
        Self { file: file.to_owned() }
    }

    /// A field of every packet that fits a display filter.
    ///
    /// # Errors
    /// `tshark` fails.
    pub fn fields(&self, filter: &str, field: &str) -> Result<Vec<String>> {
        self.tshark(&["-Y", filter, "-T", "fields", "-e", field])
    }

    /// Everything `tshark` objects to, a line each.
    ///
    /// # Errors
    /// `tshark` fails.
    pub fn faults(&self) -> Result<Vec<String>> {
        self.tshark(&["-o", "ip.check_checksum:TRUE", "-Y", FAULTS])
    }

    fn tshark(&self, arguments: &[&str]) -> Result<Vec<String>> {
        let output = Command::new("tshark").arg("-n").arg("-r").arg(&self.file).args(arguments).output();
        let output = output.context("tshark cannot be started: install Debian's package tshark")?;
        netns::checked(&output, || format!("tshark {arguments:?}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }

    /// Recalculates every checksum: IP, OSPF, LSA, VRRP.
    ///
    /// # Errors
    /// The first that is wrong, with its packet's number.
    pub fn checksums(&self) -> Result<Tally> {
        let bytes = std::fs::read(&self.file)?;
        let mut rest = bytes.get(PCAP_HEADER..).context("no capture file")?;
        let mut tally = Tally::default();
        let mut number = 0;
        while let Some(head) = rest.get(..RECORD_HEADER) {
            number += 1;
            let length = u32::from_ne_bytes([head[8], head[9], head[10], head[11]]) as usize;
            // A capture that is ended in the middle of a record has seen the rest.
            let Some(frame) = rest.get(RECORD_HEADER..RECORD_HEADER + length) else { break };
            tally +=
                check_frame(frame).with_context(|| format!("packet {number} of {}", self.file.display()))?;
            rest = &rest[RECORD_HEADER + length..];
        }
        Ok(tally)
    }
}

fn word(bytes: &[u8], at: usize) -> Result<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_be_bytes([b[0], b[1]])).context("too short")
}

/// The one's complement sum of RFC 1071; 0xffff over data with a right checksum in it.
fn ones_sum(parts: &[&[u8]]) -> u16 {
    let mut sum: u32 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).unwrap_or(u16::MAX)
}

fn check_frame(frame: &[u8]) -> Result<Tally> {
    let mut tally = Tally::default();
    if word(frame, 12)? != 0x0800 {
        return Ok(tally);
    }
    let header = usize::from(frame.get(14).context("no IP")? & 15) * 4;
    let total = usize::from(word(frame, 16)?);
    let ip = frame.get(14..14 + total).context("IP packet longer than its frame")?;
    let payload = ip.get(header..).context("IP header longer than its packet")?;
    ensure!(ones_sum(&[&ip[..header]]) == 0xffff, "IP checksum");
    match ip[9] {
        89 => {
            tally.lsas = check_ospf(payload)?;
            tally.ospf = 1;
        }
        112 => {
            check_vrrp(&ip[12..20], payload)?;
            tally.vrrp = 1;
        }
        _ => {}
    }
    Ok(tally)
}

/// RFC 2328 App. A.3.1 and A.3.5; gives the number of LSAs.
fn check_ospf(packet: &[u8]) -> Result<usize> {
    let packet =
        packet.get(..usize::from(word(packet, 2)?)).context("OSPF packet longer than its datagram")?;
    ensure!(packet.len() >= 24, "OSPF header");
    match word(packet, 14)? {
        // The password is no part of the sum; with cryptographic authentication there is none.
        0 | 1 => ensure!(ones_sum(&[&packet[..16], &packet[24..]]) == 0xffff, "OSPF checksum"),
        _ => ensure!(word(packet, 12)? == 0, "OSPF checksum set beside a digest"),
    }
    const LINK_STATE_UPDATE: u8 = 4;
    if packet[1] != LINK_STATE_UPDATE {
        return Ok(0);
    }
    let count =
        packet.get(24..28).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])).context("no count")?;
    let mut rest = &packet[28..];
    for _ in 0..count {
        let length = usize::from(word(rest, 18)?);
        ensure!(length >= 20, "LSA length {length}");
        let lsa = rest.get(..length).context("LSA longer than its packet")?;
        ensure!(fletcher(&lsa[2..]) == (0, 0), "LSA checksum of {:02x?}", &lsa[..20]);
        rest = &rest[length..];
    }
    ensure!(rest.is_empty(), "{} octets behind the last LSA", rest.len());
    Ok(count as usize)
}

/// Both sums of RFC 905 Annex B over everything but the age: zero if the checksum in it is right.
fn fletcher(bytes: &[u8]) -> (u32, u32) {
    let (mut c0, mut c1) = (0, 0);
    for &byte in bytes {
        c0 = (c0 + u32::from(byte)) % 255;
        c1 = (c1 + c0) % 255;
    }
    (c0, c1)
}

/// RFC 3768 §5.3.8 for version 2; version 3 with the pseudo-header of RFC 5798 §5.2.8.
fn check_vrrp(addresses: &[u8], packet: &[u8]) -> Result<()> {
    let version = packet.first().context("no VRRP")? >> 4;
    let length = u16::try_from(packet.len())?.to_be_bytes();
    let pseudo = [0, 112, length[0], length[1]];
    let sum = match version {
        2 => ones_sum(&[packet]),
        _ => ones_sum(&[addresses, &pseudo, packet]),
    };
    ensure!(sum == 0xffff, "VRRP version {version} checksum");
    Ok(())
}
