//! Files that are right, and the values they yield.

use super::super::*;
use super::{accepted, warned};
use crate::id::{AreaId, InterfaceName, RouterId, Vrid};
use crate::policy::Policy;
use std::collections::BTreeMap;
use std::time::Duration;

const DESIGN: &str = r#"
hostname = "r1"
defaults = "traditional"

[interfaces.eth0]
description = "LAN"
addresses = ["192.168.1.1/24"]

[interfaces.eth1]
addresses = ["172.16.12.1/24"]

[interfaces.eth2]
addresses = ["10.10.1.1/24"]

[interfaces.lo]
addresses = ["10.255.0.1/32"]

[[static-routes]]
prefix = "0.0.0.0/0"
next-hop = "192.168.1.254"
interface = "eth0"
distance = 1

[ospf]
router-id = "10.255.0.1"

[ospf.default-information]
originate = true
always = false
metric = 10
metric-type = 2

[ospf.interfaces.eth1]
area = "0.0.0.0"
network-type = "point-to-point"
cost = 10
hello-interval = "10s"
dead-interval = "40s"

[ospf.interfaces.eth2]
area = "0.0.0.0"
passive = true

[vrrp.groups.lan]
interface = "eth0"
vrid = 10
version = 3
priority = 200
advertisement-interval = "1s"
virtual-addresses = ["192.168.1.10/24"]
preempt = true
"#;

fn name(s: &str) -> InterfaceName {
    s.parse().unwrap()
}

fn interface(description: Option<&str>, address: &str) -> InterfaceConfig {
    InterfaceConfig { description: description.map(str::to_owned), addresses: vec![address.parse().unwrap()] }
}

fn ospf_defaults() -> OspfInterfaceConfig {
    OspfInterfaceConfig {
        area: AreaId::BACKBONE,
        network_type: NetworkType::Broadcast,
        cost: None,
        hello_interval: Duration::from_secs(10),
        dead_interval: Duration::from_secs(40),
        retransmit_interval: Duration::from_secs(5),
        transmit_delay: Duration::from_secs(1),
        priority: 1,
        passive: false,
        mtu_ignore: false,
        authentication: OspfAuthentication::Null,
        bfd: None,
    }
}

fn expected_ospf() -> OspfConfig {
    let eth1 =
        OspfInterfaceConfig { network_type: NetworkType::PointToPoint, cost: Some(10), ..ospf_defaults() };
    let eth2 = OspfInterfaceConfig { passive: true, ..ospf_defaults() };
    OspfConfig {
        router_id: RouterId([10, 255, 0, 1].into()),
        interfaces: BTreeMap::from([(name("eth1"), eth1), (name("eth2"), eth2)]),
        default_information: Some(DefaultInformation {
            always: false,
            metric: 10,
            metric_type: MetricType::Type2,
            route_map: None,
        }),
        redistribute_connected: None,
        redistribute_static: None,
        distribute_connected: None,
        distribute_static: None,
        reference_bandwidth: 100_000,
        distance: 110,
        maximum_paths: 64,
        rfc1583_compatibility: false,
        spf: SpfTimers::default(),
        min_ls_interval: Duration::from_secs(5),
        min_ls_arrival: Duration::from_secs(1),
        graceful_restart: GracefulRestart::default(),
        max_metric: MaxMetric::default(),
        fast_reroute: false,
    }
}

fn expected_group() -> VrrpGroup {
    VrrpGroup {
        interface: name("eth0"),
        vrid: Vrid::new(10).unwrap(),
        version: VrrpVersion::V3,
        priority: 200,
        advertisement_interval: Duration::from_secs(1),
        virtual_addresses: vec!["192.168.1.10/24".parse().unwrap()],
        preempt: true,
        preempt_delay: Duration::ZERO,
        preempt_routes_wait: Duration::from_secs(60),
        accelerate: true,
        accept: true,
        virtual_mac: true,
        checksum: VrrpChecksum::Rfc5798,
    }
}

