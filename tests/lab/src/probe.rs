//! A packet a millisecond on every flow.
//!
//! A flow goes one way, from one host to another; the way back is a flow of its own, so an outage is charged to the direction
//! it is in. Packets carry flow and number; the sender notes when it sent which number. An outage is a run of lost numbers and lasts
//! as long as the sender took to send them. One thread sends for all flows of a host, one receives.

use crate::lab::Lab;
use crate::netns;
use crate::oracle::Oracle;
use anyhow::{Context, Result, anyhow};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where hosts listen.
const PORT: u16 = 40_000;
/// Packets still under way when sending stops get this long.
const LINGER: Duration = Duration::from_millis(200);
const RECEIVE_BUFFER: usize = 4 << 20;
const PACKET: usize = 8;

/// What kind of traffic a flow stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Between networks of virtual machines.
    Intra,
    /// From a virtual machine to the Internet.
    Outbound,
    /// From the Internet to a virtual machine.
    Inbound,
}

/// One direction between two hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Sending host.
    pub from: String,
    /// Receiving host.
    pub to: String,
    /// What it stands for.
    pub class: Class,
}

/// What a flow lost in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outage {
    /// Packets sent.
    pub sent: usize,
    /// Packets lost.
    pub lost: usize,
    /// The longest run of lost packets.
    pub longest: Duration,
}

/// All flows between hosts: every ordered pair of virtual machines and each of them with the outside, both ways.
pub fn all_flows(lab: &Lab) -> Vec<Flow> {
    let topology = lab.topology();
    let vms: Vec<&str> = topology.vm_hosts().map(|(name, _)| name).collect();
    let mut flows = Vec::new();
    let mut add =
        |from: &str, to: &str, class| flows.push(Flow { from: from.to_owned(), to: to.to_owned(), class });
    for from in &vms {
        vms.iter().filter(|to| *to != from).for_each(|to| add(from, to, Class::Intra));
        for (outside, _) in topology.outside_hosts() {
            add(from, outside, Class::Outbound);
            add(outside, from, Class::Inbound);
        }
    }
    flows
}

/// The flows of [`all_flows`] that must get through with what is broken.
///
/// # Errors
/// The written tables do not parse.
pub fn living_flows(lab: &Lab) -> Result<Vec<Flow>> {
    let (failures, tables) = (lab.failures(), lab.expected()?);
    let oracle = Oracle::new(lab.topology(), &failures);
    Ok(all_flows(lab).into_iter().filter(|flow| oracle.carries(&tables, &flow.from, &flow.to)).collect())
}

/// What one thread brings home.
type Outcome<T> = JoinHandle<Result<Vec<T>>>;

/// Flows that are being probed.
#[derive(Debug)]
pub struct Prober {
    flows: Vec<Flow>,
    stop_sending: Arc<AtomicBool>,
    stop_receiving: Arc<AtomicBool>,
    senders: Vec<(Vec<usize>, Outcome<Instant>)>,
    receivers: Vec<Outcome<(u32, u32)>>,
    interval: Duration,
}

impl Prober {
    /// Starts to send on every flow once an `interval`.
    ///
    /// # Errors
    /// Unknown hosts.
    pub fn start(lab: &Lab, flows: Vec<Flow>, interval: Duration) -> Result<Self> {
        let address = |host: &String| -> Result<Ipv4Addr> {
            Ok(lab.topology().hosts.get(host).with_context(|| format!("no host {host}"))?.address.ip())
        };
        let (mut from, mut to) =
            (BTreeMap::<&String, Vec<(usize, Ipv4Addr)>>::new(), BTreeMap::<&String, ()>::new());
        for (index, flow) in flows.iter().enumerate() {
            from.entry(&flow.from).or_default().push((index, address(&flow.to)?));
            to.insert(&flow.to, ());
        }
        let (stop_sending, stop_receiving) =
            (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (ready, all_ready) = std::sync::mpsc::channel();
        let receivers = to.keys().map(|host| {
            let (namespace, stop, ready) =
                (lab.names().node(host), Arc::clone(&stop_receiving), ready.clone());
            std::thread::spawn(move || receive(&namespace, &stop, &ready))
        });
        let receivers: Vec<_> = receivers.collect();
        for _ in &receivers {
            all_ready.recv_timeout(Duration::from_secs(5)).context("a probe's receiver does not start")?;
        }
        let senders = from.into_iter().map(|(host, targets)| {
            let (namespace, stop) = (lab.names().node(host), Arc::clone(&stop_sending));
            let indices = targets.iter().map(|(index, _)| *index).collect();
            (indices, std::thread::spawn(move || send(&namespace, &targets, interval, &stop)))
        });
        let senders = senders.collect();
        Ok(Self { senders, receivers, flows, stop_sending, stop_receiving, interval })
    }

    /// Stops and gives what was seen.
    ///
    /// # Errors
    /// A thread that failed, say on a missing namespace.
    pub fn stop(self) -> Result<Recording> {
        self.stop_sending.store(true, Ordering::Relaxed);
        let mut sent: Vec<Arc<Vec<Instant>>> = vec![Arc::default(); self.flows.len()];
        for (indices, sender) in self.senders {
            let times = Arc::new(sender.join().map_err(|_| anyhow!("a probe's sender panicked"))??);
            for index in indices {
                sent[index] = Arc::clone(&times);
            }
        }
        std::thread::sleep(LINGER);
        self.stop_receiving.store(true, Ordering::Relaxed);
        let mut seen: Vec<Vec<bool>> = sent.iter().map(|times| vec![false; times.len()]).collect();
        for receiver in self.receivers {
            for (flow, number) in receiver.join().map_err(|_| anyhow!("a probe's receiver panicked"))?? {
                let cell = seen.get_mut(flow as usize).and_then(|flow| flow.get_mut(number as usize));
                if let Some(cell) = cell {
                    *cell = true;
                }
            }
        }
        Ok(Recording { flows: self.flows, sent, seen, interval: self.interval })
    }
}

fn send(
    namespace: &str,
    targets: &[(usize, Ipv4Addr)],
    interval: Duration,
    stop: &AtomicBool,
) -> Result<Vec<Instant>> {
    netns::enter(namespace)?;
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let mut times = Vec::new();
    let mut next = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let number = u32::try_from(times.len()).unwrap_or(u32::MAX);
        times.push(Instant::now());
        for (flow, target) in targets {
            let mut packet = [0; PACKET];
            packet[..4].copy_from_slice(&u32::try_from(*flow).unwrap_or(u32::MAX).to_be_bytes());
            packet[4..].copy_from_slice(&number.to_be_bytes());
            // What cannot even be sent (no route, no neighbour) is lost, which is what we count.
            let _ = socket.send_to(&packet, SocketAddrV4::new(*target, PORT));
        }
        next = (next + interval).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    Ok(times)
}

fn receive(
    namespace: &str,
    stop: &AtomicBool,
    ready: &std::sync::mpsc::Sender<()>,
) -> Result<Vec<(u32, u32)>> {
    netns::enter(namespace)?;
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
    socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT).into())?;
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(Duration::from_millis(50)))?;
    let _ = ready.send(());
    let mut seen = Vec::new();
    let mut packet = [0; 64];
    while !stop.load(Ordering::Relaxed) {
        if let Ok(PACKET) = socket.recv(&mut packet) {
            let word =
                |at: usize| u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]]);
            seen.push((word(0), word(4)));
        }
    }
    Ok(seen)
}

