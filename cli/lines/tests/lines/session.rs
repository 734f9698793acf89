//! One session in configuration mode.

use config_lines::{Document, LineError, Mode, Session};
use routing_common::config::{Config, load};

fn session() -> Session {
    Session::new(Document::default())
}

/// Feeds lines that must all be taken.
fn feed(session: &mut Session, lines: &str) {
    for line in lines.lines() {
        if let Err(e) = session.line(line) {
            panic!("{line:?}: {e}");
        }
    }
}

/// The text that lines make of an empty file.
fn made(lines: &str) -> String {
    let mut s = session();
    feed(&mut s, lines);
    assert_eq!(s.waiting().count(), 0, "{:?}", s.waiting().collect::<Vec<_>>());
    s.document().text()
}

fn config(lines: &str) -> Config {
    let text = made(lines);
    load("made.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e}")).config
}

#[test]
fn pasted_lines_need_no_exit_and_may_be_shortened() {
    let text = made(
        "hostname r1\ninterface eth1\n desc to r2\n ip addr 172.16.12.1/24\n ip os area 0\n ip ospf net point-to-point\n\
         interface lo\n ip address 10.255.0.1/32\n ip ospf area 0\n ip ospf passive\nrouter ospf\n\
         ospf router-id 10.255.0.1\n default-information originate metric-type 1 always metric 5\n\
         ip route 0.0.0.0/0 192.168.1.254 eth0 tag 7 200\n",
    );
    assert_eq!(
        text,
        "hostname = \"r1\"\n\n[interfaces.eth1]\ndescription = \"to r2\"\naddresses = [\"172.16.12.1/24\"]\n\n\
         [interfaces.lo]\naddresses = [\"10.255.0.1/32\"]\n\n[ospf]\nrouter-id = \"10.255.0.1\"\n\n\
         [ospf.interfaces.eth1]\narea = \"0\"\nnetwork-type = \"point-to-point\"\n\n\
         [ospf.interfaces.lo]\narea = \"0\"\npassive = true\n\n\
         [ospf.default-information]\nmetric = 5\nmetric-type = 1\nalways = true\n\n\
         [[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"192.168.1.254\"\ninterface = \"eth0\"\n\
         distance = 200\ntag = 7\n"
    );
}

#[test]
fn settings_of_an_ospf_interface_wait_for_its_area() {
    let mut s = session();
    s.line("interface eth0").unwrap();
    assert!(s.line("ip ospf message-digest-key 1 md5 secret").unwrap().waits_for.is_some());
    assert!(s.line("ip ospf cost 10").unwrap().waits_for.unwrap().contains("ip ospf area"));
    s.line("ip ospf priority 9").unwrap();
    s.line("no ip ospf priority").unwrap();
    assert_eq!((s.document().text(), s.waiting().count()), (String::new(), 2));
    let done = s.line("ip ospf area 0").unwrap();
    assert_eq!(
        done.notes.first().map(String::as_str),
        Some("OSPF needs a router id too: `router ospf`, `ospf router-id A.B.C.D`")
    );
    assert_eq!(done.notes.get(1).map(String::as_str), Some("now in force: ip ospf cost 10"));
    assert_eq!(
        s.waiting().map(|(line, _)| line).collect::<Vec<_>>(),
        ["ip ospf message-digest-key 1 md5 <hidden>"]
    );
    s.line("ip ospf authentication message-digest").unwrap();
    assert_eq!(s.waiting().count(), 0);
    assert_eq!(
        s.document().text(),
        "[ospf.interfaces.eth0]\narea = \"0\"\ncost = 10\n\
         authentication = { type = \"md5\", keys = [{ id = 1, key = \"secret\" }] }\n"
    );
}

