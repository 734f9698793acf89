//! How an [`Lsa`] comes to be, from the wire or from a body of our own, and how two are compared.

use super::types::Octets;
use super::{LsType, Lsa, LsaBody, LsaError, LsaHeader, LsaKey};
use crate::constants::MAX_AGE;
use routing_common::wire::{Reader, Writer, checksum};
use std::net::Ipv4Addr;

/// The longest LSA that fits one Link State Update in one IP datagram: 65535 less the IP header (20),
/// the OSPF header (24) and the LSA count (4).
pub const MAX_LSA_LENGTH: usize = 65535 - 20 - 24 - 4;

/// Octets of the age, which the checksum leaves out.
const AGE_LENGTH: usize = 2;

/// Where the checksum stands in an LSA.
const CHECKSUM_OFFSET: usize = 16;

/// What an LSA's header says beside what follows from the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LsaSpec {
    /// Initial LS age in seconds: 0, or MaxAge to flush.
    pub age: u16,
    /// Options octet.
    pub options: u8,
    /// Type, id and router.
    pub key: LsaKey,
    /// LS sequence number.
    pub sequence: i32,
}

impl Lsa {
    /// Reads one LSA; `bytes` must be exactly it. Checks in the order of RFC 2328 §13: the checksum,
    /// then the type, then the body. `Err` carries the header as far as it goes, for the notice.
    pub fn decode(bytes: &[u8]) -> Result<Self, (LsaHeader, LsaError)> {
        let Ok(header) = LsaHeader::decode(&mut Reader::new(bytes)) else {
            return Err((NO_HEADER, LsaError::Malformed));
        };
        if usize::from(header.length) != bytes.len() {
            return Err((header, LsaError::Malformed));
        }
        Self::from_parts(header, bytes.into()).map_err(|e| (header, e))
    }

    /// The one constructor. `raw` starts with `header` and has its length.
    fn from_parts(header: LsaHeader, raw: Octets) -> Result<Self, LsaError> {
        // A field of 0 means "not computed", which RFC 2328 §12.1.7 does not allow.
        let summed = raw.get(AGE_LENGTH..).unwrap_or_default();
        if header.checksum == 0 || !checksum::fletcher_is_valid(summed) {
            return Err(LsaError::Checksum);
        }
        let body = LsaBody::decode(header.key.ls_type, raw.get(LsaHeader::LENGTH..).unwrap_or_default())?;
        Ok(Self { header, body, raw })
    }

    /// Makes an LSA of our own. List entries (links, attached routers) that would make it longer than
    /// [`MAX_LSA_LENGTH`] are left out, metrics above 24 bits become LSInfinity.
    ///
    /// # Panics
    /// If `body` is not one that `spec.key.ls_type` may have: a bug of the caller.
    pub fn build(spec: LsaSpec, body: &LsaBody) -> Self {
        assert!(body.fits(spec.key.ls_type), "a {} cannot have the body {body:?}", spec.key.ls_type);
        let mut header = LsaHeader {
            age: spec.age.min(MAX_AGE),
            options: spec.options,
            key: spec.key,
            sequence: spec.sequence,
            checksum: 0,
            length: 0,
        };
        let mut w = Writer::new();
        header.encode(&mut w);
        body.encode(MAX_LSA_LENGTH - LsaHeader::LENGTH, &mut w);
        // `body.encode` was told to stay below 65536 octets.
        header.length = u16::try_from(w.len()).unwrap_or(u16::MAX);
        w.patch_u16(CHECKSUM_OFFSET + 2, header.length);
        let summed = w.as_slice().get(AGE_LENGTH..).unwrap_or_default();
        header.checksum = checksum::fletcher(summed, CHECKSUM_OFFSET - AGE_LENGTH);
        w.patch_u16(CHECKSUM_OFFSET, header.checksum);
        // proof: the checksum was computed just now over these octets, and `LsaBody::decode` reads
        // whatever `LsaBody::encode` writes for a type that fits (held by a property test).
        Self::from_parts(header, w.as_slice().into()).expect("own LSA decodes")
    }

    /// Appends the LSA with its LS age replaced by `age` (cut to MaxAge), nothing else touched.
    pub fn write_with_age(&self, age: u16, w: &mut Writer) {
        w.u16(age.min(MAX_AGE)).bytes(self.raw.get(AGE_LENGTH..).unwrap_or_default());
    }

    /// Are these the octets of this instance, ages aside? Then they need not be checked again.
    pub fn is_same_instance(&self, bytes: &[u8]) -> bool {
        self.raw.get(AGE_LENGTH..) == bytes.get(AGE_LENGTH..)
    }

    /// Does the LS checksum still match the octets? For the CheckAge test of RFC 2328 §14.
    pub fn checksum_is_valid(&self) -> bool {
        checksum::fletcher_is_valid(self.raw.get(AGE_LENGTH..).unwrap_or_default())
    }

    /// Do both say the same about the network, ages aside: same options, same length, same body (RFC 2328
    /// §13.2)? A caller for whom MaxAge matters uses [`Lsa::same_contents_at`].
    pub fn same_contents(&self, other: &Self) -> bool {
        self.header.options == other.header.options
            && self.raw.get(LsaHeader::LENGTH..) == other.raw.get(LsaHeader::LENGTH..)
    }

    /// [`Lsa::same_contents`] with the present ages: an LSA at MaxAge differs from one that is not (RFC 2328
    /// §13.2, second point).
    pub fn same_contents_at(&self, age: u16, other: &Self, other_age: u16) -> bool {
        (age >= MAX_AGE) == (other_age >= MAX_AGE) && self.same_contents(other)
    }
}

/// Stands for a header that was not there.
const NO_HEADER: LsaHeader = LsaHeader {
    age: 0,
    options: 0,
    key: LsaKey {
        ls_type: LsType::Unknown(0),
        link_state_id: Ipv4Addr::UNSPECIFIED,
        advertising_router: routing_common::id::RouterId::NONE,
    },
    sequence: 0,
    checksum: 0,
    length: 0,
};
