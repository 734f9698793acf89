//! Files that are wrong, and what is said about them.

use super::super::load;
use super::refused;

/// The file's errors are exactly these; lines are counted from the text's first one.
#[track_caller]
fn says(text: &str, expected: &[&str]) {
    assert_eq!(refused(text), expected, "{}", load("r1.toml", text).expect_err("refused"));
}

/// An OSPF router with one interface and this inside its table.
fn ospf_interface(inside: &str) -> String {
    format!("[interfaces.e0]\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.e0]\n{inside}\n")
}

/// A VRRP group on 10.0.0.1/24 with this inside its table.
fn vrrp_group(inside: &str) -> String {
    format!(
        "[interfaces.e0]\naddresses = [\"10.0.0.1/24\"]\n[vrrp.groups.lan]\ninterface = \"e0\"\nvrid = 1\n{inside}\n"
    )
}

/// A static route with this inside its table.
fn static_route(inside: &str) -> String {
    format!("[interfaces.e0]\naddresses = [\"10.0.0.1/24\"]\n[[static-routes]]\n{inside}\n")
}

#[test]
fn five_mistakes_yield_five_messages_in_full() {
    let text = r#"hostnam = "r1"
[interfaces.eth0]
addresses = ["192.168.1.0/24"]
[interfaces.eth1]
addresses = ["10.0.0.1/24"]
[interfaces.eth2]
addresses = ["10.0.0.129/25"]
[ospf]
router-id = "10.255.0.1"
[ospf.interfaces.eth1]
hello-interval = "10s"
dead-interval = "10s"
[vrrp.groups.a]
interface = "eth1"
vrid = 7
virtual-addresses = ["10.0.0.9"]
[vrrp.groups.b]
interface = "eth1"
vrid = 7
virtual-addresses = ["10.0.0.10"]
"#;
    let found = load("/etc/torc/router.toml", text).expect_err("refused");
    assert_eq!(
        found.to_string(),
        r#"error: unknown key `hostnam`
 --> /etc/torc/router.toml:1:1
  |
1 | hostnam = "r1"
  | ^^^^^^^
  = help: did you mean `hostname`? Allowed here: `hostname`, `defaults`, `interfaces`, `static-routes`, `prefix-lists`, `access-lists`, `route-maps`, `access`, `key-chains`, `rib`, `ospf`, `vrrp`, `bfd`

error: 192.168.1.0 is the address of the network 192.168.1.0/24 itself
 --> /etc/torc/router.toml:3:14
  |
3 | addresses = ["192.168.1.0/24"]
  |              ^^^^^^^^^^^^^^^^
  = help: the first address a host can have there is 192.168.1.1

error: subnet 10.0.0.128/25 of `eth2` overlaps 10.0.0.0/24 of `eth1`
 --> /etc/torc/router.toml:7:14
  |
7 | addresses = ["10.0.0.129/25"]
  |              ^^^^^^^^^^^^^^^
  = help: each interface of a router needs its own subnet; on unnumbered links use /32 addresses

error: `dead-interval` 10s is not longer than `hello-interval` 10s
  --> /etc/torc/router.toml:12:17
   |
12 | dead-interval = "10s"
   |                 ^^^^^
   = help: four times the hello interval is usual: "40s"

error: vrid 7 is already used on `eth1` by group `a`
  --> /etc/torc/router.toml:19:8
   |
19 | vrid = 7
   |        ^
   = help: each group on an interface needs its own vrid
"#
    );
}

#[test]
fn broken_toml_is_reported_alone_and_wherever_it_breaks() {
    let found = refused("hostname = \n[ospf\nunknown = 1\n");
    assert!(found.len() >= 2, "{found:?}");
    assert!(found[0].starts_with("1:"), "{found:?}");
    assert!(!found.iter().any(|f| f.contains("unknown key")), "{found:?}");
    says("a = 1\na = 2\n", &["2:1 duplicate key"]);
}

#[test]
fn types_ranges_and_words_are_checked_and_the_rest_is_still_read() {
    says(
        "hostname = 7\ndefaults = \"rings\"\n[rib]\nforwarding = \"yes\"\nstale-time = 120\n",
        &[
            "1:12 this is a whole number",
            "2:12 `defaults` cannot be \"rings\"",
            "4:14 this is a string",
            "5:14 `stale-time` has no unit",
        ],
    );
    says("hostname = \"no blanks\"\n", &["1:12 `hostname` cannot be \"no blanks\""]);
    says(
        "interfaces = 3\nstatic-routes = 1\nospf = []\nvrrp = true\nrib = 1.5\n",
        &[
            "1:14 this is a whole number",
            "2:17 this is a whole number",
            "3:8 this is an array",
            "4:8 this is a boolean",
            "5:7 this is a number with a fraction",
        ],
    );
    says(&ospf_interface("cost = 0"), &["5:8 `cost` is out of range"]);
    says(&ospf_interface("priority = -1"), &["5:12 `priority` is out of range"]);
    says(&ospf_interface("hello-interval = \"500ms\""), &["5:18 `hello-interval` is out of range"]);
    says(&ospf_interface("hello-interval = \"1500ms\""), &["5:18 `hello-interval` must be a multiple of 1s"]);
    says(&ospf_interface("hello-interval = \"10\""), &["5:18 \"10\" has no unit"]);
    says(&ospf_interface("retransmit-interval = \"10ms\""), &["5:23 `retransmit-interval` is out of range"]);
}

