//! `show ip prefix-list`, `show ip access-list` and `show route-map`, with FRR's keys and text.
//!
//! Left out: how often entries matched and maps were asked (`hitCount`, `invoked`), because nobody counts, and what FRR says
//! of its inner workings (`referenceCount`, `disabledOptimization`, `processedChange`).

use core::fmt::Write as _;
use routing_common::policy::{AccessListEntry, Action, PrefixListEntry};
use routing_common::prefix::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much is shown of a prefix list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// The entries.
    #[default]
    Entries,
    /// How many there are.
    Summary,
    /// Both.
    Detail,
}

/// Prefix lists by name, below the protocol that uses them, as FRR has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct PrefixListsReply {
    /// By name.
    pub ospf: BTreeMap<String, PrefixListRow>,
}

/// One prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixListRow {
    /// Always "IPv4".
    pub address_family: String,
    /// Number of entries, of those with `ge` or `le`, and their first and last sequence; absent unless asked for.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<PrefixListSummary>,
    /// By sequence; absent in a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<PrefixEntryRow>>,
}

/// A prefix list in four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixListSummary {
    /// Entries.
    pub count: u64,
    /// Those with `ge` or `le`.
    pub range_entries: u64,
    /// The first sequence.
    pub sequence_start: u32,
    /// The last one.
    pub sequence_end: u32,
}

/// One entry of a prefix list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrefixEntryRow {
    /// Its place.
    pub sequence_number: u32,
    /// What becomes of what it matches.
    #[serde(rename = "type")]
    pub action: Action,
    /// The prefix.
    pub prefix: Ipv4Network,
    /// `ge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_prefix_length: Option<u8>,
    /// `le`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_prefix_length: Option<u8>,
}

impl PrefixListsReply {
    /// vtysh's text.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (name, row) in &self.ospf {
            row.write(name, &mut out);
        }
        out
    }
}

impl PrefixListRow {
    // Writing to a String cannot fail.
    fn write(&self, name: &str, out: &mut String) {
        let entries = self.entries.as_deref().unwrap_or_default();
        if let Some(s) = &self.summary {
            let _ = writeln!(
                out,
                "OSPF: ip prefix-list {name}:\n   count: {}, range entries: {}, sequences: {} - {}",
                s.count, s.range_entries, s.sequence_start, s.sequence_end
            );
        } else {
            let _ = writeln!(out, "OSPF: ip prefix-list {name}: {} entries", entries.len());
        }
        for entry in entries {
            let _ = writeln!(out, "   seq {} {} {}", entry.sequence_number, entry.action, entry.to_entry());
        }
    }
}

impl PrefixEntryRow {
    fn to_entry(&self) -> PrefixListEntry {
        PrefixListEntry {
            sequence: self.sequence_number,
            action: self.action,
            prefix: self.prefix,
            ge: self.minimum_prefix_length,
            le: self.maximum_prefix_length,
        }
    }
}

/// Access lists by name, below the protocol that uses them, as FRR has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct AccessListsReply {
    /// By name.
    pub ospf: BTreeMap<String, AccessListRow>,
}

/// One access list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessListRow {
    /// Always "Zebra": FRR's kind with prefixes.
    #[serde(rename = "type")]
    pub kind: String,
    /// Always "IPv4".
    pub address_family: String,
    /// By sequence.
    pub rules: Vec<AccessRuleRow>,
}

/// One entry of an access list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessRuleRow {
    /// Its place.
    pub sequence_number: u32,
    /// What becomes of what it matches.
    pub filter_type: Action,
    /// The prefix.
    pub prefix: Ipv4Network,
    /// It alone, without those inside it.
    #[serde(rename = "exact-match")]
    pub exact_match: bool,
}

impl AccessListsReply {
    /// vtysh's text.
    pub(super) fn text(&self) -> String {
        let mut out = String::from("OSPF:\n");
        for (name, row) in &self.ospf {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{} IP access list {name}", row.kind);
            for rule in &row.rules {
                let (sequence, action) = (rule.sequence_number, rule.filter_type);
                let _ = writeln!(out, "    seq {sequence} {action:<6} {}", rule.to_entry());
            }
        }
        out
    }
}

impl AccessRuleRow {
    fn to_entry(&self) -> AccessListEntry {
        AccessListEntry {
            sequence: self.sequence_number,
            action: self.filter_type,
            prefix: self.prefix,
            exact: self.exact_match,
        }
    }
}

/// Route maps by name, below the protocol that uses them, as FRR has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub struct RouteMapsReply {
    /// By name.
    pub ospf: BTreeMap<String, RouteMapRow>,
}

/// One route map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteMapRow {
    /// Its entries, by sequence.
    pub rules: Vec<RouteMapRuleRow>,
}

/// One entry of a route map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteMapRuleRow {
    /// Its place.
    pub sequence_number: u32,
    /// What becomes of what it matches.
    #[serde(rename = "type")]
    pub action: Action,
    /// For humans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Conditions, as in lines.
    pub match_clauses: Vec<String>,
    /// Changes, as in lines.
    pub set_clauses: Vec<String>,
    /// Always "Exit routemap": the first entry that fits decides.
    #[serde(rename = "action")]
    pub then: String,
}

impl RouteMapsReply {
    /// vtysh's text.
    pub(super) fn text(&self) -> String {
        let mut out = String::from("OSPF:\n");
        for (name, row) in &self.ospf {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "route-map: {name}");
            row.rules.iter().for_each(|rule| rule.write(&mut out));
        }
        out
    }
}

impl RouteMapRuleRow {
    // Writing to a String cannot fail.
    fn write(&self, out: &mut String) {
        let _ = writeln!(out, " {}, sequence {}", self.action, self.sequence_number);
        if let Some(description) = &self.description {
            part(out, "Description", core::slice::from_ref(description));
        }
        part(out, "Match clauses", &self.match_clauses);
        part(out, "Set clauses", &self.set_clauses);
        part(out, "Call clause", &[]);
        part(out, "Action", core::slice::from_ref(&self.then));
    }
}

fn part(out: &mut String, title: &str, lines: &[String]) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  {title}:");
    for line in lines {
        let _ = writeln!(out, "    {line}");
    }
}
