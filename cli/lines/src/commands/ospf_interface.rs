//! `ip ospf …` on an interface (RFC 2328 App. C.3 and App. D).
//!
//! FRR takes these lines in any order and keeps them while OSPF does not run on the interface. In the file they
//! stand in the table whose presence makes it run there, so all but the area wait for the area.

use super::{DURATION, NO, Row, pair};
use crate::authentication::Authentication;
use crate::call::{Call, Form, Meaning, Place, Stop, refused};
use crate::text::{MASK, secret_of};
use routing_common::id::AreaId;

const IP: &str = "IPv4";
const OSPF: &str = "OSPF on this interface";
const SECONDS: &str = "Seconds";

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "ip ospf area",
        "<A.B.C.D$within|(0-4294967295)$within>",
        [IP, OSPF, "Run OSPF here, in this area", "As a dotted quad", "As a number"],
        Meaning::Call(area)
    ),
    pair!(
        "ip ospf network",
        "<broadcast$value|point-to-point$value>",
        [IP, OSPF, "How the network behaves", "With a Designated Router", "Two routers on a cable"],
        Meaning::Key(Place::OspfInterface, &["network-type"], Form::Text)
    ),
    pair!(
        "ip ospf cost",
        "(1-65535)$value",
        [IP, OSPF, "Cost of sending out of the interface", "Instead of that from the bandwidth"],
        Meaning::Key(Place::OspfInterface, &["cost"], Form::Number)
    ),
    pair!(
        "ip ospf hello-interval",
        "(1-65535)$value",
        [IP, OSPF, "Time between Hellos; the same on all routers of the network", SECONDS],
        Meaning::Call(hello_interval)
    ),
    pair!(
        "ip ospf dead-interval",
        "<(1-65535)$value|minimal hello-multiplier (2-20)$hellos>",
        [
            IP,
            OSPF,
            "Silence after which a neighbour is gone; 4 Hellos by default",
            SECONDS,
            "One second",
            "Hellos in it, in place of a Hello interval",
            "How many",
        ],
        Meaning::Call(dead_interval)
    ),
    pair!(
        "ip ospf retransmit-interval",
        "<(1-65535)$value|DURATION$time>",
        [IP, OSPF, "Wait before an unacknowledged LSA is sent again", SECONDS, DURATION],
        Meaning::Key(Place::OspfInterface, &["retransmit-interval"], Form::Seconds)
    ),
    pair!(
        "ip ospf transmit-delay",
        "(1-65535)$value",
        [IP, OSPF, "Age added to an LSA sent here (InfTransDelay)", SECONDS],
        Meaning::Key(Place::OspfInterface, &["transmit-delay"], Form::Seconds)
    ),
    pair!(
        "ip ospf priority",
        "(0-255)$value",
        [IP, OSPF, "Precedence in the election of the Designated Router", "0 never becomes one"],
        Meaning::Key(Place::OspfInterface, &["priority"], Form::Number)
    ),
    pair!(
        "ip ospf passive",
        [IP, OSPF, "Announce the network, but form no adjacencies"],
        Meaning::Call(passive)
    ),
    pair!(
        "ip ospf mtu-ignore",
        [IP, OSPF, "Form adjacencies though the neighbour's MTU is larger"],
        Meaning::Key(Place::OspfInterface, &["mtu-ignore"], Form::On)
    ),
    pair!(
        "ip ospf authentication",
        "[<message-digest|null|key-chain WORD$chain>]",
        [
            IP,
            OSPF,
            "How packets are authenticated: by a password",
            "By MD5 keys",
            "Not at all",
            "By the keys of a chain, each in its time",
            "Name of a key chain"
        ],
        Meaning::Call(authentication)
    ),
    pair!(
        "ip ospf authentication-key",
        "WORD$secret",
        [IP, OSPF, "The password", "1 to 8 bytes"],
        Meaning::Call(authentication_key)
    ),
    [
        Row {
            syntax: "ip ospf message-digest-key (0-255)$id md5 WORD$secret",
            help: &[IP, OSPF, "An MD5 key; the last one signs, all verify", "Key id", "MD5", "1 to 16 bytes"],
            meaning: Meaning::Call(message_digest_key),
        },
        Row {
            syntax: "no ip ospf message-digest-key (0-255)$id [md5 WORD$secret]",
            help: &[NO, IP, OSPF, "An MD5 key; the last one signs, all verify", "Key id", "MD5", "The key"],
            meaning: Meaning::Call(message_digest_key),
        },
    ],
    pair!(
        "ip ospf bfd",
        "[profile WORD$named]",
        [IP, OSPF, "BFD with every neighbour here", "How the sessions behave", "Name of a BFD profile"],
        Meaning::Call(bfd)
    ),
];

