//! Captures of segments, for a protocol analyser.
//!
//! The classic format with nanoseconds: virtual time, beginning at the epoch. A segment's file holds every frame
//! once, when it left its port, whoever received it; what somebody else put on the segment (junk, replays,
//! forgeries) and what was bent on the way stands there as it arrived.

use crate::scenario::Scenario;
use crate::segment::{End, Nature};
use crate::trace::Happening;
use anyhow::{Context, Result};
use routing_common::time::Instant;
use std::path::{Path, PathBuf};

/// Nanoseconds in the time stamps.
const MAGIC: u32 = 0xa1b2_3c4d;
const MAJOR: u16 = 2;
const MINOR: u16 = 4;
const SNAP_LENGTH: u32 = 65_535;
const LINKTYPE_ETHERNET: u32 = 1;

/// The capture file of one segment.
pub fn capture(scenario: &Scenario, entries: &[(Instant, Happening)], segment: usize) -> Vec<u8> {
    let mut file = Vec::new();
    file.extend(MAGIC.to_le_bytes());
    file.extend(MAJOR.to_le_bytes());
    file.extend(MINOR.to_le_bytes());
    // Time zone and accuracy: always zero.
    file.extend([0; 8]);
    file.extend(SNAP_LENGTH.to_le_bytes());
    file.extend(LINKTYPE_ETHERNET.to_le_bytes());
    let is_here = |end: &End| scenario.routers[end.router].ports[end.port].segment == segment;
    for (at, happening) in entries {
        let frame = match happening {
            Happening::Sent { from, frame } if is_here(from) => frame,
            Happening::Arrived { to, frame, nature, .. } if is_here(to) && is_strange(*nature) => frame,
            _ => continue,
        };
        record(&mut file, *at, frame.octets());
    }
    file
}

/// Is it not among what was sent?
fn is_strange(nature: Nature) -> bool {
    match nature {
        Nature::Genuine | Nature::Duplicate => false,
        Nature::Corrupted | Nature::Junk | Nature::Replayed | Nature::Forged => true,
    }
}

fn record(file: &mut Vec<u8>, at: Instant, octets: &[u8]) {
    let (seconds, nanos) = (at.as_nanos() / 1_000_000_000, at.as_nanos() % 1_000_000_000);
    let kept = octets.len().min(SNAP_LENGTH as usize);
    for number in [seconds as u32, nanos as u32, kept as u32, octets.len() as u32] {
        file.extend(number.to_le_bytes());
    }
    file.extend(&octets[..kept]);
}

/// Writes a file for each segment into a folder, and says which.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write_all(
    scenario: &Scenario,
    entries: &[(Instant, Happening)],
    folder: &Path,
) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let write = |segment| {
        let path = folder.join(format!("{}-segment{segment}.pcap", scenario.name));
        std::fs::write(&path, capture(scenario, entries, segment))
            .with_context(|| path.display().to_string())?;
        Ok(path)
    };
    (0..scenario.segments.len()).map(write).collect()
}
