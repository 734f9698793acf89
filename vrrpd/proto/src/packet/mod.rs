//! The VRRP message: what is sent, and the checks a received one has to pass (RFC 9568 §5, §7.1;
//! RFC 3768 §5, §7.1).
//!
//! [`examine`] is pure and borrows nothing of the router: whatever it refuses cannot have touched anything,
//! which is how "a discarded packet changes nothing but its counter" is kept. Octets behind the declared
//! end are ignored, as both RFCs only demand that the declared message is complete.
//!
//! Checksum of version 3 over IPv4: RFC 5798 was read by most as "with a pseudo-header", RFC 9568 says
//! "without". Both are accepted and the form is reported; which one is sent is configured.

mod discard;

pub use discard::{Discard, Discards};

use crate::constants::{GROUP, PROTOCOL, TTL};
use crate::timing;
use routing_common::config::{VrrpChecksum, VrrpVersion};
use routing_common::id::Vrid;
use routing_common::time::Duration;
use routing_common::wire::{Reader, Truncated, Writer, checksum};
use std::net::Ipv4Addr;

/// The only packet type there is (RFC 9568 §5.2.2).
const ADVERTISEMENT: u8 = 1;
/// Offset of the checksum field in both versions.
const CHECKSUM_AT: usize = 6;
/// Octets before the addresses, in both versions.
const FIXED: usize = 8;
/// Authentication Data of version 2 (RFC 3768 §5.3.10).
const AUTH_DATA: usize = 8;
/// The most addresses Count IPvX Addr can tell.
pub const MAX_ADDRESSES: usize = 255;

/// An ADVERTISEMENT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement {
    /// Its format.
    pub version: VrrpVersion,
    /// The virtual router it speaks for.
    pub vrid: Vrid,
    /// The sender's priority; 0 means it stops.
    pub priority: u8,
    /// Time between two advertisements: whole seconds in version 2, hundredths in version 3.
    pub interval: Duration,
    /// The virtual addresses, at most [`MAX_ADDRESSES`].
    pub addresses: Vec<Ipv4Addr>,
}

impl Advertisement {
    /// The octets to send from `source`. `form` matters in version 3 only.
    pub fn encode(&self, source: Ipv4Addr, form: VrrpChecksum) -> Vec<u8> {
        let addresses = self.addresses.get(..MAX_ADDRESSES).unwrap_or(&self.addresses);
        let mut w = Writer::new();
        w.u8((wire_version(self.version) << 4) | ADVERTISEMENT).u8(self.vrid.get()).u8(self.priority);
        // proof: at most MAX_ADDRESSES = 255 were kept above.
        w.u8(addresses.len() as u8);
        match self.version {
            VrrpVersion::V2 => w.u8(0).u8(timing::whole_seconds(self.interval)),
            VrrpVersion::V3 => w.u16(timing::centiseconds(self.interval)),
        };
        w.u16(0);
        for address in addresses {
            w.ipv4(*address);
        }
        if self.version == VrrpVersion::V2 {
            w.bytes(&[0; AUTH_DATA]);
        }
        let sum = match (self.version, form) {
            (VrrpVersion::V3, VrrpChecksum::Rfc5798) => {
                checksum::internet(&[&pseudo_header(source, GROUP, w.len()), w.as_slice()])
            }
            _ => checksum::internet(&[w.as_slice()]),
        };
        w.patch_u16(CHECKSUM_AT, sum);
        w.into_vec()
    }
}

/// An IP packet of protocol 112 as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// IP source address.
    pub source: Ipv4Addr,
    /// IP destination address.
    pub destination: Ipv4Addr,
    /// IP time to live.
    pub ttl: u8,
    /// What follows the IP header, cut to the IP total length (Ethernet padding removed).
    pub payload: &'a [u8],
}

/// What the receiving side knows, to check a packet against.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// The version the virtual router speaks.
    pub version: VrrpVersion,
    /// Its own Advertisement_Interval; version 2 demands equality.
    pub interval: Duration,
    /// The address it sends from itself.
    pub own_address: Option<Ipv4Addr>,
}

/// The VRID a message claims, before anything is checked.
pub fn claimed_vrid(payload: &[u8]) -> Option<Vrid> {
    Vrid::new(*payload.get(1)?)
}