#[test]
fn fast_hellos_take_the_place_of_intervals_and_these_theirs() {
    let mut s = session();
    feed(&mut s, "interface eth0\nip ospf area 0\nip ospf hello-interval 2\nip ospf dead-interval 9");
    let done = s.line("ip ospf dead-interval minimal hello-multiplier 4").unwrap();
    assert_eq!(done.notes, ["`ip ospf hello-interval` has no effect beside this and is gone"]);
    let fast = "[ospf.interfaces.eth0]\narea = \"0\"\nhello-multiplier = 4\n";
    assert_eq!(s.document().text(), fast);
    assert!(matches!(s.line("ip ospf hello-interval 2"), Err(LineError::Refused(_))));
    feed(&mut s, "no ip ospf hello-interval");
    assert_eq!(s.document().text(), fast);
    feed(&mut s, "ip ospf dead-interval 9");
    assert_eq!(s.document().text(), "[ospf.interfaces.eth0]\narea = \"0\"\ndead-interval = \"9s\"\n");
    feed(&mut s, "ip ospf dead-interval minimal hello-multiplier 20\nno ip ospf dead-interval");
    assert_eq!(s.document().text(), "[ospf.interfaces.eth0]\narea = \"0\"\n");
    // Before OSPF runs there it waits as the others do, and can be taken back.
    feed(
        &mut s,
        "interface eth1\nip ospf dead-interval minimal hello-multiplier 4\nno ip ospf dead-interval",
    );
    assert_eq!(s.waiting().count(), 0);
    assert!(s.line("ip ospf dead-interval minimal hello-multiplier 21").is_err());
}

#[test]
fn a_network_line_puts_ospf_on_the_interfaces_with_an_address_in_it() {
    let mut s = session();
    feed(
        &mut s,
        "interface eth0\n ip address 10.0.1.1/24\ninterface eth1\n ip address 10.0.2.1/24\n ip ospf cost 5",
    );
    feed(&mut s, "router ospf\n network 10.0.0.0/16 area 0");
    assert_eq!(s.waiting().count(), 0);
    assert!(s.document().has(&["ospf", "interfaces", "eth1", "cost"]));
    assert!(matches!(s.line("network 192.168.0.0/16 area 0"), Err(LineError::Refused(_))));
    feed(&mut s, "passive-interface default\nno passive-interface eth1");
    assert!(s.document().has(&["ospf", "interfaces", "eth0", "passive"]));
    assert!(!s.document().has(&["ospf", "interfaces", "eth1", "passive"]));
    feed(&mut s, "no network 10.0.0.0/16 area 0.0.0.0");
    assert!(!s.document().has(&["ospf", "interfaces"]));
}

#[test]
fn modes_are_entered_and_left_as_in_frr() {
    let mut s = session();
    let mut prompts = vec![s.mode().prompt()];
    for line in
        ["interface eth0", "router ospf", "exit", "bfd", "profile fast", "peer 10.0.0.1", "quit", "quit"]
    {
        assert!(!s.line(line).unwrap().leaves, "{line}");
        prompts.push(s.mode().prompt());
    }
    assert_eq!(
        prompts,
        [
            "(config)",
            "(config-if)",
            "(config-router)",
            "(config)",
            "(config-bfd)",
            "(config-bfd-profile)",
            "(config-bfd-peer)",
            "(config-bfd)",
            "(config)"
        ]
    );
    s.line("interface eth0").unwrap();
    assert!(s.line("end").unwrap().leaves && s.mode() == &Mode::Config);
    assert!(s.line("exit").unwrap().leaves);
}

#[test]
fn a_line_that_fails_changes_nothing() {
    let mut s = session();
    feed(&mut s, "interface eth0\n ip address 10.0.0.1/24\n vrrp 1 ip 10.0.0.9\n ip ospf area 0");
    let before = s.document().text();
    for bad in [
        "ip address 10.0.0.1/16",
        "no ip address 10.9.9.9/24",
        "ip ospf cost 0",
        "ip ospf cost",
        "ip ospf authentication-key waytoolongkey",
        "vrrp 300 priority 1",
        "vrrp 2 name a/b",
        "no vrrp 7",
        "router bgp 65000",
        "no ip route 10.0.0.0/8",
        "ip route 10.0.0.0/8",
        "peer 10.0.0.300",
        "nonsense",
        "ip ospf cost 10 10.0.0.1",
    ] {
        assert!(s.line(bad).is_err(), "{bad}");
        assert_eq!((s.document().text(), s.mode().prompt()), (before.clone(), "(config-if)"), "{bad}");
    }
}