#[test]
fn a_refused_value_is_not_blamed_twice() {
    says(
        &ospf_interface("hello-interval = 60\ndead-interval = \"50s\""),
        &["5:18 `hello-interval` has no unit"],
    );
    let authentication = |what: &str| ospf_interface(&format!("authentication = {{ {what} }}"));
    says(&authentication("type = \"md5\", keys = 5"), &["5:41 this is a whole number"]);
    says(&authentication("type = \"md5\", keys = [5]"), &["5:42 this is a whole number"]);
    says(&authentication("type = \"md5\", keys = []"), &["5:41 `keys` is empty"]);
    says(&authentication("type = \"key-chain\", key-chain = 5"), &["5:52 this is a whole number"]);
}

#[test]
fn fast_hellos_stand_beside_no_other_interval() {
    says(&ospf_interface("hello-multiplier = 1"), &["5:20 `hello-multiplier` is out of range"]);
    says(&ospf_interface("hello-multiplier = 21"), &["5:20 `hello-multiplier` is out of range"]);
    says(
        &ospf_interface("hello-multiplier = 4\nhello-interval = \"1s\"\ndead-interval = \"4s\""),
        &[
            "6:18 `hello-interval` contradicts `hello-multiplier`",
            "7:17 `dead-interval` 4s contradicts `hello-multiplier`",
        ],
    );
    // Nothing is said of the interval that the refused number would have made.
    says(
        &ospf_interface("hello-multiplier = 0\ndead-interval = \"1s\""),
        &["5:20 `hello-multiplier` is out of range"],
    );
}

#[test]
fn what_is_not_part_of_this_version_is_refused_with_the_reason() {
    let text = ospf_interface("network-type = \"non-broadcast\"") + "[vrrp]\nbfd = true\n";
    says(&text, &["5:16 `network-type` \"non-broadcast\" is not supported", "7:1 `bfd` is not supported"]);
    let found = load("r", &text).expect_err("refused");
    assert!(found.iter().nth(1).is_some_and(|d| d.hint.starts_with("VRRP does not use BFD")));
    let areas = ospf_interface("area = \"0\"\n[interfaces.e1]\n[ospf.interfaces.e1]\narea = \"0.0.0.1\"");
    says(&areas, &["8:8 area 0.0.0.1 here, but area 0.0.0.0 on `e0`"]);
}

#[test]
fn addresses_must_be_a_hosts() {
    let on = |name: &str, address: &str| format!("[interfaces.{name}]\naddresses = [\"{address}\"]\n");
    let one = |name: &str, address: &str| refused(&on(name, address)).join("; ");
    assert_eq!(one("e0", "10.0.0.255/24"), "2:14 10.0.0.255 is the broadcast address of 10.0.0.0/24");
    assert_eq!(one("e0", "127.0.0.2/8"), "2:14 127.0.0.2 is a loopback address (127.0.0.0/8)");
    assert_eq!(one("e0", "224.0.0.5/24"), "2:14 224.0.0.5 is a multicast address (224.0.0.0/4)");
    assert_eq!(one("e0", "240.0.0.1/24"), "2:14 240.0.0.1 is a reserved address (240.0.0.0/4)");
    assert_eq!(one("e0", "0.0.0.1/24"), "2:14 0.0.0.1 is no host address (0.0.0.0/8)");
    assert_eq!(one("e0", "10.0.0.1"), "2:14 address \"10.0.0.1\" has no prefix length");
    assert_eq!(one("e0", "10.0.0.1/33"), "2:14 an address cannot be \"10.0.0.1/33\"");
    assert_eq!(one("e0", "10.0.0.1/0"), "2:14 10.0.0.1/0 has prefix length 0");
    assert_eq!(one("e0", "fe80::1/64"), "2:14 an address cannot be \"fe80::1/64\"");
    assert_eq!(
        one("averylongname123", "10.0.0.1/24"),
        "1:13 \"averylongname123\" is not an interface name (1 to 15 bytes, no '/' or blanks)"
    );
    says(
        "[interfaces.e0]\naddresses = [\"10.0.0.1/24\", \"10.0.0.1/32\", 5]\n",
        &["2:29 10.0.0.1 is listed twice on `e0`", "2:44 this is a whole number"],
    );
}

