//! The kernel's table as it changes, and how far it is from what it must be.
//!
//! A netlink socket in the suite's namespace hears every route that comes or goes. From the first dump on the table is followed, and
//! the number of prefixes that are not as expected is kept with it, so "all routes are right" is known with the very notification that
//! makes it true. A suite that works with next-hop objects is followed too: the kernel spells out the gateways in its
//! notifications and tells every route when its object changes (`nexthop_compat_mode`, the default).
//!
//! Notifications are only believed after a second dump agrees ([`Table::verify`]).

use crate::area::{Prefix, Routes};
use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST_DUMP: u16 = 0x301;
const RTMGRP_IPV4_ROUTE: u32 = 0x40;
const RTA_DST: u16 = 1;
const RTA_GATEWAY: u16 = 5;
const RTA_MULTIPATH: u16 = 9;
const MAIN: u8 = 254;
const UNICAST: u8 = 1;
/// Routes of this protocol are the kernel's own.
const RTPROT_KERNEL: u8 = 2;
const MESSAGE_HEADER: usize = 16;
const ROUTE_HEADER: usize = 12;
const NEXT_HOP_HEADER: usize = 8;
/// Notifications of a hundred thousand routes fit.
const BUFFER: usize = 256 << 20;

/// A route as a message tells it.
struct Told {
    is_new: bool,
    prefix: Prefix,
    gateways: Vec<Ipv4Addr>,
}

/// The table of the namespace in which it was opened.
#[derive(Debug)]
pub struct Table {
    socket: OwnedFd,
    present: Routes,
    expected: Routes,
    wrong: usize,
    buffer: Vec<u8>,
    /// Changes heard.
    pub heard: u64,
}

impl Table {
    /// Opens the socket in the calling thread's namespace.
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn open() -> Result<Self> {
        let socket = open(RTMGRP_IPV4_ROUTE)?;
        setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).context("netlink buffer")?;
        Ok(Self {
            socket,
            present: HashMap::new(),
            expected: HashMap::new(),
            wrong: 0,
            buffer: vec![0; 1 << 16],
            heard: 0,
        })
    }

    /// To be polled.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// From now on these routes and no others are right.
    pub fn expect(&mut self, routes: Routes) {
        self.expected = routes;
        let (present, expected) = (&self.present, &self.expected);
        let missing_or_other = expected.iter().filter(|(p, gateways)| present.get(*p) != Some(*gateways));
        let extra = present.keys().filter(|p| !expected.contains_key(*p));
        self.wrong = missing_or_other.count() + extra.count();
    }

    /// How many prefixes are not as expected.
    pub fn wrong(&self) -> usize {
        self.wrong
    }

    /// Takes in what the kernel has told.
    ///
    /// # Errors
    /// Notifications were lost.
    pub fn listen(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let outcome = loop {
            match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Ok(length) => {
                    each(&buffer[..length], &mut |kind, payload| {
                        if let Some(told) = route(kind, payload) {
                            self.apply(told);
                        }
                    });
                }
                Err(Errno::EAGAIN) => break Ok(()),
                Err(Errno::EINTR) => {}
                Err(fault) => break Err(fault).context("route notifications"),
            }
        };
        self.buffer = buffer;
        outcome
    }

    fn apply(&mut self, told: Told) {
        self.heard += 1;
        let wanted = self.expected.get(&told.prefix);
        let was_wrong = self.present.get(&told.prefix) != wanted;
        if told.is_new {
            self.present.insert(told.prefix, told.gateways);
        } else {
            self.present.remove(&told.prefix);
        }
        let is_wrong = self.present.get(&told.prefix) != wanted;
        self.wrong = self.wrong + usize::from(is_wrong) - usize::from(was_wrong);
    }

    /// Does a dump of the table hold exactly what is expected? Called with the suite's namespace entered.
    ///
    /// # Errors
    /// It does not, with some examples.
    pub fn verify(&self) -> Result<()> {
        let dumped = dump()?;
        let mut faults: Vec<String> = Vec::new();
        for (prefix, gateways) in &self.expected {
            if dumped.get(prefix) != Some(gateways) {
                faults.push(format!("{}: {:?} instead of {gateways:?}", shown(*prefix), dumped.get(prefix)));
            }
        }
        let extra = dumped.keys().filter(|prefix| !self.expected.contains_key(*prefix));
        faults.extend(extra.map(|prefix| format!("{}: not expected", shown(*prefix))));
        faults.sort();
        let examples = faults.get(..faults.len().min(5)).unwrap_or_default().join("\n  ");
        ensure!(faults.is_empty(), "{} routes are wrong:\n  {examples}", faults.len());
        Ok(())
    }
}

