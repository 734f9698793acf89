//! Answers to [`api::Request`] and their text form, which reads like FRR's.

use crate::api;
use crate::discard::Discards;
use crate::instance::{Instance, Owner, Registration};
use crate::message::{SessionKey, SessionState};
use crate::session::Session;
use core::fmt::Write as _;
use routing_common::render::{Fields, Table, clock_time, short_time};
use routing_common::time::{Duration, Instant};
use serde::Serialize;
use serde_json::{Number, Value};
use std::collections::BTreeMap;

const VRF: &str = "default";

/// The reply to one request.
pub(crate) fn query(instance: &Instance, now: Instant, request: &api::Request) -> Result<Value, String> {
    let peers = || -> Vec<api::Peer> {
        let unreached = instance.peers().iter().filter_map(|(name, peer)| unreached(instance, name, peer));
        instance.sessions().map(|s| peer(instance, now, s)).chain(unreached).collect()
    };
    match request {
        api::Request::Status => json(status(instance, now)),
        api::Request::Peers => json(peers()),
        api::Request::Peer { address } => {
            let mut found: Vec<_> = peers().into_iter().filter(|p| p.peer == *address).collect();
            match found.len() {
                0 => Err(format!("there is no BFD session with {address}")),
                1 => json(found.remove(0)),
                _ => json(found),
            }
        }
        api::Request::Brief => json(peers().into_iter().map(brief).collect::<Vec<_>>()),
        api::Request::Counters => {
            json(instance.sessions().map(|s| counters(instance, s)).collect::<Vec<_>>())
        }
    }
}

fn json(value: impl Serialize) -> Result<Value, String> {
    serde_json::to_value(value).map_err(|e| e.to_string())
}

/// Milliseconds, whole where they are.
fn millis(span: Duration) -> Number {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    if micros.is_multiple_of(1000) {
        return Number::from(micros / 1000);
    }
    #[allow(clippy::cast_precision_loss)] // 2^52 microseconds are 142 years
    Number::from_f64(micros as f64 / 1000.0).unwrap_or_else(|| Number::from(micros / 1000))
}

fn ago(now: Instant, then: Instant) -> u64 {
    u64::try_from(now.since(then).as_millis()).unwrap_or(u64::MAX)
}

/// Those who want a session.
fn wishes<'a>(
    instance: &'a Instance,
    session: &'a Session,
) -> impl Iterator<Item = (&'a (Owner, SessionKey), &'a Registration)> {
    instance.registrations().filter(|(_, r)| r.session == Some(session.local_discr))
}

fn peer(instance: &Instance, now: Instant, s: &Session) -> api::Peer {
    let configured = wishes(instance, s).find_map(|(_, r)| r.configured.as_ref());
    let (mut clients, mut orphaned_by) = (Vec::new(), Vec::new());
    for ((owner, _), registration) in wishes(instance, s) {
        match owner {
            Owner::Configuration => {
                clients.extend(registration.configured.iter().map(|(name, _)| name.clone()))
            }
            Owner::Client(id) => {
                let Some(principal) = instance.principal(*id) else { continue };
                clients.push(principal.name.clone());
                if principal.connection.is_none() {
                    orphaned_by.push(principal.name.clone());
                }
            }
        }
    }
    let seconds = now.since(s.since()).as_secs();
    let up = s.session_state == SessionState::Up;
    let multihop = s.interface().is_none();
    api::Peer {
        multihop,
        peer: s.peer(),
        local: s.local,
        vrf: VRF.into(),
        interface: interface(instance, s),
        id: s.local_discr,
        remote_id: s.remote_discr,
        passive_mode: s.parameters.passive,
        log_session_changes: true,
        minimum_ttl: multihop.then_some(s.parameters.minimum_ttl),
        status: s.session_state.to_string(),
        uptime: up.then_some(seconds),
        downtime: (s.session_state == SessionState::Down).then_some(seconds),
        diagnostic: s.local_diag.name().into(),
        remote_diagnostic: s.remote_diag.name().into(),
        kind: if configured.is_some() { "configured" } else { "dynamic" }.into(),
        profile: configured.map(|(_, profile)| profile.clone()),
        receive_interval: millis(s.parameters.receive_interval),
        transmit_interval: millis(s.parameters.transmit_interval),
        transmit_interval_actual: millis(s.timing.transmit_interval()),
        detection_timeout: millis(s.timing.detection_time()),
        echo_receive_interval: 0,
        echo_transmit_interval: 0,
        detect_multiplier: s.timing.detect_mult,
        remote_receive_interval: millis(s.timing.remote_min_rx_interval),
        remote_transmit_interval: millis(s.timing.remote_desired_min_tx),
        remote_echo_receive_interval: 0,
        remote_detect_multiplier: s.timing.remote_detect_mult,
        clients,
        orphaned_by,
        remote_demand_mode: s.remote_demand_mode,
        polling: s.timing.is_polling(),
        last_packet_msecs_ago: s.last_received().map(|at| ago(now, at)),
        stalls_excused: s.stats.stalls_excused,
        history: s.history.iter().map(|c| transition(now, c)).collect(),
    }
}

