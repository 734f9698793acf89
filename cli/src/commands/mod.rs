//! The command table: every line an operator can type, its help, whom it asks and how the answer reads.

mod bfd;
pub(crate) mod configuration;
mod ospf;
mod rib;
mod shell;
mod vrrp;

pub(crate) use configuration::Act;
pub(crate) use shell::TECH_SUPPORT;

use anyhow::Result;
use routing_common::grammar::{Args, Command, CommandTable};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::str::FromStr;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    /// Routes and interfaces.
    Ribd,
    /// OSPF.
    Ospfd,
    /// VRRP.
    Vrrpd,
    /// BFD.
    Bfdd,
    /// The supervisor.
    Mgmtd,
}

impl Daemon {
    /// All daemons, in start order.
    pub(crate) const ALL: [Self; 5] = [Self::Mgmtd, Self::Ribd, Self::Bfdd, Self::Vrrpd, Self::Ospfd];

    /// Process and socket name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ribd => "ribd",
            Self::Ospfd => "ospfd",
            Self::Vrrpd => "vrrpd",
            Self::Bfdd => "bfdd",
            Self::Mgmtd => "mgmtd",
        }
    }
}

/// A question to a daemon, and how its answer becomes text.
pub(crate) struct Question {
    pub(crate) daemon: Daemon,
    pub(crate) request: Value,
    pub(crate) render: fn(&Value, &Value) -> Result<String>,
}

/// What an operator may choose for his terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TerminalSetting {
    /// A pager for long answers, or none.
    Pages(bool),
    /// A pager unless the length is 0.
    Length,
    /// Colours for states, or none.
    Colours(bool),
}

/// What a command stands for.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// A question to one daemon.
    Ask(fn(&Args) -> Result<Question>),
    /// Releases of the shell and of every daemon.
    Version,
    /// All commands.
    List,
    /// The commands whose words or help match.
    Find,
    /// What the daemons take of memory.
    Memory,
    /// Many shows, one after the other.
    TechSupport,
    /// A show again and again.
    Watch,
    /// Events as they happen.
    Monitor,
    /// Something about the operator's terminal.
    Terminal(TerminalSetting),
    /// Another program, with its options before the address.
    Start(&'static str),
    /// Something about the configuration as a whole.
    Configuration(Act),
}

impl Meaning {
    /// Does it, unlike a question to a daemon or to the supervisor, change nothing whatever its words are?
    pub(crate) fn only_looks(self) -> bool {
        match self {
            Self::Version
            | Self::List
            | Self::Find
            | Self::Memory
            | Self::TechSupport
            | Self::Watch
            | Self::Monitor
            | Self::Terminal(_)
            | Self::Start(_)
            | Self::Configuration(Act::Show(_) | Act::Flat(_) | Act::Compare | Act::Nothing) => true,
            Self::Ask(_) | Self::Configuration(Act::Enter(_) | Act::Ask(_) | Act::Reload) => false,
        }
    }
}

/// Is it a show, by its first word, which may be shortened?
pub(crate) fn is_show(first: Option<&str>) -> bool {
    first.is_some_and(|word| "show".starts_with(word))
}

type Row = Command<Meaning>;

/// The compiled table.
pub(crate) fn table() -> CommandTable<Meaning> {
    let rows: Vec<Row> =
        [shell::ROWS, configuration::ROWS, ospf::ROWS, vrrp::ROWS, bfd::ROWS, rib::ROWS].concat();
    // proof: a test compiles the same constant table.
    CommandTable::new(&rows).expect("the command table compiles")
}

const JSON: &str = "As JSON";
const SHOW: &str = "Show running system information";
const IP: &str = "IPv4";

/// The argument `name` as a `T`; the grammar has already checked its form.
fn parsed<T: FromStr>(args: &Args, name: &str) -> Result<Option<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    Ok(args.get(name).map(str::parse).transpose()?)
}

