//! Files that are valid by construction, with every key there is now and then.

use proptest::prelude::*;
use proptest::sample::select;

/// Names of interfaces, some of which look like words of the grammar.
const INTERFACES: [&str; 8] = ["eth0", "br-lan.7", "t", "null0", "10", "vrf", "a@\u{fc}", "1.2.300"];

type Text = BoxedStrategy<String>;

/// `name = value`, or nothing.
fn key(name: &'static str, value: impl Strategy<Value = String> + 'static) -> Text {
    prop_oneof![Just(String::new()), value.prop_map(move |v| format!("{name} = {v}\n"))].boxed()
}

fn quoted(value: impl Strategy<Value = String> + 'static) -> Text {
    // A Debug string is a TOML string but for the escapes of other characters, which none of ours need.
    value.prop_map(|v| format!("\"{v}\"")).boxed()
}

fn number(range: core::ops::RangeInclusive<u32>) -> Text {
    range.prop_map(|n| n.to_string()).boxed()
}

fn millis(range: core::ops::RangeInclusive<u32>, step: u32) -> Text {
    quoted(range.prop_map(move |n| format!("{}ms", n * step)))
}

fn seconds(range: core::ops::RangeInclusive<u32>) -> Text {
    quoted(range.prop_map(|n| format!("{n}s")))
}

fn switch() -> Text {
    any::<bool>().prop_map(|b| b.to_string()).boxed()
}

/// One text of several, one after the other.
fn all(parts: Vec<Text>) -> Text {
    parts.prop_map(|p| p.concat()).boxed()
}

/// A text as a TOML literal, whatever is in it.
fn literal(text: &str) -> String {
    let escaped: String = text.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
    format!("\"{escaped}\"")
}

fn free_text() -> Text {
    let some = select(vec!["", " to r2 ", "\"r2\"", "# no comment", "two  blanks", "no", "exit", "!"]);
    prop_oneof![some.prop_map(str::to_owned), "\\PC{0,20}"].prop_map(|t| literal(&t)).boxed()
}

fn secret(longest: usize) -> Text {
    let any_text = "[ -~\u{1}\n]{1,16}".prop_map(move |s| s.chars().take(longest).collect::<String>());
    let some =
        select(vec!["secret", "<hidden>", "\"a\"", "\"\\u{20}"]).prop_map(|s| s.chars().take(8).collect());
    prop_oneof![any_text, some].prop_map(|s: String| literal(&s)).boxed()
}

fn interface(n: usize) -> Text {
    let addresses = select(vec![
        format!("[\"10.{n}.0.1/24\"]"),
        format!("[\"10.{n}.0.1/24\", \"10.{n}.8.1/22\"]"),
        format!("[\"10.{n}.0.1/24\", \"10.{n}.0.2/16\"]"),
        "[]".to_owned(),
    ]);
    let table = all(vec![key("description", free_text()), key("addresses", addresses)]);
    let head = format!("[interfaces.\"{}\"]\n", INTERFACES[n]);
    prop_oneof![1 => Just(String::new()), 3 => table.prop_map(move |t| format!("{head}{t}"))].boxed()
}

fn static_routes() -> Text {
    let interface = || select(INTERFACES.to_vec());
    let target = prop_oneof![
        Just("next-hop = \"10.99.0.1\"\n".to_owned()),
        interface().prop_map(|i| format!("next-hop = \"10.99.0.1\"\ninterface = \"{i}\"\n")),
        interface().prop_map(|i| format!("interface = \"{i}\"\n")),
        Just("blackhole = true\n".to_owned()),
        interface().prop_map(|i| format!(
            "next-hops = [\"10.99.0.2\", {{ next-hop = \"10.99.0.3\", interface = \"{i}\" }}, {{ interface = \"{i}\" }}]\n"
        )),
    ];
    let route = (target, key("distance", number(1..=255)), key("tag", number(0..=u32::MAX)));
    proptest::collection::vec(route, 0..4)
        .prop_map(|routes| {
            let text = |(n, (target, distance, tag)): (usize, (String, String, String))| {
                let prefix = if n == 0 { "0.0.0.0/0".to_owned() } else { format!("20.{n}.0.0/16") };
                format!("[[static-routes]]\nprefix = \"{prefix}\"\n{target}{distance}{tag}")
            };
            routes.into_iter().enumerate().map(text).collect()
        })
        .boxed()
}

