//! Netlink messages as bytes: a writer that cannot build a malformed one, and readers that stop at the
//! first thing that makes no sense instead of panicking.
//!
//! Integers of a netlink message are in host byte order; addresses inside attributes are in network
//! order. Everything is aligned to four octets.

use std::net::Ipv4Addr;

/// Length of `struct nlmsghdr`.
const HEADER: usize = 16;
/// Length of `struct nlattr`.
const ATTRIBUTE_HEADER: usize = 4;
/// NLA_F_NESTED and NLA_F_NET_BYTEORDER, which are not part of an attribute's number.
const ATTRIBUTE_FLAGS: u16 = 0xc000;

const fn align(n: usize) -> usize {
    (n + 3) & !3
}

/// A request under construction. Sequence number and acknowledgement flags belong to the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A message of type `kind` (RTM_*) with `flags` (NLM_F_*, NLM_F_REQUEST is always added) and the
    /// fixed `body` its type asks for.
    pub fn new(kind: u16, flags: u16, body: &[u8]) -> Self {
        let flags = flags | NLM_F_REQUEST;
        let mut bytes = Vec::with_capacity(HEADER + align(body.len()) + 64);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(body);
        let mut message = Self { bytes };
        message.pad();
        message
    }

    /// Appends an attribute with any payload. A payload that does not fit the 16-bit length (no request
    /// of ours comes near) is a bug.
    pub fn attribute(&mut self, kind: u16, payload: &[u8]) -> &mut Self {
        let length = ATTRIBUTE_HEADER + payload.len();
        // proof: only this suite's own code builds requests, from fixed-size values and names.
        let length = u16::try_from(length).expect("an attribute is shorter than 64 KiB");
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload);
        self.pad();
        self
    }

    /// Appends an 8-bit attribute.
    pub fn attribute_u8(&mut self, kind: u16, value: u8) -> &mut Self {
        self.attribute(kind, &[value])
    }

    /// Appends a 16-bit attribute in host order.
    pub fn attribute_u16(&mut self, kind: u16, value: u16) -> &mut Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends a 32-bit attribute in host order.
    pub fn attribute_u32(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_ne_bytes())
    }

    /// Appends an IPv4 address.
    pub fn attribute_ipv4(&mut self, kind: u16, value: Ipv4Addr) -> &mut Self {
        self.attribute(kind, &value.octets())
    }

    /// Appends a text with its terminating zero.
    pub fn attribute_text(&mut self, kind: u16, value: &str) -> &mut Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.attribute(kind, &bytes)
    }

    /// Appends an attribute that holds the attributes `fill` appends.
    pub fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.bytes.len();
        self.attribute(kind | NLA_F_NESTED, &[]);
        fill(self);
        // proof: as in `attribute`; `fill` only appends.
        let length = u16::try_from(self.bytes.len() - start).expect("a nest is shorter than 64 KiB");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    /// Appends bytes that are not an attribute, such as `struct rtnexthop` inside a nest.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.pad();
        self
    }

    /// Octets so far, header included.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Overwrites two octets at `offset` counted from the start of the message: for lengths that are
    /// known only after what they count was appended (`rtnh_len`).
    pub fn patch_u16(&mut self, offset: usize, value: u16) {
        if let Some(slot) = self.bytes.get_mut(offset..offset + 2) {
            slot.copy_from_slice(&value.to_ne_bytes());
        }
    }

    /// Appends the finished message to `out` with this sequence number, adding `set` to and removing
    /// `clear` from its flags.
    pub(super) fn write_to(&self, out: &mut Vec<u8>, sequence: u32, set: u16, clear: u16) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        // proof: attributes are below 64 KiB each and a request holds a handful.
        let length = u32::try_from(self.bytes.len()).expect("a message is shorter than 4 GiB");
        let flags = (u16::from_ne_bytes([self.bytes[6], self.bytes[7]]) | set) & !clear;
        out[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        out[start + 6..start + 8].copy_from_slice(&flags.to_ne_bytes());
        out[start + 8..start + 12].copy_from_slice(&sequence.to_ne_bytes());
    }

    fn pad(&mut self) {
        self.bytes.resize(align(self.bytes.len()), 0);
    }
}

const NLM_F_REQUEST: u16 = 1;
const NLA_F_NESTED: u16 = 0x8000;

/// A received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received<'a> {
    /// RTM_* or NLMSG_*.
    pub kind: u16,
    /// NLM_F_*.
    pub flags: u16,
    /// The request this answers; 0 for most events.
    pub sequence: u32,
    /// The port of the socket whose request this answers or, in an event, caused it.
    pub port: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// The messages of one received datagram; ends at the first malformed header.
#[derive(Debug, Clone)]
pub struct Messages<'a>(&'a [u8]);

