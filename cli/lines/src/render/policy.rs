//! Prefix lists, access lists and route maps.

use super::Page;
use crate::commands::is_keyword_of_address;
use crate::text::quoted;
use routing_common::policy::{Match, Policy, RouteMapEntry};

impl Page {
    pub(super) fn policy(&mut self, policy: &Policy) {
        let before = self.text.len();
        for list in policy.prefix_lists.values() {
            for entry in &list.entries {
                let head = format!("ip prefix-list {} seq {}", list.name, entry.sequence);
                self.line(0, format_args!("{head} {} {entry}", entry.action));
            }
        }
        for list in policy.access_lists.values() {
            for entry in &list.entries {
                let head = format!("access-list {} seq {}", list.name, entry.sequence);
                self.line(0, format_args!("{head} {} {entry}", entry.action));
            }
        }
        self.line_if(self.text.len() > before, 0, "!");
        for map in policy.route_maps.values() {
            for entry in &map.entries {
                let head = format!("route-map {} {} {}", map.name, entry.action, entry.sequence);
                self.block(head, true, |page| page.route_map_entry(entry));
            }
        }
    }

    fn route_map_entry(&mut self, entry: &RouteMapEntry) {
        if let Some(text) = &entry.description {
            self.line(1, format_args!("description {}", quoted(text)));
        }
        self.conditions(&entry.matches);
        for clause in entry.sets.clauses() {
            self.line(1, format_args!("set {clause}"));
        }
    }

    fn conditions(&mut self, matches: &Match) {
        let mut matches = matches.clone();
        if let Some(list) = matches.access_list.take_if(|list| is_keyword_of_address(&list.name)) {
            self.line(1, format_args!("match ip address access-list {}", list.name));
        }
        for clause in matches.clauses() {
            self.line(1, format_args!("match {clause}"));
        }
    }
}
