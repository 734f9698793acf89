//! `[bfd]`: profiles, sessions of the file itself, and which profile an OSPF interface has.

use super::interfaces::{Interfaces, unusable};
use super::{good_name, warn_if_unknown};
use crate::config::model::{BfdPeer, BfdProfile, Defaults};
use crate::config::reader::{At, Choice, Section};
use crate::config::slip::nearest;
use crate::id::InterfaceName;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The profile used where none is named.
const DEFAULT: &str = "default";

/// What `[bfd]` says.
pub(super) struct Bfd {
    pub(super) profiles: Profiles,
    pub(super) peers: BTreeMap<String, BfdPeer>,
}

/// The profiles there are; `default` always is.
pub(super) struct Profiles(BTreeMap<String, BfdProfile>);

/// Reads `[bfd]`.
pub(super) fn read(root: &Section<'_>, interfaces: &Interfaces) -> Bfd {
    let bfd = root.section_or_defaults("bfd");
    let mut profiles = Profiles(BTreeMap::new());
    for (name, section) in bfd.named("profiles") {
        refuse_bad_name(&section, "profile", &name);
        profiles.0.insert(name.value.to_owned(), profile(name.value, &section));
    }
    if !profiles.0.contains_key(DEFAULT) {
        profiles.0.insert(DEFAULT.to_owned(), profile(DEFAULT, &bfd.unwritten("profiles")));
    }
    let peers = peers(&bfd, interfaces, &profiles);
    Bfd { profiles, peers }
}

fn refuse_bad_name(section: &Section<'_>, what: &str, name: &At<&str>) {
    if !good_name(name.value) {
        let message = format!("a BFD {what} cannot be called \"{}\"", name.value.escape_debug());
        let hint = format!("up to 32 letters, digits, `-`, `_` or `.`, such as [bfd.{what}s.fast]");
        section.sink().error(name.span.clone(), message, hint);
    }
}

fn profile(name: &str, section: &Section<'_>) -> BfdProfile {
    let byte = |key| u8::try_from(section.number(key).value).unwrap_or(u8::MAX);
    BfdProfile {
        name: name.to_owned(),
        transmit_interval: section.time("transmit-interval").value,
        receive_interval: section.time("receive-interval").value,
        detect_multiplier: byte("detect-multiplier"),
        passive: section.boolean("passive").value,
        minimum_ttl: byte("minimum-ttl"),
    }
}

impl Profiles {
    /// The one called `name`, or an error at `at`.
    fn named(&self, section: &Section<'_>, at: core::ops::Range<usize>, name: &str) -> Option<&BfdProfile> {
        let found = self.0.get(name);
        if found.is_none() {
            let hint = match nearest(name, self.0.keys().map(String::as_str)) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write a table [bfd.profiles.{}]", name.escape_debug()),
            };
            let message = format!("there is no BFD profile \"{}\"", name.escape_debug());
            section.sink().error(at, message, hint);
        }
        found
    }

    fn usual(&self) -> Option<&BfdProfile> {
        self.0.get(DEFAULT)
    }

    /// What `bfd` of a table says: `None` if nothing (or nothing sound), `Some(None)` for `false`.
    fn chosen(&self, section: &Section<'_>) -> Option<Option<&BfdProfile>> {
        let bfd = section.switch_or_text("bfd");
        match bfd.value? {
            Choice::Switch(false) => Some(None),
            Choice::Switch(true) => Some(self.usual()),
            Choice::Named(name) => self.named(section, bfd.span, name).map(Some),
        }
    }

    /// What holds on the interfaces of `[ospf]` that say nothing themselves.
    pub(super) fn of_ospf(&self, ospf: &Section<'_>) -> OspfDefault<'_> {
        OspfDefault { profiles: self, said: self.chosen(ospf), defaults: ospf.defaults() }
    }
}

/// The `bfd` of `[ospf]`, for its interfaces.
pub(super) struct OspfDefault<'a> {
    profiles: &'a Profiles,
    said: Option<Option<&'a BfdProfile>>,
    defaults: Defaults,
}

impl OspfDefault<'_> {
    /// The profile of one OSPF interface: its own word, else that of `[ospf]`, else that of the defaults.
    pub(super) fn on_interface(&self, section: &Section<'_>, passive: bool) -> Option<BfdProfile> {
        let own = self.profiles.chosen(section);
        if passive {
            if let Some(Some(_)) = own {
                let hint = "a passive interface has no neighbours; remove `bfd` or `passive`";
                section.sink().warning(section.span(), "`bfd` has no effect on a passive interface", hint);
            }
            return None;
        }
        let fallback = self.profiles.usual().filter(|_| self.defaults == Defaults::Ring);
        own.or(self.said).unwrap_or(fallback).cloned()
    }
}