fn shown((address, length): Prefix) -> String {
    format!("{}/{length}", Ipv4Addr::from_bits(address))
}

fn open(groups: u32) -> Result<OwnedFd> {
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        Some(SockProtocol::NetlinkRoute),
    )?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(socket)
}

/// The routes of the calling thread's namespace.
fn dump() -> Result<Routes> {
    let socket = open(0)?;
    let mut request = Vec::new();
    request.extend((MESSAGE_HEADER as u32 + ROUTE_HEADER as u32).to_ne_bytes());
    request.extend(RTM_GETROUTE.to_ne_bytes());
    request.extend(NLM_F_REQUEST_DUMP.to_ne_bytes());
    request.extend([0; 8]);
    // Family AF_INET, all else open.
    request.extend([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    send(socket.as_raw_fd(), &request, MsgFlags::empty())?;
    let (mut routes, mut done, mut failed) = (Routes::new(), false, false);
    let mut buffer = vec![0; 1 << 18];
    while !done {
        let length = recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty())?;
        each(&buffer[..length], &mut |kind, payload| {
            done |= kind == NLMSG_DONE || kind == NLMSG_ERROR;
            failed |= kind == NLMSG_ERROR;
            if let Some(told) = route(kind, payload) {
                routes.insert(told.prefix, told.gateways);
            }
        });
    }
    if failed {
        bail!("the kernel refuses to dump its routes");
    }
    Ok(routes)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// All messages of a datagram: type and payload.
fn each(mut datagram: &[u8], visit: &mut dyn FnMut(u16, &[u8])) {
    while datagram.len() >= MESSAGE_HEADER {
        let Some(Ok(length)) = datagram.get(..4).map(<[u8; 4]>::try_from) else { return };
        let length = u32::from_ne_bytes(length) as usize;
        let (Some(kind), Some(payload)) = (half(datagram, 4), datagram.get(MESSAGE_HEADER..length)) else {
            return;
        };
        visit(kind, payload);
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// All attributes: type and value.
fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (length, kind) = (usize::from(half(bytes, 0)?), half(bytes, 2)?);
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & 0x3fff, value))
    })
}

fn address(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

/// A unicast route of the main table that leads to another router and is not the kernel's own.
fn route(kind: u16, payload: &[u8]) -> Option<Told> {
    let is_new = kind == RTM_NEWROUTE;
    if !is_new && kind != RTM_DELROUTE {
        return None;
    }
    let (head, rest) = payload.split_at_checked(ROUTE_HEADER)?;
    if head[4] != MAIN || head[5] == RTPROT_KERNEL || head[7] != UNICAST {
        return None;
    }
    let mut told = Told { is_new, prefix: (0, head[1]), gateways: Vec::new() };
    for (kind, value) in attributes(rest) {
        match kind {
            RTA_DST => told.prefix.0 = address(value)?.to_bits(),
            RTA_GATEWAY => told.gateways.push(address(value)?),
            RTA_MULTIPATH => {
                let mut paths = value;
                while let Some(length) = half(paths, 0).map(usize::from).filter(|n| *n >= NEXT_HOP_HEADER) {
                    let own = paths.get(NEXT_HOP_HEADER..length)?;
                    let gateway = attributes(own).find(|(kind, _)| *kind == RTA_GATEWAY);
                    told.gateways.extend(gateway.and_then(|(_, value)| address(value)));
                    paths = paths.get(length.next_multiple_of(4)..).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    told.gateways.sort_unstable();
    // BIRD writes the networks of its own interfaces too.
    (!told.gateways.is_empty()).then_some(told)
}
