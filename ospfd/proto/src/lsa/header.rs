//! The LSA header on the wire, and which of two instances is newer (RFC 2328 §13.1).

use super::{LsType, LsaHeader, LsaKey};
use crate::constants::{MAX_AGE, MAX_AGE_DIFF};
use core::cmp::Ordering;
use core::fmt;
use routing_common::id::RouterId;
use routing_common::wire::{Reader, Truncated, Writer};

impl LsaHeader {
    /// Octets of a header.
    pub const LENGTH: usize = 20;

    /// Reads a header. An age above MaxAge, DoNotAge included, is cut to MaxAge.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            age: r.u16()?.min(MAX_AGE),
            options: r.u8()?,
            key: LsaKey {
                ls_type: LsType::from(r.u8()?),
                link_state_id: r.ipv4()?,
                advertising_router: RouterId(r.ipv4()?),
            },
            sequence: i32::from_be_bytes(r.array()?),
            checksum: r.u16()?,
            length: r.u16()?,
        })
    }

    /// Appends the header.
    pub fn encode(&self, w: &mut Writer) {
        w.u16(self.age)
            .u8(self.options)
            .u8(self.key.ls_type.code())
            .ipv4(self.key.link_state_id)
            .ipv4(self.key.advertising_router.0)
            .bytes(&self.sequence.to_be_bytes())
            .u16(self.checksum)
            .u16(self.length);
    }

    /// The same header with another age, cut to MaxAge.
    #[must_use]
    pub fn with_age(mut self, age: u16) -> Self {
        self.age = age.min(MAX_AGE);
        self
    }

    /// Is the age MaxAge?
    pub fn is_max_age(&self) -> bool {
        self.age >= MAX_AGE
    }

    /// Compares two instances of one LSA: [`Ordering::Greater`] if `self` is the newer one (RFC 2328
    /// §13.1). Both `age`s must be the present ones; see [`LsaHeader::with_age`].
    pub fn instance_cmp(&self, other: &Self) -> Ordering {
        self.sequence
            .cmp(&other.sequence)
            .then(self.checksum.cmp(&other.checksum))
            .then(self.is_max_age().cmp(&other.is_max_age()))
            .then_with(|| {
                if self.age.abs_diff(other.age) > MAX_AGE_DIFF {
                    other.age.cmp(&self.age)
                } else {
                    Ordering::Equal
                }
            })
    }
}

impl fmt::Display for LsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of {}", self.ls_type, self.link_state_id, self.advertising_router)
    }
}
