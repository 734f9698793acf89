//! `bfd`, and its `peer` and `profile` (RFC 5880).
//!
//! In the file only profiles say how a session behaves. A peer that lines give settings of its own gets a profile
//! of its own, named after it, with what its profile said before.

use super::{DURATION, Row, pair};
use crate::call::{Call, Form, Meaning, Place, Stop, refused};
use crate::document::Document;
use crate::mode::Mode;
use crate::names::{free_name, good_name};
use crate::session::Session;
use toml_edit::Item;

const SESSION_KEYS: [&str; 5] =
    ["transmit-interval", "receive-interval", "detect-multiplier", "passive", "minimum-ttl"];
const MS: &str = "Milliseconds";

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "profile",
        "WORD$name",
        ["How sessions behave", "Its name; `default` is used where none is named"],
        Meaning::Call(profile)
    ),
    pair!(
        "peer A.B.C.D$address",
        "[{multihop|local-address A.B.C.D$local|interface IFNAME$on|name WORD$wanted}]",
        [
            "A session of the configuration itself",
            "The neighbour's address",
            "It may be several hops away",
            "Source address of our packets",
            "An address of this router",
            "The interface it is on",
            "Its name",
            "The peer's name in the file",
            "By its address by default",
        ],
        Meaning::Call(peer)
    ),
];

pub(super) const SESSION: &[[Row; 2]] = &[
    pair!(
        "transmit-interval",
        "<(3-60000)$value|DURATION$time>",
        ["Time between packets sent, unless the peer wants fewer", MS, DURATION],
        Meaning::Key(Place::Profile, &["transmit-interval"], Form::Millis)
    ),
    pair!(
        "receive-interval",
        "<(3-60000)$value|DURATION$time>",
        ["Shortest time between packets received", MS, DURATION],
        Meaning::Key(Place::Profile, &["receive-interval"], Form::Millis)
    ),
    pair!(
        "detect-multiplier",
        "(2-255)$value",
        ["Packets in a row that may be lost before the neighbour takes us for gone", "3 by default"],
        Meaning::Key(Place::Profile, &["detect-multiplier"], Form::Number)
    ),
    pair!(
        "passive-mode",
        ["Say nothing before the peer has spoken"],
        Meaning::Key(Place::Profile, &["passive"], Form::On)
    ),
    pair!(
        "minimum-ttl",
        "(1-254)$value",
        ["Over several hops: drop packets with a smaller TTL", "254 by default"],
        Meaning::Key(Place::Profile, &["minimum-ttl"], Form::Number)
    ),
];

pub(super) const PEER: &[[Row; 2]] = &[
    pair!(
        "profile",
        "WORD$name",
        ["How the session behaves", "Name of a BFD profile"],
        Meaning::Call(peer_profile)
    ),
    pair!(
        "shutdown",
        ["Hold the session down on purpose (AdminDown)"],
        Meaning::Key(Place::Peer, &["shutdown"], Form::On)
    ),
];

pub(super) const HIDDEN: &[[Row; 2]] = &[pair!(
    "label",
    "WORD$wanted",
    ["The peer's name in the file", "Up to 32 letters"],
    Meaning::Call(label)
)];

fn profile(call: &mut Call<'_>) -> Result<(), Stop> {
    let name = call.arg("name")?.to_owned();
    if call.no() {
        call.document().remove(&["bfd", "profiles", &name]);
        return Ok(());
    }
    if !good_name(&name) {
        return refused("a name has up to 32 letters, digits, `-`, `_` or `.`");
    }
    call.document().ensure_table(&["bfd", "profiles", &name]);
    call.session.mode = Mode::BfdProfile(name);
    Ok(())
}

/// What makes a peer the one it is.
#[derive(PartialEq, Eq)]
struct Identity<'a> {
    address: Option<&'a str>,
    local: Option<&'a str>,
    interface: Option<&'a str>,
    multihop: bool,
}

impl Identity<'_> {
    fn base_name(&self) -> String {
        let mut name = self.address.unwrap_or_default().to_owned();
        if let Some(interface) = self.interface {
            name = format!("{name}-{interface}");
        }
        if self.multihop {
            name.push_str("-multihop");
        }
        name
    }

    fn find(&self, document: &Document) -> Option<String> {
        document.names(&["bfd", "peers"]).into_iter().find(|name| {
            let text = |key| document.text_at(&["bfd", "peers", name, key]);
            let multihop = document.get(&["bfd", "peers", name, "multihop"]).and_then(Item::as_bool);
            let other = Identity {
                address: text("address"),
                local: text("local-address"),
                interface: text("interface"),
                multihop: multihop == Some(true),
            };
            self == &other
        })
    }
}

