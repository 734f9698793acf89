//! `[prefix-lists]`, `[access-lists]` and `[route-maps]`: what they say, and that every name leads somewhere.
//!
//! FRR takes a name without a list for a list that matches nothing, or for none at all, and a list without entries
//! for one that permits everything. Here such names and lists are refused, and what nobody uses is warned about.

use super::interfaces::{Interfaces, description};
use super::names::{Names, Placed, What, ordered, values};
use super::warn_if_unknown;
use crate::config::model::MetricType;
use crate::config::reader::{At, Quantity, Section};
use crate::id::InterfaceName;
use crate::policy::{
    AccessList, AccessListEntry, Action, Match, Policy, PrefixList, PrefixListEntry, PrefixRange, RouteMap,
    RouteMapEntry, Set, SetMetric,
};
use crate::prefix::{Ipv4Network, canonical, default_route};
use core::ops::Range;

/// The word for all prefixes.
const ANY: &str = "any";

/// The lists and maps of the file, and which of them were asked for.
pub(super) struct Lists {
    policy: Policy,
    names: Names,
}

/// Reads the three tables.
pub(super) fn read(root: &Section<'_>, interfaces: &Interfaces) -> Lists {
    let mut lists = Lists { policy: Policy::default(), names: Names::default() };
    for (name, sections) in lists.names.declared(root, What::PrefixList) {
        let entries = ordered(What::PrefixList, &sections, prefix_list_entry, |e| e.sequence);
        warn_of_covered(&sections, &entries, PrefixListEntry::range, |e| e.sequence);
        let entries = values(entries);
        lists.policy.prefix_lists.insert(name.clone(), PrefixList { name, entries });
    }
    for (name, sections) in lists.names.declared(root, What::AccessList) {
        let entries = ordered(What::AccessList, &sections, access_list_entry, |e| e.sequence);
        warn_of_covered(&sections, &entries, AccessListEntry::range, |e| e.sequence);
        let entries = values(entries);
        lists.policy.access_lists.insert(name.clone(), AccessList { name, entries });
    }
    for (name, sections) in lists.names.declared(root, What::RouteMap) {
        let read = |s: &Section<'_>| lists.route_map_entry(s, interfaces);
        let entries = ordered(What::RouteMap, &sections, read, |e| e.sequence.into());
        warn_of_unreached(&sections, &entries);
        let entries = values(entries);
        lists.policy.route_maps.insert(name.clone(), RouteMap { name, entries });
    }
    lists
}

