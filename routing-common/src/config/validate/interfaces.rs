//! `[interfaces]`: names, addresses, and that no two interfaces claim the same subnet.

use crate::config::model::InterfaceConfig;
use crate::config::reader::Section;
use crate::id::InterfaceName;
use crate::prefix::{Ipv4Network, canonical};
use core::ops::Range;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The interfaces that were read, with the places of their addresses.
pub(super) struct Interfaces {
    tables: BTreeMap<InterfaceName, InterfaceConfig>,
}

impl Interfaces {
    pub(super) fn into_config(self) -> BTreeMap<InterfaceName, InterfaceConfig> {
        self.tables
    }

    pub(super) fn contains(&self, name: &InterfaceName) -> bool {
        self.tables.contains_key(name)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(InterfaceName::as_str)
    }

    /// The addresses of `name`; `None` if the file says nothing about it.
    pub(super) fn addresses(&self, name: &InterfaceName) -> Option<&[Ipv4Network]> {
        let addresses = &self.tables.get(name)?.addresses;
        (!addresses.is_empty()).then_some(addresses)
    }

    /// The interface that has this very address.
    pub(super) fn owner_of(&self, address: Ipv4Addr) -> Option<&InterfaceName> {
        self.tables.iter().find(|(_, i)| i.addresses.iter().any(|a| a.ip() == address)).map(|(name, _)| name)
    }

    /// The interface with the longest subnet around `address`.
    pub(super) fn towards(&self, address: Ipv4Addr) -> Option<&InterfaceName> {
        let subnets = self.tables.iter().flat_map(|(name, i)| i.addresses.iter().map(move |a| (a, name)));
        subnets.filter(|(a, _)| a.contains(address)).max_by_key(|(a, _)| a.prefix()).map(|(_, name)| name)
    }

    /// The first address of the loopback that is no loopback address: a good router id.
    pub(super) fn loopback_address(&self) -> Option<Ipv4Addr> {
        let (_, lo) = self.tables.iter().find(|(name, _)| name.as_str() == "lo")?;
        lo.addresses.iter().map(|a| a.ip()).find(|a| !a.is_loopback())
    }
}

/// An address that was accepted, and where.
struct Placed {
    interface: InterfaceName,
    address: Ipv4Network,
    span: Range<usize>,
}

/// Reads `[interfaces.*]`.
pub(super) fn read(root: &Section<'_>) -> Interfaces {
    let mut tables = BTreeMap::new();
    let mut placed: Vec<Placed> = Vec::new();
    for (at, section) in root.named("interfaces") {
        let description = description(&section);
        let listed = addresses(&section, at.value);
        let Some(name) = interface_name(&section, at.value, at.span) else { continue };
        for (address, span) in &listed {
            placed.push(Placed { interface: name.clone(), address: *address, span: span.clone() });
        }
        let addresses = listed.into_iter().map(|(address, _)| address).collect();
        tables.insert(name, InterfaceConfig { description, addresses });
    }
    // In file order, so that the later line is the one to blame.
    placed.sort_by_key(|p| p.span.start);
    for (i, later) in placed.iter().enumerate() {
        if let Some(earlier) = placed[..i].iter().find(|p| clash(p, later)) {
            refuse_clash(root, earlier, later);
        }
    }
    Interfaces { tables }
}

/// The key `description`, one line.
pub(super) fn description(section: &Section<'_>) -> Option<String> {
    let text = section.text("description");
    if text.value.is_some_and(|t| t.chars().any(char::is_control)) {
        section.sink().error(
            text.span,
            "`description` holds control characters",
            "it must be one line of text",
        );
    }
    text.value.map(str::to_owned)
}

/// A table name as an interface name.
pub(super) fn interface_name(section: &Section<'_>, name: &str, span: Range<usize>) -> Option<InterfaceName> {
    let parsed = name.parse::<InterfaceName>();
    if let Err(e) = &parsed {
        section.sink().error(
            span,
            e.to_string(),
            "a table here is named after a kernel interface, such as `eth0`",
        );
    }
    parsed.ok()
}