/// Takes a packet apart and checks it in the order of RFC 9568 §7.1 and RFC 3768 §7.1. `expected` is
/// `None` when the claimed VRID is not configured on the interface: the checks before that one still come
/// first, so that the counters say what is really wrong.
///
/// Answers the advertisement and, for version 3, the checksum form it used.
///
/// Not checked: that the local router is not the owner. Verified erratum 8298 leaves that to a log line,
/// since an owner that ignores another owner never settles.
pub fn examine(
    packet: Received<'_>,
    expected: Option<Expected>,
) -> Result<(Advertisement, Option<VrrpChecksum>), Discard> {
    if packet.destination != GROUP {
        return Err(Discard::Destination);
    }
    if packet.ttl != TTL {
        return Err(Discard::Ttl);
    }
    let mut r = Reader::new(packet.payload);
    let head = r.u8().map_err(truncated)?;
    let version = match head >> 4 {
        2 => VrrpVersion::V2,
        3 => VrrpVersion::V3,
        _ => return Err(Discard::Version),
    };
    if expected.is_some_and(|e| e.version != version) {
        return Err(Discard::Version);
    }
    if head & 0x0f != ADVERTISEMENT {
        return Err(Discard::Type);
    }
    let vrid = r.u8().map_err(truncated)?;
    let priority = r.u8().map_err(truncated)?;
    let count = usize::from(r.u8().map_err(truncated)?);
    let auth_and_interval = r.array::<2>().map_err(truncated)?;
    r.u16().map_err(truncated)?;
    let mut list = r.sub(4 * count).map_err(truncated)?;
    let length = FIXED + 4 * count + if version == VrrpVersion::V2 { AUTH_DATA } else { 0 };
    let message = packet.payload.get(..length).ok_or(Discard::Length)?;
    let form = verify_checksum(version, message, packet).ok_or(Discard::Checksum)?;
    let expected = expected.ok_or(Discard::Vrid)?;
    let vrid = Vrid::new(vrid).ok_or(Discard::Vrid)?;
    let interval = interval_of(version, auth_and_interval, expected)?;
    if count == 0 {
        return Err(Discard::AddressCount);
    }
    if expected.own_address == Some(packet.source) {
        return Err(Discard::OwnAddress);
    }
    let mut addresses = Vec::with_capacity(count);
    while !list.is_empty() {
        addresses.push(list.ipv4().map_err(truncated)?);
    }
    Ok((Advertisement { version, vrid, priority, interval, addresses }, form))
}

fn truncated(_: Truncated) -> Discard {
    Discard::Length
}

fn wire_version(version: VrrpVersion) -> u8 {
    match version {
        VrrpVersion::V2 => 2,
        VrrpVersion::V3 => 3,
    }
}

/// Octets 4 and 5: Auth Type and Adver Int in version 2, reserved bits and Max Advertise Interval in 3.
fn interval_of(version: VrrpVersion, field: [u8; 2], expected: Expected) -> Result<Duration, Discard> {
    match version {
        VrrpVersion::V2 => {
            let [auth_type, seconds] = field;
            if auth_type != 0 {
                return Err(Discard::Authentication);
            }
            let interval = Duration::from_secs(u64::from(seconds));
            if seconds == 0 || interval != expected.interval {
                return Err(Discard::Interval);
            }
            Ok(interval)
        }
        VrrpVersion::V3 => match u16::from_be_bytes(field) & 0x0fff {
            0 => Err(Discard::Interval),
            centiseconds => Ok(Duration::from_millis(u64::from(centiseconds) * 10)),
        },
    }
}

/// `None`: wrong. `Some(None)`: right, version 2. `Some(Some(form))`: right, version 3 in that form.
fn verify_checksum(
    version: VrrpVersion,
    message: &[u8],
    packet: Received<'_>,
) -> Option<Option<VrrpChecksum>> {
    let plain = || checksum::internet(&[message]) == 0;
    match version {
        VrrpVersion::V2 => plain().then_some(None),
        VrrpVersion::V3 => {
            let header = pseudo_header(packet.source, packet.destination, message.len());
            if checksum::internet(&[&header, message]) == 0 {
                Some(Some(VrrpChecksum::Rfc5798))
            } else {
                plain().then_some(Some(VrrpChecksum::Rfc9568))
            }
        }
    }
}

/// The sum over the IPv6 pseudo-header RFC 5798 points to equals the one over IPv4's, so that is used.
fn pseudo_header(source: Ipv4Addr, destination: Ipv4Addr, length: usize) -> [u8; 12] {
    let [a, b, c, d] = source.octets();
    let [e, f, g, h] = destination.octets();
    // proof: a message has at most 8 + 4 * 255 + 8 octets.
    let [high, low] = (length as u16).to_be_bytes();
    [a, b, c, d, e, f, g, h, 0, PROTOCOL, high, low]
}

#[cfg(test)]
mod tests;
