//! The architectural constants of RFC 2328 App. B and the addresses of App. A.1.
//!
//! Spans that take part in timers are [`Duration`]s; ages, which travel in a 16-bit field of whole
//! seconds, are plain `u16`s. MinLSInterval and MinLSArrival stand here as the RFC's defaults: the
//! configuration may shorten both.

use std::net::Ipv4Addr;
use std::time::Duration;

/// How often a router re-originates its own LSAs even though nothing changed.
pub const LS_REFRESH_TIME: Duration = Duration::from_secs(1800);

/// Least time between two originations of one LSA (the RFC's default).
pub const MIN_LS_INTERVAL: Duration = Duration::from_secs(5);

/// Least time between two accepted instances of one LSA (the RFC's default).
pub const MIN_LS_ARRIVAL: Duration = Duration::from_secs(1);

/// The age, in seconds, at which an LSA is no longer used and is flushed.
pub const MAX_AGE: u16 = 3600;

/// Whenever an LSA's age is a multiple of this many seconds its checksum is verified again.
pub const CHECK_AGE: u16 = 300;

/// Two instances whose ages differ by more than this many seconds are different instances (§13.1).
pub const MAX_AGE_DIFF: u16 = 900;

/// The metric of an unreachable destination in LSAs of type 3, 4, 5 and 7 (24 bits of ones).
pub const LS_INFINITY: u32 = 0x00ff_ffff;

/// MaxLinkMetric (RFC 6987 §2): the metric of links that nobody shall use who has another way.
pub const MAX_LINK_METRIC: u16 = 0xffff;

/// The LS sequence number of the first instance of an LSA: 0x80000001 as a signed number.
pub const INITIAL_SEQUENCE: i32 = -0x7fff_ffff;

/// The largest LS sequence number; the LSA must be flushed before it can be originated again.
pub const MAX_SEQUENCE: i32 = 0x7fff_ffff;

/// Every OSPF router listens here.
pub const ALL_SPF_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);

/// The Designated Router and its Backup listen here.
pub const ALL_D_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 6);

/// OSPF's IP protocol number.
pub const IP_PROTOCOL: u8 = 89;
