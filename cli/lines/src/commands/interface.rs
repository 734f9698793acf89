//! `interface NAME`: description and addresses.

use super::{NO, Row, pair};
use crate::call::{Call, Meaning, Stop, refused};
use routing_common::prefix::Ipv4Network;

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "description",
        "LINE",
        ["What the interface is for", "For humans; \"…\" keeps blanks at its ends"],
        Meaning::Call(description)
    ),
    [
        Row {
            syntax: "ip address A.B.C.D/M$prefix",
            help: &[
                "IPv4",
                "An address of the interface; the first is the primary one",
                "With its prefix length",
            ],
            meaning: Meaning::Call(address),
        },
        Row {
            syntax: "no ip address [A.B.C.D/M$prefix]",
            help: &[NO, "IPv4", "An address of the interface, or all of them", "With its prefix length"],
            meaning: Meaning::Call(address),
        },
    ],
];

fn description(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    let path = ["interfaces", interface.as_str(), "description"];
    if call.no() {
        call.document().remove(&path);
        return Ok(());
    }
    let text = call.free_text();
    if text.chars().any(char::is_control) {
        return refused("a description cannot hold control characters");
    }
    call.document().set(&path, text);
    Ok(())
}

fn address(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    let path = ["interfaces", interface.as_str(), "addresses"];
    let Some(written) = call.args.get("prefix") else {
        // Without an address: none at all, but the interface stays in the file.
        call.document().ensure_table(&path[..2]);
        call.document().remove(&path);
        return Ok(());
    };
    let Ok(address) = written.parse::<Ipv4Network>() else {
        return refused(format!("{written} is no address"));
    };
    let same = |a: &str| a.parse::<Ipv4Network>().is_ok_and(|a| a == address);
    if call.no() {
        if !call.document().retain(&path, same) {
            return refused(format!("{address} is no address of {interface} here"));
        }
        return Ok(());
    }
    let listed = call.session.document.strings(&path);
    if listed.iter().any(|a| same(a)) {
        return Ok(());
    }
    let other = listed.iter().find(|a| a.parse::<Ipv4Network>().is_ok_and(|a| a.ip() == address.ip()));
    if let Some(other) = other {
        return refused(format!("{interface} already has {other}"));
    }
    call.document().push(&path, &address.to_string());
    Ok(())
}
