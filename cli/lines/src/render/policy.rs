//! Prefix lists, access lists and route maps.

use super::Page;
use crate::commands::is_keyword_of_address;
use crate::text::quoted;
use routing_common::config::MetricType;
use routing_common::policy::{
    AccessListEntry, Action, Match, Policy, PrefixListEntry, RouteMapEntry, Set, SetMetric,
};
use routing_common::prefix;
use std::fmt::Write as _;

impl Page {
    pub(super) fn policy(&mut self, policy: &Policy) {
        let before = self.text.len();
        for list in policy.prefix_lists.values() {
            for entry in &list.entries {
                let head = format!("ip prefix-list {} seq {}", list.name, entry.sequence);
                self.line(0, format_args!("{head} {} {}", action(entry.action), prefixes(entry)));
            }
        }
        for list in policy.access_lists.values() {
            for entry in &list.entries {
                let head = format!("access-list {} seq {}", list.name, entry.sequence);
                self.line(0, format_args!("{head} {} {}", action(entry.action), destinations(entry)));
            }
        }
        self.line_if(self.text.len() > before, 0, "!");
        for map in policy.route_maps.values() {
            for entry in &map.entries {
                let head = format!("route-map {} {} {}", map.name, action(entry.action), entry.sequence);
                self.block(head, true, |page| page.route_map_entry(entry));
            }
        }
    }

    fn route_map_entry(&mut self, entry: &RouteMapEntry) {
        if let Some(text) = &entry.description {
            self.line(1, format_args!("description {}", quoted(text)));
        }
        self.conditions(&entry.matches);
        self.changes(&entry.sets);
    }

    fn conditions(&mut self, matches: &Match) {
        if let Some(list) = &matches.access_list {
            let word = if is_keyword_of_address(&list.name) { "access-list " } else { "" };
            self.line(1, format_args!("match ip address {word}{}", list.name));
        }
        if let Some(list) = &matches.prefix_list {
            self.line(1, format_args!("match ip address prefix-list {}", list.name));
        }
        if let Some(list) = &matches.next_hop {
            self.line(1, format_args!("match ip next-hop prefix-list {}", list.name));
        }
        if let Some(name) = &matches.interface {
            self.line(1, format_args!("match interface {name}"));
        }
        if let Some(tag) = matches.tag {
            self.line(1, format_args!("match tag {tag}"));
        }
        if let Some(metric) = matches.metric {
            self.line(1, format_args!("match metric {metric}"));
        }
    }

    fn changes(&mut self, sets: &Set) {
        match sets.metric {
            Some(SetMetric::To(n)) => self.line(1, format_args!("set metric {n}")),
            Some(SetMetric::Plus(n)) => self.line(1, format_args!("set metric +{n}")),
            Some(SetMetric::Minus(n)) => self.line(1, format_args!("set metric -{n}")),
            None => {}
        }
        if let Some(kind) = sets.metric_type {
            let kind = if kind == MetricType::Type1 { 1 } else { 2 };
            self.line(1, format_args!("set metric-type type-{kind}"));
        }
        if let Some(tag) = sets.tag {
            self.line(1, format_args!("set tag {tag}"));
        }
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Permit => "permit",
        Action::Deny => "deny",
    }
}

fn prefixes(entry: &PrefixListEntry) -> String {
    if (entry.prefix, entry.ge, entry.le) == (prefix::default_route(), None, Some(32)) {
        return "any".to_owned();
    }
    let mut text = entry.prefix.to_string();
    for (word, bound) in [("ge", entry.ge), ("le", entry.le)] {
        if let Some(bound) = bound {
            // Writing to a String cannot fail.
            let _ = write!(text, " {word} {bound}");
        }
    }
    text
}

fn destinations(entry: &AccessListEntry) -> String {
    if entry.is_any() {
        return "any".to_owned();
    }
    let exact = if entry.exact { " exact-match" } else { "" };
    format!("{}{exact}", entry.prefix)
}
