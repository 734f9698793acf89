//! ARP packets; and probes: asking a LAN whether anybody serves an address (RFC 5227 §2.1.1), and reading what is said there.
//!
//! A probe has the sender address 0.0.0.0: it asks and claims nothing, so nobody's ARP cache learns from it. Whoever has
//! the address in service answers, whatever has become of the daemon that put it there.
//!
//! What comes in is read without trust: anything but ARP for IPv4 over Ethernet is nothing.

use crate::announce::{ETHERNET_HEADER, ethernet};
use pnet_packet::arp::{ArpHardwareTypes, ArpOperation, ArpOperations, ArpPacket, MutableArpPacket};
use pnet_packet::ethernet::EtherTypes;
use std::net::Ipv4Addr;

/// Octets of an ARP packet for IPv4 over Ethernet.
const ARP: usize = 28;

/// What of a received ARP packet counts here. Requests and replies tell the same of their senders (RFC 826).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// Sender hardware address.
    pub mac: [u8; 6],
    /// Sender protocol address: the one its sender says is his; 0.0.0.0 in a probe.
    pub sender: Ipv4Addr,
    /// Target protocol address: the one that is asked for.
    pub target: Ipv4Addr,
}

/// A probe for `address` as an Ethernet frame, from the interface with this hardware address.
pub fn probe_frame(mac: [u8; 6], address: Ipv4Addr) -> Vec<u8> {
    frame(mac, ArpOperations::Request, Ipv4Addr::UNSPECIFIED, [0; 6], address)
}

/// An ARP packet for IPv4 over Ethernet, to everybody; its sender hardware address is where the frame comes from.
pub(crate) fn frame(
    mac: [u8; 6],
    operation: ArpOperation,
    sender: Ipv4Addr,
    target_mac: [u8; 6],
    target: Ipv4Addr,
) -> Vec<u8> {
    let mut frame = ethernet(mac, [0xff; 6], EtherTypes::Arp, ARP);
    if let Some(mut arp) = frame.get_mut(ETHERNET_HEADER..).and_then(MutableArpPacket::new) {
        arp.set_hardware_type(ArpHardwareTypes::Ethernet);
        arp.set_protocol_type(EtherTypes::Ipv4);
        arp.set_hw_addr_len(6);
        arp.set_proto_addr_len(4);
        arp.set_operation(operation);
        arp.set_sender_hw_addr(mac.into());
        arp.set_sender_proto_addr(sender);
        arp.set_target_hw_addr(target_mac.into());
        arp.set_target_proto_addr(target);
    }
    frame
}

/// Reads what follows an Ethernet header.
pub fn read(message: &[u8]) -> Option<Heard> {
    let arp = ArpPacket::new(message)?;
    let is_ours = arp.get_hardware_type() == ArpHardwareTypes::Ethernet
        && arp.get_protocol_type() == EtherTypes::Ipv4
        && (arp.get_hw_addr_len(), arp.get_proto_addr_len()) == (6, 4)
        && [ArpOperations::Request, ArpOperations::Reply].contains(&arp.get_operation());
    is_ours.then(|| Heard {
        mac: arp.get_sender_hw_addr().octets(),
        sender: arp.get_sender_proto_addr(),
        target: arp.get_target_proto_addr(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::announce::{ArpForm, gratuitous_arp_frame};
    use proptest::prelude::*;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);

    #[test]
    fn a_probe_is_what_rfc_5227_section_2_1_1_says() {
        let mut wanted = vec![0xff; 6];
        wanted.extend(MAC);
        wanted.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        wanted.extend(MAC);
        wanted.extend([0, 0, 0, 0]);
        wanted.extend([0; 6]);
        wanted.extend([192, 0, 2, 254]);
        assert_eq!(probe_frame(MAC, ADDRESS), wanted);
    }

    #[test]
    fn probes_requests_and_replies_are_read() {
        let probe = Heard { mac: MAC, sender: Ipv4Addr::UNSPECIFIED, target: ADDRESS };
        assert_eq!(read(&probe_frame(MAC, ADDRESS)[14..]), Some(probe));
        for form in [ArpForm::Request, ArpForm::Reply] {
            let frame = gratuitous_arp_frame(MAC, ADDRESS, form);
            assert_eq!(read(&frame[14..]), Some(Heard { mac: MAC, sender: ADDRESS, target: ADDRESS }));
        }
    }

    #[test]
    fn anything_but_arp_for_ipv4_over_ethernet_is_nothing() {
        let good = probe_frame(MAC, ADDRESS).split_off(14);
        for (at, value) in [(1, 6), (3, 1), (4, 8), (5, 16), (7, 3)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(read(&bad), None, "octet {at}");
        }
        assert_eq!(read(&good[..27]), None);
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some(heard) = read(&octets) {
                prop_assert_eq!(&octets[8..14], &heard.mac[..]);
            }
        }
    }
}
