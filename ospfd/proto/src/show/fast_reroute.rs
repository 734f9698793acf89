//! Loop-free alternates.

use super::{count, msecs};
use crate::alternate::{Alternate, Protection};
use crate::api::{AlternateRow, FastRerouteReply, ProtectedRow, RerouteRow};
use crate::instance::{Instance, Switch, TimerKey};
use crate::route::NetworkRoute;
use routing_common::time::Instant;

fn protection(alternate: &Alternate) -> &'static str {
    match alternate.protection {
        Protection { link: true, node: true } => "link and node",
        Protection { link: false, .. } => "node",
        Protection { node: false, .. } => "link",
    }
}

impl Instance {
    pub(super) fn show_fast_reroute(&self) -> FastRerouteReply {
        let mut reply = FastRerouteReply {
            state: self.fast_reroute_state().into(),
            switches: self.fast_reroute.switches,
            routes_switched: self.fast_reroute.routes_switched,
            ..FastRerouteReply::default()
        };
        for (prefix, route) in &self.routing_table.networks {
            if route.next_hops.iter().any(|hop| hop.gateway.is_none()) {
                continue;
            }
            let alternate = self.alternates().and_then(|all| all.get(prefix));
            let row = self.protected_row(route, alternate);
            reply.routes_total += 1;
            *match row.protection.as_str() {
                "equal cost" => &mut reply.routes_equal_cost,
                "link and node" => &mut reply.routes_link_and_node,
                "node" => &mut reply.routes_node,
                "link" => &mut reply.routes_link,
                _ => &mut reply.routes_unprotected,
            } += 1;
            reply.routes.push(prefix, row);
        }
        reply
    }

    fn fast_reroute_state(&self) -> &'static str {
        if !self.config.fast_reroute {
            "disabled"
        } else if self.alternates().is_some() {
            "ready"
        } else if self.pending_change.is_some() || self.timers.is_armed(TimerKey::Alternates) {
            "waiting"
        } else {
            "alone"
        }
    }

    fn protected_row(&self, route: &NetworkRoute, alternate: Option<&Alternate>) -> ProtectedRow {
        let first = route.next_hops.first().map(|hop| hop.ifindex);
        // Nobody is there to notice a lost next hop while alternates are not known.
        let is_shared = route.next_hops.iter().any(|hop| Some(hop.ifindex) != first);
        ProtectedRow {
            protection: match alternate {
                Some(alternate) => protection(alternate),
                None if is_shared && self.alternates().is_some() => "equal cost",
                None => "none",
            }
            .into(),
            nexthops: route.next_hops.iter().map(|hop| self.hop_row(hop)).collect(),
            alternate: alternate.map(|alternate| AlternateRow {
                ip: alternate.hop.gateway,
                via: self.interface_name(alternate.hop.ifindex),
                router_id: alternate.router_id,
                downstream: alternate.is_downstream,
            }),
        }
    }

    pub(super) fn show_reroutes(&self, now: Instant) -> Vec<RerouteRow> {
        let row = |(number, switch): (u64, &Switch)| RerouteRow {
            number,
            msecs_ago: msecs(now.since(switch.at)),
            lost: switch.lost.iter().map(|(interface, id)| format!("{id} on {interface}")).collect(),
            to_alternate: count(switch.to_alternate),
            to_remaining: count(switch.to_remaining),
            unprotected: count(switch.unprotected),
        };
        self.fast_reroute.log.numbered().map(row).collect()
    }
}
