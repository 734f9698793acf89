//! `router ospf`: the instance (RFC 2328 App. C.1).

use super::ospf_interface::set_passive;
use super::{DURATION, Row, pair};
use crate::authentication::Authentication;
use crate::call::{Call, Form, Meaning, Place, Stop, refused, without_counterpart};
use crate::session::Phase;
use routing_common::config::format_duration;
use routing_common::id::AreaId;
use routing_common::prefix::Ipv4Network;
use std::time::Duration;

const OSPF: &str = "OSPF";
const MS: &str = "Milliseconds";
const METRIC: &str = "External metric";
const METRIC_TYPE: &str = "External metric type";
const TYPES: &str = "1 adds the cost inside the OSPF domain, 2 does not";
const REDISTRIBUTE: &str = "Announce other routes into OSPF";
const MAP: &str = "Name of a route map";
const TIMERS: &str = "Timers";
const RESTART: &str = "Restarts that the network does not notice (RFC 3623)";
const HELPER: &str = "The neighbours' side";
const MAX_METRIC: &str = "Ask that transit traffic goes another way (RFC 6987)";
const ROUTER_LSA: &str = "Of every link but those to stub networks";
const AREA: &str = "An area";
const QUAD: &str = "As a dotted quad";
const NUMBER: &str = "As a number";
/// Most equal-cost next hops a route can have here.
const MOST_PATHS: i64 = 64;

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "ospf router-id",
        "A.B.C.D$value",
        [OSPF, "This router's id, unique in the domain", "As a dotted quad"],
        Meaning::Call(router_id)
    ),
    pair!(
        "passive-interface",
        "<default|IFNAME$interface>",
        ["Announce the network, but form no adjacencies", "On all interfaces OSPF runs on", "On this one"],
        Meaning::Call(passive_interface)
    ),
    pair!(
        "redistribute connected",
        "[{metric (0-16777214)$m|metric-type (1-2)$t|route-map WORD$filter}]",
        [
            REDISTRIBUTE,
            "Announce the networks of this router's interfaces",
            METRIC,
            "20 by default",
            METRIC_TYPE,
            TYPES,
            "Which of them, and what changes in them",
            MAP
        ],
        Meaning::Call(redistribute)
    ),
    pair!(
        "redistribute static",
        "[{metric (0-16777214)$m|metric-type (1-2)$t|route-map WORD$filter}]",
        [
            REDISTRIBUTE,
            "Announce static routes but the default route",
            METRIC,
            "20 by default",
            METRIC_TYPE,
            TYPES,
            "Which of them, and what changes in them",
            MAP
        ],
        Meaning::Call(redistribute)
    ),
    pair!(
        "default-information originate",
        "[{always|metric (0-16777214)$m|metric-type (1-2)$t|route-map WORD$filter}]",
        [
            "A default route",
            "Announce a default route into OSPF",
            "Also while this router has none itself",
            METRIC,
            "10 by default, 1 with `always`",
            METRIC_TYPE,
            TYPES,
            "What this router's default must pass, and what changes in it",
            MAP,
        ],
        Meaning::Call(default_information)
    ),
    pair!(
        "distribute-list WORD$list out <connected|static>",
        [
            "Which of the redistributed routes are announced",
            "Name of an access list",
            "Those that go out",
            "Networks of this router's interfaces",
            "Static routes",
        ],
        Meaning::Call(distribute_list)
    ),
    pair!(
        "auto-cost reference-bandwidth",
        "(1-4294967)$value",
        ["Costs from the bandwidth", "Bandwidth that makes cost 1", "Mbit/s; 100000 by default"],
        Meaning::Key(Place::Root, &["ospf", "reference-bandwidth"], Form::Number)
    ),
    pair!(
        "maximum-paths",
        "(1-256)$value",
        ["Largest number of equal-cost next hops of a route", "At most 64"],
        Meaning::Call(maximum_paths)
    ),
    pair!(
        "distance",
        "(1-255)$value",
        ["Administrative distance of OSPF routes", "110 by default"],
        Meaning::Key(Place::Root, &["ospf", "distance"], Form::Number)
    ),
    pair!(
        "timers throttle spf",
        "(0-600000)$initial (0-600000)$short (0-600000)$long",
        [
            TIMERS,
            "Back-off",
            "Back-off of the route calculation (RFC 8405)",
            "After the first event, in milliseconds",
            "While events follow one another",
            "When `time-to-learn` has passed and events go on",
        ],
        Meaning::Call(throttle_spf)
    ),
    pair!(
        "timers throttle lsa all",
        "<(0-600000)$value|DURATION$time>",
        [
            TIMERS,
            "Back-off",
            "Of LSAs",
            "Longest wait before an LSA that keeps changing goes out (MinLSInterval)",
            MS,
            DURATION
        ],
        Meaning::Key(Place::Root, &["ospf", "min-ls-interval"], Form::Millis)
    ),
    pair!(
        "timers lsa min-arrival",
        "<(0-600000)$value|DURATION$time>",
        [TIMERS, "LSAs", "Least time between two accepted instances of an LSA (MinLSArrival)", MS, DURATION],
        Meaning::Key(Place::Root, &["ospf", "min-ls-arrival"], Form::Millis)
    ),
    pair!(
        "timers spf time-to-learn",
        "<(0-600000)$value|DURATION$time>",
        [TIMERS, "Route calculation", "How long a single failure may take to be told", MS, DURATION],
        Meaning::Key(Place::Root, &["ospf", "spf", "time-to-learn"], Form::Millis)
    ),
    pair!(
        "timers spf hold-down",
        "<(0-600000)$value|DURATION$time>",
        [TIMERS, "Route calculation", "Quiet needed to start afresh", MS, DURATION],
        Meaning::Key(Place::Root, &["ospf", "spf", "hold-down"], Form::Millis)
    ),
    pair!(
        "compatible rfc1583",
        ["Compatibility", "Prefer paths to AS boundary routers as RFC 1583 did; the same on all routers"],
        Meaning::Key(Place::Root, &["ospf", "rfc1583-compatibility"], Form::On)
    ),
    pair!(
        "graceful-restart",
        "[grace-period (1-1800)$value]",
        [RESTART, "How long neighbours are asked to wait", "Seconds; 120 by default"],
        Meaning::Call(graceful_restart)
    ),
    pair!(
        "graceful-restart helper enable",
        [RESTART, HELPER, "Help neighbours that restart; on by default"],
        Meaning::Key(Place::Root, &["ospf", "graceful-restart", "helper"], Form::Off)
    ),
    pair!(
        "graceful-restart helper strict-lsa-checking",
        [RESTART, HELPER, "Cease to help as soon as the topology changes"],
        Meaning::Key(Place::Root, &["ospf", "graceful-restart", "strict-lsa-checking"], Form::Off)
    ),
    pair!(
        "max-metric router-lsa administrative",
        [MAX_METRIC, ROUTER_LSA, "Until this is taken back"],
        Meaning::Key(Place::Root, &["ospf", "max-metric", "administrative"], Form::On)
    ),
    pair!(
        "max-metric router-lsa on-startup",
        "(5-86400)$value",
        [
            MAX_METRIC,
            ROUTER_LSA,
            "After a start, until this router can pass on what it is sent",
            "Seconds at most"
        ],
        Meaning::Key(Place::Root, &["ospf", "max-metric", "on-startup"], Form::Seconds)
    ),
    pair!(
        "max-metric router-lsa on-shutdown",
        "(5-100)$value",
        [MAX_METRIC, ROUTER_LSA, "Before the end; a second or two by default", "Seconds"],
        Meaning::Key(Place::Root, &["ospf", "max-metric", "on-shutdown"], Form::Seconds)
    ),
    pair!(
        "fast-reroute lfa",
        ["What to do before routes are calculated", "Use loop-free alternates (RFC 5286); off by default"],
        Meaning::Key(Place::Root, &["ospf", "fast-reroute", "enabled"], Form::On)
    ),
    pair!(
        "bfd all-interfaces",
        "[profile WORD$named]",
        [
            "BFD",
            "BFD with every neighbour, on all interfaces that say nothing themselves",
            "How",
            "Name of a BFD profile"
        ],
        Meaning::Call(bfd)
    ),
];

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "network A.B.C.D/M$prefix area <A.B.C.D$within|(0-4294967295)$within>",
        help: &["Run OSPF on the interfaces with an address in a network", "The network", AREA, QUAD, NUMBER],
        meaning: Meaning::Call(network),
    },
    Row {
        syntax: "no network A.B.C.D/M$prefix area <A.B.C.D$within|(0-4294967295)$within>",
        help: &[super::NO, "Interfaces with an address in a network", "The network", AREA, QUAD, NUMBER],
        meaning: Meaning::Call(network),
    },
    Row {
        syntax: "area <A.B.C.D$within|(0-4294967295)$within> authentication [message-digest]",
        help: &[
            AREA,
            QUAD,
            NUMBER,
            "How its interfaces authenticate that say nothing themselves",
            "By MD5 keys",
        ],
        meaning: Meaning::Call(area_authentication),
    },
];