#[test]
fn lines_without_counterpart_say_so_and_mistakes_are_mistakes() {
    let mut s = session();
    assert!(matches!(s.line("router bgp 65000"), Err(LineError::NoCounterpart { opens_block: true, .. })));
    assert!(matches!(
        s.line("log syslog informational"),
        Err(LineError::NoCounterpart { harmless: true, .. })
    ));
    assert!(matches!(s.line("roter ospf"), Err(LineError::Command(_))));
    s.line("router ospf").unwrap();
    assert!(matches!(s.line("area 1 stub"), Err(LineError::NoCounterpart { harmless: false, .. })));
    assert!(matches!(s.line("ip as-path access-list x permit .*"), Err(LineError::NoCounterpart { .. })));
}

#[test]
fn groups_are_found_by_interface_and_vrid() {
    let file = "[vrrp.groups.lan] # the gateway\ninterface = \"eth0\"\nvrid = 10\nvirtual-addresses = [\"10.0.0.9/24\"]\n";
    let mut s = Session::new(Document::parse(file).unwrap());
    feed(
        &mut s,
        "interface eth0\n vrrp 10 priority 200\n vrrp 10 ip 10.0.0.8\n vrrp 11 version 2\n no vrrp 10 ip 10.0.0.9",
    );
    let text = s.document().text();
    assert!(
        text.contains("[vrrp.groups.lan] # the gateway\n")
            && text.contains("virtual-addresses = [\"10.0.0.8\"]"),
        "{text}"
    );
    assert!(text.contains("[vrrp.groups.eth0-11]\n"), "{text}");
    feed(&mut s, "vrrp 11 name v2\nno vrrp 10");
    assert_eq!(s.document().names(&["vrrp", "groups"]), ["v2"]);
}

#[test]
fn a_peer_with_settings_of_its_own_gets_a_profile_of_its_own() {
    let c = config(
        "bfd\nprofile fast\n transmit-interval 20\n receive-interval 3500us\n\
         peer 10.0.0.2 local-address 10.0.0.1 multihop\n profile fast\n detect-multiplier 5\n\
         peer 10.0.0.3 interface eth0 name left\n minimum-ttl 7\n profile fast\n shutdown\n no detect-multiplier\n",
    );
    let peer = |name: &str| c.bfd_peers.get(name).unwrap_or_else(|| panic!("{name}: {:?}", c.bfd_peers));
    let (first, second) = (peer("10.0.0.2-multihop"), peer("left"));
    assert_eq!((first.profile.detect_multiplier, first.profile.receive_interval.as_micros()), (5, 3500));
    assert_eq!((second.profile.minimum_ttl, second.profile.transmit_interval.as_millis()), (7, 20));
    assert!(first.multihop && second.shutdown);
}

#[test]
fn static_routes_come_and_go_in_every_form_of_the_file() {
    let file = "[[static-routes]]\nprefix = \"10.0.0.0/8\"\nnext-hops = [\"10.1.1.1\", { next-hop = \"10.1.1.2\", interface = \"eth0\" }]\n";
    let mut s = Session::new(Document::parse(file).unwrap());
    feed(
        &mut s,
        "ip route 10.0.0.0/8 10.1.1.1\nno ip route 10.0.0.0/8 10.1.1.2 eth0\nip route 0.0.0.0 0.0.0.0 10.1.1.9",
    );
    assert_eq!(
        s.document().text(),
        "[[static-routes]]\nprefix = \"10.0.0.0/8\"\nnext-hops = [\"10.1.1.1\"]\n\n\
         [[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"10.1.1.9\"\n"
    );
    feed(&mut s, "ip route 0.0.0.0/0 10.1.1.9 tag 5\nip route 1.0.0.0/8 Null0 250\nno ip route 10.0.0.0/8");
    assert_eq!(
        s.document().text(),
        "[[static-routes]]\nprefix = \"0.0.0.0/0\"\nnext-hop = \"10.1.1.9\"\ntag = 5\n\n\
         [[static-routes]]\nprefix = \"1.0.0.0/8\"\nblackhole = true\ndistance = 250\n"
    );
    assert!(matches!(s.line("ip route 2.0.0.0/8 10.1.1.9 vrf red"), Err(LineError::NoCounterpart { .. })));
    assert!(matches!(s.line("ip route 2.0.0.0/8 10.1.1.9 weight 7"), Err(LineError::NoCounterpart { .. })));
    feed(&mut s, "ip route 2.0.0.0/8 10.1.1.9 interface vrf\nno ip route 2.0.0.0/8 10.1.1.9 interface vrf");
    feed(&mut s, "no ip route 0.0.0.0/0 10.1.1.9\nno ip route 1.0.0.0/8 blackhole");
    assert_eq!(s.document().text(), "");
}

