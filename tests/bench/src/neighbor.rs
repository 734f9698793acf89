//! A router at the edge of the area, as the suite under test sees it: one OSPF adjacency over one link (RFC 2328 §10).
//!
//! It knows what a neighbour must know and no more: Hellos, the exchange as master or slave, requests both ways, acknowledgments at once,
//! retransmission. It floods nothing from one link to another; what the suite floods is acknowledged. Its database is the area's, shared
//! by all neighbours.

use crate::area::{SUITE, gateway_address};
use anyhow::Result;
use ospf_proto::lsa::{Lsa, LsaHeader, LsaKey};
use ospf_proto::packet::{
    DatabaseDescription, Hello, OutgoingBody, PacketBody, Signer, UpdateLsa, decode_header, encode,
    headers_per_description, max_payload, options, pack_updates, requests_per_packet,
};
use routing_common::config::OspfAuthentication;
use routing_common::id::{AreaId, RouterId};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

const ALL_SPF_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);
const OSPF: i32 = 89;
const MTU: u16 = 1500;
const RETRANSMIT: Duration = Duration::from_secs(5);
/// FRR acts on the end of the exchange a moment after it has read it; an answer it reads in between is an early one to it.
const BREATH: Duration = Duration::from_millis(5);
const BUFFER: usize = 16 << 20;

/// RouterDeadInterval in seconds; the suite is told the same.
pub const DEAD_INTERVAL: u32 = 40;

/// The area's database.
pub type Database = BTreeMap<LsaKey, Lsa>;

/// Neighbour states that matter here (RFC 2328 §10.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Nothing heard, or not about us.
    Down,
    /// Who is the master?
    ExStart,
    /// Databases are being described.
    Exchange,
    /// The suite's LSAs are still asked for.
    Loading,
    /// Adjacent.
    Full,
}

/// When Link State Requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// At once, also while the databases are being described (RFC 2328 §10.9 allows it).
    AtOnce,
    /// Not before the exchange is over: FRR asks for nothing more for 5 s after an answer that came earlier.
    AfterExchange,
}

/// One end of one adjacency.
#[derive(Debug)]
pub struct Neighbor {
    socket: Socket,
    id: RouterId,
    answers: Answers,
    /// Seconds.
    hello_interval: u16,
    /// Where the exchange stands.
    pub state: State,
    /// When the first Database Description went out: the start of the adjacency.
    pub started: Option<Instant>,
    /// LSAs sent again because nobody acknowledged them.
    pub retransmissions: u64,
    is_master: bool,
    sequence: u32,
    described: Vec<LsaKey>,
    next: usize,
    last_description: Vec<u8>,
    sent_last: bool,
    wanted: BTreeSet<LsaKey>,
    postponed: Vec<LsaKey>,
    answers_due: Option<Instant>,
    unacknowledged: BTreeMap<LsaKey, Instant>,
    known: BTreeMap<LsaKey, i32>,
    hello_due: Instant,
    is_heard: bool,
    last_heard: Option<Instant>,
    longest_silence: Duration,
}

