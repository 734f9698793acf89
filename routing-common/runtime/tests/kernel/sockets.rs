//! Raw and packet sockets and kernel settings, between two namespaces joined by a veth.

use crate::namespace::{Namespace, index, ip, isolated};
use routing_common::id::InterfaceName;
use routing_common::link::LinkEvent;
use routing_runtime::netlink::monitor::LinkMonitor;
use routing_runtime::packet_socket::{ETHERNET_HEADER, PacketFilter, PacketSocket, Received};
use routing_runtime::raw_socket::{Datagram, RawSocket};
use routing_runtime::ready_set::ReadySet;
use routing_runtime::sysctl::{Family, Setting, SysctlGuard};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::time::timeout;

const ALL_SPF_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 5);
const ALL_D_ROUTERS: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 6);
const VRRP_GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const QUIET: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(10);

/// `left` (10.0.0.1, 10.0.1.1) in the first namespace, `right` (10.0.0.2, 10.0.1.2) in the second; both
/// carry frames when this returns.
async fn cable(left: &Namespace, right: &Namespace) {
    left.enter();
    ip(&format!("link add left type veth peer name right netns {}", right.path()));
    for (namespace, name, host) in [(left, "left", 1), (right, "right", 2)] {
        namespace.enter();
        ip(&format!("addr add 10.0.0.{host}/24 dev {name}"));
        ip(&format!("addr add 10.0.1.{host}/24 dev {name}"));
        ip(&format!("link set {name} up"));
    }
    // The kernel drops what is sent before it has noticed the carrier, which may take it a second.
    for (namespace, name) in [(left, "left"), (right, "right")] {
        namespace.enter();
        let mut monitor = LinkMonitor::start().unwrap();
        let running = |e| matches!(e, LinkEvent::LinkChanged(l) if l.name.as_str() == name && l.running);
        while !running(monitor.next().await) {}
    }
}

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

fn ospf(interface: &str) -> RawSocket {
    RawSocket::open(index(interface), 89, 1).unwrap()
}

#[test]
fn datagrams_carry_the_asked_source_and_reach_members_alone() {
    isolated(|[left, right]| async move {
        cable(&left, &right).await;
        left.enter();
        let a = ospf("left");
        right.enter();
        let mut b = ospf("right");
        let set = ReadySet::new().unwrap();
        set.add(b.ifindex(), &b).unwrap();
        b.join(ALL_SPF_ROUTERS).unwrap();
        b.join(ALL_SPF_ROUTERS).unwrap(); // harmless
        for source in [Ipv4Addr::new(10, 0, 1, 1), Ipv4Addr::new(10, 0, 0, 1)] {
            a.send(source, ALL_SPF_ROUTERS, b"hello").unwrap();
            timeout(LONG, set.next()).await.unwrap();
            let got = b.try_recv().unwrap();
            let want = Datagram { source, destination: ALL_SPF_ROUTERS, ttl: 1, payload: b"hello" };
            assert_eq!(got, Some(want));
            assert_eq!(b.try_recv().unwrap(), None);
        }
        let source = Ipv4Addr::new(10, 0, 1, 1);
        a.send(source, Ipv4Addr::new(10, 0, 1, 2), &[7; 8000]).unwrap();
        timeout(LONG, set.next()).await.unwrap();
        let whole = b.try_recv().unwrap().map(|d| d.payload);
        assert_eq!(whole, Some([7; 8000].as_slice()), "fragments are put together");

        a.send(source, ALL_D_ROUTERS, b"not a member").unwrap();
        assert!(timeout(QUIET, set.next()).await.is_err());
        b.join(ALL_D_ROUTERS).unwrap();
        a.send(source, ALL_D_ROUTERS, b"member").unwrap();
        assert_eq!(timeout(LONG, set.next()).await.unwrap(), [b.ifindex()]);
        assert_eq!(b.try_recv().unwrap().map(|d| d.payload), Some(b"member".as_slice()));
        assert_eq!(b.try_recv().unwrap(), None);
        b.leave(ALL_D_ROUTERS).unwrap();
        b.leave(ALL_D_ROUTERS).unwrap(); // harmless
        a.send(source, ALL_D_ROUTERS, b"left it").unwrap();
        assert!(timeout(QUIET, set.next()).await.is_err());

        let foreign = a.send(Ipv4Addr::new(192, 0, 2, 1), ALL_SPF_ROUTERS, b"x").unwrap_err();
        assert!(foreign.raw_os_error().is_some(), "{foreign}");
        left.enter();
        ip("link del left");
        assert!(a.send(source, ALL_SPF_ROUTERS, b"x").is_err(), "the interface is gone");
    });
}

/// A VRRP-like frame from the virtual MAC of group 10.
fn advert(protocol: u8, destination: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![1, 0, 0x5e, 0, 0, 18, 0, 0, 0x5e, 0, 1, 10, 8, 0];
    frame.extend_from_slice(&[0x45, 0xc0, 0, 24, 0, 0, 0, 0, 255, protocol, 0, 0, 10, 0, 0, 1]);
    frame.extend_from_slice(&destination.octets());
    frame.extend_from_slice(b"VRRP");
    frame.resize(60, 0); // what a card pads a short frame to
    frame
}

/// A socket that sends to an interface with a macvlan of the sender's own MAC on it; the thread is in that one's namespace then.
async fn towards_a_macvlan(left: &Namespace, right: &Namespace) -> PacketSocket {
    cable(left, right).await;
    left.enter();
    let sender = PacketSocket::open(index("left"), PacketFilter::Nothing).unwrap();
    right.enter();
    ip("link add link right name rightv10 address 00:00:5e:00:01:0a type macvlan mode private");
    ip("link set rightv10 up");
    sender
}