pub(super) const HIDDEN: &[[Row; 2]] = &[pair!(
    "ip ospf bfd",
    "(2-255)$multiplier (50-60000)$receive (50-60000)$transmit",
    [IP, OSPF, "BFD with every neighbour here", "Multiplier", "Receive interval", "Transmit interval"],
    Meaning::Call(bfd)
)];

fn area(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    let table = ["ospf", "interfaces", interface.as_str()];
    if call.no() {
        if call.document().remove(&table) {
            call.note(format!("what else was said of OSPF on {interface} is gone with the area"));
        }
        return Ok(());
    }
    let written = call.arg("within")?.to_owned();
    if written.parse::<AreaId>().is_err() {
        return refused(format!("{written} is no area"));
    }
    call.document().set(&[table[0], table[1], table[2], "area"], written);
    call.session.retry_due = true;
    if call.session.phase == crate::session::Phase::Typed
        && !call.session.document.has(&["ospf", "router-id"])
    {
        call.note("OSPF needs a router id too: `router ospf`, `ospf router-id A.B.C.D`");
    }
    Ok(())
}

fn hello_interval(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    if !call.no() && call.session.document.has(&["ospf", "interfaces", &interface, "hello-multiplier"]) {
        return refused(
            "`ip ospf dead-interval minimal …` says how often Hellos are sent: take that back first",
        );
    }
    call.key(Place::OspfInterface, &["hello-interval"], Form::Seconds)
}

fn dead_interval(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    let path = |key| ["ospf", "interfaces", interface.as_str(), key];
    if !call.args.has("hellos") || call.no() {
        call.key(Place::OspfInterface, &["dead-interval"], Form::Seconds)?;
        call.document().remove(&path("hello-multiplier"));
        return Ok(());
    }
    call.ospf_interface()?;
    let hellos: i64 = call.number("hellos")?;
    call.document().set(&path("hello-multiplier"), hellos);
    call.document().remove(&path("dead-interval"));
    // FRR keeps the line and does not heed it.
    if call.document().remove(&path("hello-interval")) {
        call.note("`ip ospf hello-interval` has no effect beside this and is gone");
    }
    Ok(())
}

fn passive(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    set_passive(call, &interface)
}

/// Makes `interface` passive, or not; what is said here holds against `passive-interface default`.
pub(super) fn set_passive(call: &mut Call<'_>, interface: &str) -> Result<(), Stop> {
    let path = ["ospf", "interfaces", interface, "passive"];
    if call.no() {
        call.session.not_passive.insert(interface.to_owned());
        call.document().remove(&path);
        call.session.forget(&call.mode, call.raw);
        return Ok(());
    }
    if !call.session.document.has(&path[..3]) {
        return Err(Stop::Wait(format!(
            "`ip ospf area` on {interface}, or a `network` line with its address"
        )));
    }
    call.session.not_passive.remove(interface);
    call.document().set(&path, true);
    Ok(())
}

