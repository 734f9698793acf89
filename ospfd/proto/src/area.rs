//! The area data structure (RFC 2328 §6). All areas are normal ones: AS-external-LSAs are flooded into
//! them. Interfaces know their area; an area exists while an interface is configured into it.

use crate::lsdb::Lsdb;
use crate::packet::options;

/// One area.
#[derive(Debug, Clone, Default)]
pub struct Area {
    /// Types 1 to 4, 7 and 10.
    pub lsdb: Lsdb,
    /// How many times the shortest path tree was computed.
    pub spf_runs: u64,
}

impl Area {
    /// The Options of Hellos and LSAs of this area (App. A.2).
    pub fn options(&self) -> u8 {
        options::E
    }
}
