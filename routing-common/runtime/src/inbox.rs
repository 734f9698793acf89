//! What raw and packet sockets have in common: receiving IPv4 datagrams from a descriptor, or what else its owner can read.
//!
//! Octets that are no sane IPv4, or nothing the owner can read, are skipped. A turn skips a bounded number of them, so that a neighbour
//! that sends nothing else cannot hold the shell.

use crate::ipv4::{self, Ipv4Header};
use crate::sys::Descriptor;
use core::task::{Context, Poll, ready};
use nix::sys::socket::{MsgFlags, recv};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use tokio::io::Interest;

/// Longest frame or datagram; a jumbo one must not be cut.
const LARGEST: usize = 65_535;
/// Most octet strings skipped in one call of [`Inbox::take`].
const MOST_SKIPPED: usize = 64;

/// A descriptor and the buffer it is read into.
#[derive(Debug)]
pub(crate) struct Inbox {
    fd: Descriptor,
    buffer: Vec<u8>,
    ip_at: usize,
}

impl Inbox {
    /// Reads from `fd`, where the IP header stands `ip_at` octets into what is received.
    pub(crate) fn new(fd: Descriptor, ip_at: usize) -> Self {
        Self { fd, buffer: vec![0; LARGEST], ip_at }
    }

    /// The descriptor.
    pub(crate) fn descriptor(&self) -> &Descriptor {
        &self.fd
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

    /// Waits for a datagram. Cancel safe.
    pub(crate) async fn wait(&mut self) -> io::Result<Ipv4Header> {
        loop {
            let mut guard = self.fd.readable().await?;
            match receive(self.fd.as_raw_fd(), &mut self.buffer, self.ip_at) {
                Ok(Some(header)) => return Ok(header),
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => guard.clear_ready(),
                Err(e) => return Err(e),
            }
        }
    }

    /// Is there probably something to [`Inbox::take`]? The waker of the last call counts.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The readiness is kept: `take` clears it when it finds nothing.
        let mut guard = ready!(self.fd.poll_read_ready(cx))?;
        guard.retain_ready();
        Poll::Ready(Ok(()))
    }

    /// The next datagram if one is queued.
    pub(crate) fn take(&mut self) -> io::Result<Option<Ipv4Header>> {
        let ip_at = self.ip_at;
        self.take_what(|octets| octets.get(ip_at..).and_then(ipv4::parse))
    }

    /// The next that `read` makes something of, if one is queued.
    pub(crate) fn take_what<T>(&mut self, read: impl Fn(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
        let (fd, buffer) = (&self.fd, &mut self.buffer);
        for _ in 0..MOST_SKIPPED {
            match fd.try_io(Interest::READABLE, |fd| receive_what(fd.as_raw_fd(), buffer, &read)) {
                Ok(Some(header)) => return Ok(Some(header)),
                Ok(None) => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(e) => return Err(e),
            }
        }
        Ok(None)
    }
}

/// One datagram's header; `None` if what came is no sane IPv4.
fn receive(fd: RawFd, buffer: &mut [u8], ip_at: usize) -> io::Result<Option<Ipv4Header>> {
    receive_what(fd, buffer, |octets| octets.get(ip_at..).and_then(ipv4::parse))
}

/// What `read` makes of what is received next.
fn receive_what<T>(fd: RawFd, buffer: &mut [u8], read: impl Fn(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
    let length = recv(fd, buffer, MsgFlags::empty())?;
    Ok(buffer.get(..length).and_then(read))
}
