//! The Internet checksum (RFC 1071) and the Fletcher checksum of LSAs (RFC 2328 §12.1.7, RFC 905 App. B).

/// The Internet checksum over the concatenation of `parts`: the one's complement of the one's complement
/// sum of 16-bit words. Every part but the last must have an even length. Over a message whose
/// checksum field is filled in correctly the result is 0.
pub fn internet(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        let (words, tail) = part.as_chunks::<2>();
        sum += words.iter().map(|w| u64::from(u16::from_be_bytes(*w))).sum::<u64>();
        if let [last] = tail {
            sum += u64::from(u16::from_be_bytes([*last, 0]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // proof: the loop ends with a value of at most 16 bits.
    !(sum as u16)
}

/// The longest run for which the 32-bit Fletcher sums cannot overflow before a modulo.
const FLETCHER_RUN: usize = 4102;

fn fletcher_sums(bytes: &[u8]) -> (u32, u32) {
    let (mut c0, mut c1) = (0u32, 0u32);
    for run in bytes.chunks(FLETCHER_RUN) {
        for b in run {
            c0 += u32::from(*b);
            c1 += c0;
        }
        c0 %= 255;
        c1 %= 255;
    }
    (c0, c1)
}

/// Is the Fletcher checksum inside `bytes` right? `bytes` is the LSA without its LS age field.
pub fn fletcher_is_valid(bytes: &[u8]) -> bool {
    fletcher_sums(bytes) == (0, 0)
}

/// The two checksum octets to put at `offset` (as one big-endian number) so that
/// [`fletcher_is_valid`] holds. The octets there now are taken as 0. `bytes` is the LSA without LS age.
pub fn fletcher(bytes: &[u8], offset: usize) -> u16 {
    let mut copy = bytes.to_vec();
    if let Some(slot) = copy.get_mut(offset..offset + 2) {
        slot.fill(0);
    }
    let (c0, c1) = fletcher_sums(&copy);
    let (c0, c1) = (i64::from(c0), i64::from(c1));
    let after = copy.len() as i64 - offset as i64 - 1;
    let mut x = (after * c0 - c1).rem_euclid(255);
    let mut y = (c1 - (after + 1) * c0).rem_euclid(255);
    // 0 and 255 are the same number here; 255 is written so that the field is never 0 ("not computed").
    if x == 0 {
        x = 255;
    }
    if y == 0 {
        y = 255;
    }
    ((x as u16) << 8) | y as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn internet_checksum_of_rfc_1071_section_3() {
        assert_eq!(internet(&[&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
        assert_eq!(internet(&[&[0x00, 0x01, 0xf2, 0x03], &[0xf4, 0xf5, 0xf6, 0xf7]]), !0xddf2);
    }

    proptest! {
        #[test]
        fn fletcher_verifies_what_it_generates(mut bytes in proptest::collection::vec(any::<u8>(), 18..9000)) {
            let c = fletcher(&bytes, 14);
            bytes[14..16].copy_from_slice(&c.to_be_bytes());
            prop_assert!(fletcher_is_valid(&bytes));
            bytes[3] ^= 0x10;
            prop_assert!(!fletcher_is_valid(&bytes));
        }
    }
}
