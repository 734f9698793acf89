//! `[bfd]` and the `bfd` keys of OSPF: right and wrong.

use super::super::*;
use super::{accepted, refused, warned};
use crate::id::InterfaceName;
use std::net::Ipv4Addr;
use std::time::Duration;

fn name(n: &str) -> InterfaceName {
    n.parse().unwrap()
}

/// Two interfaces, 10.0.0.1/24 on e0 and 10.0.1.1/24 on e1, and the rest.
fn router(rest: &str) -> String {
    format!(
        "[interfaces.e0]\naddresses = [\"10.0.0.1/24\"]\n[interfaces.e1]\naddresses = [\"10.0.1.1/24\"]\n{rest}"
    )
}

/// The names of the profiles of e0 (point-to-point), e1 (broadcast) and e2 (passive).
fn on_ospf(head: &str, ospf: &str, [e0, e1, e2]: [&str; 3]) -> [Option<String>; 3] {
    let text = format!(
        "{head}\n[interfaces.e0]\n[interfaces.e1]\n[interfaces.e2]\n[bfd.profiles.fast]\n\
         transmit-interval = \"3.3ms\"\n[ospf]\nrouter-id = \"1.1.1.1\"\n{ospf}\n\
         [ospf.interfaces.e0]\nnetwork-type = \"point-to-point\"\n{e0}\n[ospf.interfaces.e1]\n{e1}\n\
         [ospf.interfaces.e2]\nnetwork-type = \"point-to-point\"\npassive = true\n{e2}\n"
    );
    let config = accepted(&text);
    let on = config.ospf.as_ref().unwrap().interfaces.clone();
    let shown = ["e0", "e1", "e2"].map(|n| on[&name(n)].bfd.as_ref().map(|p| p.name.clone()));
    assert_eq!(config.uses_bfd(), shown.iter().any(Option::is_some));
    shown
}

#[test]
fn an_ospf_interface_has_its_own_word_then_that_of_ospf_then_that_of_the_defaults() {
    let [d, f] = ["default", "fast"].map(|s| Some(s.to_owned()));
    let ring = "defaults = \"ring\"";
    assert_eq!(on_ospf("", "", ["", "", ""]), [None, None, None]);
    assert_eq!(on_ospf("", "", ["bfd = true", "", ""]), [d.clone(), None, None]);
    assert_eq!(on_ospf("", "bfd = true", ["", "", ""]), [d.clone(), d.clone(), None]);
    assert_eq!(on_ospf("", "bfd = \"fast\"", ["", "bfd = false", ""]), [f.clone(), None, None]);
    assert_eq!(on_ospf("", "bfd = true", ["bfd = \"fast\"", "", ""]), [f, d.clone(), None]);
    assert_eq!(on_ospf(ring, "", ["", "", ""]), [d.clone(), d.clone(), None]);
    assert_eq!(on_ospf(ring, "", ["bfd = false", "", ""]), [None, d.clone(), None]);
    assert_eq!(on_ospf(ring, "", ["", "bfd = false", ""]), [d.clone(), None, None]);
    assert_eq!(on_ospf(ring, "bfd = false", ["", "bfd = true", ""]), [None, d, None]);
}

#[test]
fn profiles_begin_with_the_defaults_and_default_can_be_written() {
    let point_to_point = "[ospf]\nrouter-id = \"1.1.1.1\"\nbfd = true\n[ospf.interfaces.e0]\n";
    let of = |text: &str| accepted(text).ospf.unwrap().interfaces[&name("e0")].bfd.clone().unwrap();
    let usual = of(&router(point_to_point));
    let built_in = BfdProfile {
        name: "default".into(),
        transmit_interval: Duration::from_millis(300),
        receive_interval: Duration::from_millis(300),
        detect_multiplier: 3,
        passive: false,
        minimum_ttl: 254,
    };
    assert_eq!(usual, built_in);
    let ring = of(&format!("defaults = \"ring\"\n{}", router(point_to_point)));
    let ten = Duration::from_millis(10);
    assert_eq!(ring, BfdProfile { transmit_interval: ten, receive_interval: ten, ..built_in.clone() });
    let written = "[bfd.profiles.default]\nreceive-interval = \"3.3ms\"\ndetect-multiplier = 255\n\
                   passive = true\nminimum-ttl = 200\n";
    let expected = BfdProfile {
        receive_interval: Duration::from_micros(3_300),
        detect_multiplier: 255,
        passive: true,
        minimum_ttl: 200,
        ..built_in
    };
    assert_eq!(of(&router(&format!("{point_to_point}{written}"))), expected);
}