fn profile_name() -> Text {
    select(vec!["default", "fast", "A.b-1_"]).prop_map(str::to_owned).boxed()
}

fn bfd_switch() -> Text {
    key("bfd", prop_oneof![switch(), quoted(profile_name())])
}

fn authentication() -> Text {
    let simple = secret(8).prop_map(|k| format!("{{ type = \"simple\", key = {k} }}"));
    let md5 = (secret(16), secret(16), 0u8..=255).prop_map(|(a, b, id)| {
        let other = id.wrapping_add(7);
        format!("{{ type = \"md5\", keys = [{{ id = {id}, key = {a} }}, {{ id = {other}, key = {b} }}] }}")
    });
    let chain =
        select(KEY_CHAINS.to_vec()).prop_map(|c| format!("{{ type = \"key-chain\", key-chain = \"{c}\" }}"));
    key("authentication", prop_oneof![Just("\"null\"".to_owned()), simple, md5, chain])
}

/// Names of key chains, some of which look like words of the grammar.
const KEY_CHAINS: [&str; 2] = ["C:1", "null"];

/// A lifetime of a key, or none.
fn lifetime(name: &'static str) -> Text {
    let date = |seconds| routing_common::render::utc(seconds);
    let (first, last) = (725_846_400u64, 253_402_300_799u64);
    let span = (first..4_000_000_000, prop::option::of(1..=last - 4_000_000_000)).prop_map(
        move |(start, length)| {
            let end = length.map(|l| format!(", end = \"{}\"", date(start + l))).unwrap_or_default();
            format!("{{ start = \"{}\"{end} }}", date(start))
        },
    );
    key(name, span)
}

fn key_chain(name: &str) -> Text {
    let secret_of = |algorithm| secret(if algorithm == "md5" { 16 } else { 100 });
    let words = vec!["md5", "hmac-sha-1", "hmac-sha-256", "hmac-sha-384", "hmac-sha-512"];
    let method = select(words).prop_flat_map(move |a| (Just(a), secret_of(a)));
    let method = method.prop_map(|(a, k)| format!("algorithm = \"{a}\"\nkey = {k}\n"));
    let one = (any::<u8>(), method, lifetime("send-lifetime"), lifetime("accept-lifetime"));
    let head = format!("[[key-chains.\"{name}\"]]");
    proptest::collection::vec(one, 1..4)
        .prop_map(move |mut keys| {
            let mut seen = std::collections::BTreeSet::new();
            keys.retain(|(id, ..)| seen.insert(*id));
            keys.iter().map(|(id, k, s, a)| format!("{head}\nid = {id}\n{k}{s}{a}")).collect()
        })
        .boxed()
}

fn ospf_interface(n: usize, area: &'static str) -> Text {
    let intervals =
        (prop::option::of(1u32..=60), prop::option::of(61u32..=65_535)).prop_map(|(hello, dead)| {
            let line =
                |name: &str, n: Option<u32>| n.map(|n| format!("{name} = \"{n}s\"\n")).unwrap_or_default();
            line("hello-interval", hello) + &line("dead-interval", dead)
        });
    let fast = number(2..=20).prop_map(|hellos| format!("hello-multiplier = {hellos}\n"));
    let network = select(vec!["broadcast", "point-to-point"]).prop_map(str::to_owned);
    let table = all(vec![
        Just(format!("area = \"{area}\"\n")).boxed(),
        prop_oneof![3 => intervals, 1 => fast].boxed(),
        key("network-type", quoted(network)),
        key("cost", number(1..=65_535)),
        key("retransmit-interval", prop_oneof![millis(50..=9000, 1), seconds(1..=65_535)]),
        key("transmit-delay", seconds(1..=65_535)),
        key("priority", number(0..=255)),
        key("passive", switch()),
        key("mtu-ignore", switch()),
        authentication(),
        bfd_switch(),
    ]);
    let head = format!("[ospf.interfaces.\"{}\"]\n", INTERFACES[n]);
    prop_oneof![Just(String::new()), table.prop_map(move |t| format!("{head}{t}"))].boxed()
}