#[test]
fn the_example_of_the_design_yields_exactly_this() {
    let expected = Config {
        hostname: "r1".into(),
        defaults: Defaults::Traditional,
        interfaces: BTreeMap::from([
            (name("eth0"), interface(Some("LAN"), "192.168.1.1/24")),
            (name("eth1"), interface(None, "172.16.12.1/24")),
            (name("eth2"), interface(None, "10.10.1.1/24")),
            (name("lo"), interface(None, "10.255.0.1/32")),
        ]),
        static_routes: vec![StaticRoute {
            prefix: "0.0.0.0/0".parse().unwrap(),
            target: StaticTarget::Gateway {
                address: [192, 168, 1, 254].into(),
                interface: Some(name("eth0")),
            },
            distance: 1,
            tag: 0,
        }],
        policy: Policy::default(),
        access: AccessConfig::default(),
        key_chains: BTreeMap::new(),
        rib: RibConfig::default(),
        ospf: Some(expected_ospf()),
        vrrp_groups: BTreeMap::from([("lan".into(), expected_group())]),
        bfd_peers: BTreeMap::new(),
    };
    let config = accepted(DESIGN);
    assert_eq!(config, expected);
    let virtuals: Vec<_> = config.virtual_addresses().map(|(i, a)| format!("{i} {a}")).collect();
    assert_eq!(virtuals, ["eth0 192.168.1.10/24"]);
    assert_eq!(config.interface_names().len(), 4);
}

#[test]
fn an_empty_file_is_a_router_without_protocols() {
    let config = accepted("");
    assert_eq!((config.hostname.as_str(), config.ospf, config.rib), ("router", None, RibConfig::default()));
}

#[test]
fn schema_and_model_agree_on_the_defaults_of_tables_that_may_be_absent() {
    let text = "[rib]\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.spf]\n";
    let config = accepted(text);
    assert_eq!(config.rib, RibConfig::default());
    assert_eq!(config.ospf.unwrap().spf, SpfTimers::default());
}

#[test]
fn ring_shortens_the_timers_and_written_keys_win() {
    let text = "defaults = \"ring\"\n[interfaces.e0]\naddresses = [\"10.0.0.1/24\"]\n[interfaces.e1]\n\
        [ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.e0]\n[ospf.interfaces.e1]\nhello-interval = \"2s\"\n\
        retransmit-interval = \"1s\"\n\
        [vrrp.groups.a]\ninterface = \"e0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9\"]\n\
        [vrrp.groups.b]\ninterface = \"e0\"\nvrid = 2\nversion = 2\nvirtual-addresses = [\"10.0.0.8\"]\n";
    let config = accepted(text);
    let ospf = config.ospf.unwrap();
    let timers = |n: &str| {
        let i = &ospf.interfaces[&name(n)];
        [i.hello_interval, i.dead_interval, i.retransmit_interval].map(format_duration)
    };
    assert_eq!(timers("e0"), ["1s", "4s", "200ms"]);
    assert_eq!(
        [ospf.min_ls_interval, ospf.min_ls_arrival, ospf.spf.short_delay, ospf.spf.long_delay]
            .map(format_duration),
        ["100ms", "50ms", "5ms", "50ms"]
    );
    assert_eq!(timers("e1"), ["2s", "8s", "1s"]);
    let group = |n: &str| config.vrrp_groups[n].clone();
    assert_eq!(group("a").advertisement_interval, Duration::from_millis(10));
    assert_eq!(group("b").advertisement_interval, Duration::from_secs(1));
    assert_eq!(group("a").virtual_addresses, ["10.0.0.9/24".parse().unwrap()]);
}

