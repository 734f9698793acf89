//! Route maps: conditions on a route, and what changes where they hold.

use super::{AccessList, Action, PrefixList};
use crate::config::MetricType;
use crate::id::InterfaceName;
use crate::prefix::{self, Ipv4Network};
use std::net::Ipv4Addr;

/// Largest external metric that can be reached: LSInfinity (RFC 2328 App. B) less 1.
const LARGEST_METRIC: u32 = 0x00ff_fffe;

/// `route-map NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMap {
    /// Its name.
    pub name: String,
    /// By sequence.
    pub entries: Vec<RouteMapEntry>,
}

/// One entry of a route map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMapEntry {
    /// Its place, 1 to 65535.
    pub sequence: u16,
    /// What becomes of a route whose conditions all hold.
    pub action: Action,
    /// For humans.
    pub description: Option<String>,
    /// The conditions; without any, every route fulfils them.
    pub matches: Match,
    /// What changes in a route that is permitted.
    pub sets: Set,
}

/// The conditions of an entry; all that are there must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// The list permits the destination.
    pub prefix_list: Option<PrefixList>,
    /// The list permits the destination.
    pub access_list: Option<AccessList>,
    /// The list permits the gateway, as a host route. A route without a gateway has 0.0.0.0, as in FRR.
    pub next_hop: Option<PrefixList>,
    /// The route leaves by this interface.
    pub interface: Option<InterfaceName>,
    /// The route has this tag.
    pub tag: Option<u32>,
    /// The route has this metric where it comes from, which is 0 for connected and static routes.
    pub metric: Option<u32>,
}

impl Match {
    /// Do all conditions hold?
    pub fn holds(&self, route: &Subject<'_>) -> bool {
        let gateway = prefix::host(route.next_hop.unwrap_or(Ipv4Addr::UNSPECIFIED));
        self.prefix_list.as_ref().is_none_or(|l| l.permits(route.prefix))
            && self.access_list.as_ref().is_none_or(|l| l.permits(route.prefix))
            && self.next_hop.as_ref().is_none_or(|l| l.permits(gateway))
            && self.interface.as_ref().is_none_or(|i| Some(i) == route.interface)
            && self.tag.is_none_or(|t| t == route.tag)
            && self.metric.is_none_or(|m| m == route.metric)
    }

    /// The conditions as in FRR's lines, behind `match`.
    pub fn clauses(&self) -> Vec<String> {
        let access_list = self.access_list.as_ref().map(|l| format!("ip address {}", l.name));
        let prefix_list = self.prefix_list.as_ref().map(|l| format!("ip address prefix-list {}", l.name));
        let next_hop = self.next_hop.as_ref().map(|l| format!("ip next-hop prefix-list {}", l.name));
        let interface = self.interface.as_ref().map(|i| format!("interface {i}"));
        let tag = self.tag.map(|t| format!("tag {t}"));
        let metric = self.metric.map(|m| format!("metric {m}"));
        [access_list, prefix_list, next_hop, interface, tag, metric].into_iter().flatten().collect()
    }
}

/// What an entry changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Set {
    /// The metric.
    pub metric: Option<SetMetric>,
    /// The external metric type.
    pub metric_type: Option<MetricType>,
    /// The tag.
    pub tag: Option<u32>,
}

/// A change of the metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetMetric {
    /// This metric, 0 to 16777214.
    To(u32),
    /// So much more, up to 16777214.
    Plus(u32),
    /// So much less, down to 0.
    Minus(u32),
}

impl SetMetric {
    /// What becomes of `metric`.
    pub fn applied_to(self, metric: u32) -> u32 {
        match self {
            Self::To(new) => new,
            Self::Plus(more) => metric.saturating_add(more).min(LARGEST_METRIC),
            Self::Minus(less) => metric.saturating_sub(less),
        }
    }
}

impl Set {
    /// The changes as in FRR's lines, behind `set`.
    pub fn clauses(&self) -> Vec<String> {
        let metric = self.metric.map(|metric| match metric {
            SetMetric::To(n) => format!("metric {n}"),
            SetMetric::Plus(n) => format!("metric +{n}"),
            SetMetric::Minus(n) => format!("metric -{n}"),
        });
        let metric_type = self.metric_type.map(|t| match t {
            MetricType::Type1 => "metric-type type-1".to_owned(),
            MetricType::Type2 => "metric-type type-2".to_owned(),
        });
        [metric, metric_type, self.tag.map(|t| format!("tag {t}"))].into_iter().flatten().collect()
    }

    /// What becomes of a route's attributes.
    pub fn applied_to(&self, before: Attributes) -> Attributes {
        Attributes {
            metric: self.metric.map_or(before.metric, |m| m.applied_to(before.metric)),
            metric_type: self.metric_type.unwrap_or(before.metric_type),
            tag: self.tag.unwrap_or(before.tag),
        }
    }
}

/// A route as conditions see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject<'a> {
    /// Destination, host bits cleared.
    pub prefix: Ipv4Network,
    /// The gateway of its first next hop, if it has one.
    pub next_hop: Option<Ipv4Addr>,
    /// The interface of its first next hop, if it has one.
    pub interface: Option<&'a InterfaceName>,
    /// Tag.
    pub tag: u32,
    /// Metric where the route comes from.
    pub metric: u32,
}

impl Subject<'_> {
    /// A default route of which nothing else is known.
    pub fn bare_default() -> Self {
        Self { prefix: prefix::default_route(), next_hop: None, interface: None, tag: 0, metric: 0 }
    }
}

/// How a route is told on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// External metric, 0 to 16777214.
    pub metric: u32,
    /// External metric type.
    pub metric_type: MetricType,
    /// Tag.
    pub tag: u32,
}

impl RouteMap {
    /// What the map makes of a route; `None`: it is denied. The first entry whose conditions hold decides; without
    /// one the route is denied.
    pub fn apply(&self, route: &Subject<'_>, before: Attributes) -> Option<Attributes> {
        let decides = self.entries.iter().find(|e| e.matches.holds(route))?;
        (decides.action == Action::Permit).then(|| decides.sets.applied_to(before))
    }

    /// Does the map deny any route?
    pub fn has_conditions(&self) -> bool {
        let first = self.entries.first();
        first.is_none_or(|e| e.action == Action::Deny || e.matches != Match::default())
    }
}