#[test]
fn every_table_explains_every_word_and_offers_completion() {
    let mut s = session();
    let (candidates, may_end) = s.candidates(&["ip"], "").unwrap();
    assert_eq!(
        candidates.iter().map(|c| c.label.as_str()).collect::<Vec<_>>(),
        ["forwarding", "prefix-list", "route"]
    );
    assert!(!may_end);
    s.line("interface eth0").unwrap();
    let (candidates, _) = s.candidates(&["ip", "ospf"], "a").unwrap();
    let labels: Vec<&str> = candidates.iter().map(|c| c.label.as_str()).collect();
    assert_eq!(labels, ["area", "authentication", "authentication-key"]);
    assert!(candidates.iter().all(|c| !c.help.is_empty()));
}

#[test]
fn an_operators_file_keeps_its_lines_and_its_order() {
    let file = include_str!("../../../../docs/examples/ring5/r1.toml");
    let mut s = Session::new(Document::parse(file).unwrap());
    feed(
        &mut s,
        "interface eth4\n description new\n ip address 172.16.99.1/24\n ip ospf area 0\n ip ospf cost 7\n\
         interface eth1\n ip ospf cost 16\n no description\n\
         interface eth0\n vrrp 11 ip 192.168.1.11\n\
         ip route 10.77.0.0/16 172.16.99.2\n\
         router ospf\n redistribute static metric 30\n timers throttle spf 0 10 100\n\
         bfd\n profile slow\n transmit-interval 1000",
    );
    let text = s.document().text();
    load("r1.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e}"));
    let mut lines = text.lines();
    let changed = ["cost = 15", "description = \"to r5, backup\""];
    for old in file.lines().filter(|l| !changed.contains(l)) {
        assert!(lines.any(|l| l == old), "{old:?} is gone or moved:\n{text}");
    }
    assert!(text.contains("\ncost = 16\n"), "{text}");
    // What is taken back leaves nothing behind.
    feed(
        &mut s,
        "bfd\n no profile slow\nrouter ospf\n no redistribute static\n no timers throttle spf\n\
         no ip route 10.77.0.0/16 172.16.99.2\nno interface eth4\n\
         interface eth0\n no vrrp 11\ninterface eth1\n ip ospf cost 15\n description to r5, backup",
    );
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&s.document().text()), sorted(file));
}

#[test]
fn a_key_is_shown_nowhere_and_its_mask_is_no_key() {
    let mut s = session();
    feed(&mut s, "interface eth0\n ip ospf message-digest-key 1 md5 topsecret\n ip ospf area 0");
    assert!(s.waiting().all(|(line, _)| line.ends_with("<hidden>")));
    let done = s.line("ip ospf authentication message-digest").unwrap();
    assert!(done.notes.iter().all(|n| !n.contains("topsecret")), "{:?}", done.notes);
    assert!(matches!(s.line("ip ospf message-digest-key 2 md5 <hidden>"), Err(LineError::Refused(_))));
}