/// What was sent and what arrived.
#[derive(Debug)]
pub struct Recording {
    flows: Vec<Flow>,
    sent: Vec<Arc<Vec<Instant>>>,
    seen: Vec<Vec<bool>>,
    interval: Duration,
}

impl Recording {
    /// The flows that were probed.
    pub fn flows(&self) -> &[Flow] {
        &self.flows
    }

    /// What a flow lost of the packets sent in a window.
    pub fn outage(&self, flow: usize, from: Instant, to: Instant) -> Outage {
        let sent = &self.sent[flow];
        let seen: Vec<(Instant, bool)> = sent.iter().copied().zip(self.seen[flow].iter().copied()).collect();
        window(&seen, from, to, self.interval)
    }

    /// The longest a sender overslept: no outage shorter than this means anything.
    pub fn lateness(&self) -> Duration {
        let gaps =
            self.sent.iter().flat_map(|sent| sent.windows(2).map(|pair| pair[1].duration_since(pair[0])));
        gaps.max().unwrap_or_default().saturating_sub(self.interval)
    }

    /// Packets of a window that flows `counts` admits lost, all together.
    pub fn lost(&self, from: Instant, to: Instant, counts: impl Fn(&Flow) -> bool) -> usize {
        let flows = self.flows.iter().enumerate().filter(|(_, flow)| counts(flow));
        flows.map(|(index, _)| self.outage(index, from, to).lost).sum()
    }

    /// The worst outage in a window among the flows of a class that `counts` admits.
    pub fn worst(
        &self,
        class: Class,
        from: Instant,
        to: Instant,
        counts: impl Fn(&Flow) -> bool,
    ) -> Option<(&Flow, Outage)> {
        let flows = self.flows.iter().enumerate().filter(|(_, flow)| flow.class == class && counts(flow));
        flows
            .map(|(index, flow)| (flow, self.outage(index, from, to)))
            .max_by_key(|(_, outage)| outage.longest)
    }
}

fn window(packets: &[(Instant, bool)], from: Instant, to: Instant, interval: Duration) -> Outage {
    let mut outage = Outage::default();
    let mut began: Option<Instant> = None;
    for &(sent, arrived) in packets.iter().filter(|(sent, _)| (from..to).contains(sent)) {
        outage.sent += 1;
        if arrived {
            began = None;
            continue;
        }
        outage.lost += 1;
        let began = *began.get_or_insert(sent);
        outage.longest = outage.longest.max(sent.duration_since(began) + interval);
    }
    outage
}

/// Can every living flow get through? Gives how many were tried and which failed.
///
/// # Errors
/// Probing itself fails.
pub fn reach(lab: &Lab) -> Result<(usize, Vec<Flow>)> {
    let flows = living_flows(lab)?;
    let start = Instant::now();
    let prober = Prober::start(lab, flows, Duration::from_millis(20))?;
    std::thread::sleep(Duration::from_millis(300));
    let recording = prober.stop()?;
    let dead = recording.flows().iter().enumerate().filter(|(index, _)| {
        let outage = recording.outage(*index, start, Instant::now());
        outage.lost * 2 > outage.sent
    });
    let dead: Vec<Flow> = dead.map(|(_, flow)| flow.clone()).collect();
    Ok((recording.flows().len(), dead))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_run_of_lost_packets_is_the_outage() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let arrived = [true, false, true, false, false, false, true, false];
        let packets: Vec<_> = arrived.iter().zip(0..).map(|(&ok, n)| (start + ms(n), ok)).collect();
        let whole = window(&packets, start, start + ms(100), ms(1));
        assert_eq!(whole, Outage { sent: 8, lost: 5, longest: ms(3) });
        let late = window(&packets, start + ms(5), start + ms(8), ms(1));
        assert_eq!(late, Outage { sent: 3, lost: 2, longest: ms(1) });
    }
}
