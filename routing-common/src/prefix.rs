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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_cleared_and_masks_checked() {
        assert_eq!(canonical("10.0.0.7/24".parse().unwrap()).to_string(), "10.0.0.0/24");
        assert_eq!(from_mask("10.1.2.3".parse().unwrap(), "255.0.255.0".parse().unwrap()), None);
        assert_eq!(of("10.1.2.3".parse().unwrap(), 99).to_string(), "10.1.2.3/32");
        assert_eq!(default_route().to_string(), "0.0.0.0/0");
    }
}