#[test]
fn peers_are_read() {
    let text = router(
        "[bfd.profiles.slow]\ntransmit-interval = \"60s\"\n\
         [bfd.peers.a]\naddress = \"10.0.0.2\"\ninterface = \"e0\"\nlocal-address = \"10.0.0.1\"\n\
         [bfd.peers.b]\naddress = \"10.0.1.2\"\nprofile = \"slow\"\nshutdown = true\n\
         [bfd.peers.c]\naddress = \"10.9.0.2\"\nmultihop = true\nlocal-address = \"10.255.0.1\"\n",
    );
    let config = accepted(&text);
    assert!(config.uses_bfd());
    let [a, b, c] = ["a", "b", "c"].map(|n| config.bfd_peers[n].clone());
    assert_eq!((a.address, a.interface), (Ipv4Addr::new(10, 0, 0, 2), Some(name("e0"))));
    assert_eq!((a.local_address, a.multihop, a.shutdown), (Some(Ipv4Addr::new(10, 0, 0, 1)), false, false));
    assert_eq!(a.profile.name, "default");
    assert_eq!((b.interface, b.shutdown, b.profile.transmit_interval), (None, true, Duration::from_secs(60)));
    assert!(c.multihop && c.interface.is_none());
}

fn peer(keys: &str) -> Vec<String> {
    refused(&router(&format!("[bfd.peers.a]\n{keys}\n")))
}

#[test]
fn mistakes_of_peers_are_refused() {
    assert_eq!(peer(""), ["5:12 missing key `address` in `bfd.peers.NAME`"]);
    assert_eq!(peer("address = \"10.0.0.1\""), ["6:11 10.0.0.1 is this router's own address on `e0`"]);
    assert_eq!(peer("address = \"224.0.0.5\""), ["6:11 224.0.0.5 is a multicast address (224.0.0.0/4)"]);
    assert_eq!(
        peer("address = \"10.0.0.2\"\ninterface = \"e0\"\nmultihop = true"),
        ["7:13 `interface` cannot stand with `multihop`"]
    );
    assert_eq!(
        peer("address = \"10.0.0.2\"\nprofile = \"fats\"\n[bfd.profiles.fast]"),
        ["7:11 there is no BFD profile \"fats\""]
    );
    assert_eq!(
        peer("address = \"10.0.0.2\"\ninterface = \"e0\"\nlocal-address = \"10.0.0.7\""),
        ["8:17 10.0.0.7 is no address of `e0`"]
    );
    assert_eq!(
        peer("address = \"10.0.0.2\"\nlocal-address = \"0.0.0.0\""),
        ["7:17 0.0.0.0 is no host address (0.0.0.0/8)"]
    );
    assert_eq!(
        peer("address = \"10.0.0.2\"\n[bfd.peers.b]\naddress = \"10.0.0.2\"\ninterface = \"e0\""),
        ["7:12 the session with 10.0.0.2 is already that of peer `a`"]
    );
    assert_eq!(
        refused(&router("[bfd.peers.\"a b\"]\naddress = \"10.0.0.2\"\n")),
        ["5:12 a BFD peer cannot be called \"a b\""]
    );
}

#[test]
fn mistakes_of_profiles_and_of_ospf_are_refused() {
    let profile = |keys: &str| refused(&format!("[bfd.profiles.p]\n{keys}\n"));
    assert_eq!(profile("transmit-interval = \"2ms\""), ["2:21 `transmit-interval` is out of range"]);
    assert_eq!(profile("receive-interval = \"61s\""), ["2:20 `receive-interval` is out of range"]);
    assert_eq!(profile("detect-multiplier = 1"), ["2:21 `detect-multiplier` is out of range"]);
    assert_eq!(profile("minimum-ttl = 255"), ["2:15 `minimum-ttl` is out of range"]);
    assert_eq!(refused("[bfd.profiles.\"\"]\n"), ["1:15 a BFD profile cannot be called \"\""]);
    let ospf = |key: &str| {
        refused(&router(&format!("[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.e0]\nbfd = {key}\n")))
    };
    assert_eq!(ospf("3"), ["8:7 this is a whole number"]);
    assert_eq!(ospf("\"defualt\""), ["8:7 there is no BFD profile \"defualt\""]);
    let found = load("r", &router("[ospf]\nrouter-id = \"1.1.1.1\"\nbfd = \"defualt\"\n")).unwrap_err();
    assert_eq!(found.iter().next().unwrap().hint, "did you mean \"default\"?");
}

#[test]
fn idle_bfd_is_only_warned_about() {
    let passive = "[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.e0]\npassive = true\nbfd = true\n";
    assert_eq!(warned(&router(passive)), ["7:18 `bfd` has no effect on a passive interface"]);
    let far = "[bfd.peers.a]\naddress = \"10.9.0.2\"\n";
    assert_eq!(warned(&router(far)), ["5:12 10.9.0.2 is in no subnet of this file"]);
}
