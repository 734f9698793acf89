//! The frames we send, complete with their Ethernet headers: advertisements and gratuitous ARP
//! (RFC 9568 §7.2, §6.4, §8.1.2).
//!
//! Whole frames, because they then leave with the right source MAC whatever the host's routes, rules, output
//! firewall or the state of the virtual MAC's device. Every one of them carries the virtual MAC as its
//! Ethernet source, so one frame is enough for a bridge to find the new port.

use crate::arp;
use crate::constants::{GROUP, GROUP_MAC, PROTOCOL, TTL};
use pnet_packet::arp::{ArpOperation, ArpOperations};
use pnet_packet::ethernet::{EtherType, EtherTypes, MutableEthernetPacket};
use pnet_packet::ip::IpNextHeaderProtocol;
use pnet_packet::ipv4::{self, Ipv4Flags, MutableIpv4Packet};
use routing_common::time::Duration;
use std::net::Ipv4Addr;

/// When the burst of announcements repeats, counted from its start. Spread out, because a host or switch that
/// missed the first one was busy at that moment and may be for a while.
pub const BURST: [Duration; 4] =
    [Duration::ZERO, Duration::from_millis(50), Duration::from_millis(250), Duration::from_millis(1000)];

/// Octets of an Ethernet header.
pub(crate) const ETHERNET_HEADER: usize = 14;
/// Octets of an IPv4 header without options.
const IP_HEADER: usize = 20;
/// Class selector 6, network control, in the six upper bits of the TOS octet.
const DSCP_CS6: u8 = 48;

/// The two forms of gratuitous ARP. Some hosts update only on requests, others only on replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArpForm {
    /// "Who has the address? Tell the address."
    Request,
    /// "The address is at this MAC", asked by nobody.
    Reply,
}

/// An advertisement as an Ethernet frame.
pub fn advertisement_frame(mac: [u8; 6], source: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let mut frame = ethernet(mac, GROUP_MAC, EtherTypes::Ipv4, IP_HEADER + message.len());
    if let Some(mut ip) = frame.get_mut(ETHERNET_HEADER..).and_then(MutableIpv4Packet::new) {
        ip.set_version(4);
        ip.set_header_length(5);
        ip.set_dscp(DSCP_CS6);
        // proof: a message has at most 8 + 4 * 255 + 8 octets, see crate::packet.
        ip.set_total_length((IP_HEADER + message.len()) as u16);
        // An atomic datagram (RFC 6864 §4.1): never fragmented, so its identification may stay 0.
        ip.set_flags(Ipv4Flags::DontFragment);
        ip.set_ttl(TTL);
        ip.set_next_level_protocol(IpNextHeaderProtocol(PROTOCOL));
        ip.set_source(source);
        ip.set_destination(GROUP);
        ip.set_payload(message);
        ip.set_checksum(ipv4::checksum(&ip.to_immutable()));
    }
    frame
}

/// A gratuitous ARP frame: sender and target are the virtual address, the target hardware address is the
/// MAC as well (RFC 9568 §6.4.1, verified errata 7947 and 7949).
pub fn gratuitous_arp_frame(mac: [u8; 6], address: Ipv4Addr, form: ArpForm) -> Vec<u8> {
    arp::frame(mac, operation(form), address, mac, address)
}

fn operation(form: ArpForm) -> ArpOperation {
    match form {
        ArpForm::Request => ArpOperations::Request,
        ArpForm::Reply => ArpOperations::Reply,
    }
}

pub(crate) fn ethernet(source: [u8; 6], destination: [u8; 6], kind: EtherType, payload: usize) -> Vec<u8> {
    let mut frame = vec![0; ETHERNET_HEADER + payload];
    if let Some(mut ethernet) = MutableEthernetPacket::new(&mut frame) {
        ethernet.set_source(source.into());
        ethernet.set_destination(destination.into());
        ethernet.set_ethertype(kind);
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing_common::wire::checksum;

    const MAC: [u8; 6] = [0, 0, 0x5e, 0, 1, 10];

    #[test]
    fn an_advertisement_frame_is_what_rfc_9568_section_7_2_says() {
        let frame = advertisement_frame(MAC, Ipv4Addr::new(192, 0, 2, 1), &[0x31, 10, 100, 1]);
        assert_eq!(frame[..14], [1, 0, 0x5e, 0, 0, 0x12, 0, 0, 0x5e, 0, 1, 10, 8, 0]);
        assert_eq!(frame[14..24], [0x45, 0xc0, 0, 24, 0, 0, 0x40, 0, 255, 112]);
        assert_eq!(frame[26..34], [192, 0, 2, 1, 224, 0, 0, 18]);
        assert_eq!(checksum::internet(&[&frame[14..34]]), 0);
        assert_eq!(frame[34..], [0x31, 10, 100, 1]);
    }

    #[test]
    fn gratuitous_arp_carries_the_address_and_the_virtual_mac_everywhere() {
        let vip = Ipv4Addr::new(192, 0, 2, 254);
        for (form, code) in [(ArpForm::Request, 1), (ArpForm::Reply, 2)] {
            let frame = gratuitous_arp_frame(MAC, vip, form);
            let mut wanted = vec![0xff; 6];
            wanted.extend(MAC);
            wanted.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, code]);
            wanted.extend(MAC);
            wanted.extend([192, 0, 2, 254]);
            wanted.extend(MAC);
            wanted.extend([192, 0, 2, 254]);
            assert_eq!(frame, wanted);
        }
    }
}
