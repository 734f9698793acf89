//! A bounds-checked big-endian reader. No index arithmetic anywhere else.

use std::net::Ipv4Addr;

/// The input ended before the value did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("truncated at octet {at}")]
pub struct Truncated {
    /// Offset from the start of the outermost buffer, in octets.
    pub at: usize,
}

/// Reads big-endian values from the front of a slice.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Octets left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Nothing left?
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Offset of the next octet from the start of the outermost buffer.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `n` octets.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Truncated> {
        match self.rest.split_at_checked(n) {
            Some((head, tail)) => {
                self.rest = tail;
                self.at += n;
                Ok(head)
            }
            None => Err(Truncated { at: self.at + self.rest.len() }),
        }
    }

    /// A reader over the next `n` octets, which this one skips.
    pub fn sub(&mut self, n: usize) -> Result<Self, Truncated> {
        let at = self.at;
        Ok(Self { rest: self.take(n)?, at })
    }

    /// Everything left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        let head = self.rest;
        self.at += head.len();
        self.rest = &[];
        head
    }

    /// The next `N` octets as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Truncated> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| Truncated { at })
    }

    /// One octet.
    pub fn u8(&mut self) -> Result<u8, Truncated> {
        Ok(self.array::<1>()?[0])
    }

    /// Two octets.
    pub fn u16(&mut self) -> Result<u16, Truncated> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Three octets.
    pub fn u24(&mut self) -> Result<u32, Truncated> {
        let [a, b, c] = self.array::<3>()?;
        Ok(u32::from_be_bytes([0, a, b, c]))
    }

    /// Four octets.
    pub fn u32(&mut self) -> Result<u32, Truncated> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// An IPv4 address.
    pub fn ipv4(&mut self) -> Result<Ipv4Addr, Truncated> {
        Ok(Ipv4Addr::from(self.array::<4>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_says_where_it_ended() {
        let mut r = Reader::new(&[1, 0, 2, 0, 0, 3, 10, 0, 0, 1, 9]);
        assert_eq!(r.u8(), Ok(1));
        assert_eq!(r.u16(), Ok(2));
        assert_eq!(r.u24(), Ok(3));
        assert_eq!(r.ipv4(), Ok(Ipv4Addr::new(10, 0, 0, 1)));
        assert_eq!(r.u32(), Err(Truncated { at: 11 }));
        let mut s = r.sub(1).unwrap();
        assert_eq!(s.position(), 10);
        assert_eq!(s.u8(), Ok(9));
        assert!(r.is_empty() && s.is_empty());
    }
}
