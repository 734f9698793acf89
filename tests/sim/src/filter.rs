//! What a router announces of the routes it has from outside, and how: a distribute list and a route map, as a scenario
//! says them.
//!
//! The oracle's judgement of them stands here too. It knows nothing of the engine's: prefixes are compared bit by bit,
//! and the rules are FRR's, one after the other.

use crate::scenario::ExternalMetric;
use ipnetwork::Ipv4Network;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Largest metric.
const LARGEST: i64 = 16_777_214;

/// See the module text. Empty, it lets everything pass as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Filter {
    /// `distribute-list`: nothing inside this prefix is redistributed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<Ipv4Network>,
    /// The route map of all that is announced; without a rule there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// An entry of the route map, with a prefix list of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Is what fits announced?
    pub permit: bool,
    /// The prefix of the list's entry.
    pub prefix: Ipv4Network,
    /// Its `ge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ge: Option<u8>,
    /// Its `le`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub le: Option<u8>,
    /// `set metric +N` or `-N`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<i32>,
    /// `set metric-type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type1: Option<bool>,
}

impl Filter {
    /// Does it let everything pass?
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// How a redistributed route is announced, if it is.
    pub(crate) fn redistributed(&self, p: Ipv4Network, plain: ExternalMetric) -> Option<ExternalMetric> {
        if self.hidden.is_some_and(|hidden| is_inside(p, hidden)) {
            return None;
        }
        self.mapped(p, plain)
    }

    /// What the route map makes of a route.
    pub(crate) fn mapped(&self, p: Ipv4Network, plain: ExternalMetric) -> Option<ExternalMetric> {
        if self.rules.is_empty() {
            return Some(plain);
        }
        for rule in &self.rules {
            if !rule.fits(p) {
                continue;
            }
            if !rule.permit {
                return None;
            }
            let metric = i64::from(plain.metric) + i64::from(rule.more.unwrap_or(0));
            let metric = u32::try_from(metric.clamp(0, LARGEST)).unwrap_or(u32::MAX);
            return Some(ExternalMetric { metric, type1: rule.type1.unwrap_or(plain.type1) });
        }
        None
    }

    /// The lists and the map, as the file has them.
    pub(crate) fn write(&self, text: &mut String) {
        // Writing to a String cannot fail.
        if let Some(hidden) = self.hidden {
            let _ = writeln!(
                text,
                "[access-lists]\nshown = [\n  {{ sequence = 10, action = \"permit\", prefix = \"any\" }},\n  \
                 {{ sequence = 5, action = \"deny\", prefix = \"{hidden}\" }},\n]"
            );
        }
        for (n, rule) in self.rules.iter().enumerate() {
            let _ = write!(
                text,
                "[[prefix-lists.rule{n}]]\nsequence = 1\naction = \"permit\"\nprefix = \"{}\"\n",
                rule.prefix
            );
            for (key, bound) in [("ge", rule.ge), ("le", rule.le)] {
                if let Some(bound) = bound {
                    let _ = writeln!(text, "{key} = {bound}");
                }
            }
        }
        for (n, rule) in self.rules.iter().enumerate() {
            let action = if rule.permit { "permit" } else { "deny" };
            let _ = write!(
                text,
                "[[route-maps.rules]]\nsequence = {}\naction = \"{action}\"\nmatch.prefix-list = \"rule{n}\"\n",
                n + 1
            );
            if let Some(more) = rule.more {
                let _ = writeln!(text, "set.metric = \"{more:+}\"");
            }
            if let Some(type1) = rule.type1 {
                let _ = writeln!(text, "set.metric-type = {}", if type1 { 1 } else { 2 });
            }
        }
    }

    /// The key that names the route map, where there is one.
    pub(crate) fn route_map_key(&self) -> &'static str {
        if self.rules.is_empty() { "" } else { "route-map = \"rules\"\n" }
    }
}

impl Rule {
    fn fits(&self, p: Ipv4Network) -> bool {
        let exact = self.ge.is_none() && self.le.is_none();
        is_inside(p, self.prefix)
            && (!exact || p.prefix() == self.prefix.prefix())
            && self.ge.is_none_or(|ge| p.prefix() >= ge)
            && self.le.is_none_or(|le| p.prefix() <= le)
    }
}

/// Bit by bit.
fn is_inside(p: Ipv4Network, outer: Ipv4Network) -> bool {
    let bit = |n: Ipv4Network, i: u8| n.ip().to_bits() >> (31 - i) & 1;
    p.prefix() >= outer.prefix() && (0..outer.prefix()).all(|i| bit(p, i) == bit(outer, i))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(s: &str) -> Ipv4Network {
        s.parse().unwrap()
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rule = |permit, prefix: &str, more| Rule {
            permit,
            prefix: net(prefix),
            ge: None,
            le: Some(24),
            more,
            type1: None,
        };
        let rules = vec![
            rule(false, "198.18.1.0/24", None),
            rule(true, "198.18.0.0/16", Some(-30)),
            rule(true, "0.0.0.0/0", Some(i32::MAX)),
        ];
        let filter = Filter { hidden: Some(net("198.18.3.0/24")), rules };
        let plain = ExternalMetric { metric: 20, type1: false };
        let metric = |p| filter.redistributed(net(p), plain).map(|e| e.metric);
        assert_eq!(metric("198.18.1.0/24"), None);
        assert_eq!(metric("198.18.2.0/24"), Some(0));
        assert_eq!(metric("198.18.2.0/25"), None, "too long for every rule");
        assert_eq!(metric("198.18.3.0/24"), None);
        assert_eq!(filter.mapped(net("198.18.3.0/24"), plain).map(|e| e.metric), Some(0));
        assert_eq!(metric("10.0.0.0/8"), Some(16_777_214));
        assert_eq!(Filter::default().redistributed(net("10.0.0.0/8"), plain), Some(plain));
    }
}
