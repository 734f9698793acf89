//! The BFD Control packet (RFC 5880 §4.1) and those checks of §6.8.6 that need nothing but its bytes.
//!
//! An Authentication Section (§4.2 to §4.4) is told by [`ControlPacket::authenticated`] and otherwise left alone: no
//! authentication is in use in this version, so whoever has found the session drops the packet there, where the RFC
//! has the check.

use crate::discard::Discard;
use crate::message::{Diagnostic, SessionState};

/// Octets of the mandatory section.
pub const LENGTH: usize = 24;
/// bfd protocol version.
const VERSION: u8 = 1;
/// Shortest Length with an Authentication Section.
const LENGTH_AUTHENTICATED: u8 = 26;

const POLL: u8 = 0x20;
const FINAL: u8 = 0x10;
const CONTROL_PLANE_INDEPENDENT: u8 = 0x08;
const AUTHENTICATION: u8 = 0x04;
const DEMAND: u8 = 0x02;
const MULTIPOINT: u8 = 0x01;

/// Where a packet says whether it is mere routine: the octet after Diag, of which these bits...
pub const ROUTINE_AT: u8 = 1;
/// ... State, Poll, Final, Demand...
pub const ROUTINE_MASK: u8 = 0xc0 | POLL | FINAL | DEMAND;
/// ... are these, if the sender is Up, neither asks nor answers and wants packets: to a session that is Up such a packet
/// says only that its peer is there.
pub const ROUTINE: u8 = (SessionState::Up as u8) << 6;

/// A Control packet. Intervals are in microseconds, as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlPacket {
    /// Diag.
    pub diagnostic: Diagnostic,
    /// Sta.
    pub state: SessionState,
    /// P.
    pub poll: bool,
    /// F.
    pub final_: bool,
    /// C.
    pub control_plane_independent: bool,
    /// A: an Authentication Section follows. Never set in what we send.
    pub authenticated: bool,
    /// D.
    pub demand: bool,
    /// Detect Mult, not 0.
    pub detect_mult: u8,
    /// My Discriminator, not 0.
    pub my_discriminator: u32,
    /// Your Discriminator; 0 while unknown.
    pub your_discriminator: u32,
    /// Desired Min TX Interval.
    pub desired_min_tx: u32,
    /// Required Min RX Interval; 0: send me nothing periodically.
    pub required_min_rx: u32,
    /// Required Min Echo RX Interval; 0: no Echo packets.
    pub required_min_echo_rx: u32,
}