fn transition(now: Instant, c: &crate::session::Change) -> api::Transition {
    api::Transition {
        from: c.from.to_string(),
        to: c.to.to_string(),
        diagnostic: c.diagnostic.name().into(),
        msecs_ago: ago(now, c.at),
    }
}

fn interface(instance: &Instance, s: &Session) -> Option<String> {
    s.interface().map(|i| instance.interface_name(i).unwrap_or_else(|| i.to_string()))
}

/// A peer of the file that has no session because no interface leads to it.
fn unreached(instance: &Instance, name: &str, p: &routing_common::config::BfdPeer) -> Option<api::Peer> {
    let of = |r: &Registration| r.configured.as_ref().is_some_and(|(n, _)| n == name) && r.session.is_some();
    if instance.registrations().any(|(_, r)| of(r)) {
        return None;
    }
    Some(api::Peer {
        multihop: p.multihop,
        peer: p.address,
        local: p.local_address,
        vrf: VRF.into(),
        interface: p.interface.as_ref().map(ToString::to_string),
        id: 0,
        remote_id: 0,
        passive_mode: p.profile.passive,
        log_session_changes: true,
        minimum_ttl: p.multihop.then_some(p.profile.minimum_ttl),
        status: if p.shutdown { SessionState::AdminDown } else { SessionState::Down }.to_string(),
        uptime: None,
        downtime: None,
        diagnostic: "no interface leads to the peer".into(),
        remote_diagnostic: "ok".into(),
        kind: "configured".into(),
        profile: Some(p.profile.name.clone()),
        receive_interval: millis(p.profile.receive_interval),
        transmit_interval: millis(p.profile.transmit_interval),
        transmit_interval_actual: Number::from(0),
        detection_timeout: Number::from(0),
        echo_receive_interval: 0,
        echo_transmit_interval: 0,
        detect_multiplier: p.profile.detect_multiplier,
        remote_receive_interval: Number::from(0),
        remote_transmit_interval: Number::from(0),
        remote_echo_receive_interval: 0,
        remote_detect_multiplier: 0,
        clients: vec![name.to_owned()],
        orphaned_by: Vec::new(),
        remote_demand_mode: false,
        polling: false,
        last_packet_msecs_ago: None,
        stalls_excused: 0,
        history: Vec::new(),
    })
}

fn brief(p: api::Peer) -> api::Brief {
    api::Brief {
        multihop: p.multihop,
        peer: p.peer,
        local: p.local,
        vrf: p.vrf,
        interface: p.interface,
        id: p.id,
        remote_id: p.remote_id,
        status: p.status,
        profile: p.profile,
    }
}

fn counts(d: &Discards) -> BTreeMap<String, u64> {
    d.iter().map(|(reason, n)| (reason.name().to_owned(), n)).collect()
}

fn counters(instance: &Instance, s: &Session) -> api::Counters {
    api::Counters {
        multihop: s.interface().is_none(),
        peer: s.peer(),
        local: s.local,
        vrf: VRF.into(),
        interface: interface(instance, s),
        control_packet_input: s.stats.packets_in,
        control_packet_output: s.stats.packets_out,
        echo_packet_input: 0,
        echo_packet_output: 0,
        session_up: s.stats.ups,
        session_down: s.stats.downs,
        zebra_notifications: 0,
        tx_fail_packet: s.stats.transmit_failures,
        discards: counts(&s.discards),
        stalls_excused: s.stats.stalls_excused,
        finals_held_back: s.stats.finals_held_back,
    }
}