fn addresses(section: &Section<'_>, interface: &str) -> Vec<(Ipv4Network, Range<usize>)> {
    let mut accepted = Vec::new();
    for element in section.list("addresses").value {
        let Some(text) = element.get_ref().as_str() else {
            section.wrong_type::<()>(element, "an address such as \"192.168.1.1/24\"");
            continue;
        };
        if !text.contains('/') {
            let message = format!("address \"{}\" has no prefix length", text.escape_debug());
            section.sink().error(
                element.span(),
                message,
                format!("write \"{}/24\", or /32 for a host", text.escape_debug()),
            );
            continue;
        }
        let form = "an IPv4 address with prefix length, such as \"192.168.1.1/24\"";
        let Some(address) = section.parse::<Ipv4Network>(element, text, "an address", form) else { continue };
        match host_address_fault(address, interface) {
            Some((message, hint)) => section.sink().error(element.span(), message, hint),
            None => accepted.push((address, element.span())),
        }
    }
    accepted
}

/// Why `n` cannot be the address of an interface, with a hint.
fn host_address_fault(n: Ipv4Network, interface: &str) -> Option<(String, String)> {
    let a = n.ip();
    if let Some(kind) = unusable(a, interface == "lo") {
        return Some((format!("{a} is {kind}"), "an interface needs a unicast address".into()));
    }
    let subnet = canonical(n);
    if n.prefix() == 0 {
        return Some((
            format!("{n} has prefix length 0"),
            "a subnet of all addresses leaves none to route to".into(),
        ));
    }
    if n.prefix() < 31 && a == subnet.ip() {
        let hint =
            format!("the first address a host can have there is {}", Ipv4Addr::from_bits(a.to_bits() + 1));
        return Some((format!("{a} is the address of the network {subnet} itself"), hint));
    }
    if n.prefix() < 31 && a == n.broadcast() {
        let hint =
            format!("the last address a host can have there is {}", Ipv4Addr::from_bits(a.to_bits() - 1));
        return Some((format!("{a} is the broadcast address of {subnet}"), hint));
    }
    None
}

/// What kind of address `a` is if no host can have it; loopback addresses only where allowed.
pub(super) fn unusable(a: Ipv4Addr, on_loopback: bool) -> Option<&'static str> {
    match a {
        _ if a.octets()[0] == 0 => Some("no host address (0.0.0.0/8)"),
        _ if a.is_loopback() && !on_loopback => Some("a loopback address (127.0.0.0/8)"),
        _ if a.is_multicast() => Some("a multicast address (224.0.0.0/4)"),
        _ if a.octets()[0] >= 240 => Some("a reserved address (240.0.0.0/4)"),
        _ => None,
    }
}

/// Two interfaces in one subnet cannot both be right; /32s may be shared, and one interface may have
/// several addresses in its subnet, but not the same twice.
fn clash(a: &Placed, b: &Placed) -> bool {
    if a.interface == b.interface {
        return a.address.ip() == b.address.ip();
    }
    a.address.prefix() < 32 && b.address.prefix() < 32 && a.address.overlaps(b.address)
}

fn refuse_clash(root: &Section<'_>, earlier: &Placed, later: &Placed) {
    let (message, hint) = if earlier.interface == later.interface {
        (format!("{} is listed twice on `{}`", later.address.ip(), later.interface), "remove one of them")
    } else {
        let (new, old) = (canonical(later.address), canonical(earlier.address));
        (
            format!("subnet {new} of `{}` overlaps {old} of `{}`", later.interface, earlier.interface),
            "each interface of a router needs its own subnet; on unnumbered links use /32 addresses",
        )
    };
    root.sink().error(later.span.clone(), message, hint);
}