/// Warns of entries that match nothing an earlier one has not matched.
fn warn_of_covered<T>(
    sections: &[Section<'_>],
    entries: &[Placed<T>],
    range: impl Fn(&T) -> PrefixRange,
    sequence: impl Fn(&T) -> u32,
) {
    let Some(section) = sections.first() else { return };
    let ranges: Vec<PrefixRange> = entries.iter().map(|(e, _)| range(e)).collect();
    for (n, ((entry, span), own)) in entries.iter().zip(&ranges).enumerate() {
        let before = entries.iter().zip(&ranges).take(n);
        if let Some(((earlier, _), _)) = before.into_iter().find(|(_, r)| r.covers(own)) {
            let message = format!("entry {} never decides", sequence(entry));
            let hint = format!("entry {} comes first and matches all that this one does", sequence(earlier));
            section.sink().warning(span.clone(), message, hint);
        }
    }
}

/// Warns of entries behind one that fits every route.
fn warn_of_unreached(sections: &[Section<'_>], entries: &[Placed<RouteMapEntry>]) {
    let Some(section) = sections.first() else { return };
    let mut all_fit = None;
    for (entry, span) in entries {
        if let Some(first) = all_fit {
            let message = format!("entry {} never decides", entry.sequence);
            let hint = format!("entry {first} comes first and has no conditions");
            section.sink().warning(span.clone(), message, hint);
        } else if entry.matches == Match::default() {
            all_fit = Some(entry.sequence);
        }
    }
}

fn action(section: &Section<'_>) -> Action {
    if section.word("action").value == "permit" { Action::Permit } else { Action::Deny }
}

/// A prefix with its host bits clear; whether the word for all of them was said instead.
fn prefix(section: &Section<'_>) -> Option<(Ipv4Network, bool)> {
    let At { value, span, .. } = section.text("prefix");
    let text = value?;
    if text == ANY {
        return Some((default_route(), true));
    }
    let parsed = if text.contains('/') { text.parse::<Ipv4Network>().ok() } else { None };
    let Some(prefix) = parsed else {
        let message = format!("`prefix` cannot be \"{}\"", text.escape_debug());
        section.sink().error(
            span,
            message,
            "an IPv4 prefix with its length, such as \"10.10.0.0/16\", or \"any\"",
        );
        return None;
    };
    let network = canonical(prefix);
    if network != prefix {
        let message = format!("{prefix} has bits set behind the prefix length");
        section.sink().error(span, message, format!("the network is {network}"));
        return None;
    }
    Some((prefix, false))
}

fn prefix_list_entry(section: &Section<'_>) -> Option<PrefixListEntry> {
    let sequence = section.number("sequence");
    let action = action(section);
    let byte = |name| section.optional_number(name).map(|n| n.and_then(|n| u8::try_from(n).ok()));
    let (ge, le) = (byte("ge"), byte("le"));
    let (prefix, any) = prefix(section)?;
    if any {
        for bound in [&ge, &le] {
            if bound.value.is_some() {
                let hint = "`any` takes in every length; write prefix = \"0.0.0.0/0\" for some of them";
                section.sink().error(bound.span.clone(), "`any` cannot have bounds", hint);
            }
        }
        return Some(PrefixListEntry { sequence: sequence.value, action, prefix, ge: None, le: Some(32) });
    }
    let own = prefix.prefix();
    let too_short = |bound: &At<Option<u8>>, least: u8| bound.value.is_some_and(|b| b < least);
    if too_short(&ge, own) {
        let message = format!("`ge` is shorter than {prefix} itself");
        section.sink().error(ge.span, message, format!("a prefix inside {prefix} has at least {own} bits"));
        return None;
    }
    let least = ge.value.unwrap_or(own);
    if too_short(&le, least) {
        let message = format!("`le` is less than {least}, so that the entry matches nothing");
        section.sink().error(le.span, message, "the prefix's length ≤ `ge` ≤ `le` ≤ 32");
        return None;
    }
    let (sequence, ge, le) = (sequence.value, ge.value, le.value);
    Some(PrefixListEntry { sequence, action, prefix, ge, le })
}

fn access_list_entry(section: &Section<'_>) -> Option<AccessListEntry> {
    let sequence = section.number("sequence").value;
    let action = action(section);
    let exact = section.boolean("exact");
    let (prefix, any) = prefix(section)?;
    if any && exact.value {
        let hint = "write prefix = \"0.0.0.0/0\" for the default route alone";
        section.sink().error(exact.span, "`any` cannot be exact", hint);
        return None;
    }
    Some(AccessListEntry { sequence, action, prefix, exact: exact.value })
}

impl Lists {
    fn prefix_list(&self, section: &Section<'_>, key: &str) -> Option<PrefixList> {
        self.names.asked(section, key, What::PrefixList, &self.policy.prefix_lists).value.cloned()
    }

    /// The access list that `key` names.
    pub(super) fn access_list(&self, section: &Section<'_>, key: &str) -> Option<AccessList> {
        self.names.asked(section, key, What::AccessList, &self.policy.access_lists).value.cloned()
    }

    /// The route map that `key` names.
    pub(super) fn route_map(&self, section: &Section<'_>, key: &str) -> Option<RouteMap> {
        self.names.asked(section, key, What::RouteMap, &self.policy.route_maps).value.cloned()
    }

    fn route_map_entry(&self, section: &Section<'_>, interfaces: &Interfaces) -> Option<RouteMapEntry> {
        let sequence = section.number("sequence");
        let action = action(section);
        let description = description(section);
        let matches = section.section("match").map(|s| self.conditions(&s, interfaces)).unwrap_or_default();
        let sets = section.section("set").map(|s| (set(&s), s.span()));
        if let Some((sets, span)) = &sets
            && action == Action::Deny
            && *sets != Set::default()
        {
            let hint = "a route that is denied is not announced; remove `set`, or permit it";
            section.sink().warning(span.clone(), "`set` has no effect in an entry that denies", hint);
        }
        let sequence = u16::try_from(sequence.value).ok()?;
        let sets = sets.map(|(s, _)| s).unwrap_or_default();
        Some(RouteMapEntry { sequence, action, description, matches, sets })
    }

    fn conditions(&self, section: &Section<'_>, interfaces: &Interfaces) -> Match {
        let interface = section.parsed::<InterfaceName>("interface");
        if let Some(name) = &interface.value {
            warn_if_unknown(section, interfaces, name, interface.span.clone());
        }
        Match {
            prefix_list: self.prefix_list(section, "prefix-list"),
            access_list: self.access_list(section, "access-list"),
            next_hop: self.prefix_list(section, "next-hop-prefix-list"),
            interface: interface.value,
            tag: section.optional_number("tag").value,
            metric: section.optional_number("metric").value,
        }
    }

    /// The lists and maps; those nobody asked for are warned about.
    pub(super) fn into_policy(self, root: &Section<'_>) -> Policy {
        self.names.warn_of_unused(root);
        self.policy
    }
}

fn set(section: &Section<'_>) -> Set {
    let metric = section.number_or_text("metric");
    let metric_type = section.optional_number("metric-type").value;
    Set {
        metric: metric.value.and_then(|m| set_metric(section, m, metric.span)),
        metric_type: metric_type.map(|t| if t == 1 { MetricType::Type1 } else { MetricType::Type2 }),
        tag: section.optional_number("tag").value,
    }
}

fn set_metric(section: &Section<'_>, metric: Quantity<'_>, span: Range<usize>) -> Option<SetMetric> {
    let text = match metric {
        Quantity::Number(n) => return Some(SetMetric::To(n)),
        Quantity::Text(text) => text,
    };
    let amount = |digits: &str| {
        let digits = Some(digits).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|d| d.parse::<u32>().ok()).filter(|n| *n <= 16_777_214)
    };
    let (more, less) = (text.strip_prefix('+').and_then(amount), text.strip_prefix('-').and_then(amount));
    let change = more.map(SetMetric::Plus).or(less.map(SetMetric::Minus));
    if change.is_none() {
        let message = format!("`metric` cannot be \"{}\"", text.escape_debug());
        section.sink().error(span, message, "a number, or \"+N\" or \"-N\" with N up to 16777214");
    }
    change
}