#[test]
fn static_routes_have_four_forms_and_several_next_hops_become_several_routes() {
    let text = r#"
[interfaces.eth0]
addresses = ["10.0.0.1/24"]
[[static-routes]]
prefix = "10.1.0.0/16"
next-hop = "10.0.0.2"
[[static-routes]]
prefix = "10.2.0.0/16"
interface = "eth0"
tag = 7
[[static-routes]]
prefix = "10.3.0.0/16"
blackhole = true
distance = 250
[[static-routes]]
prefix = "10.4.0.0/16"
next-hops = ["10.0.0.2", { next-hop = "10.0.0.3", interface = "eth0" }, { interface = "eth0" }]
"#;
    let shown: Vec<_> = accepted(text)
        .static_routes
        .iter()
        .map(|r| format!("{} {:?} {} {}", r.prefix, r.target, r.distance, r.tag))
        .collect();
    assert_eq!(
        shown,
        [
            "10.1.0.0/16 Gateway { address: 10.0.0.2, interface: None } 1 0",
            "10.2.0.0/16 Interface(\"eth0\") 1 7",
            "10.3.0.0/16 Blackhole 250 0",
            "10.4.0.0/16 Gateway { address: 10.0.0.2, interface: None } 1 0",
            "10.4.0.0/16 Gateway { address: 10.0.0.3, interface: Some(\"eth0\") } 1 0",
            "10.4.0.0/16 Interface(\"eth0\") 1 0",
        ]
    );
}

#[test]
fn authentication_is_a_word_or_a_table() {
    let text = r#"
[interfaces.a]
[interfaces.b]
[interfaces.c]
[ospf]
router-id = "1.1.1.1"
[ospf.interfaces.a]
authentication = "null"
[ospf.interfaces.b]
authentication = { type = "simple", key = "12345678" }
[ospf.interfaces.c]
authentication = { type = "md5", keys = [{ id = 1, key = "old" }, { id = 2, key = "0123456789abcdef" }] }
"#;
    let ospf = accepted(text).ospf.unwrap();
    let of = |n: &str| ospf.interfaces[&name(n)].authentication.clone();
    assert_eq!(of("a"), OspfAuthentication::Null);
    assert_eq!(of("b"), OspfAuthentication::Simple(Secret::new("12345678")));
    let key = |id, s: &str| Md5Key { id, secret: Secret::new(s) };
    assert_eq!(of("c"), OspfAuthentication::Md5(vec![key(1, "old"), key(2, "0123456789abcdef")]));
}

#[test]
fn redistribution_and_default_information_take_defaults_and_can_be_switched_off() {
    let text = "[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.redistribute.connected]\n\
        [ospf.redistribute.static]\nmetric = 5\nmetric-type = 1\n[ospf.default-information]\noriginate = false\n";
    let ospf = accepted(text).ospf.unwrap();
    let policy = |metric, metric_type| Some(RedistributePolicy { metric, metric_type, route_map: None });
    assert_eq!(ospf.redistribute_connected, policy(20, MetricType::Type2));
    assert_eq!(ospf.redistribute_static, policy(5, MetricType::Type1));
    assert_eq!(ospf.default_information, None);
}

#[test]
fn unnumbered_links_share_a_host_address_and_small_subnets_use_all_of_theirs() {
    let text = "[interfaces.lo]\naddresses = [\"10.255.0.1/32\", \"127.0.0.1/8\"]\n[interfaces.e0]\naddresses = \
        [\"10.255.0.1/32\"]\n[interfaces.e1]\naddresses = [\"10.0.0.0/31\"]\n[interfaces.e2]\naddresses = \
        [\"10.0.1.1/24\", \"10.0.1.2/24\"]\n";
    assert_eq!(accepted(text).interfaces.len(), 4);
}

#[test]
fn the_owner_has_priority_255() {
    let text = "[interfaces.e0]\naddresses = [\"10.0.0.1/24\"]\n[vrrp.groups.a]\ninterface = \"e0\"\nvrid = 1\n\
        priority = 255\nvirtual-addresses = [\"10.0.0.1\"]\n";
    assert_eq!(accepted(text).vrrp_groups["a"].priority, 255);
}

