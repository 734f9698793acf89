//! Leaving for a planned restart (RFC 3623 §2.1).
//!
//! An operator asks for it (`graceful-restart prepare ip ospf`). Grace-LSAs are originated on every interface and
//! flooded reliably; when all neighbours have acknowledged them, or after [`PATIENCE`], the state is saved and the
//! process ends, its LSAs and routes left in place. Whoever supervises it starts the next one.
//!
//! A SIGTERM is no such demand: whoever stops a router wants it out of the way.

use super::{GraceLsa, Phase};
use crate::instance::{Instance, Output, TimerKey};
use crate::lsdb::DatabaseId;
use rib::message::ClientMessage;
use routing_common::id::IfIndex;
use routing_common::notice::Severity;
use routing_common::time::{Duration, Instant};

/// Longest wait for acknowledgments.
const PATIENCE: Duration = Duration::from_secs(2);

impl Instance {
    /// May a planned restart begin now?
    ///
    /// # Errors
    /// What is in its way, for the operator.
    pub fn may_prepare_restart(&self) -> Result<(), String> {
        let helps = self.interfaces.values().flat_map(|i| i.neighbors.values()).find(|n| n.helping.is_some());
        match (&self.restart.phase, helps) {
            _ if !self.config.graceful_restart.enabled => {
                Err("graceful restart is off: [ospf.graceful-restart] enabled = true".into())
            }
            _ if self.is_leaving() => Err("ospfd is being stopped".into()),
            (Phase::Preparing, _) => Err("a planned restart is under way".into()),
            (Phase::Candidate(_) | Phase::Restarting { .. }, _) => {
                Err("ospfd is restarting gracefully: wait for its end".into())
            }
            (Phase::Normal, Some(n)) => Err(format!(
                "neighbor {} is restarting and needs this router's help: wait for its end",
                n.id.router_id
            )),
            (Phase::Normal, None) => Ok(()),
        }
    }

    /// The operator wants it.
    pub(crate) fn prepare_restart(&mut self, now: Instant) {
        if let Err(why) = self.may_prepare_restart() {
            return self.tell_restart(now, Severity::Warning, format!("no planned restart: {why}"));
        }
        self.restart.phase = Phase::Preparing;
        self.restart.grace_sequence = self.restart.grace_sequence.saturating_add(1);
        let seconds = self.grace_seconds();
        let text = format!("leaving for a planned restart, grace period {seconds} s");
        self.tell_restart(now, Severity::Info, text);
        let active: Vec<IfIndex> =
            self.interfaces.values().filter(|i| i.is_active()).map(|i| i.ifindex).collect();
        for ifindex in active {
            self.want_grace_lsa(now, ifindex);
        }
        self.timers.arm(TimerKey::Departure, now + PATIENCE);
    }

    /// Everybody who can has acknowledged: there is nothing to wait for.
    pub(super) fn depart_if_announced(&mut self, now: Instant) -> bool {
        let key = GraceLsa::key(self.router_id);
        let is_told = |ifindex: IfIndex| {
            let database = DatabaseId::Link(ifindex);
            let is_there =
                self.lsdb(database).and_then(|db| db.get(&key)).is_some_and(|e| !e.is_max_age(now));
            is_there && !self.is_awaited(database, &key)
        };
        let mut open = self.interfaces.values().filter(|i| i.is_active());
        if !self.timers.is_armed(TimerKey::Departure) || !open.all(|i| is_told(i.ifindex)) {
            return false;
        }
        self.depart(now);
        true
    }

    /// The last words of a process that will be back. Nothing is flushed, nothing withdrawn.
    pub(crate) fn depart(&mut self, now: Instant) {
        // Acknowledgments and floods that wait leave now; sockets end with the process.
        self.flush_all_floods(now);
        self.timers.cancel(TimerKey::Departure);
        self.restart.departed = true;
        self.save_now(now);
        self.shutting_down = true;
        if self.rib.is_connected {
            self.outputs.push_back(Output::Rib(ClientMessage::Goodbye { withdraw: false }));
        }
        self.finish();
    }
}
