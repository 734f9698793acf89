//! What an engine wants an operator to know, as a value; the shell turns it into a log line.

use serde::{Deserialize, Serialize};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Details for someone looking for a fault.
    Debug,
    /// Normal life: an adjacency came up.
    Info,
    /// Something an operator should look at.
    Warning,
    /// Service is or will be hurt.
    Error,
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// A stable kebab-case code, such as `neighbor-state`.
    pub code: &'static str,
    /// One line of text with all the facts.
    pub text: String,
    /// The interface it is about, for logs that are searched by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The neighbour it is about, by its address or router id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbor: Option<String>,
}

impl Notice {
    /// A notice of any severity.
    pub fn new(severity: Severity, code: &'static str, text: impl Into<String>) -> Self {
        Self { severity, code, text: text.into(), interface: None, neighbor: None }
    }

    /// The same, about an interface.
    #[must_use]
    pub fn on(self, interface: impl core::fmt::Display) -> Self {
        Self { interface: Some(interface.to_string()), ..self }
    }

    /// The same, about a neighbour.
    #[must_use]
    pub fn about(self, neighbor: impl core::fmt::Display) -> Self {
        Self { neighbor: Some(neighbor.to_string()), ..self }
    }

    /// An `Info` notice.
    pub fn info(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Info, code, text)
    }

    /// A `Warning` notice.
    pub fn warning(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, text)
    }

    /// A `Debug` notice.
    pub fn debug(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Debug, code, text)
    }

    /// An `Error` notice.
    pub fn error(code: &'static str, text: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, text)
    }
}
