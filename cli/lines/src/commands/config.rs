//! Lines at the top: the router as a whole, and the doors to the other modes.

use super::{DURATION, NO, Row, pair};
use crate::call::{Call, Form, Meaning, Place, Stop, refused};
use crate::document::Document;
use crate::mode::Mode;
use std::net::Ipv4Addr;

const DEFAULTS: &str = "Which set of default timers";
const ACCESS: &str = "Who may talk to the daemons beside root";
const GROUP: &str = "A group of the host, by name or number";
const RIB: &str = "The routing table";

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "hostname",
        "WORD$value",
        ["Name of the router", "1 to 63 letters, digits, - or ."],
        Meaning::Key(Place::Root, &["hostname"], Form::Text)
    ),
    pair!(
        "frr defaults",
        "<traditional|datacenter>",
        ["FRR's words", DEFAULTS, "Those of the RFCs", "The same: they differ in what Torc does not have"],
        Meaning::Call(defaults)
    ),
    pair!(
        "torc defaults",
        "<traditional|ring>",
        ["Torc's words", DEFAULTS, "Those of the RFCs", "Fast detection on every link"],
        Meaning::Call(defaults)
    ),
    pair!(
        "ip forwarding",
        ["IPv4", "Forward packets between interfaces"],
        Meaning::Key(Place::Root, &["rib", "forwarding"], Form::Off)
    ),
    pair!(
        "rib next-hop-objects",
        [RIB, "Use the kernel's next-hop objects where it has them"],
        Meaning::Key(Place::Root, &["rib", "next-hop-objects"], Form::Off)
    ),
    pair!(
        "rib stale-time",
        "<(0-3600000)$value|DURATION$time>",
        [RIB, "How long routes of a daemon that went away stay for its successor", "Milliseconds", DURATION],
        Meaning::Key(Place::Root, &["rib", "stale-time"], Form::Millis)
    ),
    pair!(
        "torc access operators",
        "WORD$value",
        ["Torc's words", ACCESS, "Who may change", GROUP],
        Meaning::Key(Place::Root, &["access", "operators"], Form::Text)
    ),
    pair!(
        "torc access readers",
        "WORD$value",
        ["Torc's words", ACCESS, "Who may look", GROUP],
        Meaning::Key(Place::Root, &["access", "readers"], Form::Text)
    ),
    pair!("router ospf", ["A routing protocol", "OSPFv2"], Meaning::Call(router_ospf)),
    pair!("bfd", ["Bidirectional Forwarding Detection"], Meaning::Call(bfd)),
];

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "interface IFNAME",
        help: &["One interface", "Its name in the kernel"],
        meaning: Meaning::Call(interface),
    },
    Row {
        syntax: "no interface IFNAME",
        help: &[NO, "One interface, and all that was said of it", "Its name in the kernel"],
        meaning: Meaning::Call(interface),
    },
];

pub(super) const HIDDEN: &[[Row; 2]] = &[pair!(
    "zebra nexthop kernel enable",
    [RIB, "Next hops", "The kernel's objects", "Use them"],
    Meaning::Key(Place::Root, &["rib", "next-hop-objects"], Form::Off)
)];

fn defaults(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        call.document().remove(&["defaults"]);
        return Ok(());
    }
    if call.args.has("datacenter") {
        call.note("for what Torc has, `datacenter` differs from `traditional` in logging only");
    }
    let set = if call.args.has("ring") { "ring" } else { "traditional" };
    // The default is written too: the line says it.
    call.document().set(&["defaults"], set);
    Ok(())
}

fn router_ospf(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        call.document().remove(&["ospf"]);
        call.session.router_ospf = false;
        call.session.kept.retain(|k| k.mode != Mode::RouterOspf);
        return Ok(());
    }
    call.document().ensure_table(&["ospf"]);
    call.session.router_ospf = true;
    let missing = !call.session.document.has(&["ospf", "router-id"]);
    if missing && call.session.phase == crate::session::Phase::Typed {
        match loopback_or_highest(&call.session.document) {
            Some(id) => {
                call.document().set(&["ospf", "router-id"], id.to_string());
                call.note(format!("the router id is {id}, from the interfaces' addresses"));
            }
            None => call.note("OSPF needs a router id: `ospf router-id A.B.C.D`"),
        }
    }
    call.session.mode = Mode::RouterOspf;
    Ok(())
}

/// The router id FRR would choose: the highest address of the loopback, else the highest there is.
pub(crate) fn loopback_or_highest(document: &Document) -> Option<Ipv4Addr> {
    let addresses = document.addresses();
    let usable = || addresses.iter().filter(|(_, a)| !a.is_loopback() && !a.is_unspecified());
    let loopback = usable().filter(|(name, _)| name == "lo").map(|(_, a)| *a).max();
    loopback.or_else(|| usable().map(|(_, a)| *a).max())
}

fn bfd(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        call.document().remove(&["bfd"]);
    } else {
        call.session.mode = Mode::Bfd;
    }
    Ok(())
}

fn interface(call: &mut Call<'_>) -> Result<(), Stop> {
    let name = call.arg("IFNAME")?.to_owned();
    let Ok(parsed) = name.parse() else { return refused(format!("{name} is no interface name")) };
    let mode = Mode::Interface(parsed);
    if !call.no() {
        call.session.mode = mode;
        return Ok(());
    }
    for group in super::vrrp::groups_on(&call.session.document, &name) {
        call.document().remove(&["vrrp", "groups", &group]);
    }
    call.document().remove(&["ospf", "interfaces", &name]);
    call.document().remove(&["interfaces", &name]);
    call.session.kept.retain(|k| k.mode != mode);
    Ok(())
}
