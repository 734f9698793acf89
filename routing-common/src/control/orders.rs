//! What the supervisor tells a daemon on the control socket beside an operator's questions: the two halves of a
//! configuration's way in. [`Order::Check`] asks every daemon whether it could live with a text before
//! anything is changed; [`Order::Reload`] makes it read its file, and its answer says that it did. SIGHUP does the same
//! without an answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An order. The names do not collide with any engine's requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Validate `text` and change nothing. Answered by `null`, or refused with every finding. The text travels,
    /// not a path: a daemon reads more than those who may talk to it.
    #[serde(rename = "check-configuration")]
    Check {
        /// How findings name the text.
        name: String,
        /// The whole configuration.
        text: String,
    },
    /// Read the configuration file and take it into force. Answered by `null` once the engine has it, or refused
    /// with every finding, in which case the daemon goes on as it was.
    #[serde(rename = "reload-configuration")]
    Reload,
}

impl Order {
    /// The order in a request's body, if it is one.
    pub fn of(body: &Value) -> Option<Self> {
        serde_json::from_value(body.clone()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_survive_the_way_and_questions_are_none() {
        let check = Order::Check { name: "router.toml".into(), text: "hostname = \"a\"".into() };
        for order in [check, Order::Reload] {
            assert_eq!(Order::of(&serde_json::to_value(&order).unwrap()), Some(order));
        }
        assert_eq!(Order::of(&serde_json::json!("summary")), None);
        assert_eq!(serde_json::to_value(Order::Reload).unwrap(), "reload-configuration");
    }
}