#[test]
fn static_routes_need_one_reachable_target() {
    let one = |inside: &str| refused(&static_route(inside)).join("; ");
    let to = "prefix = \"10.1.0.0/16\"\n";
    assert_eq!(one("blackhole = true"), "3:1 missing key `prefix` in `static-routes`");
    assert_eq!(one(to), "3:1 this route leads nowhere");
    assert_eq!(
        one(&format!("{to}blackhole = true\nnext-hop = \"10.0.0.2\"")),
        "3:1 this route has more than one target"
    );
    assert_eq!(
        one(&format!("{to}next-hop = \"10.0.0.1\"")),
        "5:12 next hop 10.0.0.1 is this router's own address on `e0`"
    );
    assert_eq!(
        one(&format!("{to}next-hop = \"224.0.0.1\"")),
        "5:12 next hop 224.0.0.1 is a multicast address (224.0.0.0/4)"
    );
    assert_eq!(one(&format!("{to}next-hop = \"gw\"")), "5:12 `next-hop` cannot be \"gw\"");
    assert_eq!(one(&format!("{to}next-hops = []")), "5:13 `next-hops` is empty");
    assert_eq!(one(&format!("{to}next-hops = [{{}}]")), "5:14 this next hop leads nowhere");
    assert_eq!(
        one(&format!("{to}next-hops = [\"10.0.0.2\", \"10.0.0.2\"]")),
        "5:26 this route to 10.1.0.0/16 is already in the file"
    );
    assert_eq!(one(&format!("{to}blackhole = true\ndistance = 0")), "6:12 `distance` is out of range");
    assert_eq!(
        one("prefix = \"10.1.2.3/16\"\nblackhole = true"),
        "4:10 10.1.2.3/16 has bits set behind the prefix length"
    );
    assert_eq!(
        one("prefix = \"224.0.0.0/4\"\nblackhole = true"),
        "4:10 224.0.0.0/4 is a multicast address (224.0.0.0/4)"
    );
}

#[test]
fn ospf_needs_a_router_id_and_proposes_one() {
    let text = "[interfaces.lo]\naddresses = [\"10.255.0.7/32\"]\n[ospf]\n";
    says(text, &["3:2 missing key `router-id` in `ospf`"]);
    let found = load("r", text).expect_err("refused");
    assert!(found.iter().any(|d| d.hint.contains("router-id = \"10.255.0.7\"")));
    says("[ospf]\nrouter-id = \"0.0.0.0\"\n", &["2:13 `router-id` cannot be \"0.0.0.0\""]);
    says(
        "[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.spf]\nshort-delay = \"3s\"\n",
        &["3:7 the SPF delays are not in order"],
    );
}

#[test]
fn authentication_must_fit_its_method_and_keys_stay_hidden() {
    let with = |value: &str| ospf_interface(&format!("authentication = {value}"));
    says(&with("\"md5\""), &["5:18 `authentication` cannot be \"md5\""]);
    says(&with("{ type = \"simple\" }"), &["5:1 authentication \"simple\" needs `key`"]);
    says(&with("{ type = \"md5\", keys = [] }"), &["5:41 `keys` is empty"]);
    says(
        &with("{ type = \"md5\", key = \"geheim\" }"),
        &["5:1 authentication \"md5\" needs `keys`", "5:40 authentication \"md5\" has no `key`"],
    );
    says(
        &with("{ type = \"md5\", keys = [{ id = 1, key = \"a\" }, { id = 1, key = \"b\" }] }"),
        &["5:72 key id 1 is used twice"],
    );
    let text = with("{ type = \"simple\", key = \"streng geheim\" }");
    says(&text, &["5:43 this key is 13 bytes long"]);
    let shown = load("r", &text).expect_err("refused").to_string();
    assert!(!shown.contains("geheim") && shown.contains("***"), "{shown}");
}

#[test]
fn vrrp_intervals_fit_the_version() {
    let vip = "virtual-addresses = [\"10.0.0.9\"]\n";
    let one = |inside: &str| refused(&vrrp_group(&format!("{vip}{inside}"))).join("; ");
    assert_eq!(
        one("version = 2\nadvertisement-interval = \"100ms\""),
        "8:26 version 2 cannot advertise every 100ms"
    );
    assert_eq!(one("advertisement-interval = \"41s\""), "7:26 version 3 cannot advertise every 41s");
    assert_eq!(
        one("advertisement-interval = \"15ms\""),
        "7:26 `advertisement-interval` must be a multiple of 10ms"
    );
    assert_eq!(one("advertisement-interval = \"256s\""), "7:26 `advertisement-interval` is out of range");
    assert_eq!(one("version = 4"), "7:11 `version` is out of range");
}

