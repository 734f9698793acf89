//! The lists and maps of the configuration in force, used or not.

use super::{count, named};
use crate::api::{
    AccessListRow, AccessListsReply, AccessRuleRow, Extent, PrefixEntryRow, PrefixListRow, PrefixListSummary,
    PrefixListsReply, RouteMapRow, RouteMapRuleRow, RouteMapsReply,
};
use crate::instance::Instance;
use routing_common::policy::{AccessList, PrefixList, RouteMap};

impl Instance {
    pub(super) fn show_prefix_lists(
        &self,
        name: Option<&str>,
        extent: Extent,
    ) -> Result<PrefixListsReply, String> {
        let row = |list: &PrefixList| prefix_list(list, extent);
        let ospf = named(&self.whole_config.policy.prefix_lists, name, row)
            .ok_or("% Can't find specified prefix-list")?;
        Ok(PrefixListsReply { ospf })
    }

    pub(super) fn show_access_lists(&self, name: Option<&str>) -> Result<AccessListsReply, String> {
        let ospf = named(&self.whole_config.policy.access_lists, name, access_list)
            .ok_or("% Can't find specified access-list")?;
        Ok(AccessListsReply { ospf })
    }

    pub(super) fn show_route_maps(&self, name: Option<&str>) -> Result<RouteMapsReply, String> {
        let ospf = named(&self.whole_config.policy.route_maps, name, route_map)
            .ok_or_else(|| format!("OSPF: 'route-map {}' not found", name.unwrap_or_default()))?;
        Ok(RouteMapsReply { ospf })
    }
}

fn prefix_list(list: &PrefixList, extent: Extent) -> PrefixListRow {
    let ranges = list.entries.iter().filter(|e| e.ge.is_some() || e.le.is_some());
    let summary = PrefixListSummary {
        count: count(list.entries.len()),
        range_entries: count(ranges.count()),
        sequence_start: list.entries.first().map_or(0, |e| e.sequence),
        sequence_end: list.entries.last().map_or(0, |e| e.sequence),
    };
    let entries = list.entries.iter().map(|e| PrefixEntryRow {
        sequence_number: e.sequence,
        action: e.action,
        prefix: e.prefix,
        minimum_prefix_length: e.ge,
        maximum_prefix_length: e.le,
    });
    PrefixListRow {
        address_family: "IPv4".into(),
        summary: (extent != Extent::Entries).then_some(summary),
        entries: (extent != Extent::Summary).then(|| entries.collect()),
    }
}

fn access_list(list: &AccessList) -> AccessListRow {
    let rules = list.entries.iter().map(|e| AccessRuleRow {
        sequence_number: e.sequence,
        filter_type: e.action,
        prefix: e.prefix,
        exact_match: e.exact,
    });
    AccessListRow { kind: "Zebra".into(), address_family: "IPv4".into(), rules: rules.collect() }
}

fn route_map(map: &RouteMap) -> RouteMapRow {
    let rules = map.entries.iter().map(|e| RouteMapRuleRow {
        sequence_number: e.sequence.into(),
        action: e.action,
        description: e.description.clone(),
        match_clauses: e.matches.clauses(),
        set_clauses: e.sets.clauses(),
        then: "Exit routemap".into(),
    });
    RouteMapRow { rules: rules.collect() }
}