fn status(instance: &Instance, now: Instant) -> api::Status {
    let (host, lateness) = (instance.host(), instance.lateness());
    let micros = |d: Duration| u64::try_from(d.as_micros()).unwrap_or(u64::MAX);
    let mut sessions: BTreeMap<String, u64> = BTreeMap::new();
    for session in instance.sessions() {
        *sessions.entry(session.session_state.to_string()).or_default() += 1;
    }
    let wanted_by = |id| instance.registrations().filter(|((o, _), _)| *o == Owner::Client(id)).count();
    api::Status {
        real_time: host.real_time.is_some(),
        real_time_priority: host.real_time,
        memory_locked: host.memory_locked,
        problems: host.problems.clone(),
        worst_lateness_usecs: micros(lateness.worst),
        stalls: lateness.stalls,
        last_stall_usecs: lateness.last_stall.map(|(_, late)| micros(late)),
        last_stall_msecs_ago: lateness.last_stall.map(|(at, _)| ago(now, at)),
        sessions,
        discards: counts(instance.discards()),
        clients: instance
            .principals()
            .map(|(id, p)| api::ClientRow {
                name: p.name.clone(),
                connected: p.connection.is_some(),
                orphaned_msecs: p.orphaned_since.map(|since| ago(now, since)),
                sessions: wanted_by(id) as u64,
            })
            .collect(),
        last_fault: instance.last_fault().map(|(_, text)| text.clone()),
        last_fault_msecs_ago: instance.last_fault().map(|(at, _)| ago(now, *at)),
    }
}

/// The text an operator reads.
///
/// # Errors
/// When `value` is not an answer to `request`.
pub fn render_text(request: &api::Request, value: &Value) -> serde_json::Result<String> {
    let of = |value: &Value| serde_json::from_value::<Vec<api::Peer>>(value.clone());
    Ok(match request {
        api::Request::Status => status_text(&serde_json::from_value(value.clone())?),
        api::Request::Peers => {
            format!("BFD Peers:\n{}", of(value)?.iter().map(peer_text).collect::<String>())
        }
        api::Request::Peer { .. } => {
            let peers =
                if value.is_array() { of(value)? } else { vec![serde_json::from_value(value.clone())?] };
            format!("BFD Peer:\n{}", peers.iter().map(peer_text).collect::<String>())
        }
        api::Request::Brief => brief_text(&serde_json::from_value::<Vec<api::Brief>>(value.clone())?),
        api::Request::Counters => {
            let rows: Vec<api::Counters> = serde_json::from_value(value.clone())?;
            format!("BFD Peers:\n{}", rows.iter().map(counters_text).collect::<String>())
        }
    })
}

fn heading(
    multihop: bool,
    peer: std::net::Ipv4Addr,
    local: Option<std::net::Ipv4Addr>,
    interface: Option<&String>,
) -> String {
    let mut line = format!("\tpeer {peer}");
    if multihop {
        line.push_str(" multihop");
    }
    if let Some(local) = local {
        // Writing to a String cannot fail.
        let _ = write!(line, " local-address {local}");
    }
    line.push_str(" vrf default");
    if let Some(interface) = interface {
        let _ = write!(line, " interface {interface}");
    }
    line
}