impl Neighbor {
    /// Opens the socket of a link's far end in the calling thread's namespace; `hello_interval` is in seconds.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open(
        interface: &str,
        link: usize,
        id: RouterId,
        answers: Answers,
        hello_interval: u16,
    ) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(OSPF)))?;
        socket.bind_device(Some(interface.as_bytes()))?;
        let address = gateway_address(link);
        socket.join_multicast_v4(&ALL_SPF_ROUTERS, &address)?;
        socket.set_multicast_if_v4(&address)?;
        socket.set_multicast_loop_v4(false)?;
        socket.set_multicast_ttl_v4(1)?;
        socket.set_recv_buffer_size(BUFFER)?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            id,
            answers,
            hello_interval,
            state: State::Down,
            started: None,
            retransmissions: 0,
            is_master: true,
            sequence: 1,
            described: Vec::new(),
            next: 0,
            last_description: Vec::new(),
            sent_last: false,
            wanted: BTreeSet::new(),
            postponed: Vec::new(),
            answers_due: None,
            unacknowledged: BTreeMap::new(),
            known: BTreeMap::new(),
            hello_due: Instant::now(),
            is_heard: false,
            last_heard: None,
            longest_silence: Duration::ZERO,
        })
    }

    /// To be polled.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// When [`Neighbor::expire`] is wanted.
    pub fn deadline(&self) -> Instant {
        let retransmission = self.unacknowledged.values().min().map(|at| *at + RETRANSMIT);
        [retransmission, self.answers_due].into_iter().flatten().fold(self.hello_due, Instant::min)
    }

    /// Sends what is due.
    ///
    /// # Errors
    /// The socket's.
    pub fn expire(&mut self, now: Instant, database: &Database) -> Result<()> {
        if now >= self.hello_due {
            self.hello_due = now + Duration::from_secs(self.hello_interval.into());
            self.hello()?;
            if self.state == State::ExStart {
                self.describe_first()?;
            }
            if self.state == State::Loading {
                self.request()?;
            }
        }
        if self.answers_due.is_some_and(|at| at <= now) {
            self.answers_due = None;
            let postponed = std::mem::take(&mut self.postponed);
            self.update(&postponed, database)?;
        }
        let late = self.unacknowledged.iter().filter(|(_, at)| **at + RETRANSMIT <= now);
        let late: Vec<LsaKey> = late.map(|(key, _)| *key).collect();
        if !late.is_empty() {
            self.retransmissions += late.len() as u64;
            self.update(&late, database)?;
            self.unacknowledged.extend(late.into_iter().map(|key| (key, now)));
        }
        Ok(())
    }

    /// Sends LSAs that are new in the database, to be acknowledged.
    ///
    /// # Errors
    /// The socket's.
    pub fn flood(&mut self, keys: &[LsaKey], database: &Database) -> Result<()> {
        self.update(keys, database)?;
        let now = Instant::now();
        self.unacknowledged.extend(keys.iter().map(|key| (*key, now)));
        Ok(())
    }

    /// Takes in and answers everything that waits.
    ///
    /// # Errors
    /// The socket's.
    pub fn receive(&mut self, database: &Database) -> Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let length = match (&self.socket).read(&mut buffer) {
                Ok(length) => length,
                Err(fault) if fault.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(fault) if fault.kind() == ErrorKind::Interrupted => continue,
                Err(fault) => return Err(fault.into()),
            };
            let datagram = &buffer[..length];
            let header = usize::from(datagram.first().copied().unwrap_or_default() & 0x0f) * 4;
            let Some(Ok(raw)) = datagram.get(header..).map(decode_header) else { continue };
            if raw.router_id != RouterId(SUITE) {
                continue;
            }
            match raw.decode_body()? {
                PacketBody::Hello(hello) => self.hello_heard(&hello, database)?,
                PacketBody::DatabaseDescription(dd) => self.description_heard(&dd, database)?,
                PacketBody::LinkStateRequest(keys) => self.requested(keys, database)?,
                PacketBody::LinkStateUpdate(lsas) => self.update_heard(&lsas, database)?,
                PacketBody::LinkStateAck(headers) => {
                    for header in headers {
                        let current = database.get(&header.key).map(|lsa| lsa.header().sequence);
                        if current == Some(header.sequence) {
                            self.unacknowledged.remove(&header.key);
                        }
                    }
                }
            }
        }
    }

    fn send(&self, packet: &[u8]) -> Result<()> {
        let to = SockAddr::from(SocketAddrV4::new(ALL_SPF_ROUTERS, 0));
        self.socket.send_to(packet, &to)?;
        Ok(())
    }

    fn encode(&self, body: &OutgoingBody<'_>) -> Vec<u8> {
        encode(self.id, AreaId::BACKBONE, body, &Signer::Null)
    }

    fn hello(&self) -> Result<()> {
        let hello = Hello {
            network_mask: Ipv4Addr::from_bits(!3),
            hello_interval: self.hello_interval,
            options: options::E,
            priority: 1,
            dead_interval: DEAD_INTERVAL,
            designated_router: Ipv4Addr::UNSPECIFIED,
            backup_designated_router: Ipv4Addr::UNSPECIFIED,
            neighbors: if self.is_heard { vec![RouterId(SUITE)] } else { Vec::new() },
        };
        self.send(&self.encode(&OutgoingBody::Hello(&hello)))
    }

    /// The longest time between two Hellos of the suite since this was asked last; zero without two.
    pub fn longest_silence(&mut self) -> Duration {
        self.last_heard = None;
        std::mem::take(&mut self.longest_silence)
    }

    fn hello_heard(&mut self, hello: &Hello, database: &Database) -> Result<()> {
        let now = Instant::now();
        if let Some(last) = self.last_heard.replace(now) {
            self.longest_silence = self.longest_silence.max(now - last);
        }
        if !std::mem::replace(&mut self.is_heard, true) {
            self.hello()?;
        }
        if hello.neighbors.contains(&self.id) && self.state == State::Down {
            self.begin_exchange(database)?;
        }
        Ok(())
    }

    fn begin_exchange(&mut self, database: &Database) -> Result<()> {
        self.started.get_or_insert_with(Instant::now);
        self.state = State::ExStart;
        self.described = database.keys().copied().collect();
        self.next = 0;
        self.describe_first()
    }

    fn describe_first(&mut self) -> Result<()> {
        let first = self.description(true, Vec::new());
        self.send(&first)
    }

    fn description(&self, init: bool, headers: Vec<LsaHeader>) -> Vec<u8> {
        let dd = DatabaseDescription {
            interface_mtu: MTU,
            options: options::E,
            init,
            more: init || self.next < self.described.len(),
            master: self.is_master,
            sequence: self.sequence,
            headers,
        };
        self.encode(&OutgoingBody::DatabaseDescription(&dd))
    }

    /// Sends the next part of the description.
    fn describe_next(&mut self, database: &Database) -> Result<()> {
        let count = headers_per_description(payload());
        let end = (self.next + count).min(self.described.len());
        let part = self.described.get(self.next..end).unwrap_or_default();
        let headers = part.iter().filter_map(|key| database.get(key)).map(|lsa| *lsa.header()).collect();
        self.next = end;
        self.sent_last = end == self.described.len();
        self.last_description = self.description(false, headers);
        self.send(&self.last_description)
    }

    fn description_heard(&mut self, dd: &DatabaseDescription, database: &Database) -> Result<()> {
        if self.state == State::Down {
            self.begin_exchange(database)?;
        }
        if self.state == State::ExStart {
            let suite_leads = RouterId(SUITE) > self.id;
            if dd.init && dd.master && suite_leads {
                (self.is_master, self.sequence, self.state) = (false, dd.sequence, State::Exchange);
                return self.describe_next(database);
            }
            if dd.init || dd.master || suite_leads || dd.sequence != self.sequence {
                return Ok(());
            }
            self.state = State::Exchange;
        } else if self.state != State::Exchange
            || dd.sequence != self.sequence.wrapping_add(u32::from(!self.is_master))
        {
            // A slave repeats its last word when it is asked again.
            return if self.is_master { Ok(()) } else { self.send(&self.last_description) };
        }
        let unknown = dd.headers.iter().filter(|h| self.known.get(&h.key).is_none_or(|n| *n < h.sequence));
        let unknown = unknown.filter(|h| !database.contains_key(&h.key)).map(|h| h.key);
        self.wanted.extend(unknown);
        let was_last = self.sent_last;
        if self.is_master {
            if was_last && !dd.more {
                return self.finish_exchange();
            }
            self.sequence = self.sequence.wrapping_add(1);
            return self.describe_next(database);
        }
        self.sequence = dd.sequence;
        self.describe_next(database)?;
        if self.sent_last && !dd.more { self.finish_exchange() } else { Ok(()) }
    }

    fn finish_exchange(&mut self) -> Result<()> {
        self.state = if self.wanted.is_empty() { State::Full } else { State::Loading };
        self.answers_due = (self.answers == Answers::AfterExchange).then(|| Instant::now() + BREATH);
        self.request()
    }

    fn request(&self) -> Result<()> {
        let keys: Vec<LsaKey> = self.wanted.iter().copied().collect();
        let packets = keys.chunks(requests_per_packet(payload()));
        packets.map(|keys| self.encode(&OutgoingBody::LinkStateRequest(keys))).try_for_each(|p| self.send(&p))
    }

    fn requested(&mut self, keys: Vec<LsaKey>, database: &Database) -> Result<()> {
        if self.answers == Answers::AfterExchange
            && (self.state <= State::Exchange || self.answers_due.is_some())
        {
            self.postponed.extend(keys);
            return Ok(());
        }
        self.update(&keys, database)
    }

    fn update(&self, keys: &[LsaKey], database: &Database) -> Result<()> {
        let lsas = keys.iter().filter_map(|key| database.get(key));
        let lsas: Vec<(&Lsa, u16)> = lsas.map(|lsa| (lsa, lsa.header().age)).collect();
        let packets = pack_updates(&lsas, payload());
        packets.map(|lsas| self.encode(&OutgoingBody::LinkStateUpdate(lsas))).try_for_each(|p| self.send(&p))
    }

    /// Acknowledges all of it; what the suite floods back to us acknowledges ours.
    fn update_heard(&mut self, lsas: &[UpdateLsa], database: &Database) -> Result<()> {
        let mut headers = Vec::new();
        for lsa in lsas {
            let UpdateLsa::Valid(lsa) = lsa else { continue };
            headers.push(*lsa.header());
            self.wanted.remove(&lsa.key());
            if database.get(&lsa.key()).is_some_and(|own| own.header().sequence == lsa.header().sequence) {
                self.unacknowledged.remove(&lsa.key());
            } else {
                self.known.insert(lsa.key(), lsa.header().sequence);
            }
        }
        self.send(&self.encode(&OutgoingBody::LinkStateAck(&headers)))?;
        if self.state == State::Loading && self.wanted.is_empty() {
            self.state = State::Full;
        }
        Ok(())
    }
}

fn payload() -> usize {
    max_payload(MTU, &OspfAuthentication::Null)
}
