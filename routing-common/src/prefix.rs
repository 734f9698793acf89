//! Thin helpers over [`Ipv4Network`], which keeps host bits (good for "interface address").

pub use ipnetwork::Ipv4Network;
use std::net::Ipv4Addr;

/// 0.0.0.0/0.
pub fn default_route() -> Ipv4Network {
    host_or_less(Ipv4Addr::UNSPECIFIED, 0)
}

/// The network of `n` with the host bits cleared: the form in which prefixes are compared.
pub fn canonical(n: Ipv4Network) -> Ipv4Network {
    host_or_less(n.network(), n.prefix())
}

/// `address`/32.
pub fn host(address: Ipv4Addr) -> Ipv4Network {
    host_or_less(address, 32)
}

/// The prefix of `length` bits that holds `address`, host bits cleared; lengths above 32 count as 32.
pub fn of(address: Ipv4Addr, length: u8) -> Ipv4Network {
    canonical(host_or_less(address, length.min(32)))
}

/// The prefix with this network mask, host bits cleared; `None` if the mask has holes.
pub fn from_mask(address: Ipv4Addr, mask: Ipv4Addr) -> Option<Ipv4Network> {
    Ipv4Network::with_netmask(address, mask).ok().map(canonical)
}

fn host_or_less(address: Ipv4Addr, length: u8) -> Ipv4Network {
    // proof: every caller passes a length of at most 32, the only thing `new` refuses.
    Ipv4Network::new(address, length).expect("prefix length is at most 32")
}

/// A prefix between daemons as five octets. Its own form is the text, which takes a large table a good part of its way to write and to read.
pub mod octets {
    use super::{Ipv4Addr, Ipv4Network};
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    /// For `serde(with)`.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(prefix: &Ipv4Network, serializer: S) -> Result<S::Ok, S::Error> {
        (prefix.ip().octets(), prefix.prefix()).serialize(serializer)
    }

    /// For `serde(with)`.
    ///
    /// # Errors
    /// The deserializer's, and a length above 32.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ipv4Network, D::Error> {
        let (address, length) = <([u8; 4], u8)>::deserialize(deserializer)?;
        Ipv4Network::new(Ipv4Addr::from(address), length).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
    struct Held(#[serde(with = "octets")] Ipv4Network);

    #[test]
    fn five_octets_are_a_prefix_unless_its_length_is_too_long() {
        let held = Held("10.1.2.3/20".parse().unwrap());
        let bytes = postcard::to_extend(&held, Vec::new()).unwrap();
        assert_eq!(bytes, [10, 1, 2, 3, 20]);
        assert_eq!(postcard::from_bytes::<Held>(&bytes), Ok(held));
        assert!(postcard::from_bytes::<Held>(&[10, 1, 2, 3, 33]).is_err());
        assert!(postcard::from_bytes::<Held>(&[10, 1, 2, 3]).is_err());
    }

    #[test]
    fn host_bits_are_cleared_and_masks_checked() {
        assert_eq!(canonical("10.0.0.7/24".parse().unwrap()).to_string(), "10.0.0.0/24");
        assert_eq!(from_mask("10.1.2.3".parse().unwrap(), "255.0.255.0".parse().unwrap()), None);
        assert_eq!(of("10.1.2.3".parse().unwrap(), 99).to_string(), "10.1.2.3/32");
        assert_eq!(default_route().to_string(), "0.0.0.0/0");
    }
}
