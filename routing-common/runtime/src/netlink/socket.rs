//! Two kinds of rtnetlink sockets: one to ask and change, one to listen.
//!
//! They are apart because a burst of events must never fill the queue a reply is waited for in.
//!
//! **Batches.** Many messages go out in one `send`; only the last asks for an acknowledgement. The
//! kernel works through a batch before `send` returns and still reports every failure under its own
//! sequence number, so the acknowledgement of the last one ends the batch. This is several times
//! faster than a request at a time.
//!
//! **Loss.** A full receive queue shows as ENOBUFS, reported as [`NetlinkError::Overrun`]: what was
//! lost is unknown, and a new dump is the only cure.

use super::message::{Attributes, Message, Messages, Received, u32_at};
use crate::sys::{Descriptor, set_int_option};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, getsockname, recvmsg, send,
    socket,
};
use socket2::{SockFilter, SockRef};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use tokio::io::Interest;

/// The kernel fills 32 KiB of a dump at a time whatever is offered; twice that never truncates.
const BUFFER: usize = 64 * 1024;
/// Largest batch: its replies, were all refused, must fit the receive queue.
pub const BATCH_MESSAGES: usize = 1024;
/// Largest batch in octets; the default send buffer of a netlink socket holds 208 KiB.
const BATCH_OCTETS: usize = 128 * 1024;
/// Receive queue asked for.
const RECEIVE_QUEUE: i32 = 8 * 1024 * 1024;

/// Where `nlmsg_pid` stands in `struct nlmsghdr`.
const PORT_AT: u32 = 12;

const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_CAPPED: u16 = 0x100;
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// Why a netlink exchange failed.
#[derive(Debug, thiserror::Error)]
pub enum NetlinkError {
    /// The socket itself failed.
    #[error("netlink socket: {0}")]
    Io(#[from] io::Error),
    /// The kernel refused the request.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The kernel's tables changed during a dump: it must be taken again.
    #[error("the kernel's table changed while it was read")]
    Interrupted,
    /// The receive queue overflowed: messages were lost.
    #[error("the netlink receive queue overflowed")]
    Overrun,
}

/// A request the kernel refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// The error number, positive (`libc::ENOENT`).
    pub errno: i32,
    /// The kernel's own words where it has some, else the error number's usual text.
    pub text: String,
}

impl NetlinkError {
    /// The kernel's error number if it refused the request.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Refused(r) => Some(r.errno),
            _ => None,
        }
    }
}

/// A message of a batch that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFailure {
    /// Its place in the batch.
    pub index: usize,
    /// Why.
    pub refusal: Refusal,
}

/// Asks the kernel and changes its tables. One exchange at a time.
///
/// Dropping a future of this type in the middle loses its replies, not the socket: replies of an
/// abandoned exchange are recognised by their sequence number and ignored.
#[derive(Debug)]
pub struct RequestSocket {
    fd: Descriptor,
    buffer: Vec<u8>,
    out: Vec<u8>,
    sequence: u32,
}

/// What one reply means for an exchange.
enum Reply {
    Data,
    Acknowledged,
    Refused(Refusal),
}