fn from<T: DeserializeOwned>(value: &Value) -> Result<T> {
    Ok(serde_json::from_value(value.clone())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str) -> Option<(Daemon, Value)> {
        let (meaning, args) = table().parse(&line.split_whitespace().collect::<Vec<_>>()).ok()?;
        match meaning {
            Meaning::Ask(question) => question(&args).ok().map(|q| (q.daemon, q.request)),
            _ => None,
        }
    }

    #[test]
    fn lines_become_the_daemons_requests() {
        let asks = |line: &str, daemon, expected: Value| {
            assert_eq!(request(line), Some((daemon, expected)), "{line}");
        };
        asks("sh ip os", Daemon::Ospfd, serde_json::json!("summary"));
        asks(
            "sh ip ospf neigh eth1 det",
            Daemon::Ospfd,
            serde_json::json!({"neighbors": {"filter": "eth1", "detail": true}}),
        );
        asks(
            "show ip ospf database asbr-summary 10.0.0.1 adv-router 10.0.0.2",
            Daemon::Ospfd,
            serde_json::json!({"database": {"kind": "asbr-summary", "link-state-id": "10.0.0.1",
                "advertising-router": "10.0.0.2", "self-originate": false}}),
        );
        asks(
            "sh ip os grace helper det",
            Daemon::Ospfd,
            serde_json::json!({"graceful-restart": {"helper": true, "detail": true}}),
        );
        asks("show ip ospf fast", Daemon::Ospfd, serde_json::json!("fast-reroute"));
        asks("graceful-restart prepare ip ospf", Daemon::Ospfd, serde_json::json!("prepare-restart"));
        asks("show ip ospf database max", Daemon::Ospfd, serde_json::json!("database-max-age"));
        asks(
            "show ip route 10.0.0.0/8 longer",
            Daemon::Ribd,
            serde_json::json!({"routes": {"protocol": null, "prefix": "10.0.0.0/8", "longer": true}}),
        );
        asks(
            "show ip route ospf json",
            Daemon::Ribd,
            serde_json::json!({"routes": {"protocol": "ospf", "prefix": null, "longer": false}}),
        );
        asks("show vrrp 10", Daemon::Vrrpd, serde_json::json!({"routers": {"interface": null, "vrid": 10}}));
        asks("show bfd peers", Daemon::Bfdd, serde_json::json!("peers"));
        asks("show bfd peers counters json", Daemon::Bfdd, serde_json::json!("counters"));
        asks("show bfd peer 10.0.0.2", Daemon::Bfdd, serde_json::json!({"peer": {"address": "10.0.0.2"}}));
        assert_eq!(request("show vrrp 256"), None);
    }

    #[test]
    fn shows_of_frr_that_were_missing_ask_their_daemons() {
        let asks = |line: &str, daemon, expected: Value| {
            assert_eq!(request(line), Some((daemon, expected)), "{line}");
        };
        let nobody = serde_json::json!({"neighbors": {"filter": null, "detail": false}});
        asks("show ip ospf neighbor all json", Daemon::Ospfd, nobody);
        asks(
            "show ip ospf interface traffic eth1",
            Daemon::Ospfd,
            serde_json::json!({"traffic": {"name": "eth1"}}),
        );
        asks("show ip ospf reachable-routers", Daemon::Ospfd, serde_json::json!("reachable-routers"));
        asks("show ip ospf route detail", Daemon::Ospfd, serde_json::json!("route-detail"));
        asks("show ip ospf spf log json", Daemon::Ospfd, serde_json::json!("spf-log"));
        asks("show ip ospf vrfs", Daemon::Ospfd, serde_json::json!("vrfs"));
        asks(
            "show ip prefix-list summary L",
            Daemon::Ospfd,
            serde_json::json!({"prefix-lists": {"name": "L", "extent": "summary"}}),
        );
        asks(
            "show ip prefix-list json",
            Daemon::Ospfd,
            serde_json::json!({"prefix-lists": {"name": null, "extent": "entries"}}),
        );
        asks("show ip access-list A", Daemon::Ospfd, serde_json::json!({"access-lists": {"name": "A"}}));
        asks("show route-map json", Daemon::Ospfd, serde_json::json!({"route-maps": {"name": null}}));
        asks("show key chain R json", Daemon::Ospfd, serde_json::json!({"key-chains": {"name": "R"}}));
        asks(
            "show ip ospf database detail adv-router 10.0.0.2",
            Daemon::Ospfd,
            serde_json::json!({"database-detail": {"link-state-id": null, "advertising-router": "10.0.0.2",
                "self-originate": false}}),
        );
        asks("show interface json", Daemon::Ribd, serde_json::json!({"interface-details": {"name": null}}));
        asks("show interface eth0", Daemon::Ribd, serde_json::json!({"interface-details": {"name": "eth0"}}));
        asks("show interface brief", Daemon::Ribd, serde_json::json!("interfaces"));
        asks("show interface description", Daemon::Ribd, serde_json::json!("descriptions"));
        asks("show ip fib 10.0.0.1", Daemon::Ribd, serde_json::json!({"fib": {"prefix": "10.0.0.1/32"}}));
        asks("show ip route failed", Daemon::Ribd, serde_json::json!("failed-routes"));
        asks(
            "show ip route 10.0.0.0/8 why",
            Daemon::Ribd,
            serde_json::json!({"why": {"prefix": "10.0.0.0/8"}}),
        );
        asks("show ip nht", Daemon::Ribd, serde_json::json!("next-hop-tracking"));
        asks("show static routes json", Daemon::Ribd, serde_json::json!("statics"));
        asks("show nexthop-group rib 7", Daemon::Ribd, serde_json::json!({"next-hop-groups": {"id": 7}}));
        asks("show zebra client summary", Daemon::Ribd, serde_json::json!("clients"));
        asks(
            "show vrrp summary",
            Daemon::Vrrpd,
            serde_json::json!({"summary": {"interface": null, "vrid": null}}),
        );
        asks(
            "show vrrp 10 history",
            Daemon::Vrrpd,
            serde_json::json!({"history": {"interface": null, "vrid": 10}}),
        );
        asks("show daemons", Daemon::Mgmtd, serde_json::json!("show-processes"));
    }

    #[test]
    fn every_show_of_tech_support_is_a_command() {
        for line in TECH_SUPPORT {
            assert!(table().parse(&line.split_whitespace().collect::<Vec<_>>()).is_ok(), "{line}");
        }
    }

    #[test]
    fn every_command_has_its_own_shortest_form() {
        let table = table();
        for command in table.commands() {
            // An address or a number that must be there is filled in.
            let fill = |w| match w {
                w if str::starts_with(w, "A.B.C.D") => "10.0.0.1",
                w if w.starts_with('(') => "1",
                w => w,
            };
            let required = command.syntax.split(['[', '<']).next().unwrap_or_default();
            let words: Vec<&str> = required.split_whitespace().map(fill).collect();
            if command.syntax.contains("<") && !command.syntax.contains("[<") {
                continue;
            }
            assert!(table.parse(&words).is_ok(), "{}", command.syntax);
        }
    }

    /// A word that several commands share has one help, or `?` would offer it twice.
    #[test]
    fn no_word_is_offered_twice() {
        let table = table();
        for command in table.commands() {
            let words: Vec<&str> = command.syntax.split_whitespace().collect();
            for end in 0..words.len() {
                let Ok((found, _)) = table.candidates(&words[..end], "") else { break };
                let labels: std::collections::BTreeSet<&str> =
                    found.iter().map(|c| c.label.as_str()).collect();
                assert_eq!(labels.len(), found.len(), "after {:?}: {found:#?}", &words[..end]);
            }
        }
    }
}
