//! Clients: who they are, and what becomes of their sessions when they go.
//!
//! A *principal* is a client by name, across its connections. Its newest connection speaks for it; an older one is
//! ended. When it has none, its sessions are orphaned: they run on for [`ORPHAN_HOLD`], so that the restart of a
//! routing daemon does not look like a failure to anybody.

use super::{ClientId, Instance, Output, Owner, Timer};
use crate::constants::LONGEST_NAME;
use crate::message::{BfdMessage, ClientMessage, ORPHAN_HOLD, PROTOCOL_VERSION};
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::collections::BTreeMap;

/// A client by name.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    pub(crate) name: String,
    /// `None`: it is gone, and its sessions are orphaned.
    pub(crate) connection: Option<ClientId>,
    /// Between the loss of its last connection and the EndSync of the next one.
    pub(crate) orphaned_since: Option<Instant>,
}

/// All of them, and the connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    principals: BTreeMap<u32, Principal>,
    /// Who speaks; `None` before a Hello.
    connections: BTreeMap<ClientId, Option<u32>>,
    last_id: u32,
}

impl Clients {
    pub(super) fn connected(&mut self, client: ClientId) {
        self.connections.insert(client, None);
    }

    pub(crate) fn principal(&self, id: u32) -> Option<&Principal> {
        self.principals.get(&id)
    }

    pub(crate) fn principals(&self) -> impl Iterator<Item = (u32, &Principal)> {
        self.principals.iter().map(|(id, p)| (*id, p))
    }

    /// The principal whose connection this is, if it is its newest.
    fn speaker(&self, client: ClientId) -> Option<u32> {
        let id = (*self.connections.get(&client)?)?;
        (self.principals.get(&id)?.connection == Some(client)).then_some(id)
    }

    /// Gives a name a connection; returns the principal and the connection it had before.
    fn introduce(&mut self, client: ClientId, name: String) -> (u32, Option<ClientId>) {
        let known = self.principals.iter().find(|(_, p)| p.name == name).map(|(id, _)| *id);
        let id = known.unwrap_or_else(|| {
            self.last_id = self.last_id.wrapping_add(1);
            self.last_id
        });
        self.connections.insert(client, Some(id));
        let principal =
            self.principals.entry(id).or_insert(Principal { name, connection: None, orphaned_since: None });
        (id, principal.connection.replace(client))
    }
}

impl Instance {
    pub(super) fn client_message(&mut self, now: Instant, client: ClientId, message: ClientMessage) {
        if let ClientMessage::Hello { version, name } = message {
            return self.hello(client, version, name);
        }
        if self.stopping {
            return;
        }
        let Some(id) = self.clients.speaker(client) else {
            return self.expel(client, "it speaks without a Hello of its own");
        };
        let owner = Owner::Client(id);
        match message {
            ClientMessage::Hello { .. } => {}
            ClientMessage::BeginSync => self.mark_stale(owner),
            ClientMessage::Register { key, parameters } => {
                if let Err(reason) = self.register(now, owner, key, parameters) {
                    self.out.push_back(Output::ToClient(client, BfdMessage::Refused { key, reason }));
                }
            }
            ClientMessage::Unregister(key) => self.unregister(now, owner, key),
            ClientMessage::EndSync => {
                self.remove_stale(now, owner);
                self.timers.cancel(Timer::Orphan(id));
                if let Some(principal) = self.clients.principals.get_mut(&id) {
                    principal.orphaned_since = None;
                }
            }
            ClientMessage::Goodbye => {
                self.unregister_all(now, owner);
                self.forget_principal(id);
                self.clients.connections.insert(client, None);
            }
        }
    }

    fn hello(&mut self, client: ClientId, version: u16, name: String) {
        self.out.push_back(Output::ToClient(client, BfdMessage::Hello { version: PROTOCOL_VERSION }));
        let introduced = self.clients.connections.get(&client).is_none_or(Option::is_some);
        if version != PROTOCOL_VERSION {
            self.expel(client, &format!("it speaks version {version}, not {PROTOCOL_VERSION}"));
        } else if name.is_empty() || name.len() > LONGEST_NAME {
            self.expel(client, "it has no usable name");
        } else if introduced {
            self.expel(client, "it is not the time for a Hello");
        } else if let (_, Some(older)) = self.clients.introduce(client, name) {
            self.expel(older, "the same client has connected again");
        }
    }

    fn expel(&mut self, client: ClientId, why: &str) {
        self.out.push_back(Output::Notice(Notice::warning(
            "bfd-client",
            format!("a client is disconnected: {why}"),
        )));
        self.out.push_back(Output::Disconnect(client));
    }

    pub(super) fn client_gone(&mut self, now: Instant, client: ClientId) {
        let speaker = self.clients.speaker(client);
        self.clients.connections.remove(&client);
        let Some(id) = speaker else { return };
        let sessions = self.registrations.keys().filter(|(owner, _)| *owner == Owner::Client(id)).count();
        if sessions == 0 {
            return self.forget_principal(id);
        }
        let Some(principal) = self.clients.principals.get_mut(&id) else { return };
        principal.connection = None;
        principal.orphaned_since.get_or_insert(now);
        let text = format!("{} is gone; its {sessions} sessions wait for it", principal.name);
        self.out.push_back(Output::Notice(Notice::warning("bfd-orphans", text)));
        self.timers.arm(Timer::Orphan(id), now + ORPHAN_HOLD);
    }

    /// Nobody came back for them.
    pub(super) fn end_orphans(&mut self, now: Instant, id: u32) {
        let owner = Owner::Client(id);
        let Some(principal) = self.clients.principals.get_mut(&id) else { return };
        principal.orphaned_since = None;
        if principal.connection.is_some() {
            // It came back, but never told all its sessions: what it did not repeat goes.
            return self.remove_stale(now, owner);
        }
        self.unregister_all(now, owner);
        self.forget_principal(id);
    }

    fn forget_principal(&mut self, id: u32) {
        self.clients.principals.remove(&id);
        self.timers.cancel(Timer::Orphan(id));
    }
}
