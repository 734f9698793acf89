//! What is new in the engines' logs since the last look. Their entries bear numbers; a number smaller than the last one means
//! that the daemon was started again.

use ospf_proto::api as ospf;
use routing_common::render::time_of_day;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use vrrp_proto::api as vrrp;

/// One event.
struct Entry {
    /// Which log it stands in.
    log: String,
    /// Its number there.
    number: u64,
    msecs_ago: u64,
    text: String,
}

/// Remembers what was seen.
#[derive(Debug, Default)]
pub(super) struct Follower {
    /// The last number seen, by log.
    seen: BTreeMap<String, u64>,
    /// Everything that had happened before the first look is old.
    has_looked: bool,
}

impl Follower {
    /// Asks through `ask` and returns a line for everything that is new, oldest first. A daemon that does not answer has no news.
    pub(super) fn look(&mut self, ask: impl Fn(&str, &Value) -> Option<Value>) -> Vec<String> {
        let reply = |daemon, request: serde_json::Result<Value>| ask(daemon, &request.ok()?);
        let events = reply("ospfd", serde_json::to_value(ospf::Request::Events));
        let history = vrrp::Request::History { interface: None, vrid: None };
        let history = reply("vrrpd", serde_json::to_value(history));
        let mut entries =
            events.and_then(|v| serde_json::from_value(v).ok()).map(of_ospf).unwrap_or_default();
        entries.extend(history.and_then(|v| serde_json::from_value(v).ok()).map(of_vrrp).unwrap_or_default());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.news(entries).into_iter().map(|e| line(now, &e)).collect()
    }

    fn news(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut last: BTreeMap<String, u64> = BTreeMap::new();
        for entry in &entries {
            let number = last.entry(entry.log.clone()).or_default();
            *number = (*number).max(entry.number);
        }
        for (log, number) in &last {
            // Started again: everything there is new.
            if self.seen.get(log).is_some_and(|seen| number < seen) {
                self.seen.insert(log.clone(), 0);
            }
        }
        let is_new = |e: &Entry| self.has_looked && e.number > self.seen.get(&e.log).copied().unwrap_or(0);
        let mut news: Vec<Entry> = entries.into_iter().filter(is_new).collect();
        news.sort_by_key(|e| std::cmp::Reverse(e.msecs_ago));
        self.seen.extend(last);
        self.has_looked = true;
        news
    }
}

fn of_ospf(events: ospf::EventsReply) -> Vec<Entry> {
    let adjacencies = events.adjacency_changes.into_iter().map(|row| Entry {
        log: "ospf adjacencies".into(),
        number: row.number,
        msecs_ago: row.msecs_ago,
        text: format!(
            "ospf neighbor {} on {}: {} -> {}, {}",
            row.router_id, row.interface, row.old_state, row.new_state, row.event
        ),
    });
    let runs = events.spf_runs.into_iter().map(|row| Entry {
        log: "ospf runs".into(),
        number: row.number,
        msecs_ago: row.msecs_ago,
        text: format!(
            "ospf {} calculation ({}): {} routes changed; {}",
            row.kind, row.scope, row.routes_changed, row.cause
        ),
    });
    let restarts = events.restarts.into_iter().map(|row| Entry {
        log: "ospf restarts".into(),
        number: row.number,
        msecs_ago: row.msecs_ago,
        text: format!("ospf {}", row.event),
    });
    adjacencies.chain(runs).chain(restarts).collect()
}

fn of_vrrp(rows: Vec<vrrp::HistoryRow>) -> Vec<Entry> {
    let of_router = |row: vrrp::HistoryRow| {
        let who = format!("vrrp {} VRID {}", row.interface, row.vrid);
        row.history.into_iter().map(move |t| {
            let silence = t.silence_msecs.map(|ms| format!(" after {ms} ms of silence")).unwrap_or_default();
            Entry {
                log: who.clone(),
                number: t.number,
                msecs_ago: t.msecs_ago,
                text: format!("{who}: {} -> {}, {}{silence}", t.from, t.to, t.cause),
            }
        })
    };
    rows.into_iter().flat_map(of_router).collect()
}

/// With the time of day.
fn line(now: Duration, entry: &Entry) -> String {
    let at = now.saturating_sub(Duration::from_millis(entry.msecs_ago));
    format!("{}.{:03}Z {}\n", time_of_day(at.as_secs()), at.subsec_millis(), entry.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answers(run: u64, transition: u64) -> impl Fn(&str, &Value) -> Option<Value> {
        move |daemon, request| match daemon {
            "ospfd" => {
                assert_eq!(request, "events");
                Some(json!({"adjacencyChanges": [], "restarts": [], "spfRuns": [
                    {"number": run, "msecsAgo": 40, "scope": "topology", "routesChanged": 2, "kind": "full", "cause": "interface eth1"}
                ]}))
            }
            _ => Some(
                json!([{"interface": "eth0", "vrid": 10, "group": "g", "status": "Master", "transitions": 2, "history": [
                    {"number": transition, "from": "Backup", "to": "Master", "cause": "advert-timeout", "silenceMsecs": 3609, "msecsAgo": 70}
                ]}]),
            ),
        }
    }

    #[test]
    fn only_what_is_new_is_told_in_its_order() {
        let mut follower = Follower::default();
        assert!(follower.look(answers(1, 1)).is_empty(), "what was before is old");
        assert!(follower.look(answers(1, 1)).is_empty());
        let told = follower.look(answers(2, 2));
        let texts: Vec<&str> = told.iter().map(|l| l.split_once("Z ").unwrap().1).collect();
        assert_eq!(
            texts,
            [
                "vrrp eth0 VRID 10: Backup -> Master, advert-timeout after 3609 ms of silence\n",
                "ospf full calculation (topology): 2 routes changed; interface eth1\n"
            ]
        );
        assert!(follower.look(|_, _| None).is_empty(), "a daemon that is away has no news");
        assert_eq!(follower.look(answers(1, 2)).len(), 1, "a daemon that was started again counts anew");
    }

    #[test]
    fn events_bear_the_time_of_day() {
        let entry = Entry { log: String::new(), number: 1, msecs_ago: 500, text: "x".into() };
        assert_eq!(line(Duration::from_secs(86_400 * 3 + 3661), &entry), "01:01:00.500Z x\n");
    }
}
