//! Clients come, go, crash and subscribe; ribd itself restarts.

use crate::world::*;
use rib::message::{Attachment, ClientMessage, Protocol, Redistributed, RibMessage, Subscription};
use rib::{ClientId, Input};
use routing_common::id::RouterId;
use routing_common::time::Duration;

const OTHER: ClientId = ClientId(2);
const OSPF_CONFIG: &str = "[ospf]\nrouter-id = \"10.255.0.1\"\n";
const DEFAULT: &str = "[[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"192.168.1.254\"\n";

#[test]
fn a_client_that_crashes_keeps_its_routes_until_its_successor_has_synchronised() {
    let mut w = World::new("");
    w.ospf(
        OSPFD,
        &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)]), route("10.2.0.0/16", &[hop("10.0.1.2", ETH1)])],
    );
    assert!(w.told(OSPFD).contains(&RibMessage::Synced));
    let writes = w.kernel.writes;
    w.input(Input::ClientGone(OSPFD));
    w.wait(Duration::from_secs(100));
    w.connect(OTHER, Some(Protocol::Ospf));
    w.say(OTHER, ClientMessage::BeginSync);
    w.offer(OTHER, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    assert_eq!(w.kernel.writes, writes, "nothing changes in the kernel before EndSync");
    w.say(OTHER, ClientMessage::EndSync);
    assert!(w.via("10.1.0.0/16").is_some());
    assert_eq!(w.via("10.2.0.0/16"), None, "what was not repeated goes");
    w.wait(Duration::from_secs(1000));
    assert!(w.via("10.1.0.0/16").is_some(), "the stale timer of the first life is over");
}

#[test]
fn stale_routes_go_when_nobody_returns_in_time() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    w.input(Input::ClientGone(OSPFD));
    w.wait(Duration::from_secs(119));
    assert!(w.via("10.1.0.0/16").is_some());
    w.wait(Duration::from_secs(2));
    assert_eq!(w.via("10.1.0.0/16"), None);
}

#[test]
fn goodbye_withdraws_at_once_or_keeps() {
    for (withdraw, kept) in [(true, false), (false, true)] {
        let mut w = World::new("");
        w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
        w.say(OSPFD, ClientMessage::Goodbye { withdraw });
        w.input(Input::ClientGone(OSPFD));
        assert_eq!(w.via("10.1.0.0/16").is_some(), kept);
    }
}

#[test]
fn contract_breakers_are_disconnected() {
    let mut w = World::new("");
    w.input(Input::ClientConnected(OSPFD));
    w.say(OSPFD, ClientMessage::BeginSync);
    w.input(Input::ClientConnected(OTHER));
    w.say(OTHER, ClientMessage::Hello { version: 99, protocol: None, name: "x".into() });
    w.connect(ClientId(3), Some(Protocol::Static));
    w.connect(ClientId(4), None);
    w.say(ClientId(4), ClientMessage::EndSync);
    assert_eq!(w.disconnected, [OSPFD, OTHER, ClientId(3), ClientId(4)]);
}

#[test]
fn the_newest_session_of_a_protocol_replaces_an_older_one() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    w.ospf(OTHER, &[route("10.1.0.0/16", &[hop("10.0.2.2", ETH2)])]);
    assert_eq!(w.disconnected, [OSPFD]);
    w.input(Input::ClientGone(OSPFD));
    w.wait(Duration::from_secs(1000));
    assert_eq!(w.via("10.1.0.0/16"), Some(vec!["10.0.2.2%4".to_owned()]));
}

#[test]
fn a_barrier_is_answered_after_the_routes_before_it() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[]);
    w.told(OSPFD);
    w.offer(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    w.say(OSPFD, ClientMessage::FibBarrier(7));
    assert_eq!(w.told(OSPFD), [RibMessage::FibDone(7)]);
}