impl RequestSocket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// Whatever the kernel says; unprivileged processes may open one.
    pub fn open() -> io::Result<Self> {
        let fd = open_socket()?;
        set_int_option(fd.as_fd(), libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, 1)?;
        // Text of refusals and filtered dumps: kernels from 4.12 and 4.20. Without them we only lose
        // words and have to look at each dumped entry, which the callers do anyway.
        let _ = set_int_option(fd.as_fd(), libc::SOL_NETLINK, libc::NETLINK_EXT_ACK, 1);
        let _ = set_int_option(fd.as_fd(), libc::SOL_NETLINK, libc::NETLINK_GET_STRICT_CHK, 1);
        Ok(Self { fd: Descriptor::register(fd)?, buffer: vec![0; BUFFER], out: Vec::new(), sequence: 0 })
    }

    /// Sends one request and waits until the kernel has done it.
    ///
    /// # Errors
    /// [`NetlinkError::Refused`] if the kernel did not do it.
    pub async fn request(&mut self, message: &Message) -> Result<(), NetlinkError> {
        self.request_with(message, |_| ()).await
    }

    /// Like [`RequestSocket::request`], with a callback for what the kernel answers before it
    /// acknowledges (the object a GET asked for).
    ///
    /// # Errors
    /// As for `request`.
    pub async fn request_with(
        &mut self,
        message: &Message,
        mut each: impl FnMut(Received<'_>),
    ) -> Result<(), NetlinkError> {
        let sequence = self.start();
        message.write_to(&mut self.out, sequence, NLM_F_ACK, 0);
        self.flush().await?;
        loop {
            let length = receive(&self.fd, &mut self.buffer).await?;
            for m in Messages::new(&self.buffer[..length]).filter(|m| m.sequence == sequence) {
                match classify(&m) {
                    Reply::Data => each(m),
                    Reply::Acknowledged => return Ok(()),
                    Reply::Refused(r) => return Err(r.into()),
                }
            }
        }
    }

    /// Sends requests in batches of up to [`BATCH_MESSAGES`], in order, and waits until the kernel has
    /// worked through all of them. A refused message does not stop those after it.
    ///
    /// Returns the refused ones, in order.
    ///
    /// # Errors
    /// When the socket fails or overruns; then it is unknown which of the messages were done.
    pub async fn batch(&mut self, messages: &[Message]) -> Result<Vec<BatchFailure>, NetlinkError> {
        let mut failures = Vec::new();
        let mut done = 0;
        while done < messages.len() {
            let rest = &messages[done..];
            let mut octets = 0;
            let fitting = rest
                .iter()
                .take(BATCH_MESSAGES)
                .take_while(|m| {
                    octets += m.length();
                    octets <= BATCH_OCTETS
                })
                .count()
                .max(1);
            self.batch_once(&rest[..fitting], done, &mut failures).await?;
            done += fitting;
        }
        Ok(failures)
    }

    async fn batch_once(
        &mut self,
        messages: &[Message],
        offset: usize,
        failures: &mut Vec<BatchFailure>,
    ) -> Result<(), NetlinkError> {
        let first = self.start();
        let last = messages.len() - 1;
        for (i, message) in messages.iter().enumerate() {
            let (set, clear) = if i == last { (NLM_F_ACK, 0) } else { (0, NLM_F_ACK) };
            message.write_to(&mut self.out, self.sequence, set, clear);
            if i != last {
                self.sequence = next_sequence(self.sequence);
            }
        }
        self.flush().await?;
        loop {
            let length = receive(&self.fd, &mut self.buffer).await?;
            for m in Messages::new(&self.buffer[..length]) {
                let Some(index) = index_in_batch(first, m.sequence, messages.len()) else { continue };
                match classify(&m) {
                    Reply::Data => {}
                    Reply::Acknowledged if index == last => return Ok(()),
                    Reply::Acknowledged => {}
                    Reply::Refused(refusal) => {
                        failures.push(BatchFailure { index: offset + index, refusal });
                        if index == last {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }

    /// Dumps a table, giving each entry to `each` as it arrives.
    ///
    /// # Errors
    /// [`NetlinkError::Interrupted`] after the last entry when the table changed meanwhile: forget what
    /// was given and dump again.
    pub async fn dump(
        &mut self,
        message: &Message,
        mut each: impl FnMut(Received<'_>),
    ) -> Result<(), NetlinkError> {
        let sequence = self.start();
        message.write_to(&mut self.out, sequence, NLM_F_DUMP, 0);
        self.flush().await?;
        let mut interrupted = false;
        loop {
            let length = receive(&self.fd, &mut self.buffer).await?;
            for m in Messages::new(&self.buffer[..length]).filter(|m| m.sequence == sequence) {
                interrupted |= m.flags & NLM_F_DUMP_INTR != 0;
                match classify(&m) {
                    Reply::Data => each(m),
                    Reply::Refused(r) => return Err(r.into()),
                    Reply::Acknowledged if interrupted => return Err(NetlinkError::Interrupted),
                    Reply::Acknowledged => return Ok(()),
                }
            }
        }
    }

    /// The port the kernel gave this socket: events caused by its requests carry it.
    ///
    /// # Errors
    /// Whatever `getsockname` says; never seen on an open socket.
    pub fn port(&self) -> io::Result<u32> {
        Ok(getsockname::<NetlinkAddr>(self.fd.as_raw_fd())?.pid())
    }

    /// Begins an exchange: a fresh sequence number and an empty output.
    fn start(&mut self) -> u32 {
        self.out.clear();
        self.sequence = next_sequence(self.sequence);
        self.sequence
    }

    async fn flush(&mut self) -> io::Result<()> {
        let out = &self.out;
        let sent = self
            .fd
            .async_io(Interest::WRITABLE, |fd| {
                send(fd.as_raw_fd(), out, MsgFlags::empty()).map_err(io::Error::from)
            })
            .await?;
        if sent == out.len() {
            Ok(())
        } else {
            Err(io::Error::other("the kernel took part of a netlink request"))
        }
    }
}

/// Listens to multicast groups (RTNLGRP_*).
#[derive(Debug)]
pub struct EventSocket {
    fd: Descriptor,
    buffer: Vec<u8>,
}

impl EventSocket {
    /// Opens a socket in the calling thread's network namespace and joins groups by number (RTNLGRP_*;
    /// any number, also those beyond the 32 of the bind mask such as RTNLGRP_NEXTHOP).
    ///
    /// # Errors
    /// Whatever the kernel says; EINVAL for a group it does not know.
    pub fn open(groups: &[u32]) -> io::Result<Self> {
        let fd = open_socket()?;
        for &group in groups {
            let group = i32::try_from(group).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
            set_int_option(fd.as_fd(), libc::SOL_NETLINK, libc::NETLINK_ADD_MEMBERSHIP, group)?;
        }
        Ok(Self { fd: Descriptor::register(fd)?, buffer: vec![0; BUFFER] })
    }

    /// From now on, leaves out what requests of the socket with this port cause. The kernel drops those
    /// events before they are queued: a burst of our own changes cannot push other people's out.
    ///
    /// # Errors
    /// Whatever the kernel says; never seen.
    pub fn ignore(&self, port: u32) -> io::Result<()> {
        SockRef::from(&self.fd.as_fd()).attach_filter(&without_events_of(port))
    }

    /// Waits for the next datagram of events. Cancel safe: nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// [`NetlinkError::Overrun`] when events were lost; the socket stays usable.
    pub async fn receive(&mut self) -> Result<Messages<'_>, NetlinkError> {
        let length = receive(&self.fd, &mut self.buffer).await?;
        Ok(Messages::new(&self.buffer[..length]))
    }

    /// Throws away what is queued, after an overrun and before a new dump.
    pub fn discard_queued(&mut self) {
        loop {
            match receive_now(&self.fd, &mut self.buffer) {
                Ok(_) | Err(nix::Error::ENOBUFS | nix::Error::EINTR) => {}
                Err(_) => return,
            }
        }
    }
}

/// A classic BPF program that drops a message whose header names this port.
fn without_events_of(port: u32) -> [SockFilter; 4] {
    // The filter loads big-endian words; the header is in host order.
    let port = u32::from_be_bytes(port.to_ne_bytes());
    [
        SockFilter::new(0x20, 0, 0, PORT_AT),  // A = word at PORT_AT
        SockFilter::new(0x15, 0, 1, port),     // A == port?
        SockFilter::new(0x06, 0, 0, 0),        // drop
        SockFilter::new(0x06, 0, 0, u32::MAX), // keep all
    ]
}

fn open_socket() -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
    // FORCE needs CAP_NET_ADMIN in the initial user namespace; the plain option is capped by rmem_max.
    if set_int_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_QUEUE).is_err() {
        set_int_option(fd.as_fd(), libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_QUEUE)?;
    }
    Ok(fd)
}

/// Receives one datagram from the kernel; those of other processes are skipped.
async fn receive(fd: &Descriptor, buffer: &mut [u8]) -> Result<usize, NetlinkError> {
    loop {
        let mut guard = fd.readable().await?;
        match receive_now(fd, buffer) {
            Ok(Some(length)) => return Ok(length),
            Ok(None) | Err(nix::Error::EINTR) => {}
            Err(nix::Error::EAGAIN) => guard.clear_ready(),
            Err(nix::Error::ENOBUFS) => return Err(NetlinkError::Overrun),
            Err(e) => return Err(io::Error::from(e).into()),
        }
    }
}

/// One `recvmsg`; `None` for a datagram that did not come from the kernel.
fn receive_now(fd: &Descriptor, buffer: &mut [u8]) -> nix::Result<Option<usize>> {
    let mut slices = [IoSliceMut::new(buffer)];
    let got = recvmsg::<NetlinkAddr>(fd.as_raw_fd(), &mut slices, None, MsgFlags::empty())?;
    if got.flags.contains(MsgFlags::MSG_TRUNC) {
        // Only a message larger than any the kernel builds; treated like a lost one.
        return Err(nix::Error::ENOBUFS);
    }
    Ok(got.address.is_some_and(|a| a.pid() == 0).then_some(got.bytes))
}

fn next_sequence(sequence: u32) -> u32 {
    // 0 marks events.
    sequence.wrapping_add(1).max(1)
}

/// Where in a batch that began with `first` the reply's message stands.
fn index_in_batch(first: u32, sequence: u32, length: usize) -> Option<usize> {
    // Numbers skip 0 when they wrap, so count the skipped one out.
    let skipped = u32::from(sequence < first);
    let index = usize::try_from(sequence.wrapping_sub(first).wrapping_sub(skipped)).ok()?;
    (sequence != 0 && index < length).then_some(index)
}

fn classify(m: &Received<'_>) -> Reply {
    // proof: these constants are 2 and 3.
    const ERROR: u16 = libc::NLMSG_ERROR as u16;
    const DONE: u16 = libc::NLMSG_DONE as u16;
    match m.kind {
        ERROR => match error_code(m.body) {
            Some(0) => Reply::Acknowledged,
            Some(errno) => Reply::Refused(refusal(errno, m)),
            None => Reply::Refused(Refusal {
                errno: libc::EBADMSG,
                text: "a netlink error without a code".into(),
            }),
        },
        // A dump's end carries an error code too when the dump failed half way.
        DONE => match error_code(m.body) {
            Some(0) | None => Reply::Acknowledged,
            Some(errno) => Reply::Refused(refusal(errno, m)),
        },
        _ => Reply::Data,
    }
}

/// The positive error number at the start of an NLMSG_ERROR or NLMSG_DONE.
fn error_code(body: &[u8]) -> Option<i32> {
    u32_at(body, 0).map(|v| v.cast_signed().wrapping_neg())
}

fn refusal(errno: i32, m: &Received<'_>) -> Refusal {
    let words = (m.flags & NLM_F_ACK_TLVS != 0)
        .then(|| {
            let echoed = match m.kind {
                3 => 4,
                _ if m.flags & NLM_F_CAPPED != 0 => 4 + 16,
                _ => 4usize
                    .saturating_add(u32_at(m.body, 4).and_then(|n| usize::try_from(n).ok()).unwrap_or(0)),
            };
            Attributes::after(m.body, echoed.min(m.body.len())).find(NLMSGERR_ATTR_MSG)?.text()
        })
        .flatten();
    let usual = nix::Error::from_raw(errno).desc();
    let text = match words {
        Some(words) => format!("{words} ({usual})"),
        None => usual.to_owned(),
    };
    Refusal { errno, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_batch_that_wraps_the_sequence_numbers_is_indexed() {
        let first = u32::MAX - 1;
        let mut sequence = first;
        for i in 0..5 {
            assert_eq!(index_in_batch(first, sequence, 5), Some(i));
            sequence = next_sequence(sequence);
        }
        assert_eq!(index_in_batch(first, sequence, 5), None);
        assert_eq!(index_in_batch(first, first - 1, 5), None);
        assert_eq!(index_in_batch(7, 0, 5), None);
    }

    #[test]
    fn a_refusal_carries_the_kernels_words() {
        let mut body = (-libc::EINVAL).to_ne_bytes().to_vec();
        body.extend_from_slice(&[0; 16]);
        body.extend_from_slice(&[7, 0, 1, 0, b'n', b'o', 0, 0]);
        let m = Received { kind: 2, flags: NLM_F_CAPPED | NLM_F_ACK_TLVS, sequence: 1, port: 0, body: &body };
        let Reply::Refused(r) = classify(&m) else { panic!("not a refusal") };
        assert_eq!((r.errno, r.text.as_str()), (libc::EINVAL, "no (Invalid argument)"));
    }

    proptest! {
        #[test]
        fn any_reply_is_classified(kind in 0u16..5, flags: u16, body in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = classify(&Received { kind, flags, sequence: 0, port: 0, body: &body });
        }
    }
}