#[test]
fn entries_of_lists_take_their_places() {
    let mut s = session();
    feed(
        &mut s,
        "ip prefix-list P permit 10.0.0.1/8 le 24\nip prefix-list P seq 7 deny any\nip prefix-list P permit 10.2.0.0/16\n\
         ip prefix-list P permit 10.0.0.0/8 le 24\nip prefix-list P seq 7 permit 10.3.0.0/16 ge 0\n\
         access-list A seq 12 deny 10.1.0.0/16 exact-match\naccess-list A permit any\n\
         no ip prefix-list P permit 10.2.0.0/16\n",
    );
    let text = s.document().text();
    let entry = |list: &str, sequence: u32, action: &str, rest: &str| {
        format!("[[{list}]]\nsequence = {sequence}\naction = \"{action}\"\n{rest}")
    };
    for wanted in [
        entry("prefix-lists.P", 5, "permit", "prefix = \"10.0.0.0/8\"\nle = 24\n"),
        entry("prefix-lists.P", 7, "permit", "prefix = \"10.3.0.0/16\"\n"),
        entry("access-lists.A", 12, "deny", "prefix = \"10.1.0.0/16\"\nexact = true\n"),
        entry("access-lists.A", 15, "permit", "prefix = \"any\"\n"),
    ] {
        assert!(text.contains(&wanted), "{wanted}\n{text}");
    }
    assert_eq!(text.matches("[[").count(), 4, "{text}");
    let wrong = ["ip prefix-list P permit 10.0.0.0/8 ge 7", "ip prefix-list P permit 10.0.0.0/8 ge 20 le 19"];
    let absent =
        ["no ip prefix-list Q", "no access-list A seq 5", "no ip prefix-list P seq 5 deny 10.0.0.0/8 le 24"];
    for line in wrong.into_iter().chain(absent) {
        assert!(matches!(s.line(line), Err(LineError::Refused(_))), "{line}");
    }
    feed(&mut s, "no ip prefix-list P\nno access-list A\n");
    assert!(!s.document().text().contains("-lists"), "{}", s.document().text());
}

#[test]
fn a_route_map_is_changed_entry_by_entry() {
    let file = "[route-maps]\nM = [{ sequence = 10, action = \"permit\", match = { tag = 1 } }] # tagged\n";
    let mut s = Session::new(Document::parse(file).unwrap());
    feed(
        &mut s,
        "route-map M permit 10\n match interface eth0\n no match tag\n set metric +5\nroute-map M deny 20\n description  the  rest\n",
    );
    let text = s.document().text();
    assert!(text.contains("] # tagged\n") && text.contains("match = { interface = \"eth0\" }"), "{text}");
    assert!(text.contains("set = { metric = \"+5\" }") && text.contains("\"the  rest\""), "{text}");
    // Another action begins the entry anew.
    feed(&mut s, "route-map M permit 20\n");
    assert!(!s.document().text().contains("the  rest"));
    assert!(matches!(s.line("no route-map M deny 20"), Err(LineError::Refused(_))));
    feed(&mut s, "no route-map M permit 20\nno route-map M permit 10\n");
    assert_eq!(s.document().text().trim(), "");
}

#[test]
fn announcing_names_its_filters() {
    let lines = "router ospf\n ospf router-id 10.0.0.1\n redistribute static route-map M metric 5\n \
                 distribute-list A out static\n default-information originate always route-map M\n";
    let mut s = session();
    feed(&mut s, lines);
    let found = routing_common::config::load("x", &s.document().text()).unwrap_err();
    assert!(found.is_incomplete(), "the lists may come later: {found}");
    feed(&mut s, "route-map M permit 10\naccess-list A permit 10.0.0.0/8\n");
    let ospf = routing_common::config::load("x", &s.document().text()).unwrap().config.ospf.unwrap();
    assert_eq!(ospf.redistribute_static.unwrap().route_map.unwrap().name, "M");
    assert_eq!(ospf.distribute_static.unwrap().name, "A");
    assert_eq!(ospf.default_information.unwrap().metric, 1);
    feed(&mut s, "router ospf\n redistribute static\n");
    assert!(matches!(s.line("no distribute-list B out static"), Err(LineError::Refused(_))));
    feed(&mut s, " no distribute-list A out static\n");
    let text = s.document().text();
    assert!(text.contains("[ospf.redistribute.static]\n") && !text.contains("distribute-list"), "{text}");
}

#[test]
fn mistakes_are_told_without_secrets() {
    let mut s = session();
    s.line("interface eth0").unwrap();
    for line in ["ip ospf authentication-key a hunter2", "ip ospf auth a hunter2", "ip ospf me 1 m a hunter2"]
    {
        let told = s.line(line).unwrap_err().to_string();
        assert!(told.contains("<hidden>") && !told.contains("hunter2"), "{told}");
    }
}
