//! OSPF packets (RFC 2328 App. A.3) as values, and their wire form.
//!
//! The way in has three steps, so that each check of RFC 2328 §8.2 can be counted under its own name:
//! [`decode_header`] (version, type, length), then, once the receiving interface and its
//! authentication are known, [`RawPacket::checksum_is_valid`] and [`verify`], then
//! [`RawPacket::decode_body`]. The way out is [`encode`], which checksums and signs.
//!
//! Octets behind the packet's own length (an authentication digest, an LLS block of RFC 5613) are the
//! [`RawPacket::trailer`]; LLS is neither read nor sent.

mod authentication;
mod body;
mod digest;
mod encode;
mod header;
mod types;

pub use authentication::{AuthError, Signer, verify};
pub use encode::{
    DD_FIXED, OutgoingBody, UPDATE_FIXED, encode, headers_per_ack, headers_per_description, max_payload,
    pack_updates, requests_per_packet,
};
pub use header::{DecodeError, HEADER_LENGTH, PacketType, RawPacket, decode_header};
pub use types::*;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod key_chain_tests;
#[cfg(test)]
mod tests;