pub(super) const HIDDEN: &[[Row; 2]] = &[
    pair!(
        "router-id",
        "A.B.C.D$value",
        ["This router's id, unique in the domain", "As a dotted quad"],
        Meaning::Call(router_id)
    ),
    pair!(
        "timers lsa arrival",
        "(0-600000)$value",
        [TIMERS, "LSAs", "Least time between two accepted instances of an LSA", MS],
        Meaning::Key(Place::Root, &["ospf", "min-ls-arrival"], Form::Millis)
    ),
    pair!(
        "ospf rfc1583compatibility",
        [OSPF, "Prefer paths as RFC 1583 did"],
        Meaning::Key(Place::Root, &["ospf", "rfc1583-compatibility"], Form::On)
    ),
];

/// Lines about all interfaces are read again when a file has been read to its end.
const END: &str = "the end of the file";

fn router_id(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        call.document().remove(&["ospf", "router-id"]);
        return Ok(());
    }
    let id = call.arg("value")?.to_owned();
    if id.parse::<routing_common::id::RouterId>().is_err() {
        return refused(format!("{id} is no router id"));
    }
    call.document().set(&["ospf", "router-id"], id);
    Ok(())
}

fn network(call: &mut Call<'_>) -> Result<(), Stop> {
    let Ok(prefix) = call.arg("prefix")?.parse::<Ipv4Network>() else { return refused("that is no prefix") };
    let written = call.arg("within")?.to_owned();
    let Ok(area) = written.parse::<AreaId>() else { return refused(format!("{written} is no area")) };
    if call.session.phase == Phase::Collecting {
        return Err(Stop::Wait(END.into()));
    }
    let mut inside: Vec<String> = Vec::new();
    for (name, address) in call.session.document.addresses() {
        if prefix.contains(address) && !inside.contains(&name) {
            inside.push(name);
        }
    }
    if inside.is_empty() {
        let reason = format!(
            "no interface of the configuration has an address in {prefix}; say `ip ospf area {written}` on each \
             interface that is meant"
        );
        return if call.session.phase == Phase::Finishing {
            without_counterpart(reason)
        } else {
            refused(reason)
        };
    }
    call.session.retry_due = true;
    let mut changed = Vec::new();
    for name in inside {
        let table = ["ospf", "interfaces", name.as_str()];
        let running = call.session.document.has(&table);
        let path = [table[0], table[1], table[2], "area"];
        if call.no() && running && area_of(call, &name) == Some(area) {
            call.document().remove(&table);
            changed.push(name);
        } else if !call.no() && !running {
            call.document().set(&path, written.as_str());
            changed.push(name);
        }
    }
    call.note(match changed.as_slice() {
        [] => "the interfaces with an address there have their area already".to_owned(),
        names => names.join(", "),
    });
    Ok(())
}

