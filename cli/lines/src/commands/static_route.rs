//! `ip route`: static routes. Each line is one target; lines with the same prefix and distance share the traffic.

use super::{NO, Row};
use crate::call::{Call, Meaning, Stop, refused, without_counterpart};
use crate::document::Document;
use routing_common::prefix::{Ipv4Network, canonical, from_mask};
use std::net::Ipv4Addr;
use toml_edit::{Item, Table, TableLike, Value, value};

/// Where static routes stand in the file.
const PATH: &[&str] = &["static-routes"];
const IP: &str = "IPv4";
const ROUTE: &str = "A static route";
const PREFIX: &str = "Where to";
const GATEWAY: &str = "The gateway";
const ONLY: &str = "Only through this interface";
const NAME: &str = "An interface whose name would pass for something else";
const OUT: &str = "Straight out of this interface";
const DROP: &str = "Drop what matches, silently";
const TAG: &str = "Tag for redistribution";
const DISTANCE: &str = "Administrative distance; 255 is never used";

macro_rules! route {
    ($start:literal, $open:literal, $close:literal, $end:literal) => {
        concat!(
            $start,
            $open,
            "<A.B.C.D$gateway [<IFNAME$interface|interface$named IFNAME$interface>]|IFNAME$interface|interface$named IFNAME$interface\
             |Null0$blackhole|null0$blackhole|blackhole|reject>",
            $close,
            " [{tag (0-4294967295)$mark|(1-255)$distance}]",
            $end
        )
    };
}

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: route!("ip route A.B.C.D/M$prefix ", "", "", ""),
        help: &[
            IP, ROUTE, PREFIX, GATEWAY, ONLY, NAME, ONLY, OUT, NAME, OUT, DROP, DROP, DROP, DROP, TAG, TAG,
            DISTANCE,
        ],
        meaning: Meaning::Call(route),
    },
    Row {
        syntax: route!("no ip route A.B.C.D/M$prefix ", "[", "]", ""),
        help: &[
            NO, IP, ROUTE, PREFIX, GATEWAY, ONLY, NAME, ONLY, OUT, NAME, OUT, DROP, DROP, DROP, DROP, TAG,
            TAG, DISTANCE,
        ],
        meaning: Meaning::Call(route),
    },
];

pub(super) const HIDDEN: &[Row] = &[
    Row {
        syntax: route!("ip route A.B.C.D$network A.B.C.D$mask ", "", "", ""),
        help: &[
            IP, ROUTE, PREFIX, "Mask", GATEWAY, ONLY, NAME, ONLY, OUT, NAME, OUT, DROP, DROP, DROP, DROP,
            TAG, TAG, DISTANCE,
        ],
        meaning: Meaning::Call(route),
    },
    Row {
        syntax: route!("no ip route A.B.C.D$network A.B.C.D$mask ", "[", "]", ""),
        help: &[
            NO, IP, ROUTE, PREFIX, "Mask", GATEWAY, ONLY, NAME, ONLY, OUT, NAME, OUT, DROP, DROP, DROP, DROP,
            TAG, TAG, DISTANCE,
        ],
        meaning: Meaning::Call(route),
    },
    Row {
        syntax: route!("ip route A.B.C.D/M$prefix ", "", "", " bfd [LINE$rest]"),
        help: &[
            IP,
            ROUTE,
            PREFIX,
            GATEWAY,
            ONLY,
            NAME,
            ONLY,
            OUT,
            NAME,
            OUT,
            DROP,
            DROP,
            DROP,
            DROP,
            TAG,
            TAG,
            DISTANCE,
            "Watched by BFD",
            "How",
        ],
        meaning: Meaning::Call(route),
    },
];

/// One way of a static route, as lines and file have it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    gateway: Option<Ipv4Addr>,
    interface: Option<String>,
    blackhole: bool,
}

/// Words FRR has where an interface may stand too; an interface of such a name is written `interface NAME`.
pub(crate) const FRR_WORDS: [&str; 10] =
    ["bfd", "onlink", "table", "vrf", "nexthop-vrf", "label", "color", "metric", "weight", "segments"];

