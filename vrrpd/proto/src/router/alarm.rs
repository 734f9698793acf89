//! Standing alarms: mistakes in the network that do not stop the protocol (RFC 9568 §7.1, §8.3.2).
//!
//! Each stays from its appearance until the same sender behaves; of one that comes and goes, the operator is
//! told once a minute. None of them makes a router
//! drop an advertisement: dropping is what turns "an address was added on one node" into two Active routers.

use super::VirtualRouter;
use crate::constants::OWNER_PRIORITY;
use crate::instance::Context;
use crate::packet::Advertisement;
use routing_common::notice::Notice;
use routing_common::time::Instant;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// The sender's list of virtual addresses is not ours.
    AddressMismatch,
    /// The sender's interval is not ours (version 3 learns it).
    IntervalMismatch,
    /// The sender is in none of the interface's subnets.
    ForeignSubnet,
    /// The sender claims to own the addresses as we do.
    TwoOwners,
    /// The sender has our priority: the order of takeover is left to chance.
    EqualPriority,
}

impl Alarm {
    /// A stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddressMismatch => "addressMismatch",
            Self::IntervalMismatch => "intervalMismatch",
            Self::ForeignSubnet => "foreignSubnet",
            Self::TwoOwners => "twoOwners",
            Self::EqualPriority => "equalPriority",
        }
    }
}

/// A standing alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmRow {
    /// Who caused it.
    pub peer: Ipv4Addr,
    /// Since when.
    pub since: Instant,
}

impl VirtualRouter {
    /// Raises and clears alarms after an accepted advertisement.
    pub(super) fn watch_for_mistakes(&mut self, cx: &mut Context<'_>, source: Ipv4Addr, adv: &Advertisement) {
        let ours: BTreeSet<Ipv4Addr> = self.group.virtual_addresses.iter().map(|a| a.ip()).collect();
        let theirs: BTreeSet<Ipv4Addr> = adv.addresses.iter().copied().collect();
        let on_link = self.binding.is_none_or(|b| cx.kernel.is_on_link(b.ifindex, source));
        let equal = adv.priority == self.group.priority;
        let findings = [
            (Alarm::AddressMismatch, ours != theirs),
            (Alarm::IntervalMismatch, adv.interval != self.group.advertisement_interval),
            (Alarm::ForeignSubnet, !on_link),
            (Alarm::TwoOwners, equal && adv.priority == OWNER_PRIORITY),
            (Alarm::EqualPriority, equal && adv.priority != OWNER_PRIORITY),
        ];
        for (alarm, wrong) in findings {
            if wrong && !self.alarms.contains_key(&alarm) {
                self.alarms.insert(alarm, AlarmRow { peer: source, since: cx.now });
                if self.told.due(cx.now, alarm.name()) {
                    let text =
                        format!("vrrp {} ({}): {} from {source}", self.name, self.group.vrid, alarm.name());
                    cx.notice(Notice::warning("vrrp-alarm", text).on(&self.group.interface).about(source));
                }
            } else if !wrong && self.alarms.get(&alarm).is_some_and(|row| row.peer == source) {
                self.alarms.remove(&alarm);
            }
        }
    }
}
