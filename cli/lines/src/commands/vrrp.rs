//! `vrrp N …` on an interface: virtual routers (RFC 9568).
//!
//! In the file a group has a name; in lines it is the interface's and has its vrid. A group that lines make is called
//! INTERFACE-VRID unless they name it.

use super::{DURATION, NO, Row, pair};
use crate::call::{Call, Form, Meaning, Place, Stop, refused};
use crate::document::Document;
use crate::names::{free_name, good_name};
use routing_common::prefix::Ipv4Network;
use std::net::Ipv4Addr;

const VRRP: &str = "A virtual router on this interface";
const VRID: &str = "Virtual router id";
const MS: &str = "Milliseconds";

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "vrrp (1-255)$vrid priority",
        "(1-255)$value",
        [VRRP, VRID, "The highest becomes Master", "255 is for the owner of the addresses alone"],
        Meaning::Key(Place::Group, &["priority"], Form::Number)
    ),
    pair!(
        "vrrp (1-255)$vrid advertisement-interval",
        "<(10-255000)$value|DURATION$time>",
        [VRRP, VRID, "Time between advertisements", "Milliseconds, in steps of 10", DURATION],
        Meaning::Key(Place::Group, &["advertisement-interval"], Form::Millis)
    ),
    pair!(
        "vrrp (1-255)$vrid ip",
        "<A.B.C.D$address|A.B.C.D/M$address>",
        [VRRP, VRID, "A virtual address", "With the prefix length of the interface's subnet", "With its own"],
        Meaning::Call(address)
    ),
    pair!(
        "vrrp (1-255)$vrid preempt",
        [VRRP, VRID, "Take over from a Master of lower priority"],
        Meaning::Key(Place::Group, &["preempt"], Form::Off)
    ),
    pair!(
        "vrrp (1-255)$vrid preempt-delay",
        "<(0-3600000)$value|DURATION$time>",
        [VRRP, VRID, "Wait before taking over from a Master of lower priority", MS, DURATION],
        Meaning::Key(Place::Group, &["preempt-delay"], Form::Millis)
    ),
    pair!(
        "vrrp (1-255)$vrid preempt-routes-wait",
        "<(0-3600000)$value|DURATION$time>",
        [VRRP, VRID, "Longest wait for OSPF's routes before taking over", MS, DURATION],
        Meaning::Key(Place::Group, &["preempt-routes-wait"], Form::Millis)
    ),
    pair!(
        "vrrp (1-255)$vrid accelerate",
        [VRRP, VRID, "Take over as soon as OSPF says that nobody else is left"],
        Meaning::Key(Place::Group, &["accelerate"], Form::Off)
    ),
    pair!(
        "vrrp (1-255)$vrid virtual-mac",
        [VRRP, VRID, "Use the virtual router's MAC address"],
        Meaning::Key(Place::Group, &["virtual-mac"], Form::Off)
    ),
    pair!(
        "vrrp (1-255)$vrid checksum-with-ipv4-pseudoheader",
        [VRRP, VRID, "Version 3: send checksums as RFC 5798 says; without it, as RFC 9568 says"],
        Meaning::Call(checksum)
    ),
    pair!(
        "vrrp (1-255)$vrid name",
        "WORD$wanted",
        [VRRP, VRID, "The group's name in the file", "INTERFACE-VRID by default"],
        Meaning::Call(name)
    ),
];

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "vrrp (1-255)$vrid [version (2-3)$value]",
        help: &[VRRP, VRID, "Protocol version", "3 by default"],
        meaning: Meaning::Call(group),
    },
    Row {
        syntax: "no vrrp (1-255)$vrid [version (2-3)$value]",
        help: &[NO, VRRP, VRID, "Protocol version", "3 by default"],
        meaning: Meaning::Call(group),
    },
];

/// The names of the groups on `interface`.
pub(super) fn groups_on(document: &Document, interface: &str) -> Vec<String> {
    let mut names = document.names(&["vrrp", "groups"]);
    names.retain(|n| document.text_at(&["vrrp", "groups", n, "interface"]) == Some(interface));
    names
}

/// The name of the group with this vrid on `interface`.
fn existing(document: &Document, interface: &str, vrid: i64) -> Option<String> {
    groups_on(document, interface).into_iter().find(|n| {
        document.get(&["vrrp", "groups", n, "vrid"]).and_then(toml_edit::Item::as_integer) == Some(vrid)
    })
}