fn authentication(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    if call.no() {
        call.session.forget(&call.mode, call.raw);
        if call.document().remove(&["ospf", "interfaces", &interface, "authentication"]) {
            call.note("the keys are gone with it");
        }
        return Ok(());
    }
    call.ospf_interface()?;
    let wanted = match () {
        () if call.args.has("message-digest") => Authentication::Md5(Vec::new()),
        () if call.args.has("null") => Authentication::Null,
        () if call.args.has("chain") => Authentication::KeyChain(call.arg("chain")?.to_owned()),
        () => Authentication::Simple(None),
    };
    let now = Authentication::read(&call.session.document, &interface);
    let named = matches!(wanted, Authentication::KeyChain(_));
    if named || !now.as_ref().is_some_and(|n| n.same_kind(&wanted)) {
        wanted.write(call.document(), &interface);
        call.session.retry_due = true;
    }
    Ok(())
}

/// The key of a line, if it can be one.
pub(super) fn key(call: &Call<'_>, longest: usize) -> Result<String, Stop> {
    let word = call.arg("secret")?;
    if word == MASK {
        return refused("that is not the key, but what is shown instead of it");
    }
    let key = secret_of(word);
    if !(1..=longest).contains(&key.len()) {
        return refused(format!("the key is {} bytes long; 1 to {longest} are possible", key.len()));
    }
    Ok(key)
}

fn authentication_key(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    let now = Authentication::read(&call.session.document, &interface);
    if call.no() {
        call.session.forget(&call.mode, call.raw);
        if let Some(Authentication::Simple(_)) = now {
            Authentication::Simple(None).write(call.document(), &interface);
        }
        return Ok(());
    }
    let key = key(call, 8)?;
    call.ospf_interface()?;
    match now {
        Some(Authentication::Simple(_)) => {
            Authentication::Simple(Some(key)).write(call.document(), &interface);
            Ok(())
        }
        _ => Err(Stop::Wait(format!("`ip ospf authentication` on {interface}"))),
    }
}

fn message_digest_key(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    let id: i64 = call.number("id")?;
    let now = Authentication::read(&call.session.document, &interface);
    if call.no() {
        call.session.forget(&call.mode, call.raw);
        if let Some(Authentication::Md5(mut keys)) = now {
            keys.retain(|(other, _)| *other != id);
            Authentication::Md5(keys).write(call.document(), &interface);
        }
        return Ok(());
    }
    let key = key(call, 16)?;
    call.ospf_interface()?;
    match now {
        Some(Authentication::Md5(mut keys)) => {
            match keys.iter_mut().find(|(other, _)| *other == id) {
                Some((_, old)) => *old = key,
                None => keys.push((id, key)),
            }
            Authentication::Md5(keys).write(call.document(), &interface);
            Ok(())
        }
        _ => Err(Stop::Wait(format!("`ip ospf authentication message-digest` on {interface}"))),
    }
}

fn bfd(call: &mut Call<'_>) -> Result<(), Stop> {
    let interface = call.interface();
    call.ospf_interface()?;
    let path = ["ospf", "interfaces", interface.as_str(), "bfd"];
    let named = call.args.get("named");
    match named.filter(|name| *name != "default") {
        // `no … profile` takes back the profile only.
        _ if call.no() && named.is_some() => call.document().set(&path, true),
        // Said, not left out: other settings may make BFD the default.
        _ if call.no() => call.document().set(&path, false),
        Some(name) => {
            let name = name.to_owned();
            call.document().set(&path, name);
        }
        None if call.args.has("multiplier") => {
            let name = inline_profile(call)?;
            call.document().set(&path, name);
        }
        None => call.document().set(&path, true),
    }
    Ok(())
}

/// The profile an old line's three numbers make.
fn inline_profile(call: &mut Call<'_>) -> Result<String, Stop> {
    let (multiplier, receive, transmit): (i64, i64, i64) =
        (call.number("multiplier")?, call.number("receive")?, call.number("transmit")?);
    let name = format!("ospf-{multiplier}-{receive}-{transmit}");
    let path = |key| ["bfd", "profiles", name.as_str(), key];
    call.session.document.set(&path("detect-multiplier"), multiplier);
    call.session.document.set(&path("receive-interval"), format!("{receive}ms"));
    call.session.document.set(&path("transmit-interval"), format!("{transmit}ms"));
    call.notes.push(format!("the three numbers are the BFD profile {name}"));
    Ok(name)
}
