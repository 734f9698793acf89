//! An append-only big-endian writer with back-patching.

use std::net::Ipv4Addr;

/// Appends big-endian values to a growing buffer.
#[derive(Debug, Clone, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for so many octets; more may follow.
    pub fn with_capacity(octets: usize) -> Self {
        Self { bytes: Vec::with_capacity(octets) }
    }

    /// Octets written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Nothing written yet?
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends octets as they are.
    pub fn bytes(&mut self, b: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(b);
        self
    }

    /// Appends one octet.
    pub fn u8(&mut self, v: u8) -> &mut Self {
        self.bytes(&[v])
    }

    /// Appends two octets.
    pub fn u16(&mut self, v: u16) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }

    /// Appends the low three octets of `v`.
    pub fn u24(&mut self, v: u32) -> &mut Self {
        let [_, a, b, c] = v.to_be_bytes();
        self.bytes(&[a, b, c])
    }

    /// Appends four octets.
    pub fn u32(&mut self, v: u32) -> &mut Self {
        self.bytes(&v.to_be_bytes())
    }

    /// Appends an IPv4 address.
    pub fn ipv4(&mut self, v: Ipv4Addr) -> &mut Self {
        self.bytes(&v.octets())
    }

    /// Overwrites two octets at `at`; does nothing if they were not written yet.
    pub fn patch_u16(&mut self, at: usize, v: u16) {
        if let Some(slot) = self.bytes.get_mut(at..at + 2) {
            slot.copy_from_slice(&v.to_be_bytes());
        }
    }

    /// What was written.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written, as an owned buffer.
    pub fn into_vec(self) -> Vec<u8> {
        self.bytes
    }
}