/// The area of an OSPF interface in the file.
fn area_of(call: &Call<'_>, interface: &str) -> Option<AreaId> {
    let document = &call.session.document;
    if !document.has(&["ospf", "interfaces", interface]) {
        return None;
    }
    let written = document.text_at(&["ospf", "interfaces", interface, "area"]);
    written.map_or(Some(AreaId::BACKBONE), |a| a.parse().ok())
}

fn passive_interface(call: &mut Call<'_>) -> Result<(), Stop> {
    if let Some(name) = call.args.get("interface").map(str::to_owned) {
        return set_passive(call, &name);
    }
    if !call.args.has("default") {
        return refused("`default` or the name of an interface is missing");
    }
    if call.session.phase == Phase::Collecting {
        return Err(Stop::Wait(END.into()));
    }
    let no = call.no();
    for name in call.session.document.names(&["ospf", "interfaces"]) {
        let path = ["ospf", "interfaces", name.as_str(), "passive"];
        if no {
            call.document().remove(&path);
        } else if !call.session.not_passive.contains(&name) {
            call.document().set(&path, true);
        }
    }
    if !no && call.session.phase == Phase::Typed {
        call.note("interfaces that OSPF runs on later are not passive by this line");
    }
    Ok(())
}

/// Sets or takes back `metric`, `metric-type` and `route-map` of the table at `path`.
fn details(call: &mut Call<'_>, path: [&str; 3], depth: usize) -> Result<(), Stop> {
    for (arg, key) in [("m", "metric"), ("t", "metric-type")] {
        let mut at: Vec<&str> = path.iter().take(depth).copied().collect();
        at.push(key);
        if call.args.has(arg) {
            let value: i64 = call.number(arg)?;
            call.document().set(&at, value);
        } else {
            call.document().remove(&at);
        }
    }
    let mut at: Vec<&str> = path.iter().take(depth).copied().collect();
    at.push("route-map");
    match call.args.get("filter").map(str::to_owned) {
        Some(name) => call.document().set(&at, name),
        None => {
            call.document().remove(&at);
        }
    }
    Ok(())
}

