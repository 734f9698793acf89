//! What raw and packet sockets have in common: receiving IPv4 datagrams from a descriptor, or what else its owner can read.
//!
//! Octets that are no sane IPv4, or nothing the owner can read, are skipped. A turn skips a bounded number of them, so that a neighbour
//! that sends nothing else cannot hold the shell. Waiting is [`crate::ready_set`]'s.

use crate::ipv4::{self, Ipv4Header};
use nix::sys::socket::{MsgFlags, recv};
use socket2::Socket;
use std::io;
use std::os::fd::AsRawFd;

/// Longest frame or datagram; a jumbo one must not be cut.
const LARGEST: usize = 65_535;
/// Most octet strings skipped in one call of [`Inbox::take`].
const MOST_SKIPPED: usize = 64;

/// A non-blocking socket and the buffer it is read into.
#[derive(Debug)]
pub(crate) struct Inbox {
    socket: Socket,
    buffer: Vec<u8>,
    ip_at: usize,
}

impl Inbox {
    /// Reads from `socket`, where the IP header stands `ip_at` octets into what is received.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub(crate) fn new(socket: Socket, ip_at: usize) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket, buffer: vec![0; LARGEST], ip_at })
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// All that was received last, from its first octet.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.buffer
    }

    /// What the IP datagram received last carries.
    pub(crate) fn payload(&self, header: &Ipv4Header) -> &[u8] {
        let datagram = self.buffer.get(self.ip_at..).unwrap_or_default();
        datagram.get(header.payload.clone()).unwrap_or_default()
    }

    /// The next datagram if one is queued.
    pub(crate) fn take(&mut self) -> io::Result<Option<Ipv4Header>> {
        let ip_at = self.ip_at;
        self.take_what(|octets| octets.get(ip_at..).and_then(ipv4::parse))
    }

    /// The next that `read` makes something of, if one is queued.
    pub(crate) fn take_what<T>(&mut self, read: impl Fn(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        for _ in 0..MOST_SKIPPED {
            match recv(self.socket.as_raw_fd(), &mut self.buffer, MsgFlags::empty()) {
                Ok(length) => match self.buffer.get(..length).and_then(&read) {
                    None => {}
                    some => return Ok(some),
                },
                Err(nix::Error::EAGAIN) => return Ok(None),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(None)
    }
}