impl ControlPacket {
    /// Reads a UDP payload. The checks stand in the order of RFC 5880 §6.8.6.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn decode(payload: &[u8]) -> Result<Self, Discard> {
        let Some(bytes) = payload.first_chunk::<LENGTH>() else {
            // Even what is too short for a Length field may show a wrong version first.
            let version = payload.first().map_or(VERSION, |b| b >> 5);
            return Err(if version == VERSION { Discard::Truncated } else { Discard::Version });
        };
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (flags, detect_mult, length) = (bytes[1], bytes[2], bytes[3]);
        let authenticated = flags & AUTHENTICATION != 0;
        // proof: LENGTH is 24.
        let shortest = if authenticated { LENGTH_AUTHENTICATED } else { LENGTH as u8 };
        if bytes[0] >> 5 != VERSION {
            return Err(Discard::Version);
        }
        if length < shortest {
            return Err(Discard::Length);
        }
        if usize::from(length) > payload.len() {
            return Err(Discard::Truncated);
        }
        if detect_mult == 0 {
            return Err(Discard::DetectMult);
        }
        if flags & MULTIPOINT != 0 {
            return Err(Discard::Multipoint);
        }
        if word(4) == 0 {
            return Err(Discard::MyDiscriminator);
        }
        Ok(Self {
            diagnostic: Diagnostic(bytes[0] & 0x1f),
            state: SessionState::ALL[usize::from(flags >> 6)],
            poll: flags & POLL != 0,
            final_: flags & FINAL != 0,
            control_plane_independent: flags & CONTROL_PLANE_INDEPENDENT != 0,
            authenticated,
            demand: flags & DEMAND != 0,
            detect_mult,
            my_discriminator: word(4),
            your_discriminator: word(8),
            desired_min_tx: word(12),
            required_min_rx: word(16),
            required_min_echo_rx: word(20),
        })
    }

    /// The packet as bytes, without an Authentication Section.
    pub fn encode(&self) -> [u8; LENGTH] {
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        let mut bytes = [0; LENGTH];
        bytes[0] = VERSION << 5 | self.diagnostic.0 & 0x1f;
        bytes[1] = (self.state as u8) << 6
            | bit(self.poll, POLL)
            | bit(self.final_, FINAL)
            | bit(self.control_plane_independent, CONTROL_PLANE_INDEPENDENT)
            | bit(self.demand, DEMAND);
        bytes[2] = self.detect_mult;
        // proof: LENGTH is 24.
        bytes[3] = LENGTH as u8;
        let words = [
            self.my_discriminator,
            self.your_discriminator,
            self.desired_min_tx,
            self.required_min_rx,
            self.required_min_echo_rx,
        ];
        for (place, word) in bytes[4..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As a neighbour sent it: Up, Poll, 3 × 300 ms.
    const GOLDEN: [u8; LENGTH] = [
        0x20, 0xe0, 0x03, 0x18, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x00, 0x04, 0x93, 0xe0, 0x00,
        0x04, 0x93, 0xe0, 0x00, 0x00, 0xc3, 0x50,
    ];

    #[test]
    fn a_packet_reads_and_writes_as_the_rfc_draws_it() {
        let packet = ControlPacket::decode(&GOLDEN).unwrap();
        let expected = ControlPacket {
            diagnostic: Diagnostic::NONE,
            state: SessionState::Up,
            poll: true,
            final_: false,
            control_plane_independent: false,
            authenticated: false,
            demand: false,
            detect_mult: 3,
            my_discriminator: 0x1122_3344,
            your_discriminator: 0x5566_7788,
            desired_min_tx: 300_000,
            required_min_rx: 300_000,
            required_min_echo_rx: 50_000,
        };
        assert_eq!(packet, expected);
        assert_eq!(packet.encode(), GOLDEN);
    }

    #[test]
    fn each_check_has_its_reason_and_the_first_one_counts() {
        let with = |at: usize, value: u8| {
            let mut bytes = GOLDEN;
            bytes[at] = value;
            ControlPacket::decode(&bytes).unwrap_err()
        };
        assert_eq!(with(0, 0x00), Discard::Version);
        assert_eq!(with(0, 0x40), Discard::Version);
        assert_eq!(with(3, 23), Discard::Length);
        assert_eq!(with(3, 25), Discard::Truncated);
        assert_eq!(with(2, 0), Discard::DetectMult);
        assert_eq!(with(1, 0xe1), Discard::Multipoint);
        assert_eq!(with(1, 0xe4), Discard::Length, "with an Authentication Section it is 26 at least");
        let mut bytes = GOLDEN;
        bytes[4..8].fill(0);
        assert_eq!(ControlPacket::decode(&bytes), Err(Discard::MyDiscriminator));
        bytes[2] = 0;
        assert_eq!(ControlPacket::decode(&bytes), Err(Discard::DetectMult));
        assert_eq!(ControlPacket::decode(&[]), Err(Discard::Truncated));
        assert_eq!(ControlPacket::decode(&GOLDEN[..23]), Err(Discard::Truncated));
        assert_eq!(ControlPacket::decode(&[0x60]), Err(Discard::Version));
    }

    #[test]
    fn routine_is_a_sender_that_is_up_and_wants_nothing() {
        let packet = ControlPacket::decode(&GOLDEN).unwrap();
        for state in SessionState::ALL {
            for bits in 0..8 {
                let (poll, final_, demand) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
                let octets = ControlPacket { state, poll, final_, demand, ..packet }.encode();
                let is_routine = octets[usize::from(ROUTINE_AT)] & ROUTINE_MASK == ROUTINE;
                assert_eq!(is_routine, state == SessionState::Up && bits == 0, "{octets:02x?}");
            }
        }
    }

    #[test]
    fn an_authenticated_packet_is_told_and_trailing_octets_are_ignored() {
        let mut bytes = [&GOLDEN[..], &[1, 2]].concat();
        assert_eq!(ControlPacket::decode(&bytes).unwrap().encode(), GOLDEN);
        bytes[1] |= AUTHENTICATION;
        bytes[3] = 26;
        assert!(ControlPacket::decode(&bytes).unwrap().authenticated);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_it_reads_it_writes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(packet) = ControlPacket::decode(&bytes) {
                let again = ControlPacket::decode(&packet.encode());
                prop_assert_eq!(again, Ok(ControlPacket { authenticated: false, ..packet }));
            }
        }

        #[test]
        fn nearly_good_bytes_are_survived_as_well(at in 0usize..24, value: u8, length in 0usize..40) {
            let mut bytes = [&GOLDEN[..], &[0; 16]].concat();
            bytes[at] = value;
            let _ = ControlPacket::decode(&bytes[..length]);
        }
    }
}
