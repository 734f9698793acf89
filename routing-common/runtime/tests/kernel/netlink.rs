//! The netlink side against a real kernel, in namespaces of their own.

use crate::namespace::{index, ip, isolated};
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Link, LinkEvent, VRRP_ADDRESS_PROTOCOL};
use routing_runtime::netlink::address::{self, AddressSpec};
use routing_runtime::netlink::link::{self, MacvlanMode};
use routing_runtime::netlink::message::Message;
use routing_runtime::netlink::monitor::LinkMonitor;
use routing_runtime::netlink::route::{self, GROUP_IPV4_ROUTE, Route, RouteVia};
use routing_runtime::netlink::socket::{EventSocket, NetlinkError, RequestSocket};
use std::time::Duration;

fn name(text: &str) -> InterfaceName {
    text.parse().unwrap()
}

/// Skips events until one satisfies `want`.
async fn wait_for<T>(monitor: &mut LinkMonitor, mut want: impl FnMut(LinkEvent) -> Option<T>) -> T {
    loop {
        if let Some(found) = want(monitor.next().await) {
            return found;
        }
    }
}

async fn snapshot(monitor: &mut LinkMonitor) -> Vec<LinkEvent> {
    let mut seen = Vec::new();
    loop {
        match monitor.next().await {
            LinkEvent::SnapshotComplete => return seen,
            event => seen.push(event),
        }
    }
}

fn changed(event: LinkEvent, wanted: &str) -> Option<Link> {
    match event {
        LinkEvent::LinkChanged(link) if link.name.as_str() == wanted => Some(link),
        _ => None,
    }
}

#[test]
fn the_monitor_tells_all_there_is_and_then_every_change() {
    isolated(|[_here]| async move {
        ip("link add left type veth peer name right");
        ip("addr add 10.0.0.1/24 dev left");
        let left = index("left");
        let mut monitor = LinkMonitor::start().unwrap();
        let seen = snapshot(&mut monitor).await;
        assert!(seen.iter().any(|e| matches!(e, LinkEvent::LinkChanged(l) if l.loopback && l.running)));
        let is_ours = |e: &LinkEvent| matches!(e, LinkEvent::AddressAdded(a) if a.ifindex == left);
        assert_eq!(seen.iter().filter(|e| is_ours(e)).count(), 1);

        ip("link set left up");
        let up = wait_for(&mut monitor, |e| changed(e, "left").filter(|l| l.admin_up)).await;
        assert!(!up.running, "the peer is down still");
        assert_eq!((up.kind.as_deref(), up.parent), (Some("veth"), None));
        ip("link set right up");
        let running = wait_for(&mut monitor, |e| changed(e, "left").filter(|l| l.running)).await;
        assert_eq!((running.speed_mbps, up.speed_mbps), (Some(10_000), None), "what a veth claims");
        ip("link set right down");
        wait_for(&mut monitor, |e| changed(e, "left").filter(|l| l.admin_up && !l.running)).await;

        ip("link del left");
        let mut gone = Vec::new();
        wait_for(&mut monitor, |e| {
            let last = e == LinkEvent::LinkRemoved(left);
            gone.push(e);
            last.then_some(())
        })
        .await;
        let address =
            gone.iter().position(|e| matches!(e, LinkEvent::AddressRemoved(a) if a.ifindex == left));
        assert!(address.is_some_and(|at| at < gone.len() - 1), "addresses go before their link: {gone:?}");
    });
}

#[test]
fn refreshing_a_lifetime_tells_nothing_and_its_end_does() {
    isolated(|[_here]| async move {
        let lo = index("lo");
        let mut monitor = LinkMonitor::start().unwrap();
        snapshot(&mut monitor).await;
        let mut netlink = RequestSocket::open().unwrap();
        let spec = AddressSpec {
            ifindex: lo,
            network: "192.0.2.10/32".parse().unwrap(),
            protocol: VRRP_ADDRESS_PROTOCOL,
            no_prefix_route: true,
            lifetime: Some(Duration::from_secs(1)),
        };
        netlink.request(&spec.add()).await.unwrap();
        let LinkEvent::AddressAdded(added) = monitor.next().await else { panic!("no address") };
        assert_eq!((added.ifindex, added.network), (lo, spec.network));
        assert_eq!((added.protocol, added.no_prefix_route), (VRRP_ADDRESS_PROTOCOL, true));

        let refused = netlink.request(&spec.add()).await.unwrap_err();
        assert_eq!(refused.errno(), Some(libc::EEXIST));
        for _ in 0..3 {
            netlink.request(&spec.replace()).await.unwrap();
        }
        // Nothing between the refreshes and what happens next.
        let LinkEvent::AddressRemoved(expired) = monitor.next().await else { panic!("no expiry") };
        assert_eq!(expired.network, spec.network);
        let refused = netlink.request(&spec.delete()).await.unwrap_err();
        assert_eq!(refused.errno(), Some(libc::EADDRNOTAVAIL));

        let forever = AddressSpec { lifetime: None, ..spec };
        netlink.request(&forever.replace()).await.unwrap();
        let LinkEvent::AddressAdded(added) = monitor.next().await else { panic!("no address") };
        netlink.request(&address::delete(&added)).await.unwrap();
        assert_eq!(monitor.next().await, LinkEvent::AddressRemoved(added));
    });
}