fn metrics() -> Text {
    all(vec![key("metric", number(0..=16_777_214)), key("metric-type", number(1..=2))])
}

fn optional_table(head: &'static str, inner: Text) -> Text {
    prop_oneof![Just(String::new()), inner.prop_map(move |t| format!("{head}\n{t}"))].boxed()
}

/// Names of prefix lists, access lists and route maps, some of which look like words of the grammar.
const PREFIX_LISTS: [&str; 2] = ["P:lan/1", "seq"];
const ACCESS_LISTS: [&str; 2] = ["10", "p"];
const ROUTE_MAPS: [&str; 2] = ["OUT", "permit"];

fn action() -> Text {
    select(vec!["action = \"permit\"\n", "action = \"deny\"\n"]).prop_map(str::to_owned).boxed()
}

/// Entries of one list; sequences in any order.
fn entries(head: String, most: usize, entry: impl Strategy<Value = String> + 'static) -> Text {
    let one = (1u32..=60_000, entry);
    proptest::collection::vec(one, 1..most)
        .prop_map(move |mut entries| {
            let mut seen = std::collections::BTreeSet::new();
            entries.retain(|(sequence, _)| seen.insert(*sequence));
            entries.iter().map(|(n, e)| format!("{head}\nsequence = {n}\n{e}")).collect()
        })
        .boxed()
}

fn prefix_list(name: &str) -> Text {
    let bounds = (0u32..=2, 0u32..3, 0u32..3).prop_map(|(which, more, longer)| {
        let (ge, le) = (format!("ge = {}\n", 16 + more), format!("le = {}\n", 18 + longer * 7));
        [String::new(), ge.clone(), ge + &le].get(which as usize).cloned().unwrap_or_default()
    });
    let bounded = (0u8..9, bounds).prop_map(|(n, b)| format!("prefix = \"10.{n}.0.0/16\"\n{b}"));
    let whole = select(vec![
        "prefix = \"any\"\n",
        "prefix = \"0.0.0.0/0\"\n",
        "prefix = \"0.0.0.0/0\"\nge = 32\n",
        "prefix = \"0.0.0.0/0\"\nle = 32\n",
        "prefix = \"0.0.0.0/0\"\nge = 1\nle = 32\n",
    ]);
    let what = prop_oneof![3 => bounded, 1 => whole.prop_map(str::to_owned)];
    entries(format!("[[prefix-lists.\"{name}\"]]"), 5, all(vec![action(), what.boxed()]))
}

fn access_list(name: &str) -> Text {
    let some = (0u8..9, key("exact", switch())).prop_map(|(n, e)| format!("prefix = \"10.{n}.0.0/16\"\n{e}"));
    let whole = select(vec!["prefix = \"any\"\n", "prefix = \"0.0.0.0/0\"\nexact = true\n"]);
    let what = prop_oneof![3 => some, 1 => whole.prop_map(str::to_owned)];
    entries(format!("[[access-lists.\"{name}\"]]"), 4, all(vec![action(), what.boxed()]))
}

