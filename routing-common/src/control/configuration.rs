//! What operators can ask the supervisor about the router's configuration on `RUN_DIR/mgmtd.sock`.
//!
//! A configuration is one TOML text. The *running* one is in force; the *startup* one is the file the router boots
//! from; the *archive* keeps what was committed, by revision. An editor works on a copy of its own (the candidate) and sends the
//! whole of it: what was committed meanwhile by somebody else is noticed by [`Commit::base`].

use crate::render::{Table, short_time, utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// A question or command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// A text; answered by [`Text`].
    GetConfiguration(Source),
    /// Bring a text into force; answered by [`Committed`].
    Commit(Commit),
    /// Commit the startup file as it is on the disk; answered by [`Committed`].
    Reload {
        /// See [`Commit::test`].
        test: bool,
    },
    /// Commit a former text again; answered by [`Committed`].
    Rollback {
        /// How many revisions back; 0 is the one in force.
        back: u32,
        /// See [`Commit::confirm_within_sec`].
        confirm_within_sec: Option<u32>,
    },
    /// Keep what a `commit confirmed` brought; answered by [`State`].
    Confirm,
    /// Make the running text the startup file; answered by [`State`].
    Save,
    /// Keep others from committing until this connection ends or unlocks; answered by [`State`].
    Lock,
    /// Give the lock back; answered by [`State`].
    Unlock,
    /// Revisions, newest first; answered by [`History`].
    ShowHistory,
    /// Who holds what; answered by [`State`].
    ShowState,
}

impl super::Question for Request {
    fn is_question(&self) -> bool {
        match self {
            Self::GetConfiguration(_) | Self::ShowHistory | Self::ShowState => true,
            Self::Commit(_)
            | Self::Reload { .. }
            | Self::Rollback { .. }
            | Self::Confirm
            | Self::Save
            | Self::Lock
            | Self::Unlock => false,
        }
    }
}

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The one in force.
    Running,
    /// The file the router boots from.
    Startup,
    /// So many revisions back; 0 is the one in force.
    Back(u32),
}

/// A text and which revision it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Text {
    /// TOML.
    pub text: String,
    /// The revision it was committed as; `None` for a startup file that was never loaded.
    pub revision: Option<u64>,
    /// The file findings should name.
    pub file: String,
}

/// A text to bring into force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Commit {
    /// The whole configuration as TOML.
    pub text: String,
    /// The revision the text was made from. Refused when another one is in force by now. `None`: whatever is.
    pub base: Option<u64>,
    /// Kept with the revision.
    pub comment: Option<String>,
    /// Take it back unless confirmed within so many seconds.
    pub confirm_within_sec: Option<u32>,
    /// Validate in every daemon, change nothing.
    pub test: bool,
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Committed {
    /// The revision in force now.
    pub revision: u64,
    /// Did anything change?
    pub changed: bool,
    /// One per daemon the old or the new text has work for.
    pub daemons: Vec<DaemonOutcome>,
    /// What looks unintended, and what could not be kept.
    pub warnings: Vec<String>,
}

/// How one daemon took a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DaemonOutcome {
    /// "ospfd".
    pub daemon: String,
    /// applied, checked, started, stopped, or why it will apply it later.
    pub outcome: String,
}

/// Revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Newest first.
    pub revisions: Vec<Revision>,
}

/// One revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// Its number; never used twice on this router.
    pub revision: u64,
    /// Seconds since 1970 (UTC).
    pub at: u64,
    /// "alice (uid 1000)", or what else brought it.
    pub author: String,
    /// As given with the commit.
    pub comment: Option<String>,
}

/// Who holds what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The revision in force.
    pub revision: u64,
    /// Milliseconds until it is taken back, if it was committed to be confirmed.
    pub unconfirmed_msec: Option<u64>,
    /// Who holds the lock.
    pub locked_by: Option<String>,
    /// Is the startup file what is in force?
    pub saved: bool,
}

/// The reply as an operator reads it.
///
/// # Errors
/// When `reply` is not the reply to `request`.
pub fn render_text(request: &Request, reply: &Value) -> Result<String, serde_json::Error> {
    match request {
        Request::GetConfiguration(_) => Ok(serde_json::from_value::<Text>(reply.clone())?.text),
        Request::Commit(_) | Request::Reload { .. } | Request::Rollback { .. } => {
            Ok(committed_text(&serde_json::from_value(reply.clone())?))
        }
        Request::ShowHistory => Ok(history_text(serde_json::from_value(reply.clone())?)),
        Request::Confirm | Request::Save | Request::Lock | Request::Unlock | Request::ShowState => {
            Ok(state_text(&serde_json::from_value(reply.clone())?))
        }
    }
}

/// What there is to say about a commit.
pub fn committed_text(done: &Committed) -> String {
    let mut text: String = done.warnings.iter().map(|w| format!("{w}\n")).collect();
    // What went as it should needs no words.
    let odd = |d: &&DaemonOutcome| !matches!(d.outcome.as_str(), "applied" | "checked");
    text.extend(done.daemons.iter().filter(odd).map(|d| format!("{}: {}\n", d.daemon, d.outcome)));
    if !done.changed {
        text.push_str("Nothing changed.\n");
    }
    text
}

fn history_text(history: History) -> String {
    let mut table = Table::new(["Back", "Revision", "Committed (UTC)", "By", "Comment"]);
    for (back, row) in history.revisions.into_iter().enumerate() {
        let comment = row.comment.unwrap_or_default();
        table.row([back.to_string(), row.revision.to_string(), utc(row.at), row.author, comment]);
    }
    table.text()
}

fn state_text(state: &State) -> String {
    let mut text = format!("Revision {} is in force", state.revision);
    if let Some(left) = state.unconfirmed_msec {
        let left = short_time(Duration::from_millis(left));
        text.push_str(&format!("; it is taken back in {left} unless confirmed"));
    }
    text.push_str(if state.saved { "; saved.\n" } else { "; not saved.\n" });
    if let Some(holder) = &state.locked_by {
        text.push_str(&format!("Locked by {holder}.\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_stable_names_and_replies_read_well() {
        let json = serde_json::to_value(Request::GetConfiguration(Source::Back(2))).unwrap();
        assert_eq!(json, serde_json::json!({"get-configuration": {"back": 2}}));
        let done = Committed {
            revision: 7,
            changed: true,
            daemons: vec![
                DaemonOutcome { daemon: "ribd".into(), outcome: "applied".into() },
                DaemonOutcome { daemon: "ospfd".into(), outcome: "not running".into() },
            ],
            warnings: vec!["a warning".into()],
        };
        let request = Request::Reload { test: false };
        let text = render_text(&request, &serde_json::to_value(done).unwrap()).unwrap();
        assert_eq!(text, "a warning\nospfd: not running\n");
        let state = State { revision: 7, unconfirmed_msec: Some(61_000), locked_by: None, saved: false };
        let text = render_text(&Request::Confirm, &serde_json::to_value(state).unwrap()).unwrap();
        assert!(
            text.starts_with("Revision 7 is in force; it is taken back in ") && text.contains("not saved")
        );
        assert!(render_text(&Request::ShowHistory, &Value::Null).is_err());
    }
}
