//! Graceful restart.

use super::{count, msecs};
use crate::api::{GracefulRestartReply, HelpedRow, PrepareRestartReply, RestartRow};
use crate::instance::Instance;
use crate::restart::LONGEST_PERIOD;
use routing_common::time::Instant;
use std::collections::BTreeMap;

fn enabled(is: bool) -> String {
    if is { "Enabled".into() } else { "Disabled".into() }
}

impl Instance {
    pub(super) fn show_graceful_restart(&self, now: Instant) -> GracefulRestartReply {
        let config = self.config.graceful_restart;
        let mut neighbors: BTreeMap<_, Vec<HelpedRow>> = BTreeMap::new();
        for interface in self.interfaces.values() {
            for neighbor in interface.neighbors.values() {
                let Some(helping) = &neighbor.helping else { continue };
                neighbors.entry(neighbor.id.router_id).or_default().push(HelpedRow {
                    src_addr: neighbor.address,
                    if_name: interface.name.to_string(),
                    recvd_grace_interval: helping.period.as_secs(),
                    remain_gracetime: now.until(helping.until).as_secs(),
                    restart_reason: helping.reason.text().into(),
                });
            }
        }
        GracefulRestartReply {
            router_id: self.router_id,
            helper_support: enabled(config.helper),
            strict_lsa_check: enabled(config.strict_lsa_checking),
            restart_support: "Planned and Unplanned Restarts".into(),
            supported_grace_period: LONGEST_PERIOD,
            last_exit_reason: self.restart.last_help_end.as_ref().map(|(_, why)| why.clone()),
            active_restarter_cnt: count(neighbors.values().map(Vec::len).sum()),
            neighbors,
            restarter_support: enabled(config.enabled),
            grace_period: config.grace_period.as_secs(),
            restarting_for_another_msec: self.restarting_until().map(|until| msecs(now.until(until))),
            last_restart_end: self.restart.last_end.map(|(_, end)| end.to_string()),
            last_restart_end_msecs_ago: self.restart.last_end.map(|(at, _)| msecs(now.since(at))),
        }
    }

    /// The answer to a planned restart's request, which the shell hands in if this is not an error.
    pub(super) fn show_prepared_restart(&self) -> Result<PrepareRestartReply, String> {
        self.may_prepare_restart()?;
        let neighbors = self.interfaces.values().map(|i| i.full_neighbors()).sum();
        Ok(PrepareRestartReply { grace_period: self.grace_seconds(), neighbors: count(neighbors) })
    }

    pub(super) fn show_restart_log(&self, now: Instant) -> Vec<RestartRow> {
        let row = |(number, e): (u64, &crate::restart::RestartEvent)| RestartRow {
            number,
            msecs_ago: msecs(now.since(e.at)),
            event: e.text.clone(),
        };
        self.restart.log.numbered().map(row).collect()
    }
}