fn name_of(names: &[&'static str]) -> Text {
    quoted(select(names.to_vec()).prop_map(str::to_owned))
}

fn route_map(name: &str) -> Text {
    let metric = prop_oneof![
        number(0..=16_777_214),
        (any::<bool>(), 0u32..=16_777_214)
            .prop_map(|(more, n)| format!("\"{}{n}\"", if more { '+' } else { '-' })),
    ];
    let entry = all(vec![
        action(),
        key("description", free_text()),
        key("match.prefix-list", name_of(&PREFIX_LISTS)),
        key("match.access-list", name_of(&ACCESS_LISTS)),
        key("match.next-hop-prefix-list", name_of(&PREFIX_LISTS)),
        key("match.interface", quoted(select(INTERFACES.to_vec()).prop_map(str::to_owned))),
        key("match.tag", number(0..=u32::MAX)),
        key("match.metric", number(0..=u32::MAX)),
        key("set.metric", metric),
        key("set.metric-type", number(1..=2)),
        key("set.tag", number(0..=u32::MAX)),
    ]);
    entries(format!("[[route-maps.\"{name}\"]]"), 4, entry)
}

fn lists() -> Text {
    let lists = PREFIX_LISTS.map(prefix_list).into_iter().chain(ACCESS_LISTS.map(access_list));
    all(lists.chain(ROUTE_MAPS.map(route_map)).collect())
}

/// OSPF with names of lists and maps, if there are any.
fn ospf(has_lists: bool) -> Text {
    let named = |key_name, names: &[&'static str]| {
        if has_lists { key(key_name, name_of(names)) } else { Just(String::new()).boxed() }
    };
    let metrics = || all(vec![metrics(), named("route-map", &ROUTE_MAPS)]);
    let spf = (0u32..5, 5u32..50, 2000u32..600_000).prop_map(|(a, b, c)| {
        format!("initial-delay = \"{a}ms\"\nshort-delay = \"{b}ms\"\nlong-delay = \"{c}ms\"\n")
    });
    let spf = prop_oneof![Just(String::new()), spf];
    let tables = (0..INTERFACES.len()).map(|n| ospf_interface(n, "0.0.0.5")).collect();
    all(vec![
        Just("[ospf]\nrouter-id = \"10.255.0.1\"\n".to_owned()).boxed(),
        key("reference-bandwidth", number(1..=4_294_967)),
        key("distance", number(1..=255)),
        key("maximum-paths", number(1..=64)),
        key("rfc1583-compatibility", switch()),
        key("min-ls-interval", millis(0..=600_000, 1)),
        key("min-ls-arrival", millis(0..=600_000, 1)),
        bfd_switch(),
        optional_table(
            "[ospf.spf]",
            all(vec![
                spf.boxed(),
                key("time-to-learn", millis(0..=600_000, 1)),
                key("hold-down", millis(0..=600_000, 1)),
            ]),
        ),
        optional_table(
            "[ospf.default-information]",
            all(vec![key("originate", switch()), key("always", switch()), metrics()]),
        ),
        optional_table("[ospf.redistribute.connected]", metrics()),
        optional_table("[ospf.redistribute.static]", metrics()),
        optional_table(
            "[ospf.distribute-list]",
            all(vec![named("connected", &ACCESS_LISTS), named("static", &ACCESS_LISTS)]),
        ),
        optional_table("[ospf.fast-reroute]", key("enabled", switch())),
        optional_table(
            "[ospf.graceful-restart]",
            all(vec![
                key("enabled", switch()),
                key("grace-period", seconds(1..=120)),
                key("helper", switch()),
                key("strict-lsa-checking", switch()),
            ]),
        ),
        optional_table(
            "[ospf.max-metric]",
            all(vec![
                key("administrative", switch()),
                key("on-startup", seconds(5..=86_400)),
                key("on-shutdown", seconds(5..=100)),
            ]),
        ),
        all(tables),
        all(KEY_CHAINS.map(key_chain).into()),
    ])
}

fn group(n: usize, name: &'static str) -> Text {
    let (interface, vrid) = (INTERFACES[n], 1 + n % 3);
    let name = if name.is_empty() { format!("{interface}-{vrid}") } else { name.to_owned() };
    let head = format!("[vrrp.groups.\"{name}\"]\ninterface = \"{interface}\"\nvrid = {vrid}\n");
    let version = prop_oneof![
        Just(String::new()),
        millis(1..=4095, 10).prop_map(|i| format!("version = 3\nadvertisement-interval = {i}\n")),
        key("advertisement-interval", seconds(1..=255)).prop_map(|i| format!("version = 2\n{i}")),
    ];
    let addresses = select(vec![
        format!("[\"10.{n}.0.10/24\"]"),
        format!("[\"10.{n}.0.10/24\", \"10.{n}.0.11/32\", \"10.{n}.0.12/16\"]"),
    ]);
    let table = all(vec![
        addresses.prop_map(|a| format!("virtual-addresses = {a}\n")).boxed(),
        version.boxed(),
        key("priority", number(1..=254)),
        key("preempt", switch()),
        key("preempt-delay", millis(0..=3_600_000, 1)),
        key("preempt-routes-wait", millis(0..=3_600_000, 1)),
        key("accelerate", switch()),
        key("virtual-mac", switch()),
        key("checksum", quoted(select(vec!["rfc5798", "rfc9568"]).prop_map(str::to_owned))),
    ]);
    prop_oneof![Just(String::new()), table.prop_map(move |t| format!("{head}{t}"))].boxed()
}

/// The owner of an address: the interface's own, priority 255.
fn owner() -> Text {
    let file = "[interfaces.own]\naddresses = [\"10.88.0.1/24\"]\n[vrrp.groups.mine]\ninterface = \"own\"\n\
                vrid = 9\npriority = 255\nvirtual-addresses = [\"10.88.0.1\"]\n";
    prop_oneof![Just(String::new()), Just(file.to_owned())].boxed()
}

fn profile(name: &'static str) -> Text {
    let interval = || quoted((3000u32..=60_000_000).prop_map(|n| format!("{n}us")));
    let table = all(vec![
        key("transmit-interval", prop_oneof![interval(), millis(3..=60_000, 1)]),
        key("receive-interval", interval()),
        key("detect-multiplier", number(2..=255)),
        key("passive", switch()),
        key("minimum-ttl", number(1..=254)),
    ]);
    table.prop_map(move |t| format!("[bfd.profiles.\"{name}\"]\n{t}")).boxed()
}

fn peer(n: usize, name: &'static str) -> Text {
    let kind = select(vec![
        String::new(),
        "multihop = true\n".to_owned(),
        "multihop = true\nlocal-address = \"10.255.0.1\"\n".to_owned(),
        format!("interface = \"{}\"\n", INTERFACES[n % INTERFACES.len()]),
    ]);
    let table = all(vec![
        Just(format!("address = \"10.77.0.{}\"\n", n + 1)).boxed(),
        kind.boxed(),
        key("profile", quoted(profile_name())),
        key("shutdown", switch()),
    ]);
    prop_oneof![Just(String::new()), table.prop_map(move |t| format!("[bfd.peers.\"{name}\"]\n{t}"))].boxed()
}

/// A file with anything in it.
pub(crate) fn file() -> Text {
    let top = all(vec![
        key("hostname", quoted("[a-z0-9][a-z0-9.-]{0,62}".boxed())),
        key("defaults", quoted(select(vec!["traditional", "ring"]).prop_map(str::to_owned))),
    ]);
    let user_group = || quoted("([a-z_][a-z0-9_-]{0,31}|[1-9][0-9]{0,8})".boxed());
    let access = all(vec![key("operators", user_group()), key("readers", user_group())]);
    let rib = all(vec![
        key("forwarding", switch()),
        key("next-hop-objects", switch()),
        key("stale-time", millis(120_000..=3_600_000, 1)),
    ]);
    let interfaces = all((0..INTERFACES.len()).map(interface).collect());
    all(vec![
        top,
        optional_table("[access]", access),
        optional_table("[rib]", rib),
        interfaces,
        static_routes(),
        prop_oneof![
            1 => Just(String::new()).boxed(),
            3 => ospf(false),
            3 => all(vec![lists(), ospf(true)]),
            1 => lists(),
        ]
        .boxed(),
        // The second is called what lines would call the third.
        prop_oneof![
            all(vec![group(0, ""), group(1, "t-3"), group(2, "own")]),
            all(vec![group(0, "x"), group(1, ""), group(2, ""), group(4, "lan")]),
        ]
        .boxed(),
        all(vec![profile("fast"), profile("A.b-1_"), optional_table("", profile("default"))]),
        owner(),
        all(vec![peer(0, "10.77.0.1"), peer(1, "left"), peer(2, "10.77.0.1-eth0"), peer(9, "x")]),
    ])
}