fn peer_text(p: &api::Peer) -> String {
    let interval = |n: &Number| if n.as_u64() == Some(0) { "disabled".to_owned() } else { format!("{n}ms") };
    let role = if p.passive_mode { "Passive mode" } else { "Active mode" };
    let mut lines =
        vec![format!("\t\tID: {}", p.id), format!("\t\tRemote ID: {}", p.remote_id), format!("\t\t{role}")];
    lines.extend(p.minimum_ttl.map(|ttl| format!("\t\tMinimum TTL: {ttl}")));
    lines.push(format!("\t\tStatus: {}", p.status));
    let time = |seconds| clock_time(Duration::from_secs(seconds));
    lines.extend(p.uptime.map(|s| format!("\t\tUptime: {}", time(s))));
    lines.extend(p.downtime.map(|s| format!("\t\tDowntime: {}", time(s))));
    lines.push(format!("\t\tDiagnostics: {}", p.diagnostic));
    lines.push(format!("\t\tRemote diagnostics: {}", p.remote_diagnostic));
    lines.push(format!("\t\tPeer Type: {}", p.kind));
    lines.extend(p.profile.as_ref().map(|name| format!("\t\tProfile: {name}")));
    lines.push(format!("\t\tWanted by: {}", p.clients.join(", ")));
    if !p.orphaned_by.is_empty() {
        lines.push(format!("\t\tOrphaned by: {}", p.orphaned_by.join(", ")));
    }
    if p.stalls_excused > 0 {
        lines.push(format!("\t\tStalls of our own excused: {}", p.stalls_excused));
    }
    lines.extend([
        "\t\tLocal timers:".into(),
        format!("\t\t\tDetect-multiplier: {}", p.detect_multiplier),
        format!("\t\t\tReceive interval: {}", interval(&p.receive_interval)),
        format!("\t\t\tTransmission interval: {}", interval(&p.transmit_interval)),
        format!("\t\t\tTransmission interval in use: {}", interval(&p.transmit_interval_actual)),
        format!("\t\t\tDetection time in use: {}", interval(&p.detection_timeout)),
        "\t\tRemote timers:".into(),
        format!("\t\t\tDetect-multiplier: {}", p.remote_detect_multiplier),
        format!("\t\t\tReceive interval: {}", interval(&p.remote_receive_interval)),
        format!("\t\t\tTransmission interval: {}", interval(&p.remote_transmit_interval)),
    ]);
    format!("{}\n{}\n\n", heading(p.multihop, p.peer, p.local, p.interface.as_ref()), lines.join("\n"))
}

fn brief_text(rows: &[api::Brief]) -> String {
    let mut table = Table::new(["Session", "LocalAddress", "PeerAddress", "Interface", "Status"]);
    for row in rows {
        table.row([
            row.id.to_string(),
            row.local.map_or_else(|| "n/a".into(), |a| a.to_string()),
            row.peer.to_string(),
            row.interface.clone().unwrap_or_else(|| "multihop".into()),
            row.status.clone(),
        ]);
    }
    format!("Session count: {}\n{}", rows.len(), table.text())
}

fn counters_text(c: &api::Counters) -> String {
    let mut text = heading(c.multihop, c.peer, c.local, c.interface.as_ref());
    let rows = [
        ("Control packet input", c.control_packet_input, " packets"),
        ("Control packet output", c.control_packet_output, " packets"),
        ("Session up events", c.session_up, ""),
        ("Session down events", c.session_down, ""),
        ("Tx fail packet", c.tx_fail_packet, ""),
        ("Stalls of our own excused", c.stalls_excused, ""),
    ];
    for (label, value, unit) in rows {
        let _ = write!(text, "\n\t\t{label}: {value}{unit}");
    }
    for (reason, n) in &c.discards {
        let _ = write!(text, "\n\t\tDropped ({reason}): {n} packets");
    }
    text + "\n\n"
}

fn status_text(s: &api::Status) -> String {
    let mut fields = Fields::new(0);
    let scheduling = s.real_time_priority.map_or_else(|| "no".to_owned(), |p| format!("yes, priority {p}"));
    let micros = Duration::from_micros;
    fields.field("Real-time thread", scheduling);
    fields.field("Memory locked", if s.memory_locked { "yes" } else { "no" });
    for problem in &s.problems {
        fields.field("Not granted", problem);
    }
    fields.field("Worst lateness", format!("{} us", s.worst_lateness_usecs));
    let last = match (s.last_stall_usecs, s.last_stall_msecs_ago) {
        (Some(late), Some(msecs)) => {
            let (late, then) = (short_time(micros(late)), short_time(Duration::from_millis(msecs)));
            format!("{}, the last one of {late} {then} ago", s.stalls)
        }
        _ => s.stalls.to_string(),
    };
    fields.field("Stalls", last);
    let list = |map: &BTreeMap<String, u64>| {
        let parts: Vec<_> = map.iter().map(|(name, n)| format!("{n} {name}")).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    fields.field("Sessions", list(&s.sessions));
    fields.field("Dropped without a session", list(&s.discards));
    for client in &s.clients {
        let state = match client.orphaned_msecs {
            Some(ms) if !client.connected => format!("gone for {}", short_time(Duration::from_millis(ms))),
            _ => "connected".to_owned(),
        };
        fields.field("Client", format!("{}: {} sessions, {state}", client.name, client.sessions));
    }
    if let (Some(fault), Some(ms)) = (&s.last_fault, s.last_fault_msecs_ago) {
        fields.field("Last fault", format!("{fault} ({} ago)", short_time(Duration::from_millis(ms))));
    }
    fields.text()
}