impl<'a> Messages<'a> {
    /// Reads a datagram.
    pub fn new(datagram: &'a [u8]) -> Self {
        Self(datagram)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Received<'a>;

    fn next(&mut self) -> Option<Received<'a>> {
        let header = self.0.first_chunk::<HEADER>()?;
        let length = usize::try_from(u32_at(header, 0)?).ok()?;
        let body = self.0.get(HEADER..length)?;
        let received = Received {
            kind: u16_at(header, 4)?,
            flags: u16_at(header, 6)?,
            sequence: u32_at(header, 8)?,
            port: u32_at(header, 12)?,
            body,
        };
        self.0 = self.0.get(align(length)..).unwrap_or_default();
        Some(received)
    }
}

/// One attribute of a received message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its number without the flag bits.
    pub kind: u16,
    /// Its value.
    pub payload: &'a [u8],
}

impl<'a> Attribute<'a> {
    /// The first octet.
    pub fn u8(&self) -> Option<u8> {
        self.payload.first().copied()
    }

    /// 16 bits in host order.
    pub fn u16(&self) -> Option<u16> {
        u16_at(self.payload, 0)
    }

    /// 32 bits in host order.
    pub fn u32(&self) -> Option<u32> {
        u32_at(self.payload, 0)
    }

    /// An IPv4 address.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        ipv4_at(self.payload, 0)
    }

    /// Text up to the terminating zero; `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        let end = self.payload.iter().position(|&b| b == 0).unwrap_or(self.payload.len());
        core::str::from_utf8(&self.payload[..end]).ok()
    }

    /// The attributes inside.
    pub fn nested(&self) -> Attributes<'a> {
        Attributes(self.payload)
    }
}

/// The attributes of a message or nest; ends at the first malformed one.
#[derive(Debug, Clone)]
pub struct Attributes<'a>(&'a [u8]);

impl<'a> Attributes<'a> {
    /// The attributes after the first `fixed` octets of a body (its type's fixed header).
    pub fn after(body: &'a [u8], fixed: usize) -> Self {
        Self(body.get(align(fixed)..).unwrap_or_default())
    }

    /// The first attribute with this number.
    pub fn find(mut self, kind: u16) -> Option<Attribute<'a>> {
        Iterator::find(&mut self, |a| a.kind == kind)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let length = usize::from(u16_at(self.0, 0)?);
        let kind = u16_at(self.0, 2)? & !ATTRIBUTE_FLAGS;
        let payload = self.0.get(ATTRIBUTE_HEADER..length)?;
        self.0 = self.0.get(align(length)..).unwrap_or_default();
        Some(Attribute { kind, payload })
    }
}

/// 16 bits in host order at `offset`.
pub fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// 32 bits in host order at `offset`.
pub fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// An IPv4 address at `offset`.
pub fn ipv4_at(bytes: &[u8], offset: usize) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(*bytes.get(offset..)?.first_chunk::<4>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Message {
        let mut m = Message::new(16, 0x400, &[7; 5]);
        m.attribute_u8(1, 9).attribute_u32(2, 77).attribute_text(3, "eth0");
        m.nested(4, |m| {
            m.attribute_u16(5, 6).attribute_ipv4(6, Ipv4Addr::LOCALHOST);
        });
        m
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        sample().write_to(&mut out, 42, 4, 0);
        sample().write_to(&mut out, 43, 0, 0x400);
        let all: Vec<_> = Messages::new(&out).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].kind, all[0].flags, all[0].sequence), (16, 0x405, 42));
        assert_eq!((all[1].flags, all[1].sequence), (1, 43));
        let attributes = Attributes::after(all[0].body, 5);
        assert_eq!(attributes.clone().find(1).and_then(|a| a.u8()), Some(9));
        assert_eq!(attributes.clone().find(2).and_then(|a| a.u32()), Some(77));
        assert_eq!(attributes.clone().find(3).and_then(|a| a.text()), Some("eth0"));
        let nest = attributes.find(4).unwrap().nested();
        assert_eq!(nest.clone().find(5).and_then(|a| a.u16()), Some(6));
        assert_eq!(nest.find(6).and_then(|a| a.ipv4()), Some(Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn a_length_of_zero_ends_the_reading() {
        assert_eq!(Messages::new(&[0; 64]).count(), 0);
        assert_eq!(Attributes(&[0; 64]).count(), 0);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
            for m in Messages::new(&bytes) {
                for a in Attributes::after(m.body, 8) {
                    let _ = (a.u8(), a.u16(), a.u32(), a.ipv4(), a.text(), a.nested().count());
                }
            }
            prop_assert!(Attributes(&bytes).count() <= bytes.len() / 4);
            let mut out = Vec::new();
            sample().write_to(&mut out, 1, 0, 0);
            out.truncate(cut);
            prop_assert!(Messages::new(&out).count() <= 1);
        }
    }
}
