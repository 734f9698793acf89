//! Clients: who they are, what they subscribed to, what they still wait for.
//!
//! One *session* is one connection. The routes of a protocol belong to its newest session. A session that
//! ends leaves its routes marked stale; they go when the next session's `EndSync` did not repeat them or
//! when the stale timer ends, whichever comes first.

use crate::message::{Attachment, Protocol, Redistributed, RibMessage, Subscription};
use ipnetwork::Ipv4Network;
use routing_common::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most routes in one message to a client, far below what a frame can carry.
const NEWS_PER_MESSAGE: usize = 10_000;

/// A connection's number, given by the shell and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClientId(pub u64);

/// One connection.
#[derive(Debug, Clone)]
pub struct Session {
    /// Since when.
    pub since: Instant,
    /// Name from its `Hello`; `None` before.
    pub name: Option<String>,
    /// Whose routes it brings.
    pub protocol: Option<Protocol>,
    /// Between `BeginSync` and `EndSync`.
    pub syncing: bool,
    /// Has it said `EndSync` at least once?
    pub synced: bool,
    /// Has the kernel had everything since that first `EndSync`?
    pub installed: bool,
    /// It has begun to tell a change and not told all of it, see [`ClientMessage::Part`](crate::message::ClientMessage::Part).
    pub tells_more: bool,
    /// What it wants to hear.
    pub subscription: Subscription,
    /// What it was told, by prefix.
    pub told: BTreeMap<Ipv4Network, Redistributed>,
    /// What it was told of [`RibMessage::RoutesStand`].
    pub told_stand: Option<bool>,
    /// What it was told of [`RibMessage::Attached`].
    pub told_attached: Option<Vec<Attachment>>,
    /// Route changes received.
    pub changes: u64,
    /// Answers owed once the kernel has done all requests up to a number.
    pub owed: Vec<(u64, RibMessage)>,
    /// News collected during the current input.
    news: Vec<Redistributed>,
    gone: Vec<(Protocol, Ipv4Network)>,
}

impl Session {
    /// A connection that has said nothing yet.
    pub fn new(now: Instant) -> Self {
        Self {
            since: now,
            name: None,
            protocol: None,
            syncing: false,
            synced: false,
            installed: false,
            tells_more: false,
            subscription: Subscription::default(),
            told: BTreeMap::new(),
            told_stand: None,
            told_attached: None,
            changes: 0,
            owed: Vec::new(),
            news: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Does the subscription cover this route? Never the client's own.
    pub fn wants(&self, route: &Redistributed) -> bool {
        let own = self.protocol == Some(route.protocol);
        let listed = self.subscription.protocols.contains(&route.protocol);
        let default = self.subscription.default_route && route.prefix.prefix() == 0;
        !own && (listed || default)
    }

    /// Does it hear, or has it heard, of any route at all?
    pub fn listens(&self) -> bool {
        self.subscription.default_route || !self.subscription.protocols.is_empty() || !self.told.is_empty()
    }

    /// Compares what was told with what is true now for one prefix.
    pub fn update(&mut self, prefix: Ipv4Network, now: Option<&Redistributed>) {
        let now = now.filter(|r| self.wants(r));
        if self.told.get(&prefix) == now {
            return;
        }
        if let Some(old) = self.told.remove(&prefix)
            && now.is_none_or(|r| r.protocol != old.protocol)
        {
            self.news.retain(|r| r.prefix != prefix);
            self.gone.push((old.protocol, prefix));
        }
        if let Some(route) = now {
            self.told.insert(prefix, route.clone());
            self.news.push(route.clone());
        }
    }

    /// What is to be sent for the updates since the last call: withdrawals first.
    pub fn take_news(&mut self) -> Vec<RibMessage> {
        let gone = core::mem::take(&mut self.gone);
        let news = core::mem::take(&mut self.news);
        let gone = gone.chunks(NEWS_PER_MESSAGE).map(|c| RibMessage::Unredistribute(c.to_vec()));
        let news = news.chunks(NEWS_PER_MESSAGE).map(|c| RibMessage::Redistribute(c.to_vec()));
        gone.chain(news).collect()
    }

    /// The owed answers that are due now that the kernel has done everything up to `done`.
    pub fn take_due(&mut self, done: u64) -> Vec<RibMessage> {
        let (due, owed) = core::mem::take(&mut self.owed).into_iter().partition(|(token, _)| *token <= done);
        self.owed = owed;
        let due: Vec<(u64, RibMessage)> = due;
        due.into_iter().map(|(_, m)| m).collect()
    }
}
