//! Device, addresses, start, stop, restart and change of configuration.

use super::*;
use crate::machine::State;
use crate::router::Cause;

fn active(priority: u8) -> Lan {
    let mut lan = Lan::new(vec![Node::new("192.0.2.1")]);
    lan.nodes[0].configure(Instant::ZERO, [group(priority)]);
    lan.run_until(at(5000));
    assert_eq!(lan.active(), [0]);
    lan
}

/// Position of the first output that satisfies `f`.
fn place(node: &Node, f: impl Fn(&Output) -> bool) -> Option<usize> {
    node.done.iter().position(f)
}

#[test]
fn a_backup_is_deaf_and_an_active_router_serves_before_it_speaks() {
    let mut node = Node::new("192.0.2.1");
    node.configure(Instant::ZERO, [VrrpGroup { accelerate: false, ..group(200) }]);
    assert_eq!(node.state(), State::Backup);
    let device = node.links.values().find(|l| l.kind.is_some()).cloned().unwrap();
    assert_eq!((device.name.as_str(), device.admin_up), ("eth0v10", false));
    assert_eq!(device.mac, Some([0, 0, 0x5e, 0, 1, 10]));
    assert!(!node.serves() && node.sent.is_empty());
    node.engine.handle_timeout(at(3300));
    let mut order = Vec::new();
    while let Some(output) = node.engine.poll_output() {
        order.push(match output {
            Output::SetDevice { up: true, .. } => "up",
            Output::InstallAddress { lifetime, address, .. } => {
                assert_eq!((lifetime, address.to_string()), (ms(5000), "192.0.2.254/32".into()));
                "address"
            }
            Output::Transmit { kind: FrameKind::Advertisement, frame, .. } => {
                assert_eq!(frame[6..12], [0, 0, 0x5e, 0, 1, 10], "from the virtual MAC");
                "advertisement"
            }
            Output::Transmit { kind: FrameKind::GratuitousArp, .. } => "arp",
            Output::Notice(_) => continue,
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(order, ["up", "address", "advertisement", "arp", "arp"]);
}

#[test]
fn an_owner_listens_before_its_first_word() {
    for virtual_mac in [false, true] {
        let mut node = Node::new("192.0.2.1");
        let owner = VrrpGroup { virtual_mac, ..group(255) };
        node.configure(Instant::ZERO, [owner.clone()]);
        // A second run finds a device, if there is one, and speaks in its very first comparison.
        let mut second = Instance::new();
        for link in node.links.values() {
            second.handle(at(1), Input::Link(LinkEvent::LinkChanged(link.clone())));
        }
        second.handle(at(1), Input::Link(LinkEvent::AddressAdded(address(BASE, "192.0.2.1/24", 0))));
        second.handle(at(1), Input::Link(LinkEvent::SnapshotComplete));
        second.handle(at(1), Input::Reconfigure(config([owner])));
        second.handle_timeout(at(1));
        let mut listens = false;
        let mut spoken = 0;
        while let Some(output) = second.poll_output() {
            match output {
                Output::OpenInterface { .. } => listens = true,
                Output::Transmit { .. } => {
                    assert!(listens, "virtual MAC {virtual_mac}: spoke without a socket");
                    spoken += 1;
                }
                _ => {}
            }
        }
        assert_eq!(spoken, 3, "one advertisement, two announcements");
    }
}

#[test]
fn nothing_is_sent_on_an_interface_that_is_known_to_be_gone() {
    type Act = fn(&mut Instance, Instant);
    let acts: [Act; 3] = [
        |engine, now| engine.handle_timeout(now),
        |engine, now| engine.handle(now, Input::Reconfigure(config([]))),
        |engine, now| engine.handle(now, Input::Shutdown),
    ];
    for (act, later) in acts.into_iter().flat_map(|act| [(act, 4000), (act, 6_652_400)]) {
        for (priority, start) in [(100, 100), (200, 3500)] {
            let mut node = Node::new("192.0.2.1");
            node.configure(Instant::ZERO, [group(priority)]);
            node.engine.handle_timeout(at(start));
            node.drain(at(start));
            node.engine.handle(at(4000), Input::Link(LinkEvent::LinkRemoved(BASE)));
            // Nothing ran in between: the process was stopped.
            act(&mut node.engine, at(later));
            node.engine.handle_timeout(at(later));
            while let Some(output) = node.engine.poll_output() {
                assert!(
                    !matches!(output, Output::Transmit { .. }),
                    "priority {priority}, {later} ms: {output:?}"
                );
            }
        }
    }
}

#[test]
fn announcements_come_at_0_50_250_and_1000_ms_in_both_forms() {
    let lan = active(200);
    let first = lan.nodes[0].adverts()[0].at;
    let arps: Vec<u128> = lan.nodes[0]
        .sent
        .iter()
        .filter(|s| s.kind == FrameKind::GratuitousArp)
        .map(|s| s.at.since(first).as_millis())
        .collect();
    assert_eq!(arps, [0, 0, 50, 50, 250, 250, 1000, 1000]);
}

#[test]
fn addresses_live_while_refreshed() {
    let mut lan = active(200);
    let mut last = lan.now;
    for _ in 0..10 {
        lan.nodes[0].done.clear();
        lan.run_until(lan.now + ms(2501));
        let again =
            |o: &Output| matches!(o, Output::InstallAddress { lifetime, .. } if *lifetime == ms(5000));
        assert!(place(&lan.nodes[0], again).is_some(), "nothing between {last} and {}", lan.now);
        last = lan.now;
    }
}

#[test]
fn l1_a_stopping_router_serves_until_its_successor_speaks() {
    let mut one = Node::new("192.0.2.1");
    one.configure(Instant::ZERO, [group(200)]);
    let mut two = Node::new("192.0.2.2");
    two.configure(Instant::ZERO, [group(100)]);
    let mut lan = Lan::new(vec![one, two]);
    lan.run_until(at(10_000));
    lan.nodes[0].input(at(10_000), Input::Shutdown);
    assert_eq!(lan.nodes[0].adverts().last().unwrap().priority(), 0);
    let mut served = true;
    for t in 10_001..11_000 {
        lan.run_until(at(t));
        served &= lan.nodes[0].serves() || lan.nodes[1].serves();
    }
    assert!(served, "one of them at every moment");
    assert!(lan.nodes[0].finished && !lan.nodes[0].serves());
    assert_eq!(lan.nodes[0].links.len(), 1, "its device is gone");
    assert!(place(&lan.nodes[0], |o| matches!(o, Output::RestoreSysctls { .. })).is_some());
    assert_eq!(lan.active(), [1]);
}

#[test]
fn a_stopping_router_without_successor_ends_all_the_same() {
    let mut lan = active(200);
    lan.nodes[0].input(at(5000), Input::Shutdown);
    lan.run_until(at(6100));
    assert!(!lan.nodes[0].finished && lan.nodes[0].serves());
    lan.run_until(at(6250));
    assert!(lan.nodes[0].finished && !lan.nodes[0].serves());
}

/// The kernel outlives the engine: a node as after SIGKILL and start.
fn restart(node: &mut Node, now: Instant, group: VrrpGroup) {
    node.engine = Instance::new();
    node.done.clear();
    node.boot(now);
    node.configure(now, [group]);
}

#[test]
fn l3_a_restart_goes_on_without_removing_anything() {
    let mut lan = active(100);
    let now = lan.now;
    restart(&mut lan.nodes[0], now, group(100));
    assert_eq!(lan.nodes[0].state(), State::Backup);
    assert!(lan.nodes[0].serves());
    lan.run_until(now + ms(1126));
    assert_eq!(lan.active(), [0]);
    assert_eq!(lan.nodes[0].transitions().last().unwrap().cause, Cause::Resumed);
    let harm = |o: &Output| {
        matches!(
            o,
            Output::RemoveAddress { .. } | Output::RemoveDevice { .. } | Output::SetDevice { up: false, .. }
        )
    };
    assert_eq!(place(&lan.nodes[0], harm), None);
}

#[test]
fn what_expired_during_a_stall_is_not_put_back_before_listening() {
    let mut lan = active(200);
    lan.nodes[0].frozen = true;
    lan.run_until(at(15_000));
    let vip = lan.nodes[0].addresses.iter().find(|a| a.protocol == VRRP_ADDRESS_PROTOCOL).cloned().unwrap();
    let expired = lan.nodes[0].steal(vip.ifindex, vip.network);
    lan.nodes[0].frozen = false;
    lan.run_until(at(15_001));
    for event in expired {
        lan.nodes[0].input(at(15_001), Input::Link(event));
    }
    lan.run_until(at(16_100));
    assert!(!lan.nodes[0].serves() && lan.active().is_empty());
    assert_eq!(lan.nodes[0].router().stats.address_readds, 0);
    lan.run_until(at(16_200));
    assert!(lan.nodes[0].serves());
    assert_eq!(lan.active(), [0]);
}

#[test]
fn an_address_that_expired_in_a_short_sleep_is_put_back_and_refreshed_again() {
    let mut lan = active(200);
    lan.run_until(at(8200));
    lan.nodes[0].frozen = true;
    lan.run_until(at(11_100));
    lan.nodes[0].frozen = false;
    lan.nodes[0].done.clear();
    let vip = lan.nodes[0].addresses.iter().find(|a| a.protocol == VRRP_ADDRESS_PROTOCOL).cloned().unwrap();
    let expired = lan.nodes[0].steal(vip.ifindex, vip.network);
    lan.run_until(at(11_101));
    assert!(!lan.nodes[0].serves(), "a refresh would have hidden it");
    for event in expired {
        lan.nodes[0].input(at(11_102), Input::Link(event));
    }
    assert!(lan.nodes[0].serves());
    assert_eq!(lan.nodes[0].router().stats.stalls, 0);
    lan.run_until(at(21_500));
    let refreshes = lan.nodes[0].done.iter().filter(|o| matches!(o, Output::InstallAddress { .. })).count();
    assert_eq!(refreshes, 1 + 4, "once as a repair, then every 2.5 s");
}

#[test]
fn a_restart_yields_to_a_better_active_router_and_keeps_out_of_a_quiet_ones_way() {
    for (own, heard, preempt) in [(100, 200, true), (200, 100, false)] {
        let mut lan = active(own);
        let now = lan.now;
        restart(&mut lan.nodes[0], now, VrrpGroup { preempt, ..group(own) });
        assert!(lan.nodes[0].serves());
        hear(&mut lan.nodes[0], now + ms(300), "192.0.2.9", &group(heard));
        assert!(!lan.nodes[0].serves(), "{own} against {heard}");
        assert_eq!(lan.nodes[0].state(), State::Backup);
    }
}

#[test]
fn l5_leftovers_that_no_configuration_mentions_are_removed() {
    let mut lan = active(200);
    let now = lan.now;
    let other = VrrpGroup { vrid: Vrid::new(11).unwrap(), ..group(200) };
    lan.nodes[0].addresses.push(address(BASE, "192.0.2.77/32", VRRP_ADDRESS_PROTOCOL));
    restart(&mut lan.nodes[0], now, other);
    let names: Vec<&str> = lan.nodes[0].links.values().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["eth0", "eth0v11"]);
    assert!(lan.nodes[0].addresses.iter().all(|a| a.protocol != VRRP_ADDRESS_PROTOCOL));
}

/// The kernel parameters asked for on an interface, in order.
fn tuned(node: &Node, on: &str) -> Vec<(&'static str, &'static str)> {
    let row = |o: &Output| match o {
        Output::SetSysctl { interface, key, value, .. } if interface.as_str() == on => Some((*key, *value)),
        _ => None,
    };
    node.done.iter().filter_map(row).collect()
}

#[test]
fn an_interface_is_tuned_when_its_first_virtual_mac_comes_and_not_before() {
    let mut lan = Lan::new(vec![Node::new("192.0.2.1")]);
    lan.nodes[0].configure(Instant::ZERO, [VrrpGroup { virtual_mac: false, ..group(200) }]);
    lan.run_until(at(5000));
    assert_eq!(tuned(&lan.nodes[0], "eth0"), []);
    lan.nodes[0].configure(at(5000), [group(200)]);
    lan.run_until(at(9000));
    assert!(lan.nodes[0].serves());
    let base = [("arp_ignore", "1"), ("arp_announce", "2"), ("promote_secondaries", "1")];
    assert_eq!(tuned(&lan.nodes[0], "eth0"), base);
    let asked = |o: &Output| matches!(o, Output::SetSysctl { .. });
    let serves = |o: &Output| matches!(o, Output::SetDevice { up: true, .. });
    assert!(place(&lan.nodes[0], asked) < place(&lan.nodes[0], serves));
}

#[test]
fn a_device_found_at_the_start_is_tuned_before_it_is_used() {
    let mut lan = active(200);
    let now = lan.now;
    restart(&mut lan.nodes[0], now, group(200));
    let keys: Vec<&str> = tuned(&lan.nodes[0], "eth0v10").into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["disable_ipv6", "send_redirects", "arp_ignore", "arp_announce", "rp_filter"]);
    lan.nodes[0].done.clear();
    lan.run_until(now + ms(5000));
    assert_eq!(tuned(&lan.nodes[0], "eth0v10"), [], "once is enough");
}

#[test]
fn a_parameter_the_kernel_refused_is_tried_again() {
    let mut lan = active(200);
    let now = lan.now;
    lan.nodes[0].done.clear();
    lan.nodes[0].input(now, Input::Fault { ifindex: None, text: "eth0: setting arp_ignore to 1".into() });
    lan.run_until(now + ms(999));
    assert_eq!(tuned(&lan.nodes[0], "eth0"), []);
    lan.run_until(now + ms(5000));
    assert_eq!(tuned(&lan.nodes[0], "eth0").len(), 3, "and once, if nothing is refused this time");
    assert_eq!(tuned(&lan.nodes[0], "eth0v10").len(), 5);
    assert_eq!(lan.active(), [0]);
}

#[test]
fn devices_of_others_are_left_alone() {
    let mut node = Node::new("192.0.2.1");
    let alien = Link { ifindex: IfIndex(5), name: "eth0v10".parse().unwrap(), ..base_link(true) };
    node.links.insert(IfIndex(5), alien.clone());
    node.boot(Instant::ZERO);
    node.configure(at(1), [group(200)]);
    assert_eq!(node.state(), State::Initialize);
    assert_eq!(node.router().blocked, Some(Blocked::DeviceNameTaken));
    assert!(place(&node, |o| matches!(o, Output::RemoveDevice { .. } | Output::SetDevice { .. })).is_none());
    node.links.remove(&IfIndex(5));
    node.input(at(2), Input::Link(LinkEvent::LinkRemoved(IfIndex(5))));
    assert_eq!(node.state(), State::Backup);
}

#[test]
fn our_device_on_the_wrong_interface_is_made_anew() {
    let mut lan = active(200);
    let node = &mut lan.nodes[0];
    // eth0 and another port exchanged their names while the daemon was away.
    let renamed = Link { name: "eth1".parse().unwrap(), ..base_link(true) };
    let port = Link { ifindex: IfIndex(3), ..base_link(true) };
    node.links.insert(BASE, renamed);
    node.links.insert(IfIndex(3), port);
    node.addresses.push(address(IfIndex(3), "192.0.2.2/24", 0));
    restart(node, at(6000), group(200));
    let parents: Vec<_> = node.links.values().filter(|l| l.kind.is_some()).map(|l| l.parent).collect();
    assert_eq!(parents, [Some(IfIndex(3))]);
    assert_eq!(node.state(), State::Backup);
    lan.run_until(at(10_000));
    assert!(lan.nodes[0].serves());
}

#[test]
fn l8_a_stolen_address_or_device_is_back_at_once() {
    let mut lan = active(200);
    let now = lan.now;
    let node = &mut lan.nodes[0];
    let vip = node.addresses.iter().find(|a| a.protocol == VRRP_ADDRESS_PROTOCOL).cloned().unwrap();
    for event in node.steal(vip.ifindex, vip.network) {
        node.input(now, Input::Link(event));
    }
    assert!(node.serves());
    assert_eq!(node.router().stats.address_readds, 1);
    let events =
        node.kernel(&Output::RemoveDevice { ifindex: vip.ifindex, name: "eth0v10".parse().unwrap() });
    for event in events {
        node.input(now, Input::Link(event));
    }
    assert!(node.serves(), "a new device serves");
    assert_eq!(node.state(), State::Active);
}

#[test]
fn f7_f8_link_and_address_changes_in_each_state() {
    let mut lan = active(200);
    let node = &mut lan.nodes[0];
    let moved = address(BASE, "192.0.2.33/24", 0);
    let old = node.addresses[0].clone();
    node.input(at(5100), Input::Link(LinkEvent::AddressAdded(moved)));
    node.input(at(5100), Input::Link(LinkEvent::AddressRemoved(old)));
    assert_eq!(node.state(), State::Active);
    assert_eq!(node.router().binding.unwrap().primary, Ipv4Addr::new(192, 0, 2, 33));
    for state in [State::Active, State::Backup] {
        assert_eq!(node.state(), state);
        node.input(at(6000), Input::Link(LinkEvent::LinkChanged(base_link(false))));
        assert_eq!((node.state(), node.serves()), (State::Initialize, false));
        assert_eq!(node.router().blocked, Some(Blocked::InterfaceDown));
        node.input(at(6100), Input::Link(LinkEvent::LinkChanged(base_link(true))));
    }
    let last = address(BASE, "192.0.2.33/24", 0);
    node.input(at(6200), Input::Link(LinkEvent::AddressRemoved(last)));
    assert_eq!(node.router().blocked, Some(Blocked::NoAddress));
}

/// Taking a device down makes the kernel wait with a lock that the routes around the loss need.
#[test]
fn a_device_without_carrier_goes_down_when_the_routes_have_been_moved() {
    let closed = |lan: &Lan| {
        lan.nodes[0].done.iter().any(|output| matches!(output, Output::SetDevice { up: false, .. }))
    };
    for back in [ms(5000), ms(400)] {
        let mut lan = active(200);
        lan.nodes[0].done.clear();
        let lost = lan.now;
        lan.nodes[0].input(lost, Input::Link(LinkEvent::LinkChanged(base_link(false))));
        assert!(!lan.nodes[0].serves(), "the addresses go at once");
        lan.run_until(lost + back.min(ms(999)));
        assert!(!closed(&lan));
        // With carrier it could receive: then it may not stay for a moment.
        if back < ms(1000) {
            lan.nodes[0].input(lan.now, Input::Link(LinkEvent::LinkChanged(base_link(true))));
        }
        lan.run_until(lost + back.min(ms(999)) + ms(3));
        assert!(closed(&lan));
    }
}

#[test]
fn l7_a_reload_touches_only_what_changed() {
    let mut lan = active(200);
    let now = lan.now;
    lan.nodes[0].done.clear();
    let sent = lan.nodes[0].sent.len();
    let before = format!("{:?}", lan.nodes[0].router());
    lan.nodes[0].configure(now, [group(200)]);
    assert_eq!((lan.nodes[0].sent.len(), lan.nodes[0].done.len()), (sent, 0));
    assert_eq!(format!("{:?}", lan.nodes[0].router()), before);
    let mut wider = group(200);
    wider.virtual_addresses.push("192.0.2.253/24".parse().unwrap());
    lan.nodes[0].configure(now, [wider]);
    assert_eq!(lan.nodes[0].addresses.iter().filter(|a| a.protocol == 112).count(), 2);
    assert_eq!(lan.nodes[0].router().stats.transitions, 2, "no flap");
    lan.nodes[0].configure(now, [group(200)]);
    assert_eq!(lan.nodes[0].addresses.iter().filter(|a| a.protocol == 112).count(), 1);
    assert_eq!(lan.nodes[0].state(), State::Active);
}

#[test]
fn a_group_taken_out_of_the_configuration_hands_over_and_can_come_back() {
    let mut lan = active(200);
    lan.nodes[0].configure(at(5000), []);
    assert_eq!(lan.nodes[0].adverts().last().unwrap().priority(), 0);
    assert!(lan.nodes[0].serves(), "lingers");
    lan.nodes[0].configure(at(5100), [group(200)]);
    lan.run_until(at(10_000));
    assert_eq!(lan.active(), [0]);
    lan.nodes[0].configure(at(10_000), []);
    lan.run_until(at(12_000));
    assert_eq!(lan.nodes[0].engine.routers().count(), 0);
    assert_eq!(lan.nodes[0].links.len(), 1);
    assert!(!lan.nodes[0].finished);
}

#[test]
fn with_the_real_mac_the_address_is_on_the_interface_itself() {
    let mut lan = Lan::new(vec![Node::new("192.0.2.1")]);
    lan.nodes[0].configure(Instant::ZERO, [VrrpGroup { virtual_mac: false, ..group(200) }]);
    lan.run_until(at(5000));
    let node = &mut lan.nodes[0];
    assert_eq!((node.state(), node.links.len()), (State::Active, 1));
    assert!(node.addresses.iter().any(|a| a.ifindex == BASE && a.protocol == 112));
    assert!(node.sent.iter().all(|s| s.frame[6..12] == [2, 0, 0, 0, 0, 1]));
    node.input(at(5000), Input::Shutdown);
    lan.run_until(at(7000));
    assert!(lan.nodes[0].addresses.iter().all(|a| a.protocol != 112));
}

#[test]
fn an_owner_without_priority_255_is_told_so() {
    for (priority, wanted) in [(100, 1), (255, 0)] {
        let mut node = Node::new("192.0.2.1");
        let own = address(BASE, "192.0.2.254/24", 0);
        node.addresses.push(own.clone());
        node.input(Instant::ZERO, Input::Link(LinkEvent::AddressAdded(own)));
        node.configure(at(1), [group(priority)]);
        node.configure(at(2), [VrrpGroup { preempt_delay: ms(5), ..group(priority) }]);
        let told = |o: &&Output| matches!(o, Output::Notice(n) if n.code == "vrrp-own-address");
        assert_eq!(node.done.iter().filter(told).count(), wanted, "priority {priority}");
        assert_ne!(node.state(), State::Initialize, "and runs all the same");
    }
}

#[test]
fn an_address_of_somebody_else_is_given_no_lifetime() {
    // An owner whose interface has the address as a /32 already, without a virtual MAC.
    let mut lan = Lan::new(vec![Node::new("192.0.2.254")]);
    lan.nodes[0].addresses = vec![address(BASE, "192.0.2.254/32", 196)];
    lan.nodes[0].engine = Instance::new();
    lan.nodes[0].boot(Instant::ZERO);
    lan.nodes[0].configure(Instant::ZERO, [VrrpGroup { virtual_mac: false, ..group(255) }]);
    lan.run_until(at(20_000));
    assert_eq!(lan.active(), [0]);
    lan.nodes[0].input(at(20_000), Input::Shutdown);
    lan.run_until(at(22_000));
    assert!(lan.nodes[0].finished);
    let touched = |o: &Output| matches!(o, Output::InstallAddress { .. } | Output::RemoveAddress { .. });
    assert_eq!(place(&lan.nodes[0], touched), None);
}

#[test]
fn a_refused_request_is_repeated_every_second_and_shown() {
    let mut engine = Instance::new();
    for event in [
        LinkEvent::LinkChanged(base_link(true)),
        LinkEvent::AddressAdded(address(BASE, "192.0.2.1/24", 0)),
        LinkEvent::SnapshotComplete,
    ] {
        engine.handle(Instant::ZERO, Input::Link(event));
    }
    engine.handle(Instant::ZERO, Input::Reconfigure(config([group(200)])));
    engine.handle_timeout(Instant::ZERO);
    let creates = |engine: &mut Instance| {
        let mut n = 0;
        while let Some(o) = engine.poll_output() {
            n += usize::from(matches!(o, Output::CreateDevice { .. }));
        }
        n
    };
    assert_eq!(creates(&mut engine), 1);
    engine.handle(at(1), Input::Fault { ifindex: None, text: "no macvlan".into() });
    for second in 1..4 {
        engine.handle_timeout(at(second * 1000 - 1));
        assert_eq!(creates(&mut engine), 0);
        engine.handle_timeout(at(second * 1000));
        assert_eq!(creates(&mut engine), 1);
    }
    let shown = engine.query(at(5000), &api::Request::Routers { interface: None, vrid: None }).unwrap();
    assert_eq!(shown[0]["lastFault"], "no macvlan");
    assert_eq!(shown[0]["reason"], Blocked::NoDevice.text());
}

#[test]
fn faults_are_told_once_a_minute_each_and_again_when_they_come_back() {
    let mut engine = Instance::new();
    let mut told = Vec::new();
    for second in 0..90u64 {
        for text in ["no macvlan", "no address"] {
            engine.handle(Instant::from_secs(second), Input::Fault { ifindex: None, text: text.into() });
        }
        while let Some(output) = engine.poll_output() {
            if let Output::Notice(n) = output {
                told.push((second, n.text));
            }
        }
    }
    let seconds: Vec<u64> = told.iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [0, 0, 60, 60], "{told:?}");
}