#[test]
fn adverts_are_heard_below_a_macvlan_with_the_senders_own_mac() {
    isolated(|[left, right]| async move {
        let sender = towards_a_macvlan(&left, &right).await;
        let filter = PacketFilter::Ipv4 { protocol: 112, destination: VRRP_GROUP, arp: Vec::new() };
        let mut listener = PacketSocket::open(index("right"), filter).unwrap();
        listener.join_mac([1, 0, 0x5e, 0, 0, 18]).unwrap();

        sender.send(&advert(89, VRRP_GROUP)).unwrap();
        sender.send(&advert(112, Ipv4Addr::new(224, 0, 0, 5))).unwrap();
        listener.send(&advert(112, VRRP_GROUP)).unwrap(); // its own, which it must not hear
        sender.send(&advert(112, VRRP_GROUP)).unwrap();
        let set = ReadySet::new().unwrap();
        set.add(listener.ifindex(), &listener).unwrap();
        assert_eq!(timeout(LONG, set.next()).await.unwrap(), [listener.ifindex()]);
        let Some(Received::Ipv4(heard)) = listener.try_recv().unwrap() else { panic!("no advert") };
        assert_eq!(heard.source_mac, [0, 0, 0x5e, 0, 1, 10]);
        assert_eq!((heard.source, heard.destination), (Ipv4Addr::new(10, 0, 0, 1), VRRP_GROUP));
        assert_eq!((heard.ttl, heard.payload), (255, b"VRRP".as_slice()));
        assert!(timeout(QUIET, set.next()).await.is_err(), "nothing but the one advert");

        // A length that lies, in a frame that passes the filter.
        let mut lying = advert(112, VRRP_GROUP);
        lying[ETHERNET_HEADER + 2] = 0xff;
        sender.send(&lying).unwrap();
        assert_eq!(timeout(LONG, set.next()).await.unwrap(), [listener.ifindex()]);
        assert_eq!(listener.try_recv().unwrap(), None);
    });
}

/// An ARP packet in a padded frame from the virtual MAC of group 10.
fn arp(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = [[0xff; 6], [0, 0, 0x5e, 0, 1, 10]].concat();
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 0, 0, 0x5e, 0, 1, 10]);
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame.resize(60, 0);
    frame
}

#[test]
fn arp_about_the_addresses_asked_for_is_heard_as_long_as_it_is_asked_for() {
    isolated(|[left, right]| async move {
        let sender = towards_a_macvlan(&left, &right).await;
        let only = |arp: Vec<Ipv4Addr>| PacketFilter::Ipv4 { protocol: 112, destination: VRRP_GROUP, arp };
        let mut listener = PacketSocket::open(index("right"), only(Vec::new())).unwrap();
        listener.join_mac([1, 0, 0x5e, 0, 0, 18]).unwrap();
        let (asked, nobody, other) = ([192, 0, 2, 254], [0; 4], [192, 0, 2, 9]);
        let say_everything = || {
            for frame in [arp(asked, asked), arp(nobody, asked), arp(other, other), arp(asked, other)] {
                sender.send(&frame).unwrap();
            }
            sender.send(&advert(112, VRRP_GROUP)).unwrap();
        };
        // The advert comes last: what came before it is known then.
        let hear = async |listener: &mut PacketSocket| {
            let mut heard = Vec::new();
            for _ in 0..5_000 {
                match listener.try_recv().unwrap() {
                    Some(Received::Arp(message)) => heard.push(message.to_vec()),
                    Some(Received::Ipv4(_)) => return heard,
                    None => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
            panic!("no advert, {heard:?}");
        };
        let message = |sender, target| arp(sender, target)[ETHERNET_HEADER..][..28].to_vec();
        say_everything();
        assert_eq!(hear(&mut listener).await, Vec::<Vec<u8>>::new());
        let unrelated = Ipv4Addr::new(192, 0, 2, 77);
        listener.set_filter(&only(vec![unrelated, asked.into()])).unwrap();
        say_everything();
        let wanted = vec![message(asked, asked), message(nobody, asked), message(asked, other)];
        assert_eq!(hear(&mut listener).await, wanted);
        assert!(listener.set_filter(&only(vec![unrelated; 1001])).is_err());
        listener.set_filter(&only(Vec::new())).unwrap();
        say_everything();
        assert_eq!(hear(&mut listener).await, Vec::<Vec<u8>>::new());
    });
}

#[test]
fn settings_are_put_back() {
    isolated(|[here]| async move {
        here.enter();
        ip("link add left type veth peer name right");
        let rp_filter = || Setting::of(Family::Ipv4, &name("left"), "rp_filter").unwrap();
        let announce = || Setting::of(Family::Ipv4, &name("right"), "arp_announce").unwrap();
        rp_filter().set("1").unwrap();
        let all = Setting::of_all_interfaces(Family::Ipv4, "rp_filter");
        let all_before = all.get().unwrap();
        let mut guard = SysctlGuard::new();
        guard.set(rp_filter(), "0").unwrap();
        guard.set(rp_filter(), "2").unwrap();
        guard.set(announce(), "2").unwrap();
        assert_eq!((rp_filter().get().unwrap(), announce().get().unwrap()), ("2".into(), "2".into()));
        drop(guard);
        assert_eq!((rp_filter().get().unwrap(), announce().get().unwrap()), ("1".into(), "0".into()));
        assert_eq!(all.get().unwrap(), all_before);

        let mut guard = SysctlGuard::new();
        guard.set(announce(), "1").unwrap();
        ip("link del left");
        guard.restore().unwrap();
    });
}
