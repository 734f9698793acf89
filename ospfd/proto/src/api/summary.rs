//! `show ip ospf`.

use super::is_false;
use core::fmt::Write as _;
use routing_common::id::{AreaId, RouterId};
use routing_common::render::short_time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The instance. The RFC 8405 delays stand under FRR's names for its own back-off: INITIAL_SPF_DELAY as
/// `spfScheduleDelayMsecs`, SHORT_SPF_DELAY as `holdtimeMinMsecs`, LONG_SPF_DELAY as `holdtimeMaxMsecs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryReply {
    /// This router.
    pub router_id: RouterId,
    /// Always true (RFC 2328 has no TOS routing).
    pub tos_routes_only: bool,
    /// Always true.
    #[serde(rename = "rfc2328Conform")]
    pub rfc2328_conform: bool,
    /// RFC1583Compatibility.
    #[serde(rename = "rfc1583Compatibility", default, skip_serializing_if = "is_false")]
    pub rfc1583_compatibility: bool,
    /// Time until what is ours is flushed, while a router that was told to stop waits for that (RFC 6987).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_shutdown_msecs: Option<u64>,
    /// MaxLinkMetric after a start or before the end is configured (RFC 6987).
    #[serde(default, skip_serializing_if = "is_false")]
    pub stub_advertisement: bool,
    /// After a start, for so long at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_start_enabled_secs: Option<u64>,
    /// Before the end, for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_shutdown_enabled_secs: Option<u64>,
    /// Opaque LSAs are stored and flooded.
    pub opaque_capable: bool,
    /// INITIAL_SPF_DELAY.
    pub spf_schedule_delay_msecs: u64,
    /// SHORT_SPF_DELAY.
    pub holdtime_min_msecs: u64,
    /// LONG_SPF_DELAY.
    pub holdtime_max_msecs: u64,
    /// Always 1: delays here do not multiply.
    #[serde(rename = "holdtimeMultplier")]
    pub holdtime_multiplier: u64,
    /// TIME_TO_LEARN_INTERVAL; not FRR's.
    pub spf_time_to_learn_msecs: u64,
    /// HOLDDOWN_INTERVAL; not FRR's.
    pub spf_holddown_msecs: u64,
    /// State of RFC 8405's machine: "QUIET", "SHORT_WAIT" or "LONG_WAIT"; not FRR's.
    pub spf_backoff_state: String,
    /// Time since the last SPF run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_last_executed_msecs: Option<u64>,
    /// There was none yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub spf_has_not_run: bool,
    /// Time until the next one, if one is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf_timer_due_in_msecs: Option<u64>,
    /// MinLSInterval.
    pub lsa_min_interval_msecs: u64,
    /// MinLSArrival.
    pub lsa_min_arrival_msecs: u64,
    /// Largest number of next hops.
    pub maximum_paths: u8,
    /// Administrative distance.
    pub preference: u8,
    /// Present on an AS boundary router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asbr_router: Option<String>,
    /// AS-external-LSAs.
    pub lsa_external_counter: u64,
    /// Sum of their checksums.
    pub lsa_external_checksum: u64,
    /// AS-wide opaque LSAs.
    pub lsa_asopaque_counter: u64,
    /// Sum of their checksums.
    #[serde(rename = "lsaAsOpaqueChecksum")]
    pub lsa_as_opaque_checksum: u64,
    /// Number of areas.
    pub attached_area_counter: u64,
    /// Each area.
    pub areas: BTreeMap<AreaId, AreaSummary>,
}

/// One area.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AreaSummary {
    /// Area 0.
    #[serde(default, skip_serializing_if = "is_false")]
    pub backbone: bool,
    /// Interfaces configured into it.
    pub area_if_total_counter: u64,
    /// Those that are up.
    pub area_if_active_counter: u64,
    /// Our router-LSA says MaxLinkMetric (RFC 6987).
    #[serde(default, skip_serializing_if = "is_false")]
    pub origin_stub_max_dist_router_lsa: bool,
    /// Because it is configured.
    #[serde(default, skip_serializing_if = "is_false")]
    pub indefinite_active_admin: bool,
    /// Because we have just started: for so long at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_startup_remainder_msecs: Option<u64>,
    /// What is waited for after the start; not FRR's, which only waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_startup_awaits: Option<String>,
    /// Fully adjacent neighbours.
    pub nbr_full_adjacent_counter: u64,
    /// Always "authenticationNone": authentication is a matter of interfaces (RFC 2328 App. D).
    pub authentication: String,
    /// SPF runs.
    pub spf_executed_counter: u64,
    /// All LSAs of the area.
    pub lsa_number: u64,
    /// Type 1.
    pub lsa_router_number: u64,
    /// Sum of their checksums.
    pub lsa_router_checksum: u64,
    /// Type 2.
    pub lsa_network_number: u64,
    /// Sum of their checksums.
    pub lsa_network_checksum: u64,
    /// Type 3.
    pub lsa_summary_number: u64,
    /// Sum of their checksums.
    pub lsa_summary_checksum: u64,
    /// Type 4.
    pub lsa_asbr_number: u64,
    /// Sum of their checksums.
    pub lsa_asbr_checksum: u64,
    /// Type 7.
    pub lsa_nssa_number: u64,
    /// Sum of their checksums.
    pub lsa_nssa_checksum: u64,
    /// Type 9.
    pub lsa_opaque_link_number: u64,
    /// Sum of their checksums.
    pub lsa_opaque_link_checksum: u64,
    /// Type 10.
    pub lsa_opaque_area_number: u64,
    /// Sum of their checksums.
    pub lsa_opaque_area_checksum: u64,
}