#[test]
fn interfaces_configured_elsewhere_and_idle_keys_are_only_warned_about() {
    let text = "[interfaces.eth0]\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.eth9]\n\
        [[static-routes]]\nprefix = \"10.0.0.0/8\"\ninterface = \"wan\"\n\
        [vrrp.groups.a]\ninterface = \"br0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9/24\"]\n\
        preempt = false\npreempt-delay = \"5s\"\n";
    assert_eq!(
        warned(text),
        [
            "4:18 interface `eth9` has no table [interfaces.eth9]",
            "7:13 interface `wan` has no table [interfaces.wan]",
            "9:13 interface `br0` has no table [interfaces.br0]",
            "13:17 `preempt-delay` has no effect without `preempt`",
        ]
    );
}

#[test]
fn fast_hellos_share_a_second() {
    for hellos in 2..=20 {
        let text = format!(
            "defaults = \"ring\"\n[interfaces.e0]\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.e0]\n\
             hello-multiplier = {hellos}\n"
        );
        for text in [text.clone(), format!("{text}dead-interval = \"1s\"\n")] {
            let on = accepted(&text).ospf.unwrap().interfaces[&name("e0")].clone();
            assert_eq!((on.hello_multiplier(), on.dead_interval), (Some(hellos), Duration::from_secs(1)));
            assert_eq!(on.hello_interval.as_millis(), 1000 / hellos);
        }
    }
}

#[test]
fn max_metric_is_for_who_asks_for_it() {
    let of = |text: &str| {
        let file = format!("[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.max-metric]\n{text}");
        accepted(&file).ospf.unwrap().max_metric
    };
    assert_eq!(of(""), MaxMetric::default());
    let seconds = |n| Some(Duration::from_secs(n));
    let all = MaxMetric { administrative: true, on_startup: seconds(86_400), on_shutdown: seconds(5) };
    assert_eq!(of("administrative = true\non-startup = \"24h\"\non-shutdown = \"5s\"\n"), all);
}

#[test]
fn fast_reroute_is_off_until_it_is_turned_on() {
    let of = |text: &str| {
        let file = format!("[ospf]\nrouter-id = \"1.1.1.1\"\n{text}");
        accepted(&file).ospf.unwrap().fast_reroute
    };
    assert!(!of(""));
    assert!(!of("[ospf.fast-reroute]\n"));
    assert!(of("[ospf.fast-reroute]\nenabled = true\n"));
}

#[test]
fn graceful_restart_is_on_until_it_is_turned_off() {
    let of = |text: &str| {
        let file = format!("[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.graceful-restart]\n{text}");
        accepted(&file).ospf.unwrap().graceful_restart
    };
    assert_eq!(of(""), GracefulRestart::default());
    let all = "enabled = false\ngrace-period = \"30s\"\nhelper = false\nstrict-lsa-checking = false\n";
    let grace_period = Duration::from_secs(30);
    let off = GracefulRestart { enabled: false, grace_period, helper: false, strict_lsa_checking: false };
    assert_eq!(of(all), off);
}

#[test]
fn groups_of_the_host_may_look_or_change() {
    let access = |text: &str| accepted(text).access;
    assert_eq!(access(""), AccessConfig::default());
    let both = access("[access]\noperators = \"torc\"\nreaders = \"998\"");
    assert_eq!(both.operators, Some(UserGroup::Name("torc".into())));
    assert_eq!(both.readers, Some(UserGroup::Id(998)));
}

#[test]
fn a_masked_text_says_everything_but_the_keys() {
    let text = "# key = 'former'\n[interfaces.e0]\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.e0]\nauthentication = { type = \"md5\", \
                keys = [{ id = 1, key = \"geheim\" }, { id = 2, \"k\\u0065y\" = \"other\" }] }\n";
    let shown = masked(text).unwrap();
    for secret in ["former", "geheim", "other"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(shown.matches("\"********\"").count(), 3, "{shown}");
    let usual = accepted(&shown).ospf.unwrap();
    assert_eq!(usual.interfaces.len(), 1, "and it is a configuration");
    assert_eq!(masked("hostname = "), None);
    assert_eq!(masked("hostnam = \"a\""), None);
    assert_eq!(masked("hostname = \"a\"\n").as_deref(), Some("hostname = \"a\"\n"));
}
