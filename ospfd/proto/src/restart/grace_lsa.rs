//! The grace-LSA (RFC 3623 App. A): a link-local opaque LSA of type 3 whose body is a list of TLVs.

use crate::lsa::{LsType, LsaKey};
use routing_common::id::RouterId;
use routing_common::time::Duration;
use routing_common::wire::{Reader, Writer};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// Opaque type 3, opaque id 0 (RFC 5250 §2 has both in the Link State ID).
const LINK_STATE_ID: Ipv4Addr = Ipv4Addr::new(3, 0, 0, 0);

/// The longest grace period, in seconds: LSRefreshTime (§2.1, App. B.1).
pub(crate) const LONGEST_PERIOD: u32 = 1800;

const PERIOD: u16 = 1;
const REASON: u16 = 2;
const ADDRESS: u16 = 3;

/// Why a router restarts (App. A, TLV 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartReason {
    /// 0: unplanned.
    Unknown,
    /// 1.
    SoftwareRestart,
    /// 2.
    SoftwareUpgrade,
    /// 3.
    ControlProcessorSwitch,
}

impl RestartReason {
    fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::SoftwareRestart => 1,
            Self::SoftwareUpgrade => 2,
            Self::ControlProcessorSwitch => 3,
        }
    }

    fn of(number: u8) -> Option<Self> {
        let all = [Self::Unknown, Self::SoftwareRestart, Self::SoftwareUpgrade, Self::ControlProcessorSwitch];
        all.into_iter().find(|reason| reason.number() == number)
    }

    /// What an operator reads.
    pub fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::SoftwareRestart => "software restart",
            Self::SoftwareUpgrade => "software upgrade",
            Self::ControlProcessorSwitch => "switch to redundant control processor",
        }
    }
}

/// The body of a grace-LSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraceLsa {
    /// Grace period in seconds, 1 to 1800, counted from LS age 0.
    pub period: u32,
    /// Why.
    pub reason: RestartReason,
    /// The restarting router's address; required where there may be several routers.
    pub address: Option<Ipv4Addr>,
}

impl GraceLsa {
    /// The key of a router's grace-LSAs, one on each of its links.
    pub fn key(router_id: RouterId) -> LsaKey {
        LsaKey { ls_type: LsType::OpaqueLink, link_state_id: LINK_STATE_ID, advertising_router: router_id }
    }

    /// Is this the key of a grace-LSA?
    pub fn is_key(key: &LsaKey) -> bool {
        key.ls_type == LsType::OpaqueLink && key.link_state_id == LINK_STATE_ID
    }

    /// The grace period.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(u64::from(self.period))
    }

    /// Reads a body. `None` if a TLV is cut or of another length than its type has, if period or reason is
    /// missing or has no meaning. Unknown types are skipped; of two TLVs of one type the last counts.
    pub fn decode(body: &[u8]) -> Option<Self> {
        let mut r = Reader::new(body);
        let (mut period, mut reason, mut address) = (None, None, None);
        while !r.is_empty() {
            let (kind, length) = (r.u16().ok()?, usize::from(r.u16().ok()?));
            let mut value = r.sub(length).ok()?;
            // The padding of the last TLV may be missing.
            r.take(padding(length).min(r.remaining())).ok()?;
            match (kind, length) {
                (PERIOD, 4) => period = Some(value.u32().ok()?),
                (REASON, 1) => reason = Some(RestartReason::of(value.u8().ok()?)?),
                (ADDRESS, 4) => address = Some(value.ipv4().ok()?),
                (PERIOD | REASON | ADDRESS, _) => return None,
                _ => {}
            }
        }
        let period = period.filter(|p| (1..=LONGEST_PERIOD).contains(p))?;
        Some(Self { period, reason: reason?, address })
    }

    /// Writes a body.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u16(PERIOD).u16(4).u32(self.period);
        w.u16(REASON).u16(1).u8(self.reason.number()).bytes(&[0; 3]);
        if let Some(address) = self.address {
            w.u16(ADDRESS).u16(4).ipv4(address);
        }
        w.into_vec()
    }
}

fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FULL: [u8; 24] = [0, 1, 0, 4, 0, 0, 0, 120, 0, 2, 0, 1, 1, 0, 0, 0, 0, 3, 0, 4, 10, 0, 0, 1];

    #[test]
    fn a_body_is_what_appendix_a_says() {
        let lsa = GraceLsa {
            period: 120,
            reason: RestartReason::SoftwareRestart,
            address: Some(Ipv4Addr::new(10, 0, 0, 1)),
        };
        assert_eq!(lsa.encode(), FULL);
        assert_eq!(GraceLsa::decode(&FULL), Some(lsa));
        assert_eq!(GraceLsa::decode(&FULL[..16]), Some(GraceLsa { address: None, ..lsa }));
        assert!(GraceLsa::decode(&FULL[..13]).is_some(), "padding at the end is nobody's loss");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let with = |at: usize, value: u8| {
            let mut body = FULL;
            body[at] = value;
            GraceLsa::decode(&body)
        };
        assert_eq!(GraceLsa::decode(&[]), None, "nothing");
        assert_eq!(GraceLsa::decode(&FULL[..8]), None, "no reason");
        assert_eq!(GraceLsa::decode(&FULL[8..]), None, "no period");
        assert_eq!(GraceLsa::decode(&FULL[..22]), None, "a TLV cut short");
        assert_eq!(with(3, 3), None, "a period of three octets");
        assert_eq!(with(19, 3), None, "an address of three octets");
        assert_eq!(with(12, 4), None, "a reason nobody knows");
        assert_eq!(with(7, 0), None, "a period of nothing");
        assert_eq!(with(6, 8), None, "a period longer than LSRefreshTime");
        assert!(with(1, 9).is_none(), "an unknown type instead of the period");
        assert!(with(17, 9).is_some_and(|lsa| lsa.address.is_none()), "an unknown type is skipped");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(lsa) = GraceLsa::decode(&body) {
                prop_assert_eq!(GraceLsa::decode(&lsa.encode()), Some(lsa));
            }
        }

        #[test]
        fn what_is_written_is_read(period in 1..=LONGEST_PERIOD, reason in 0..4_u8, address in any::<Option<u32>>()) {
            let reason = RestartReason::of(reason).unwrap();
            let lsa = GraceLsa { period, reason, address: address.map(Ipv4Addr::from_bits) };
            prop_assert_eq!(GraceLsa::decode(&lsa.encode()), Some(lsa));
        }
    }
}