#[test]
fn device_names_fit_the_kernel() {
    let name = |interface: &str| {
        let g =
            VrrpGroup { interface: interface.parse().unwrap(), vrid: Vrid::new(255).unwrap(), ..group(1) };
        VirtualRouter::new(String::new(), g).device_name().unwrap().to_string()
    };
    assert_eq!(name("eth0"), "eth0v255");
    assert_eq!(name("enp129s0f0n"), "enp129s0f0nv255");
    // VLANs of one port, with the same virtual router id on each.
    let vlans = ["enp129s0f0.100", "enp129s0f0.101", "enp129s0f0.110"].map(name);
    assert!(vlans.iter().all(|n| n.len() == 15 && n.starts_with("enp129s") && n.ends_with("v255")));
    assert_eq!(vlans.iter().collect::<std::collections::BTreeSet<_>>().len(), 3, "{vlans:?}");
}

#[test]
fn l13_a_thousand_groups_start_and_stop() {
    let mut node = Node::new("192.0.2.1");
    for n in 1..4u32 {
        let ifindex = IfIndex(100_000 + n);
        let link = Link { ifindex, name: format!("eth{n}").parse().unwrap(), ..base_link(true) };
        node.links.insert(ifindex, link);
        node.addresses.push(address(ifindex, &format!("10.{n}.0.1/16"), 0));
    }
    node.boot(Instant::ZERO);
    let groups = (0..1000u32).map(|n| VrrpGroup {
        interface: format!("eth{}", n / 250).parse().unwrap(),
        vrid: Vrid::new((n % 250 + 1) as u8).unwrap(),
        virtual_addresses: vec![format!("10.{}.1.{}/16", n / 250, n % 250).parse().unwrap()],
        ..group(200)
    });
    node.configure(at(1), groups);
    let mut lan = Lan::new(vec![node]);
    lan.run_until(at(3500));
    let node = &mut lan.nodes[0];
    assert!(node.engine.routers().all(|r| r.state == State::Active));
    assert_eq!(node.addresses.iter().filter(|a| a.protocol == 112).count(), 1000);
    node.input(at(3500), Input::Shutdown);
    lan.run_until(at(5200));
    assert!(lan.nodes[0].finished);
    assert_eq!(lan.nodes[0].links.len(), 4);
}
