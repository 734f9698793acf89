//! Lines an operator types.

use crate::commands::configuration::Style;
use crate::commands::{Act, Daemon, Meaning, Question, TECH_SUPPORT, TerminalSetting, table};
use routing_common::control::configuration::Request;
use routing_common::grammar::{Args, CommandTable};
use serde_json::Value;
use std::sync::LazyLock;

static TABLE: LazyLock<CommandTable<Meaning>> = LazyLock::new(table);

/// One line: parsed, completed at its end, and if it is a question, one its daemon understands.
pub fn commands(data: &[u8]) {
    let line = String::from_utf8_lossy(data);
    let words: Vec<&str> = line.split_whitespace().collect();
    let parsed = TABLE.parse(&words);
    // `vtysh -u` lets these pass whatever they begin with.
    if parsed.as_ref().is_ok_and(|(meaning, _)| meaning.only_looks()) {
        assert!(!matches!(parsed, Ok((Meaning::Configuration(Act::Enter(_) | Act::Reload), _))));
    }
    match parsed {
        Ok((Meaning::Ask(question), args)) => asked(question, &args),
        Ok((Meaning::Configuration(act), args)) => configuration(act, &args),
        Ok((Meaning::TechSupport, _)) => {
            for line in TECH_SUPPORT {
                assert!(TABLE.parse(&line.split(' ').collect::<Vec<_>>()).is_ok(), "{line}");
            }
        }
        Ok((Meaning::Watch, args)) => assert!(args.get("command").is_some_and(|line| !line.is_empty())),
        Ok((Meaning::Find, args)) => assert!(args.get("regex").is_some_and(|regex| !regex.is_empty())),
        // What is put before the shell's argument is an address, never an option.
        Ok((Meaning::Start(program), args)) => {
            assert!(["ping", "traceroute"].contains(&program));
            assert!(args.get("host").is_some_and(|host| host.parse::<std::net::Ipv4Addr>().is_ok()));
        }
        Ok((Meaning::Terminal(setting), args)) => {
            let rows = args.get("rows").map(|rows| rows.parse::<u16>().is_ok_and(|rows| rows <= 512));
            assert_eq!(rows, (setting == TerminalSetting::Length).then_some(true));
        }
        Ok((Meaning::Version | Meaning::List | Meaning::Memory | Meaning::Monitor, _)) => {}
        Err(error) => assert!(error.to_string().starts_with('%'), "{error}"),
    }
    if let Some((partial, before)) = words.split_last()
        && let Ok((candidates, _)) = TABLE.candidates(before, partial)
    {
        let unique: std::collections::BTreeSet<_> = candidates.iter().map(|c| &c.label).collect();
        assert_eq!(unique.len(), candidates.len(), "a candidate is offered twice");
        for keyword in candidates.iter().filter(|c| c.is_keyword) {
            assert!(keyword.label.starts_with(partial));
            let completed: Vec<&str> = before.iter().copied().chain([keyword.label.as_str()]).collect();
            assert!(TABLE.candidates(&completed, "").is_ok(), "{completed:?} was offered and is refused");
        }
    }
}

/// What the supervisor is asked it understands as it was meant.
fn configuration(act: Act, args: &Args) {
    let request = match act {
        Act::Ask(request) => request(args),
        Act::Show(source) | Act::Flat(source) => Request::GetConfiguration(source(args)),
        Act::Enter(Style::AsTyped | Style::Candidate) | Act::Compare | Act::Reload | Act::Nothing => return,
    };
    let value = serde_json::to_value(&request).expect("a request is JSON");
    assert_eq!(serde_json::from_value::<Request>(value).ok(), Some(request));
}

fn asked(question: fn(&Args) -> anyhow::Result<Question>, args: &Args) {
    // The grammar checks forms only; a value out of range is refused with a text.
    let question = match question(args) {
        Ok(question) => question,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(Daemon::ALL.iter().any(|d| d.name() == question.daemon.name()));
    let understood = |value: &Value| match question.daemon {
        Daemon::Ribd => serde_json::from_value::<rib::api::Request>(value.clone()).is_ok(),
        Daemon::Ospfd => serde_json::from_value::<ospf_proto::api::Request>(value.clone()).is_ok(),
        Daemon::Vrrpd => serde_json::from_value::<vrrp_proto::api::Request>(value.clone()).is_ok(),
        Daemon::Bfdd => serde_json::from_value::<bfd_proto::api::Request>(value.clone()).is_ok(),
        Daemon::Mgmtd => {
            serde_json::from_value::<routing_common::control::processes::Request>(value.clone()).is_ok()
        }
    };
    assert!(
        understood(&question.request),
        "{} does not understand {}",
        question.daemon.name(),
        question.request
    );
    assert!((question.render)(&question.request, &Value::Null).is_err(), "nothing is no answer");
}
