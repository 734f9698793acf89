//! `[vrrp.groups.*]`: virtual routers, their addresses and the rules of ownership.

use super::interfaces::{Interfaces, unusable};
use super::{good_name, warn_if_unknown};
use crate::config::duration::format_duration;
use crate::config::model::{VrrpChecksum, VrrpGroup, VrrpVersion};
use crate::config::reader::{At, Origin, Section};
use crate::id::{InterfaceName, Vrid};
use crate::prefix::{Ipv4Network, host, of};
use core::ops::Range;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;
use toml::Spanned;
use toml::de::DeValue;

/// RFC 9568 §5.2.4 leaves room for 255; a list this long has never been anything but a mistake.
const MOST_ADDRESSES: usize = 20;
/// Priority of the owner (RFC 9568 §6.1).
const OWNER: u32 = 255;

/// Reads `[vrrp.groups.*]`; `routed`: are there routes of OSPF to wait for?
pub(super) fn read(root: &Section<'_>, interfaces: &Interfaces, routed: bool) -> BTreeMap<String, VrrpGroup> {
    let Some(vrrp) = root.section("vrrp") else { return BTreeMap::new() };
    let mut groups = BTreeMap::new();
    let mut vrids: BTreeMap<(InterfaceName, Vrid), &str> = BTreeMap::new();
    let mut claimed: BTreeMap<(InterfaceName, Ipv4Addr), &str> = BTreeMap::new();
    let mut tables = vrrp.named("groups");
    tables.sort_by_key(|(name, _)| name.span.start);
    for (name, section) in &tables {
        if !good_name(name.value) {
            let message = format!("a group cannot be called \"{}\"", name.value.escape_debug());
            let hint = "up to 32 letters, digits, `-`, `_` or `.`, such as [vrrp.groups.lan]";
            section.sink().error(name.span.clone(), message, hint);
        }
        let Some((mut group, vrid_span, spans)) = group(section, interfaces) else { continue };
        if !routed {
            group.preempt_routes_wait = Duration::ZERO;
        }
        if let Some(other) = vrids.insert((group.interface.clone(), group.vrid), name.value) {
            let message =
                format!("vrid {} is already used on `{}` by group `{other}`", group.vrid, group.interface);
            section.sink().error(vrid_span, message, "each group on an interface needs its own vrid");
        }
        for (address, span) in group.virtual_addresses.iter().zip(spans) {
            if let Some(other) = claimed.insert((group.interface.clone(), address.ip()), name.value) {
                let message = format!("{} is already a virtual address of group `{other}`", address.ip());
                section.sink().error(span, message, "a virtual address belongs to one group");
            }
        }
        groups.insert(name.value.to_owned(), group);
    }
    groups
}

/// One group with the places of its vrid and its addresses; `None` if it lacks something essential.
fn group(
    section: &Section<'_>,
    interfaces: &Interfaces,
) -> Option<(VrrpGroup, Range<usize>, Vec<Range<usize>>)> {
    let interface = section.parsed::<InterfaceName>("interface");
    let vrid = section.number("vrid");
    let version = section.number("version");
    let version = version.map(|v| if v == 2 { VrrpVersion::V2 } else { VrrpVersion::V3 });
    let priority = section.number("priority");
    let advertisement_interval = advertisement_interval(section, &version);
    let accept = section.boolean("accept");
    if !accept.value {
        let message =
            "a Master that does not accept packets to its virtual addresses is not part of this version";
        section.sink().error(
            accept.span.clone(),
            message.to_owned(),
            "leave `accept` out, or set it to true",
        );
    }
    let accept = accept.value;
    let virtual_mac = section.boolean("virtual-mac").value;
    let (preempt, preempt_delay) = preemption(section, &priority);
    let preempt_routes_wait = section.time("preempt-routes-wait").value;
    let accelerate = section.boolean("accelerate").value;
    let checksum = match section.word("checksum").value {
        "rfc9568" => VrrpChecksum::Rfc9568,
        _ => VrrpChecksum::Rfc5798,
    };
    if let Some(name) = &interface.value {
        warn_if_unknown(section, interfaces, name, interface.span.clone());
    }
    let on = interface.value.as_ref().and_then(|name| interfaces.addresses(name));
    let addresses = virtual_addresses(section, &interface, on);
    ownership(section, interfaces, &interface, &priority, &addresses);
    let (virtual_addresses, spans) = addresses.into_iter().map(|a| (a.value, a.span)).unzip();
    let group = VrrpGroup {
        interface: interface.value?,
        vrid: Vrid::new(u8::try_from(vrid.value).ok()?)?,
        version: version.value,
        priority: u8::try_from(priority.value).ok()?,
        advertisement_interval,
        virtual_addresses,
        preempt,
        preempt_delay,
        preempt_routes_wait,
        accelerate,
        accept,
        virtual_mac,
        checksum,
    };
    Some((group, vrid.span, spans))
}

/// Version 2 has whole seconds in 8 bits (RFC 3768 §5.3.7), version 3 centiseconds in 12 (RFC 9568 §5.2.7).
fn advertisement_interval(section: &Section<'_>, version: &At<VrrpVersion>) -> Duration {
    let interval = section.time("advertisement-interval");
    match (interval.origin, version.value) {
        (Origin::Default, VrrpVersion::V2) => return Duration::from_secs(1),
        (Origin::File, VrrpVersion::V2) if interval.value.subsec_nanos() != 0 => section.sink().error(
            interval.span,
            format!("version 2 cannot advertise every {}", format_duration(interval.value)),
            "version 2 counts whole seconds, \"1s\" to \"255s\"; version 3 can do less",
        ),
        (Origin::File, VrrpVersion::V3)
            if interval.value > Duration::from_millis(40_950) && version.sound() =>
        {
            section.sink().error(
                interval.span,
                format!("version 3 cannot advertise every {}", format_duration(interval.value)),
                "version 3 counts hundredths of a second, \"10ms\" to \"40.95s\"",
            );
        }
        _ => {}
    }
    interval.value
}

