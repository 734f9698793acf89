//! The replies as text.

use super::{
    Choice, Clients, Descriptions, Forwarding, InterfaceDetails, Interfaces, NextHop, NextHopGroups,
    NextHopTracking, Request, Route, RouteSummary, Routes, Statics, System, choice, nexthops,
};
use crate::message::Protocol;
use core::fmt::Write as _;
use routing_common::render::{Fields, Table};
use serde::Deserialize as _;
use serde_json::Value;

/// The legend vtysh prints above its routes, cut to what this RIB has.
const LEGEND: &str = "Codes: C - connected, S - static, O - OSPF,\n       \
     > - selected route, * - FIB route, q - queued, r - rejected, s - stale\n\n";

/// Renders the reply to `request`.
///
/// # Errors
/// When `value` is not such a reply: a daemon of another version.
pub fn render_text(request: &Request, value: &Value) -> Result<String, serde_json::Error> {
    Ok(match request {
        Request::Routes { .. } | Request::Fib { .. } | Request::FailedRoutes => {
            routes(&Routes::deserialize(value)?)
        }
        Request::RouteSummary => summary(&RouteSummary::deserialize(value)?),
        Request::Interfaces => interfaces(&Interfaces::deserialize(value)?),
        Request::Why { .. } => choice::text(&Choice::deserialize(value)?),
        Request::NextHopTracking => nexthops::tracking(&NextHopTracking::deserialize(value)?),
        Request::Statics => nexthops::statics(&Statics::deserialize(value)?),
        Request::NextHopGroups { .. } => nexthops::groups(&NextHopGroups::deserialize(value)?),
        Request::InterfaceDetails { .. } => {
            super::interfaces::details(&InterfaceDetails::deserialize(value)?)
        }
        Request::Descriptions => super::interfaces::descriptions(&Descriptions::deserialize(value)?),
        Request::Forwarding => forwarding(&Forwarding::deserialize(value)?),
        Request::Clients => clients(&Clients::deserialize(value)?),
        Request::System => system(&System::deserialize(value)?),
    })
}

fn routes(routes: &Routes) -> String {
    if routes.is_empty() {
        return String::new();
    }
    let mut text = LEGEND.to_owned();
    for route in routes.values().flatten() {
        self::route(&mut text, route);
    }
    text
}

fn route(text: &mut String, route: &Route) {
    let code = match route.protocol {
        Protocol::Connected => 'C',
        Protocol::Static => 'S',
        Protocol::Ospf => 'O',
    };
    let selected = if route.selected { '>' } else { ' ' };
    let mut head = format!("{} ", route.prefix);
    if route.protocol != Protocol::Connected {
        let _ = write!(head, "[{}/{}] ", route.distance, route.metric);
    }
    let indent = " ".repeat(head.len().saturating_sub(1));
    for (i, hop) in route.nexthops.iter().enumerate() {
        let mark = match (route.failed, route.queued, route.stale, hop.fib) {
            (true, ..) => 'r',
            (_, true, ..) => 'q',
            (.., true, _) => 's',
            (.., true) => '*',
            _ => ' ',
        };
        if i == 0 {
            let _ = write!(text, "{code}{selected}{mark} {head}");
        } else {
            let _ = write!(text, "  {mark} {indent} ");
        }
        let _ = writeln!(text, "{}, {}", next_hop(hop), route.uptime);
    }
    if let Some(error) = &route.error {
        let _ = writeln!(text, "    refused by the kernel: {error}");
    }
}

pub(super) fn next_hop(hop: &NextHop) -> String {
    let interface = hop.interface_name.as_deref();
    let mut text = match (hop.ip, interface) {
        _ if hop.blackhole => "unreachable (blackhole)".to_owned(),
        (None, Some(name)) => format!("is directly connected, {name}"),
        (Some(ip), Some(name)) => format!("via {ip}, {name}"),
        (Some(ip), None) => format!("via {ip}"),
        (None, None) => "unreachable".to_owned(),
    };
    if hop.resolver {
        text.insert_str(0, "  ");
    }
    if hop.recursive {
        text.push_str(" (recursive)");
    }
    if hop.on_link {
        text.push_str(" onlink");
    }
    if !hop.active {
        text.push_str(" inactive");
        if let Some(reason) = &hop.inactive_reason {
            let _ = write!(text, " ({reason})");
        }
    }
    if hop.weight.is_some() {
        text.push_str(", weight 1");
    }
    text
}

fn summary(s: &RouteSummary) -> String {
    let mut table = Table::new(["Route Source", "Routes", "FIB"]).right(1).right(2);
    for p in &s.routes {
        table.row([p.r#type.name().to_owned(), p.rib.to_string(), p.fib.to_string()]);
    }
    table.row(["Totals".to_owned(), s.routes_total.to_string(), s.routes_total_fib.to_string()]);
    table.text()
}

fn interfaces(interfaces: &Interfaces) -> String {
    let mut table = Table::new(["Interface", "Status", "VRF", "Addresses"]);
    for (name, i) in interfaces {
        let first = i.addresses.first().map_or("", String::as_str);
        table.row([name.as_str(), &i.status, &i.vrf_name, first]);
        for more in i.addresses.iter().skip(1) {
            table.row(["", "", "", more]);
        }
    }
    table.text()
}

fn forwarding(f: &Forwarding) -> String {
    let wanted = if f.configured { "on" } else { "off" };
    match f.state.as_deref() {
        Some("done") => format!("IP forwarding is {wanted}\n"),
        state => format!("IP forwarding shall be {wanted}: {}\n", state.unwrap_or("not asked yet")),
    }
}

fn clients(clients: &Clients) -> String {
    let mut table = Table::new(["Client", "Protocol", "State", "Uptime", "Routes", "Changes", "Told"]);
    for column in 4..7 {
        table = table.right(column);
    }
    for c in clients {
        let protocol = c.protocol.map_or("-", Protocol::name);
        let numbers = [c.routes.to_string(), c.changes.to_string(), c.redistributed.to_string()];
        let [routes, changes, told] = &numbers;
        table.row([&c.name, protocol, &c.state, &c.uptime, routes, changes, told]);
    }
    table.text()
}

fn system(s: &System) -> String {
    let yes_no = |b: bool| if b { "yes" } else { "no" };
    let mut fields = Fields::new(0);
    fields
        .field("Ready", yes_no(s.ready))
        .field("Routes stand", yes_no(s.routes_stand))
        .field("Kernel next-hop objects", yes_no(s.next_hop_objects))
        .field("Objects", s.next_hop_objects_count)
        .field("Routes installed", s.installs)
        .field("Routes removed", s.removals)
        .field("Objects moved", s.retargets)
        .field("Requests refused", s.failures)
        .field("Foreign changes", s.foreign_changes)
        .field("Routes held for their owner", s.held_routes)
        .field("Notices suppressed", s.notices_suppressed);
    let mut text = fields.text();
    if !s.wishes.is_empty() {
        let mut table = Table::new(["Setting", "State"]);
        for (what, state) in &s.wishes {
            table.row([what, state]);
        }
        text.push('\n');
        text.push_str(&table.text());
    }
    text
}