impl Call<'_> {
    /// The group of the line, made if it is `wanted`.
    pub(crate) fn group(&mut self, wanted: bool) -> Result<Option<String>, Stop> {
        let (interface, vrid) = (self.interface(), self.number::<i64>("vrid")?);
        let found = existing(&self.session.document, &interface, vrid);
        if found.is_some() || !wanted {
            return Ok(found);
        }
        let taken = self.session.document.names(&["vrrp", "groups"]);
        let name = free_name(&format!("{interface}-{vrid}"), &taken);
        self.make_group(&name, &interface, vrid);
        Ok(Some(name))
    }

    fn make_group(&mut self, name: &str, interface: &str, vrid: i64) {
        self.document().set(&["vrrp", "groups", name, "interface"], interface);
        self.document().set(&["vrrp", "groups", name, "vrid"], vrid);
    }
}

fn group(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        return match call.group(false)? {
            Some(name) => {
                call.document().remove(&["vrrp", "groups", &name]);
                Ok(())
            }
            None => refused("there is no such virtual router on this interface"),
        };
    }
    let Some(name) = call.group(true)? else { return Ok(()) };
    if call.args.has("version") {
        let version: i64 = call.number("value")?;
        call.document().set(&["vrrp", "groups", &name, "version"], version);
    }
    Ok(())
}

fn address(call: &mut Call<'_>) -> Result<(), Stop> {
    let written = call.args.get("address").map(str::to_owned);
    let ip = |a: &str| a.split('/').next().and_then(|a| a.parse::<Ipv4Addr>().ok());
    let wanted = written.as_deref().and_then(ip);
    if call.no() {
        let Some(name) = call.group(false)? else { return Ok(()) };
        let path = ["vrrp", "groups", name.as_str(), "virtual-addresses"];
        call.document().retain(&path, |a| wanted.is_none() || ip(a) == wanted);
        return Ok(());
    }
    let (Some(written), Some(wanted)) = (written, wanted) else { return refused("the address is missing") };
    let Some(name) = call.group(true)? else { return Ok(()) };
    let path = ["vrrp", "groups", name.as_str(), "virtual-addresses"];
    let known = call.session.document.strings(&path).iter().any(|a| ip(a) == Some(wanted));
    if known && !written.contains('/') {
        return Ok(());
    }
    let interface = call.interface();
    let subnets = call.session.document.strings(&["interfaces", &interface, "addresses"]);
    let collecting = call.session.phase != crate::session::Phase::Typed;
    if !written.contains('/') && subnets.is_empty() && !collecting {
        call.note(format!(
            "the prefix length is that of {interface}'s subnet, but the configuration gives {interface} no address: \
             `ip address`, or `vrrp N ip {wanted}/24`"
        ));
    }
    let bare_length = written.parse::<Ipv4Network>().ok().filter(|_| written.contains('/'));
    let text = bare_length.map_or(written, |n| n.to_string());
    if known {
        call.document().retain(&path, |a| ip(a) == Some(wanted));
    }
    call.document().push(&path, &text);
    Ok(())
}

fn checksum(call: &mut Call<'_>) -> Result<(), Stop> {
    let no = call.no();
    match call.group(no)? {
        Some(name) if no => call.document().set(&["vrrp", "groups", &name, "checksum"], "rfc9568"),
        Some(name) => {
            call.document().remove(&["vrrp", "groups", &name, "checksum"]);
        }
        None => {}
    }
    Ok(())
}

fn name(call: &mut Call<'_>) -> Result<(), Stop> {
    let (interface, vrid) = (call.interface(), call.number::<i64>("vrid")?);
    let found = existing(&call.session.document, &interface, vrid);
    let taken = call.session.document.names(&["vrrp", "groups"]);
    let wanted = match call.args.get("wanted").filter(|_| !call.no()) {
        Some(name) => name.to_owned(),
        None => {
            let others: Vec<String> = taken.iter().filter(|t| Some(*t) != found.as_ref()).cloned().collect();
            free_name(&format!("{interface}-{vrid}"), &others)
        }
    };
    if found.as_ref() == Some(&wanted) || (call.no() && found.is_none()) {
        return Ok(());
    }
    if !good_name(&wanted) {
        return refused("a name has up to 32 letters, digits, `-`, `_` or `.`");
    }
    if taken.contains(&wanted) {
        return refused(format!("{wanted} is the name of another virtual router"));
    }
    match found {
        Some(old) => call.document().rename(&["vrrp", "groups", &old], &wanted),
        None => call.make_group(&wanted, &interface, vrid),
    }
    Ok(())
}
