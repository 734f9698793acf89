//! A 64-bit fingerprint that is the same in every process, build and release: FNV-1a.
//!
//! The standard library's hashers promise no such thing. It guards against mistakes, not against forgers.

use core::fmt::{self, Debug, Write};

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;
/// Ends a value's text; no UTF-8 text holds it.
const END: u8 = 0xff;

/// A running FNV-1a hash of bytes and of values' `Debug` texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(OFFSET)
    }
}

impl Digest {
    /// Takes in bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(PRIME);
        }
    }

    /// Takes in a value as its `Debug` text, without making the text.
    pub fn value(&mut self, value: &impl Debug) {
        // Only `write_str` below could refuse, and it does not. A `Debug` that reports an error of its own
        // does so every time.
        let _ = write!(self, "{value:?}");
        self.bytes(&[END]);
    }

    /// The fingerprint.
    pub fn finish(self) -> u64 {
        self.0
    }
}

impl Write for Digest {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> u64 {
        let mut digest = Digest::default();
        digest.bytes(bytes);
        digest.finish()
    }

    #[test]
    fn it_is_fnv_1a() {
        // From the reference tables of its authors.
        assert_eq!(of(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(of(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn values_are_told_apart_from_their_concatenation() {
        let (mut one, mut two) = (Digest::default(), Digest::default());
        one.value(&12);
        two.value(&1);
        two.value(&2);
        assert_ne!(one, two);
        assert_eq!(one.finish(), of(b"12\xff"));
    }
}