/// The name a peer that lines make gets in the file.
pub(crate) fn peer_name(address: &str, interface: Option<&str>, multihop: bool) -> String {
    let identity = Identity { address: Some(address), local: None, interface, multihop };
    free_name(&identity.base_name(), &[])
}

fn peer(call: &mut Call<'_>) -> Result<(), Stop> {
    let args = call.args;
    let identity = Identity {
        address: args.get("address"),
        local: args.get("local"),
        interface: args.get("on"),
        multihop: args.has("multihop"),
    };
    let found = identity.find(&call.session.document);
    if args.has("no") {
        let Some(name) = found else { return refused("there is no such peer") };
        call.document().remove(&["bfd", "peers", &name]);
        return Ok(());
    }
    let mut others = call.session.document.names(&["bfd", "peers"]);
    others.retain(|n| Some(n) != found.as_ref());
    let wanted = args.get("wanted").map(str::to_owned);
    if let Some(wanted) = &wanted {
        usable_name(wanted, &others)?;
    }
    let name = match (found, wanted) {
        (Some(old), Some(new)) if old != new => {
            call.document().rename(&["bfd", "peers", &old], &new);
            new
        }
        (Some(old), _) => old,
        (None, wanted) => {
            let name = wanted.unwrap_or_else(|| free_name(&identity.base_name(), &others));
            let path = |key| ["bfd", "peers", name.as_str(), key];
            let document = call.document();
            for (key, text) in [
                ("address", identity.address),
                ("interface", identity.interface),
                ("local-address", identity.local),
            ] {
                if let Some(text) = text {
                    document.set(&path(key), text);
                }
            }
            if identity.multihop {
                document.set(&path("multihop"), true);
            }
            name
        }
    };
    call.session.mode = Mode::BfdPeer(name);
    Ok(())
}

fn usable_name(name: &str, others: &[String]) -> Result<(), Stop> {
    if !good_name(name) {
        return refused("a name has up to 32 letters, digits, `-`, `_` or `.`");
    }
    if others.iter().any(|o| o == name) {
        return refused(format!("{name} is the name of another peer"));
    }
    Ok(())
}

fn mode_peer(call: &Call<'_>) -> String {
    match &call.mode {
        Mode::BfdPeer(name) => name.clone(),
        _ => String::new(),
    }
}

fn label(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        return Ok(());
    }
    let (old, new) = (mode_peer(call), call.arg("wanted")?.to_owned());
    let mut others = call.session.document.names(&["bfd", "peers"]);
    others.retain(|n| *n != old);
    usable_name(&new, &others)?;
    call.document().rename(&["bfd", "peers", &old], &new);
    call.session.mode = Mode::BfdPeer(new);
    Ok(())
}

fn peer_profile(call: &mut Call<'_>) -> Result<(), Stop> {
    let peer = mode_peer(call);
    let path = ["bfd", "peers", peer.as_str(), "profile"];
    if call.no() {
        call.document().remove(&path);
        return Ok(());
    }
    let wanted = call.arg("name")?.to_owned();
    match call.session.own_profile(&peer, false) {
        // Its own settings were said before: they hold, and the profile says the rest.
        Some(own) if own != wanted => {
            call.session.fill_profile(&own, &wanted);
            call.note(format!("with the peer's own settings, as profile {own}"));
        }
        _ => call.document().set(&path, wanted),
    }
    Ok(())
}

impl Session {
    /// The profile that is `peer`'s alone; made if it is `wanted`.
    pub(crate) fn own_profile(&mut self, peer: &str, wanted: bool) -> Option<String> {
        let at = ["bfd", "peers", peer, "profile"];
        let now = self.document.text_at(&at).unwrap_or("default").to_owned();
        let base = format!("{}-own", peer.chars().take(24).collect::<String>());
        if now.starts_with(&base) {
            return Some(now);
        }
        if !wanted {
            return None;
        }
        let own = free_name(&base, &self.document.names(&["bfd", "profiles"]));
        self.document.ensure_table(&["bfd", "profiles", &own]);
        self.fill_profile(&own, &now);
        self.document.set(&at, own.as_str());
        Some(own)
    }

    /// Copies to the profile `to` what it does not say and `from` does.
    fn fill_profile(&mut self, to: &str, from: &str) {
        for key in SESSION_KEYS {
            let path = ["bfd", "profiles", to, key];
            let value = self.document.get(&["bfd", "profiles", from, key]).and_then(Item::as_value).cloned();
            if let Some(mut value) = value.filter(|_| !self.document.has(&path)) {
                value.decor_mut().clear();
                self.document.set(&path, value);
            }
        }
    }
}