#[test]
fn vrrp_addresses_lie_in_the_lan_and_are_owned_or_not() {
    let one = |inside: &str| refused(&vrrp_group(inside)).join("; ");
    assert_eq!(one(""), "3:14 missing key `virtual-addresses` in `vrrp.groups.NAME`");
    assert_eq!(one("virtual-addresses = []"), "6:21 0 virtual addresses");
    assert_eq!(
        one("virtual-addresses = [\"10.9.0.9/24\"]"),
        "6:22 virtual address 10.9.0.9 is in no subnet of `e0`"
    );
    assert_eq!(one("virtual-addresses = [\"10.0.0.9\", \"10.0.0.9/24\"]"), "6:34 10.0.0.9 is listed twice");
    assert_eq!(
        one("virtual-addresses = [\"224.0.0.18\"]"),
        "6:22 224.0.0.18 is a multicast address (224.0.0.0/4)"
    );
    assert_eq!(
        one("virtual-addresses = [\"10.0.0.255\"]"),
        "6:22 10.0.0.255 is the network or broadcast address of 10.0.0.0/24"
    );
    assert_eq!(
        one("virtual-addresses = [\"10.0.0.1\"]"),
        "6:22 virtual address 10.0.0.1 is `e0`'s own address, but the priority is 100"
    );
    assert_eq!(
        one("priority = 255\nvirtual-addresses = [\"10.0.0.9\"]"),
        "7:22 priority 255 is for the owner, but 10.0.0.9 is no address of `e0`"
    );
    assert_eq!(
        one("priority = 255\nvirtual-addresses = [\"10.0.0.1\"]\npreempt = false"),
        "8:11 the owner (priority 255) cannot refrain from preempting"
    );
    let twice = vrrp_group("virtual-addresses = [\"10.0.0.9\"]")
        + "[vrrp.groups.two]\ninterface = \"e0\"\nvrid = 2\nvirtual-addresses = [\"10.0.0.9\"]\n";
    says(&twice, &["10:22 10.0.0.9 is already a virtual address of group `lan`"]);
    let bare = "[vrrp.groups.a]\ninterface = \"br0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9\"]\n";
    says(
        bare,
        &[
            "2:13 interface `br0` has no table [interfaces.br0]",
            "4:22 the prefix length of 10.0.0.9 is unknown: `br0` has no addresses here",
        ],
    );
}

#[test]
fn names_and_texts_must_print() {
    says(
        "[interfaces.e0]\ndescription = \"two\\nlines\"\n",
        &["2:15 `description` holds control characters"],
    );
    let group =
        "[vrrp.groups.\"my lan\"]\ninterface = \"e0\"\nvrid = 1\nvirtual-addresses = [\"10.0.0.9/24\"]\n";
    says(
        group,
        &["1:14 a group cannot be called \"my lan\"", "2:13 interface `e0` has no table [interfaces.e0]"],
    );
}

#[test]
fn an_accept_mode_that_would_not_hold_is_refused() {
    says(
        &vrrp_group("virtual-addresses = [\"10.0.0.10\"]\naccept = false"),
        &["7:10 a Master that does not accept packets to its virtual addresses is not part of this version"],
    );
}

#[test]
fn a_grace_period_outlives_no_routes() {
    let file = |period: &str, stale: &str| {
        format!(
            "[rib]\nstale-time = \"{stale}\"\n[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.graceful-restart]\n\
             grace-period = \"{period}\"\n"
        )
    };
    let short = "5:7 `grace-period` is 2m, but `rib.stale-time` only 1m";
    says(&file("120s", "60s"), &[short]);
    says(&file("1801s", "1h"), &["6:16 `grace-period` is out of range"]);
    says(&file("1500ms", "1h"), &["6:16 `grace-period` must be a multiple of 1s"]);
}

#[test]
fn what_is_left_out_is_told_from_what_is_wrong() {
    let incomplete = |text: &str| load("r.toml", text).unwrap_err().is_incomplete();
    assert!(incomplete("[ospf]\n"));
    assert!(incomplete("[vrrp.groups.a]\ninterface = \"eth0\"\nvrid = 1\n"));
    assert!(incomplete(
        "[ospf]\nrouter-id = \"1.1.1.1\"\n[ospf.interfaces.eth0]\nauthentication = { type = \"md5\" }\n"
    ));
    assert!(!incomplete("hostname = 7\n"));
}