/// Would a name pass for an address, if a wrong one? So it is more likely to be one.
pub(crate) fn like_an_address(name: &str) -> bool {
    name.contains('.') && name.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn route(call: &mut Call<'_>) -> Result<(), Stop> {
    let written = written_prefix(call)?;
    let word = call.args.get("interface").filter(|i| !call.args.has("named") && FRR_WORDS.contains(i));
    if let Some(name) = call.args.get("interface").filter(|i| !call.args.has("named") && like_an_address(i)) {
        return refused(format!("{name} is no address; an interface of that name is `interface {name}`"));
    }
    let bfd = word == Some("bfd") || call.args.has("bfd");
    if let Some(word) = word.filter(|w| *w != "bfd") {
        let reason =
            format!("static routes have no `{word}`; an interface of that name is `interface {word}`");
        return without_counterpart(reason);
    }
    let prefix = canonical(written);
    let gateway = call.args.get("gateway").and_then(|g| g.parse().ok());
    let interface = call.args.get("interface").filter(|_| word.is_none()).map(str::to_owned);
    if gateway.is_none() && word.is_some() {
        return refused("the gateway is missing");
    }
    let reject = call.args.has("reject");
    let blackhole = call.args.has("blackhole") || reject;
    let way = Way { gateway, interface, blackhole };
    let distance = call.args.get("distance").and_then(|d| d.parse::<i64>().ok());
    let tag = call.args.get("mark").and_then(|t| t.parse::<i64>().ok()).unwrap_or(0);
    if call.no() {
        return remove(call, prefix, &way, distance);
    }
    if bfd {
        call.note("taken without BFD: static routes are not watched by it in this version");
    }
    if reject {
        call.note("Torc drops silently, without ICMP unreachable");
    }
    if written != prefix {
        call.note(format!("the network is {prefix}"));
    }
    add(call, prefix, way, distance.unwrap_or(1), tag)
}

fn written_prefix(call: &Call<'_>) -> Result<Ipv4Network, Stop> {
    if let Some(prefix) = call.args.get("prefix") {
        return prefix.parse().or_else(|_| refused(format!("{prefix} is no prefix")));
    }
    let (network, mask) = (call.number::<Ipv4Addr>("network")?, call.number::<Ipv4Addr>("mask")?);
    match from_mask(network, mask) {
        Some(prefix) => Ok(prefix),
        None => without_counterpart(format!("{mask} is no network mask: its bits have holes")),
    }
}

fn add(call: &mut Call<'_>, prefix: Ipv4Network, way: Way, distance: i64, tag: i64) -> Result<(), Stop> {
    let routes = if is_new(call, prefix) { Vec::new() } else { call.session.document.tables(PATH) };
    let same = |r: &&dyn TableLike| {
        prefix_of(*r) == Some(prefix) && distance_of(*r) == distance && ways(*r).contains(&way)
    };
    let old_tag = routes.into_iter().find(same).map(tag_of);
    if old_tag == Some(tag) {
        return Ok(());
    }
    if old_tag.is_some() {
        // The same way with another tag: the new line stands for the old one.
        take_out(call, prefix, &way, Some(distance));
    }
    let mut route = Table::new();
    route.insert("prefix", value(prefix.to_string()));
    if let Some(gateway) = way.gateway {
        route.insert("next-hop", value(gateway.to_string()));
    }
    if let Some(interface) = way.interface {
        route.insert("interface", value(interface));
    }
    if way.blackhole {
        route.insert("blackhole", value(true));
    }
    if distance != 1 {
        route.insert("distance", value(distance));
    }
    if tag != 0 {
        route.insert("tag", value(tag));
    }
    call.document().push_table(PATH, route);
    Ok(())
}

fn remove(call: &mut Call<'_>, prefix: Ipv4Network, way: &Way, distance: Option<i64>) -> Result<(), Stop> {
    if take_out(call, prefix, way, distance) {
        return Ok(());
    }
    refused(format!("there is no such static route to {prefix}"))
}

/// Takes out what fits: any way if `way` says nothing, any distance if there is none. Was there anything?
fn take_out(call: &mut Call<'_>, prefix: Ipv4Network, way: &Way, distance: Option<i64>) -> bool {
    let any = way == &Way { gateway: None, interface: None, blackhole: false };
    let fits = |w: &Way| any || w == way;
    let concerned = |route: &dyn TableLike| {
        prefix_of(route) == Some(prefix)
            && distance.is_none_or(|d| d == distance_of(route))
            && ways(route).iter().any(fits)
    };
    if !call.session.document.tables(PATH).into_iter().any(concerned) {
        return false;
    }
    call.document().edit_tables(PATH, |route| {
        if !concerned(route) {
            return true;
        }
        let Some(hops) = route.get_mut("next-hops").and_then(Item::as_array_mut) else { return false };
        hops.retain(|hop| !hop_way(hop).as_ref().is_some_and(fits));
        !hops.is_empty()
    });
    true
}

/// Remembers that there is a route to `prefix`. Was there none?
fn is_new(call: &mut Call<'_>, prefix: Ipv4Network) -> bool {
    let all = |d: &Document| d.tables(PATH).into_iter().filter_map(prefix_of).collect();
    let document = &call.session.document;
    call.session.prefixes.get_or_insert_with(|| all(document)).insert(prefix)
}

fn prefix_of(route: &dyn TableLike) -> Option<Ipv4Network> {
    route.get("prefix")?.as_str()?.parse().ok()
}

fn distance_of(route: &dyn TableLike) -> i64 {
    route.get("distance").and_then(Item::as_integer).unwrap_or(1)
}

fn tag_of(route: &dyn TableLike) -> i64 {
    route.get("tag").and_then(Item::as_integer).unwrap_or(0)
}

fn ways(route: &dyn TableLike) -> Vec<Way> {
    match route.get("next-hops").and_then(Item::as_array) {
        Some(hops) => hops.iter().filter_map(hop_way).collect(),
        None => vec![table_way(route)],
    }
}

fn hop_way(hop: &Value) -> Option<Way> {
    if let Some(text) = hop.as_str() {
        return Some(Way { gateway: Some(text.parse().ok()?), interface: None, blackhole: false });
    }
    hop.as_inline_table().map(|t| table_way(t))
}

fn table_way(table: &dyn TableLike) -> Way {
    Way {
        gateway: table.get("next-hop").and_then(Item::as_str).and_then(|g| g.parse().ok()),
        interface: table.get("interface").and_then(Item::as_str).map(str::to_owned),
        blackhole: table.get("blackhole").and_then(Item::as_bool).unwrap_or(false),
    }
}