fn preemption(section: &Section<'_>, priority: &At<u32>) -> (bool, Duration) {
    let preempt = section.boolean("preempt");
    let delay = section.time("preempt-delay");
    if !preempt.value && priority.value == OWNER {
        let hint = "RFC 9568 §6.1: the owner always preempts; remove `preempt` or lower the priority";
        section.sink().error(preempt.span, "the owner (priority 255) cannot refrain from preempting", hint);
    } else if !preempt.value && delay.origin == Origin::File && !delay.value.is_zero() {
        let message = "`preempt-delay` has no effect without `preempt`";
        section.sink().warning(delay.span.clone(), message, "remove it, or set preempt = true");
    }
    (preempt.value, delay.value)
}

fn virtual_addresses(
    section: &Section<'_>,
    interface: &At<Option<InterfaceName>>,
    on: Option<&[Ipv4Network]>,
) -> Vec<At<Ipv4Network>> {
    let list = section.list("virtual-addresses");
    if list.origin == Origin::File && !(1..=MOST_ADDRESSES).contains(&list.value.len()) {
        let message = format!("{} virtual addresses", list.value.len());
        section.sink().error(list.span, message, format!("a group has 1 to {MOST_ADDRESSES} of them"));
    }
    let mut accepted: Vec<At<Ipv4Network>> = Vec::new();
    for element in list.value {
        let Some(value) = virtual_address(section, element, interface, on) else { continue };
        if accepted.iter().any(|a| a.value.ip() == value.ip()) {
            let message = format!("{} is listed twice", value.ip());
            section.sink().error(element.span(), message, "remove one of them");
        } else {
            accepted.push(At { value, span: element.span(), origin: Origin::File });
        }
    }
    accepted
}

fn virtual_address(
    section: &Section<'_>,
    element: &Spanned<DeValue<'_>>,
    interface: &At<Option<InterfaceName>>,
    on: Option<&[Ipv4Network]>,
) -> Option<Ipv4Network> {
    let form = "an IPv4 address with or without prefix length, such as \"192.168.1.10/24\"";
    let Some(text) = element.get_ref().as_str() else { return section.wrong_type(element, form) };
    let bare = !text.contains('/');
    let given = section.parse::<Ipv4Network>(element, text, "a virtual address", form)?;
    let address = given.ip();
    if let Some(kind) = unusable(address, false) {
        section.sink().error(
            element.span(),
            format!("{address} is {kind}"),
            "a gateway needs a unicast address",
        );
        return None;
    }
    let subnet = on.and_then(|addresses| addresses.iter().find(|a| a.contains(address)));
    let name = interface.value.as_ref().map_or("", InterfaceName::as_str);
    match (on, subnet) {
        (Some(addresses), None) => {
            let known: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let message = format!("virtual address {address} is in no subnet of `{name}`");
            section.sink().error(element.span(), message, format!("`{name}` has {}", known.join(", ")));
            None
        }
        (None, _) if bare && interface.value.is_some() => {
            let message =
                format!("the prefix length of {address} is unknown: `{name}` has no addresses here");
            section.sink().error(element.span(), message, format!("write it, such as \"{address}/24\""));
            None
        }
        (_, Some(subnet)) if bare => {
            network_or_broadcast(section, element, of_host(address, subnet.prefix()))
        }
        _ => network_or_broadcast(section, element, given),
    }
}

/// `address` keeping its host bits.
fn of_host(address: Ipv4Addr, length: u8) -> Ipv4Network {
    Ipv4Network::new(address, length).unwrap_or_else(|_| host(address))
}

fn network_or_broadcast(
    section: &Section<'_>,
    at: &Spanned<DeValue<'_>>,
    n: Ipv4Network,
) -> Option<Ipv4Network> {
    let end = n.prefix() < 31 && (n.ip() == n.network() || n.ip() == n.broadcast());
    if end {
        let message = format!("{} is the network or broadcast address of {}", n.ip(), of(n.ip(), n.prefix()));
        section.sink().error(at.span(), message, "a gateway needs a host address");
        return None;
    }
    Some(n)
}

/// Priority 255 says "these addresses are mine" (RFC 9568 §6.1), and any other priority that they are not.
fn ownership(
    section: &Section<'_>,
    interfaces: &Interfaces,
    interface: &At<Option<InterfaceName>>,
    priority: &At<u32>,
    addresses: &[At<Ipv4Network>],
) {
    let Some(name) = interface.value.as_ref().filter(|_| priority.sound()) else { return };
    let Some(own) = interfaces.addresses(name) else { return };
    for a in addresses {
        let address = a.value.ip();
        let owned = own.iter().any(|o| o.ip() == address);
        if owned && priority.value != OWNER {
            section.sink().error(
                a.span.clone(),
                format!(
                    "virtual address {address} is `{name}`'s own address, but the priority is {}",
                    priority.value
                ),
                "the router whose own address it is must have priority 255; otherwise choose another address",
            );
        }
        if !owned && priority.value == OWNER {
            section.sink().error(
                a.span.clone(),
                format!("priority 255 is for the owner, but {address} is no address of `{name}`"),
                "use a priority of 1 to 254, or the interface's own address",
            );
        }
    }
}
