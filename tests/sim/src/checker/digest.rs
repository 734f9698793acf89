//! A fingerprint of an engine's whole state but its counters.
//!
//! It is taken of the engine's `Debug` text as it is written, so that nothing private escapes it and nothing
//! has to be kept in step. Fields that count are left out by name, with all that is in them.

use core::fmt::{self, Debug, Write};

/// The fingerprint of `state` without the fields named in `skipped`.
pub(super) fn of(state: &impl Debug, skipped: &'static [&'static str]) -> u64 {
    let mut digest = Digest { hash: 0xcbf2_9ce4_8422_2325, word: String::new(), skipped, ..Digest::EMPTY };
    // Writing to a hash cannot fail.
    let _ = write!(digest, "{state:?}");
    digest.hash
}

struct Digest {
    hash: u64,
    /// The name that was read last.
    word: String,
    skipped: &'static [&'static str],
    is_skipping: bool,
    depth: u32,
    is_quoted: bool,
    is_escaped: bool,
}

impl Digest {
    const EMPTY: Self = Self {
        hash: 0,
        word: String::new(),
        skipped: &[],
        is_skipping: false,
        depth: 0,
        is_quoted: false,
        is_escaped: false,
    };

    fn take(&mut self, octet: u8) {
        if self.is_quoted {
            self.is_quoted = self.is_escaped || octet != b'"';
            self.is_escaped = !self.is_escaped && octet == b'\\';
        } else if octet == b'"' {
            self.is_quoted = true;
        } else if self.is_skipping {
            match octet {
                b'{' | b'[' | b'(' => self.depth += 1,
                b'}' | b']' | b')' if self.depth == 0 => self.is_skipping = false,
                b'}' | b']' | b')' => self.depth -= 1,
                b',' if self.depth == 0 => self.is_skipping = false,
                _ => {}
            }
        } else if octet.is_ascii_alphanumeric() || octet == b'_' {
            self.word.push(char::from(octet));
        } else {
            self.is_skipping = octet == b':' && self.skipped.contains(&self.word.as_str());
            self.word.clear();
        }
        if !self.is_skipping {
            self.hash = (self.hash ^ u64::from(octet)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|octet| self.take(octet));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone)]
    #[expect(dead_code, reason = "read by Debug alone")]
    struct State {
        name: &'static str,
        counters: Vec<(u32, &'static str)>,
        rest: Option<u32>,
    }

    #[test]
    fn counters_are_left_out_and_nothing_else_is() {
        let state = State { name: "a \"{,", counters: vec![(1, "}],")], rest: Some(7) };
        let of = |s: &State| of(s, &["counters"]);
        assert_eq!(of(&state), of(&State { counters: vec![(2, "x"), (3, ")\"")], ..state.clone() }));
        assert_ne!(of(&state), of(&State { name: "b", ..state.clone() }));
        assert_ne!(of(&state), of(&State { rest: None, ..state.clone() }));
        assert_ne!(super::of(&state, &[]), of(&state));
    }
}
