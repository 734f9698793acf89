//! Numbers of RFC 5880, RFC 5881 and RFC 5883, and the engine's own bounds.

use routing_common::time::Duration;

/// Destination port of single-hop Control packets (RFC 5881 §4).
pub const PORT_SINGLE_HOP: u16 = 3784;
/// Destination port of multihop Control packets (RFC 5883 §5).
pub const PORT_MULTIHOP: u16 = 4784;
/// First of the source ports (RFC 5881 §4).
pub const FIRST_SOURCE_PORT: u16 = 49_152;
/// TTL of everything sent, and the only one accepted on a single hop (RFC 5881 §5).
pub const TTL: u8 = 255;

/// RFC 5880 §6.8.3: a session that is not Up sends no faster than this.
pub const SLOW_INTERVAL: Duration = Duration::from_secs(1);

/// Between two packets of a session, whatever happens: changes of state and Finals included.
pub const LEAST_GAP: Duration = Duration::from_millis(1);

/// Sessions there can be. Further ones are refused.
pub const MOST_SESSIONS: usize = 256;
/// Registrations of all clients together.
pub const MOST_REGISTRATIONS: usize = 1024;
/// Longest name of a client, in octets.
pub const LONGEST_NAME: usize = 64;
/// Changes of state a session remembers.
pub const HISTORY: usize = 16;
/// Longest time a session that ends says so.
pub const LONGEST_FAREWELL: Duration = Duration::from_secs(2);