impl SummaryReply {
    /// As vtysh words it.
    pub(super) fn text(&self) -> String {
        let ago = |ms| short_time(Duration::from_millis(ms));
        let able = |on| if on { "enabled" } else { "disabled" };
        let mut out = format!(" OSPF Routing Process, Router ID: {}\n", self.router_id);
        let mut line = |text: String| {
            out.push(' ');
            out.push_str(&text);
            out.push('\n');
        };
        line("Supports only single TOS (TOS0) routes".into());
        line("This implementation conforms to RFC2328".into());
        line(format!("RFC1583Compatibility flag is {}", able(self.rfc1583_compatibility)));
        line(format!("OpaqueCapability flag is {}", able(self.opaque_capable)));
        if let Some(ms) = self.deferred_shutdown_msecs {
            line(format!("Deferred shutdown in progress, {} remaining", ago(ms)));
        }
        if self.stub_advertisement {
            line("Stub router advertisement is configured".into());
        }
        if let Some(seconds) = self.post_start_enabled_secs {
            line(format!("  Enabled for up to {seconds}s after start-up"));
        }
        if let Some(seconds) = self.pre_shutdown_enabled_secs {
            line(format!("  Enabled for {seconds}s prior to full shutdown"));
        }
        line(format!("Initial SPF scheduling delay {} millisec(s)", self.spf_schedule_delay_msecs));
        line(format!("Short SPF delay {} millisec(s)", self.holdtime_min_msecs));
        line(format!("Long SPF delay {} millisec(s)", self.holdtime_max_msecs));
        line(format!(
            "Time to learn {} millisec(s), hold down {} millisec(s), SPF back-off is {}",
            self.spf_time_to_learn_msecs, self.spf_holddown_msecs, self.spf_backoff_state
        ));
        line(match self.spf_last_executed_msecs {
            Some(ms) => format!("SPF algorithm last executed {} ago", ago(ms)),
            None => "SPF algorithm has not been run".into(),
        });
        line(match self.spf_timer_due_in_msecs {
            Some(ms) => format!("SPF timer due in {}", ago(ms)),
            None => "SPF timer is inactive".into(),
        });
        line(format!("LSA minimum interval {} msecs", self.lsa_min_interval_msecs));
        line(format!("LSA minimum arrival {} msecs", self.lsa_min_arrival_msecs));
        line(format!("Maximum multiple paths(ECMP) supported {}", self.maximum_paths));
        line(format!("Administrative distance {}", self.preference));
        if self.asbr_router.is_some() {
            line("This router is an ASBR (injecting external routing information)".into());
        }
        let sum = |n, checksum| format!("{n}. Checksum Sum 0x{checksum:08x}");
        let external = sum(self.lsa_external_counter, self.lsa_external_checksum);
        line(format!("Number of external LSA {external}"));
        let opaque = sum(self.lsa_asopaque_counter, self.lsa_as_opaque_checksum);
        line(format!("Number of opaque AS LSA {opaque}"));
        line(format!("Number of areas attached to this router: {}", self.attached_area_counter));
        for (id, area) in &self.areas {
            area.write(*id, &mut out);
        }
        out
    }
}

impl AreaSummary {
    fn write(&self, id: AreaId, out: &mut String) {
        let backbone = if self.backbone { " (Backbone)" } else { "" };
        // Writing to a String cannot fail.
        let _ = writeln!(out, " Area ID: {id}{backbone}");
        let _ = writeln!(
            out,
            "   Number of interfaces in this area: Total: {}, Active: {}",
            self.area_if_total_counter, self.area_if_active_counter,
        );
        self.write_max_metric(out);
        let _ = writeln!(
            out,
            "   Number of fully adjacent neighbors in this area: {}\n   \
             Area has no authentication\n   \
             SPF algorithm executed {} times\n   \
             Number of LSA {}",
            self.nbr_full_adjacent_counter, self.spf_executed_counter, self.lsa_number,
        );
        for (name, number, checksum) in [
            ("router", self.lsa_router_number, self.lsa_router_checksum),
            ("network", self.lsa_network_number, self.lsa_network_checksum),
            ("summary", self.lsa_summary_number, self.lsa_summary_checksum),
            ("ASBR summary", self.lsa_asbr_number, self.lsa_asbr_checksum),
            ("NSSA", self.lsa_nssa_number, self.lsa_nssa_checksum),
            ("opaque link", self.lsa_opaque_link_number, self.lsa_opaque_link_checksum),
            ("opaque area", self.lsa_opaque_area_number, self.lsa_opaque_area_checksum),
        ] {
            let _ = writeln!(out, "   Number of {name} LSA {number}. Checksum Sum 0x{checksum:08x}");
        }
        out.push('\n');
    }

    fn write_max_metric(&self, out: &mut String) {
        let mut line = |indent: &str, text: String| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{indent}{text}");
        };
        if self.origin_stub_max_dist_router_lsa {
            line("   ", "Originating stub / maximum-distance Router-LSA".to_owned());
        }
        if self.indefinite_active_admin {
            line("     ", "Administratively activated (indefinitely)".to_owned());
        }
        if let Some(ms) = self.active_startup_remainder_msecs {
            let left = short_time(Duration::from_millis(ms));
            let awaits =
                self.active_startup_awaits.as_deref().map(|a| format!(", awaits {a}")).unwrap_or_default();
            line("     ", format!("Active from startup, {left} remaining at most{awaits}"));
        }
    }
}