#[test]
fn a_macvlan_is_made_tagged_changed_and_deleted() {
    isolated(|[_here]| async move {
        ip("link add left type veth peer name right");
        let parent = index("left");
        let mac = [0, 0, 0x5e, 0, 1, 10];
        let mut netlink = RequestSocket::open().unwrap();
        let make = link::create_macvlan(&name("leftv10"), parent, mac, MacvlanMode::Private, "torc-vrrp");
        assert_eq!(netlink.batch(&make).await.unwrap(), []);
        let mut monitor = LinkMonitor::start().unwrap();
        let made = wait_for(&mut monitor, |e| changed(e, "leftv10")).await;
        assert_eq!((made.parent, made.mac), (Some(parent), Some(mac)));
        assert_eq!((made.kind.as_deref(), made.alias.as_deref()), (Some("macvlan"), Some("torc-vrrp")));
        assert!(!made.admin_up);

        let again = netlink.batch(&make).await.unwrap();
        assert_eq!((again.len(), again[0].index, again[0].refusal.errno), (1, 0, libc::EEXIST));
        netlink.request(&link::set_admin(made.ifindex, true)).await.unwrap();
        wait_for(&mut monitor, |e| changed(e, "leftv10").filter(|l| l.admin_up)).await;
        netlink.request(&link::set_alias(made.ifindex, "other")).await.unwrap();
        wait_for(&mut monitor, |e| changed(e, "leftv10").filter(|l| l.alias.as_deref() == Some("other")))
            .await;
        netlink.request(&link::delete(made.ifindex)).await.unwrap();
        wait_for(&mut monitor, |e| (e == LinkEvent::LinkRemoved(made.ifindex)).then_some(())).await;
        let gone = netlink.request(&link::get(made.ifindex)).await.unwrap_err();
        assert_eq!(gone.errno(), Some(libc::ENODEV));
    });
}

#[test]
fn a_batch_reports_each_refusal_and_does_the_rest() {
    isolated(|[_here]| async move {
        let lo = index("lo");
        let mut netlink = RequestSocket::open().unwrap();
        let spec = |i: u32| AddressSpec {
            // Every hundredth is for an interface that does not exist.
            ifindex: if i % 100 == 99 { IfIndex(4_000_000) } else { lo },
            network: format!("10.{}.{}.1/32", i / 250, i % 250).parse().unwrap(),
            protocol: 0,
            no_prefix_route: true,
            lifetime: None,
        };
        let messages: Vec<_> = (0..2500).map(|i| spec(i).add()).collect();
        let failures = netlink.batch(&messages).await.unwrap();
        let refused: Vec<_> = failures.iter().map(|f| f.index).collect();
        assert_eq!(refused, (0..25).map(|i| i * 100 + 99).collect::<Vec<_>>());
        assert!(failures.iter().all(|f| f.refusal.errno == libc::ENODEV));
        let mut present;
        loop {
            present = 0;
            let counted =
                netlink.dump(&address::dump(), |m| present += i32::from(address::parse(&m).is_some())).await;
            match counted {
                Err(NetlinkError::Interrupted) => {}
                counted => break counted.unwrap(),
            }
        }
        assert_eq!(present, 2500 - 25 + 1, "and the loopback's own");
    });
}

#[test]
fn an_overrun_is_healed_by_a_new_dump() {
    isolated(|[_here]| async move {
        const CHANGES: usize = 30_000;
        ip("link add left type veth peer name right");
        ip("link set left up"); // of a device that is down the kernel tells no new alias
        let left = index("left");
        let mut monitor = LinkMonitor::start().unwrap();
        snapshot(&mut monitor).await;
        let mut netlink = RequestSocket::open().unwrap();
        // Nobody reads the monitor meanwhile.
        for first in (0..CHANGES).step_by(500) {
            let batch: Vec<_> = (first..first + 500).map(|i| link::set_alias(left, &i.to_string())).collect();
            assert_eq!(netlink.batch(&batch).await.unwrap(), []);
        }
        let last = (CHANGES - 1).to_string();
        let mut told = 0;
        wait_for(&mut monitor, |e| {
            told += 1;
            changed(e, "left").filter(|l| l.alias.as_deref() == Some(&last))
        })
        .await;
        assert!(told < CHANGES, "the queue never overflowed: raise CHANGES");
        wait_for(&mut monitor, |e| (e == LinkEvent::SnapshotComplete).then_some(())).await;
    });
}

/// A hundred thousand events of our own making would overflow any queue.
#[test]
fn our_own_changes_are_left_out_and_cannot_push_others_out_of_the_queue() {
    isolated(|[_here]| async move {
        let mut netlink = RequestSocket::open().unwrap();
        let mut events = EventSocket::open(&[GROUP_IPV4_ROUTE]).unwrap();
        events.ignore(netlink.port().unwrap()).unwrap();
        let messages: Vec<Message> = (0..100_000u32)
            .map(|i| {
                let prefix = ipnetwork::Ipv4Network::new((0x2000_0000 + (i << 8)).into(), 24).unwrap();
                route::install(&Route { prefix, protocol: 188, metric: 20, via: RouteVia::Blackhole })
            })
            .collect();
        assert!(netlink.batch(&messages).await.unwrap().is_empty());
        ip("route del blackhole 32.0.0.0/24 metric 20");
        let seen: Vec<_> = events.receive().await.unwrap().filter_map(|m| route::parse(&m)).collect();
        let [only] = &seen[..] else { panic!("{seen:?}") };
        assert!(only.removed && only.route.prefix == "32.0.0.0/24".parse().unwrap());
    });
}