fn told_default() -> RibMessage {
    RibMessage::Redistribute(vec![Redistributed {
        protocol: Protocol::Static,
        prefix: net("0.0.0.0/0"),
        metric: 0,
        tag: 0,
        next_hop: Some([192, 168, 1, 254].into()),
        interface: Some("eth0".parse().unwrap()),
    }])
}

/// The condition of `default-information originate`: hazard H1's other half.
#[test]
fn a_subscriber_hears_of_the_default_that_is_not_its_own() {
    let mut w = World::new(DEFAULT);
    w.ospf(OSPFD, &[]);
    w.told(OSPFD);
    w.say(
        OSPFD,
        ClientMessage::Subscribe(Subscription {
            protocols: vec![],
            default_route: true,
            routes_stand: false,
            attachments: false,
        }),
    );
    assert_eq!(w.told(OSPFD), [told_default(), RibMessage::SubscriptionSynced]);
    w.offer(OSPFD, &[route("0.0.0.0/0", &[hop("10.0.1.2", ETH1)])]);
    assert_eq!(w.told(OSPFD), []);
    w.carrier(ETH0, false);
    let gone = RibMessage::Unredistribute(vec![(Protocol::Static, net("0.0.0.0/0"))]);
    assert_eq!(w.told(OSPFD), [gone], "its own default is not told back");
    w.carrier(ETH0, true);
    assert_eq!(w.told(OSPFD), [told_default()]);
}

#[test]
fn connected_routes_are_redistributed_as_they_come_and_go() {
    let mut w = World::new(DEFAULT);
    w.connect(OTHER, None);
    w.told(OTHER);
    let subscription = Subscription {
        protocols: vec![Protocol::Connected],
        default_route: false,
        ..Subscription::default()
    };
    w.say(OTHER, ClientMessage::Subscribe(subscription));
    let told = w.told(OTHER);
    let [RibMessage::Redistribute(routes), RibMessage::SubscriptionSynced] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(routes.len(), 3);
    w.carrier(ETH2, false);
    let gone = RibMessage::Unredistribute(vec![(Protocol::Connected, net("10.0.2.0/24"))]);
    assert_eq!(w.told(OTHER), [gone]);
    w.say(OTHER, ClientMessage::Subscribe(Subscription::default()));
    let told = w.told(OTHER);
    assert!(
        matches!(told.as_slice(), [RibMessage::Unredistribute(g), RibMessage::SubscriptionSynced] if g.len() == 2),
        "{told:?}"
    );
}

#[test]
fn a_restarted_rib_touches_nothing_until_ospfd_has_synchronised() {
    let config = format!("{OSPF_CONFIG}{DEFAULT}");
    let mut old = World::new(&config);
    let routes = [
        route("10.1.0.0/16", &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)]),
        route("10.2.0.0/16", &[hop("10.0.1.2", ETH1)]),
    ];
    old.ospf(OSPFD, &routes);
    let before = old.kernel.forwarding();
    let mut w = World::unborn(old.kernel);
    w.kernel.writes = 0;
    w.start(&config, &[]);
    w.wait(Duration::from_secs(60));
    w.connect(OSPFD, Some(Protocol::Ospf));
    w.say(OSPFD, ClientMessage::BeginSync);
    w.offer(OSPFD, &routes[..1]);
    assert_eq!((w.kernel.writes, w.kernel.forwarding()), (0, before));
    assert_eq!(w.said.iter().filter(|(_, m)| *m == RibMessage::Synced).count(), 0);
    w.say(OSPFD, ClientMessage::EndSync);
    assert_eq!(w.via("10.2.0.0/16"), None, "swept");
    assert!(w.via("10.1.0.0/16").is_some_and(|h| h.len() == 2));
}