fn distribute_list(call: &mut Call<'_>) -> Result<(), Stop> {
    let what = if call.args.has("connected") { "connected" } else { "static" };
    let path = ["ospf", "distribute-list", what];
    let name = call.arg("list")?.to_owned();
    if !call.no() {
        call.document().set(&path, name);
        return Ok(());
    }
    if call.session.document.text_at(&path) != Some(name.as_str()) {
        return refused(format!("{name} is not the list for {what} routes"));
    }
    call.document().remove(&path);
    Ok(())
}

fn redistribute(call: &mut Call<'_>) -> Result<(), Stop> {
    let what = if call.args.has("connected") { "connected" } else { "static" };
    let path = ["ospf", "redistribute", what];
    if call.no() {
        call.document().remove(&path);
        return Ok(());
    }
    call.document().ensure_table(&path);
    details(call, path, 3)
}

fn default_information(call: &mut Call<'_>) -> Result<(), Stop> {
    let path = ["ospf", "default-information"];
    if call.no() {
        call.document().remove(&path);
        return Ok(());
    }
    call.document().ensure_table(&path);
    details(call, [path[0], path[1], ""], 2)?;
    call.document().remove(&[path[0], path[1], "originate"]);
    if call.args.has("always") {
        call.document().set(&[path[0], path[1], "always"], true);
        if !call.args.has("m") {
            // FRR's default with `always`; the file's is 10.
            call.document().set(&[path[0], path[1], "metric"], 1);
        }
    } else {
        call.document().remove(&[path[0], path[1], "always"]);
    }
    Ok(())
}

fn maximum_paths(call: &mut Call<'_>) -> Result<(), Stop> {
    if !call.no() && call.number::<i64>("value")? > MOST_PATHS {
        return without_counterpart(format!(
            "a route has at most {MOST_PATHS} next hops, which is the default"
        ));
    }
    call.key(Place::Root, &["ospf", "maximum-paths"], Form::Number)
}

fn throttle_spf(call: &mut Call<'_>) -> Result<(), Stop> {
    let keys = [("initial", "initial-delay"), ("short", "short-delay"), ("long", "long-delay")];
    if call.no() {
        for (_, key) in keys {
            call.document().remove(&["ospf", "spf", key]);
        }
        return Ok(());
    }
    let [initial, short, long] =
        [call.number("initial")?, call.number("short")?, call.number::<u64>("long")?];
    if initial > short || short > long {
        return refused("the delays must not get shorter from one to the next");
    }
    for ((_, key), millis) in keys.into_iter().zip([initial, short, long]) {
        let delay = format_duration(Duration::from_millis(millis));
        call.document().set(&["ospf", "spf", key], delay);
    }
    Ok(())
}

fn graceful_restart(call: &mut Call<'_>) -> Result<(), Stop> {
    let period = call.args.has("grace-period");
    if call.no() && period {
        call.document().remove(&["ospf", "graceful-restart", "grace-period"]);
    } else if call.no() {
        call.document().set(&["ospf", "graceful-restart", "enabled"], false);
    } else {
        if period {
            let seconds = call.number("value")?;
            let text = format_duration(Duration::from_secs(seconds));
            call.document().set(&["ospf", "graceful-restart", "grace-period"], text);
        }
        call.document().remove(&["ospf", "graceful-restart", "enabled"]);
    }
    Ok(())
}

fn bfd(call: &mut Call<'_>) -> Result<(), Stop> {
    let path = ["ospf", "bfd"];
    match call.args.get("named").filter(|name| *name != "default").map(str::to_owned) {
        _ if call.no() => call.document().set(&path, false),
        Some(name) => call.document().set(&path, name),
        None => call.document().set(&path, true),
    }
    Ok(())
}

fn area_authentication(call: &mut Call<'_>) -> Result<(), Stop> {
    let written = call.arg("within")?.to_owned();
    let Ok(area) = written.parse::<AreaId>() else { return refused(format!("{written} is no area")) };
    if call.session.phase == Phase::Collecting {
        return Err(Stop::Wait(END.into()));
    }
    let method = match call.args.has("message-digest") {
        true => Authentication::Md5(Vec::new()),
        false => Authentication::Simple(None),
    };
    call.session.retry_due = true;
    let mut changed = Vec::new();
    for name in call.session.document.names(&["ospf", "interfaces"]) {
        let silent = Authentication::read(&call.session.document, &name).is_none();
        // Nothing is sent on a passive interface or the loopback, and FRR wants no key there.
        let passive = call.session.document.get(&["ospf", "interfaces", &name, "passive"]);
        let quiet = name == "lo" || passive.and_then(toml_edit::Item::as_bool) == Some(true);
        if silent && !quiet && area_of(call, &name) == Some(area) {
            method.write(call.document(), &name);
            changed.push(name);
        }
    }
    if changed.is_empty() {
        call.note("no interface of the area was without its own authentication");
    } else {
        call.note(changed.join(", "));
    }
    Ok(())
}
