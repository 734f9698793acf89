//! `show key chain [NAME]`, which FRR does not have. Secrets are no part of it.

use super::is_false;
use routing_common::id::InterfaceName;
use routing_common::key_chain::Algorithm;
use routing_common::render::{Table, utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Key chains by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyChainsReply(pub BTreeMap<String, KeyChainRow>);

/// One chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyChainRow {
    /// OSPF interfaces that use it.
    pub interfaces: Vec<InterfaceName>,
    /// Its keys, by id.
    pub keys: Vec<KeyRow>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRow {
    /// Key ID on the wire.
    pub key_id: u8,
    /// How it signs.
    pub algorithm: Algorithm,
    /// When it signs; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_lifetime: Option<LifetimeRow>,
    /// When it is accepted; absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_lifetime: Option<LifetimeRow>,
    /// It signs now.
    pub signs: bool,
    /// What is signed with it is accepted now.
    pub accepted: bool,
    /// It signs though its lifetime has ended, for want of another.
    #[serde(default, skip_serializing_if = "is_false")]
    pub expired: bool,
}

/// From when until when, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LifetimeRow {
    /// The first second.
    pub start: u64,
    /// The last one; absent: it never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

impl KeyChainsReply {
    /// A table for each chain; times are Universal Time.
    pub(super) fn text(&self) -> String {
        let chains = self.0.iter().map(|(name, chain)| chain.text(name));
        chains.collect::<Vec<_>>().join("\n")
    }
}

impl KeyChainRow {
    fn text(&self, name: &str) -> String {
        let users: Vec<&str> = self.interfaces.iter().map(InterfaceName::as_str).collect();
        let users =
            if users.is_empty() { "not in use".to_owned() } else { format!("on {}", users.join(", ")) };
        let mut table = Table::new(["Key", "Algorithm", "Signs (UTC)", "Is accepted (UTC)", "Now"]).right(0);
        for key in &self.keys {
            let mut now = Vec::new();
            if key.signs {
                now.push(if key.expired { "signs, expired" } else { "signs" });
            }
            if key.accepted {
                now.push("accepted");
            }
            table.row([
                key.key_id.to_string(),
                key.algorithm.to_string(),
                span(key.send_lifetime),
                span(key.accept_lifetime),
                if now.is_empty() { "-".to_owned() } else { now.join(", ") },
            ]);
        }
        format!("Key chain {name}, {users}\n{}", table.text())
    }
}

fn span(lifetime: Option<LifetimeRow>) -> String {
    match lifetime {
        None => "always".to_owned(),
        Some(LifetimeRow { start, end: None }) => format!("from {}", utc(start)),
        Some(LifetimeRow { start, end: Some(end) }) => format!("{} to {}", utc(start), utc(end)),
    }
}