#[test]
fn routes_found_at_start_go_when_their_owner_stays_away_or_is_not_configured() {
    let mut old = World::new(OSPF_CONFIG);
    old.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    let mut w = World::unborn(old.kernel.clone());
    w.start(OSPF_CONFIG, &[]);
    w.wait(Duration::from_secs(119));
    assert!(w.via("10.1.0.0/16").is_some());
    w.wait(Duration::from_secs(2));
    assert_eq!(w.via("10.1.0.0/16"), None);
    assert_eq!(w.kernel.object_ids(), [0u32; 0], "unused objects go, too");
    let mut w = World::unborn(old.kernel);
    w.start("", &[]);
    assert_eq!(w.via("10.1.0.0/16"), None, "without OSPF in the configuration nobody can claim it");
}

#[test]
fn a_shutdown_leaves_no_route_and_no_object() {
    let mut w = World::new(DEFAULT);
    w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1), hop("10.0.2.2", ETH2)])]);
    w.input(Input::Shutdown);
    assert!(w.kernel.forwarding().is_empty());
    assert!(w.kernel.object_ids().is_empty());
}

#[test]
fn a_synchronisation_that_never_ends_keeps_old_routes_for_two_minutes_alone() {
    let mut w = World::new("");
    w.ospf(
        OSPFD,
        &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)]), route("10.2.0.0/16", &[hop("10.0.1.2", ETH1)])],
    );
    w.say(OSPFD, ClientMessage::BeginSync);
    w.offer(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    w.wait(Duration::from_secs(119));
    assert!(w.via("10.2.0.0/16").is_some());
    w.wait(Duration::from_secs(2));
    assert_eq!((w.via("10.1.0.0/16").is_some(), w.via("10.2.0.0/16").is_some()), (true, false));
}

#[test]
fn what_a_replaced_session_brought_goes_when_its_successor_stays_silent() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    w.connect(OTHER, Some(Protocol::Ospf));
    w.input(Input::ClientGone(OSPFD));
    w.wait(Duration::from_secs(119));
    assert!(w.via("10.1.0.0/16").is_some());
    w.wait(Duration::from_secs(2));
    assert_eq!(w.via("10.1.0.0/16"), None);
}

/// A second Hello could disown the routes the first one's protocol brought.
#[test]
fn a_second_hello_ends_the_session() {
    let mut w = World::new("");
    w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    let version = rib::message::PROTOCOL_VERSION;
    w.say(OSPFD, ClientMessage::Hello { version, protocol: None, name: "x".into() });
    assert_eq!(w.disconnected, [OSPFD]);
    w.input(Input::ClientGone(OSPFD));
    w.wait(Duration::from_secs(121));
    assert_eq!(w.via("10.1.0.0/16"), None);
}

/// A frame holds 16 MiB; a subscriber must not be cut off by a table that does not fit one.
#[test]
fn a_subscriber_hears_of_a_large_table_in_several_messages() {
    let mut w = World::new("");
    let routes: Vec<_> = (0..25_000u32)
        .map(|i| {
            let prefix = format!("{}/24", std::net::Ipv4Addr::from(0x2000_0000 + (i << 8)));
            route(&prefix, &[hop("10.0.1.2", ETH1)])
        })
        .collect();
    w.ospf(OSPFD, &routes);
    w.connect(OTHER, None);
    w.told(OTHER);
    let protocols = vec![Protocol::Ospf];
    w.say(
        OTHER,
        ClientMessage::Subscribe(Subscription { protocols, default_route: false, ..Subscription::default() }),
    );
    let sizes: Vec<usize> = w
        .told(OTHER)
        .iter()
        .map(|m| match m {
            RibMessage::Redistribute(routes) => routes.len(),
            _ => 0,
        })
        .collect();
    assert_eq!(sizes, [10_000, 10_000, 5_000, 0]);
}

