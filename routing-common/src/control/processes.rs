//! What operators can ask the supervisor on `RUN_DIR/mgmtd.sock`. It stands here and not in mgmtd, because the shell
//! must read it without linking a runtime.

use crate::render::{Table, short_time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// The daemons of this router; answered by [`Processes`].
    ShowProcesses,
}

impl super::Question for Request {
    fn is_question(&self) -> bool {
        match self {
            Self::ShowProcesses => true,
        }
    }
}

/// The daemons in start order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processes {
    /// One row per daemon, wanted or not.
    pub processes: Vec<ProcessRow>,
}

/// One daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessRow {
    /// "ospfd".
    pub name: String,
    /// Its process id, if it runs.
    pub pid: Option<u32>,
    /// off, waiting, starting, running, back-off or stopping.
    pub state: String,
    /// How often it was started again after it had died.
    pub restarts: u64,
    /// Milliseconds since it was started (or adopted), if it runs.
    pub uptime_msec: Option<u64>,
}

/// The reply as an operator reads it.
///
/// # Errors
/// When `reply` is not the reply to `request`.
pub fn render_text(request: &Request, reply: &Value) -> Result<String, serde_json::Error> {
    match request {
        Request::ShowProcesses => {
            let reply: Processes = serde_json::from_value(reply.clone())?;
            let mut table = Table::new(["Daemon", "Pid", "State", "Restarts", "Uptime"]);
            for row in reply.processes {
                let pid = row.pid.map_or_else(|| "-".to_owned(), |p| p.to_string());
                let up = row
                    .uptime_msec
                    .map_or_else(|| "-".to_owned(), |ms| short_time(Duration::from_millis(ms)));
                table.row([row.name, pid, row.state, row.restarts.to_string(), up]);
            }
            Ok(table.text())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reply_has_a_row_per_daemon_and_keys_in_camel_case() {
        let row = ProcessRow {
            name: "ribd".into(),
            pid: Some(42),
            state: "running".into(),
            restarts: 3,
            uptime_msec: Some(61_000),
        };
        let off = ProcessRow {
            name: "ospfd".into(),
            pid: None,
            state: "off".into(),
            restarts: 0,
            uptime_msec: None,
        };
        let value = serde_json::to_value(Processes { processes: vec![row, off] }).unwrap();
        assert_eq!(value["processes"][0]["uptimeMsec"], 61_000);
        let text = render_text(&Request::ShowProcesses, &value).unwrap();
        assert!(
            text.lines().any(|l| l.contains("ribd") && l.contains("42") && l.contains("running")),
            "{text}"
        );
        assert!(text.lines().any(|l| l.contains("ospfd") && l.contains("off")), "{text}");
        assert!(render_text(&Request::ShowProcesses, &Value::Null).is_err());
        assert_eq!(serde_json::to_value(Request::ShowProcesses).unwrap(), "show-processes");
    }
}