fn peers(bfd: &Section<'_>, interfaces: &Interfaces, profiles: &Profiles) -> BTreeMap<String, BfdPeer> {
    let mut tables = bfd.named("peers");
    tables.sort_by_key(|(name, _)| name.span.start);
    let mut peers: BTreeMap<String, BfdPeer> = BTreeMap::new();
    for (name, section) in &tables {
        refuse_bad_name(section, "peer", name);
        let Some(peer) = peer(section, interfaces, profiles) else { continue };
        let twin = peers.iter().find(|(_, other)| one_session(interfaces, other, &peer));
        if let Some((other, _)) = twin {
            let message = format!("the session with {} is already that of peer `{other}`", peer.address);
            let hint = "one session with a neighbour on an interface is all there can be; remove one of them";
            section.sink().error(name.span.clone(), message, hint);
        }
        peers.insert(name.value.to_owned(), peer);
    }
    peers
}

/// RFC 5881 §3: one session between two systems on an interface; RFC 5883 §4.1: and one between two addresses.
fn one_session(interfaces: &Interfaces, a: &BfdPeer, b: &BfdPeer) -> bool {
    let interface = |p: &BfdPeer| p.interface.clone().or_else(|| interfaces.towards(p.address).cloned());
    if a.address != b.address || a.multihop != b.multihop {
        return false;
    }
    if a.multihop { a.local_address == b.local_address } else { interface(a) == interface(b) }
}

fn peer(section: &Section<'_>, interfaces: &Interfaces, profiles: &Profiles) -> Option<BfdPeer> {
    let address = section.parsed::<Ipv4Addr>("address");
    let interface = section.parsed::<InterfaceName>("interface");
    let local_address = section.parsed::<Ipv4Addr>("local-address");
    let multihop = section.boolean("multihop").value;
    let shutdown = section.boolean("shutdown").value;
    let wanted = section.text("profile");
    let profile = profiles.named(section, wanted.span, wanted.value.unwrap_or(DEFAULT));
    if multihop && interface.value.is_some() {
        let hint = "routing chooses the way to a neighbour several hops away; remove one of them";
        section.sink().error(interface.span.clone(), "`interface` cannot stand with `multihop`", hint);
    } else if let Some(name) = &interface.value {
        warn_if_unknown(section, interfaces, name, interface.span.clone());
    }
    neighbour(section, interfaces, &address)?;
    local(section, interfaces, &local_address, &interface);
    if let Some(address) = address.value
        && !multihop
        && interface.value.is_none()
        && interface.sound()
        && interfaces.towards(address).is_none()
    {
        let hint = "name its `interface`, or set multihop = true";
        section.sink().warning(section.span(), format!("{address} is in no subnet of this file"), hint);
    }
    Some(BfdPeer {
        address: address.value?,
        interface: interface.value,
        local_address: local_address.value,
        multihop,
        shutdown,
        profile: profile?.clone(),
    })
}

/// The address must be that of somebody else; `None` if it is not.
fn neighbour(section: &Section<'_>, interfaces: &Interfaces, address: &At<Option<Ipv4Addr>>) -> Option<()> {
    let value = address.value?;
    let fault = match (unusable(value, false), interfaces.owner_of(value)) {
        (Some(kind), _) => format!("{value} is {kind}"),
        (_, Some(own)) => format!("{value} is this router's own address on `{own}`"),
        _ => return Some(()),
    };
    section.sink().error(address.span.clone(), fault, "a peer is the unicast address of a neighbour");
    None
}

/// The source address must be one we have, as far as the file says.
fn local(
    section: &Section<'_>,
    interfaces: &Interfaces,
    local: &At<Option<Ipv4Addr>>,
    interface: &At<Option<InterfaceName>>,
) {
    let Some(address) = local.value else { return };
    if let Some(kind) = unusable(address, false) {
        let hint = "a source address is a unicast address of this router";
        section.sink().error(local.span.clone(), format!("{address} is {kind}"), hint);
        return;
    }
    let Some(name) = &interface.value else { return };
    let Some(own) = interfaces.addresses(name) else { return };
    if !own.iter().any(|a| a.ip() == address) {
        let known: Vec<_> = own.iter().map(ToString::to_string).collect();
        let message = format!("{address} is no address of `{name}`");
        section.sink().error(local.span.clone(), message, format!("`{name}` has {}", known.join(", ")));
    }
}