#[test]
fn routes_stand_once_ospf_has_told_them_and_the_kernel_has_them() {
    let stand = |told: Vec<RibMessage>| -> Vec<bool> {
        told.iter().filter_map(|m| if let RibMessage::RoutesStand(s) = m { Some(*s) } else { None }).collect()
    };
    let mut w = World::new(&format!("{DEFAULT}{OSPF_CONFIG}"));
    w.connect(OTHER, None);
    let subscription = Subscription { routes_stand: true, ..Subscription::default() };
    w.say(OTHER, ClientMessage::Subscribe(subscription));
    assert_eq!(stand(w.told(OTHER)), [false]);
    w.connect(OSPFD, Some(Protocol::Ospf));
    w.say(OSPFD, ClientMessage::BeginSync);
    w.offer(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
    assert_eq!(stand(w.told(OTHER)), [false; 0]);
    w.say(OSPFD, ClientMessage::EndSync);
    assert_eq!(stand(w.told(OTHER)), [true]);
    w.input(Input::ClientGone(OSPFD));
    assert_eq!(stand(w.told(OTHER)), [false]);
    // Without OSPF there is nothing to wait for.
    w.configure(DEFAULT);
    assert_eq!(stand(w.told(OTHER)), [true]);
}

#[test]
fn who_else_is_attached_is_known_as_long_as_ospf_says_so() {
    let attached = |told: Vec<RibMessage>| -> Vec<Vec<Attachment>> {
        told.into_iter()
            .filter_map(|m| if let RibMessage::Attached(a) = m { Some(a) } else { None })
            .collect()
    };
    let one = Attachment {
        network: net("192.168.1.0/24"),
        routers: vec![RouterId([10, 255, 0, 2].into())],
        left: Vec::new(),
    };
    let mut w = World::new(OSPF_CONFIG);
    w.ospf(OSPFD, &[]);
    w.say(OSPFD, ClientMessage::Attached(vec![one.clone()]));
    w.connect(OTHER, None);
    assert!(attached(w.told(OTHER)).is_empty(), "it has not asked");
    let subscription = Subscription { attachments: true, ..Subscription::default() };
    w.say(OTHER, ClientMessage::Subscribe(subscription));
    assert_eq!(attached(w.told(OTHER)), [vec![one.clone()]]);
    w.say(OSPFD, ClientMessage::Attached(vec![one]));
    assert!(attached(w.told(OTHER)).is_empty(), "that is no news");
    w.input(Input::ClientGone(OSPFD));
    assert_eq!(attached(w.told(OTHER)), [Vec::new()], "nobody knows now");
    // Who brings no routes knows no routers.
    w.say(OTHER, ClientMessage::Attached(Vec::new()));
    assert_eq!(w.disconnected, [OTHER]);
}

/// An ospfd may restart gracefully (RFC 3623) only if its routes are still there.
#[test]
fn a_client_is_told_whether_its_routes_were_kept() {
    let keeps = |happens: &dyn Fn(&mut World)| {
        let mut w = World::new(OSPF_CONFIG);
        w.ospf(OSPFD, &[route("10.1.0.0/16", &[hop("10.0.1.2", ETH1)])]);
        w.told(OSPFD);
        happens(&mut w);
        w.connect(OTHER, Some(Protocol::Ospf));
        let told = w.told(OTHER);
        let hello = told.iter().find_map(|m| match m {
            RibMessage::Hello { keeps_routes, .. } => Some(*keeps_routes),
            _ => None,
        });
        hello.unwrap()
    };
    assert!(keeps(&|w| w.input(Input::ClientGone(OSPFD))));
    assert!(keeps(&|_| ()), "the end of its connection has not been noticed yet");
    assert!(keeps(&|w| w.say(OSPFD, ClientMessage::Goodbye { withdraw: false })));
    assert!(!keeps(&|w| w.say(OSPFD, ClientMessage::Goodbye { withdraw: true })));
    assert!(!keeps(&|w| {
        w.input(Input::ClientGone(OSPFD));
        w.wait(Duration::from_secs(121));
    }));
    let mut w = World::new(OSPF_CONFIG);
    w.connect(OTHER, Some(Protocol::Ospf));
    assert!(
        matches!(w.told(OTHER)[..], [RibMessage::Hello { keeps_routes: false, .. }]),
        "nobody was here before"
    );
}
