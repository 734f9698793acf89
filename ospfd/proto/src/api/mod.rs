//! What `show ip ospf …` asks and answers.
//!
//! [`Request`] travels to the daemon as JSON, the reply struct of each request travels back. The JSON keys
//! are FRR's, its spelling errors included (`holdtimeMultplier`, `attchedRouters`), so that exporters and
//! scripts go on working; keys FRR does not have say so in their documentation. [`render_text`] turns a
//! reply into what vtysh's users expect to read. This module knows nothing of the engine: the shell
//! `torc` links it alone.
//!
//! Left out, because nothing here corresponds to them: `abrType`, `writeMultiplier`, `refreshTimerMsecs`,
//! `spfLastDurationMsecs` (an engine has no clock to measure with), NBMA keys.

mod database;
mod events;
mod fast_reroute;
mod graceful_restart;
mod interfaces;
mod key_chains;
mod lsa_detail;
mod neighbors;
mod ordered;
mod policy;
mod routes;
mod summary;
mod traffic;
mod vrfs;

pub use database::{DatabaseReply, DetailReply, DetailScope, ListOrCount, LsaRow, MaxAgeReply, MaxAgeRow};
pub use events::{AdjacencyRow, EventsReply, RerouteRow, SpfLogReply, SpfRow};
pub use fast_reroute::{AlternateRow, FastRerouteReply, ProtectedRow};
pub use graceful_restart::{GracefulRestartReply, HelpedRow, PrepareRestartReply, RestartRow};
pub use interfaces::{DiscardRow, InterfaceRow, InterfacesReply, SigningRow};
pub use key_chains::{KeyChainRow, KeyChainsReply, KeyRow, LifetimeRow};
pub use lsa_detail::{AttachedRouterRow, LsaDetail, RouterLinkRow, options_list};
pub use neighbors::{NeighborDetail, NeighborDetailReply, NeighborRow, NeighborsReply, PeerBfdInfo};
pub use ordered::Ordered;
pub use policy::{
    AccessListRow, AccessListsReply, AccessRuleRow, Extent, PrefixEntryRow, PrefixListRow, PrefixListSummary,
    PrefixListsReply, RouteMapRow, RouteMapRuleRow, RouteMapsReply,
};
pub use routes::{BorderRoutersReply, NextHopRow, RouteRow, RoutesReply};
pub use summary::{AreaSummary, SummaryReply};
pub use traffic::{InterfaceTraffic, TrafficReply, TrafficRow};
pub use vrfs::{VrfRow, VrfsReply};

use crate::lsa::LsType;
use routing_common::control::Question;
use routing_common::id::{InterfaceName, RouterId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;

/// A show command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Request {
    /// `show ip ospf`; answered by [`SummaryReply`].
    Summary,
    /// `show ip ospf neighbor [IF|RID] [detail]`; answered by [`NeighborsReply`] or
    /// [`NeighborDetailReply`].
    Neighbors {
        /// An interface's name or a neighbour's router id; all when absent.
        #[serde(default)]
        filter: Option<String>,
        /// Everything about each.
        #[serde(default)]
        detail: bool,
    },
    /// `show ip ospf interface [IF]`; answered by [`InterfacesReply`].
    Interfaces {
        /// Only this one.
        #[serde(default)]
        name: Option<InterfaceName>,
    },
    /// `show ip ospf database [TYPE [LSID]] [adv-router R|self-originate]`; answered by [`DatabaseReply`]
    /// without a kind, by [`DetailReply`] with one.
    Database {
        /// All LSAs of one type, in full.
        #[serde(default)]
        kind: Option<DatabaseKind>,
        /// Only LSAs with this Link State ID.
        #[serde(default)]
        link_state_id: Option<Ipv4Addr>,
        /// Only LSAs of this router.
        #[serde(default)]
        advertising_router: Option<RouterId>,
        /// Only LSAs of the answering router.
        #[serde(default)]
        self_originate: bool,
    },
    /// `show ip ospf database detail [LSID] [adv-router R|self-originate]`: LSAs of all types in full; answered by
    /// [`DetailReply`].
    DatabaseDetail {
        /// Only LSAs with this Link State ID.
        #[serde(default)]
        link_state_id: Option<Ipv4Addr>,
        /// Only LSAs of this router.
        #[serde(default)]
        advertising_router: Option<RouterId>,
        /// Only LSAs of the answering router.
        #[serde(default)]
        self_originate: bool,
    },
    /// `show ip ospf database max-age`; answered by [`MaxAgeReply`].
    DatabaseMaxAge,
    /// `show ip ospf route`; answered by [`RoutesReply`].
    Routes,
    /// `show ip ospf route detail`: the text names the router behind each path; answered by [`RoutesReply`].
    RouteDetail,
    /// `show ip ospf border-routers`; answered by [`BorderRoutersReply`].
    BorderRouters,
    /// `show ip ospf reachable-routers`: all of them; answered by [`BorderRoutersReply`].
    ReachableRouters,
    /// `show ip ospf interface traffic [IF]`; answered by [`TrafficReply`].
    Traffic {
        /// Only this one.
        #[serde(default)]
        name: Option<InterfaceName>,
    },
    /// `show ip ospf vrfs`; answered by [`VrfsReply`].
    Vrfs,
    /// `show ip ospf graceful-restart [helper [detail]]`; answered by [`GracefulRestartReply`].
    GracefulRestart {
        /// Only what concerns helping others.
        #[serde(default)]
        helper: bool,
        /// With everyone who is helped.
        #[serde(default)]
        detail: bool,
    },
    /// `graceful-restart prepare ip ospf`: leave for a planned restart; answered by [`PrepareRestartReply`].
    PrepareRestart,
    /// `show ip ospf events`, which FRR does not have; answered by [`EventsReply`].
    Events,
    /// `show ip ospf spf log`, which FRR does not have; answered by [`SpfLogReply`].
    SpfLog,
    /// `show ip prefix-list [summary|detail] [NAME]`; answered by [`PrefixListsReply`].
    PrefixLists {
        /// Only this one.
        #[serde(default)]
        name: Option<String>,
        /// How much of each.
        #[serde(default)]
        extent: Extent,
    },
    /// `show ip access-list [NAME]`; answered by [`AccessListsReply`].
    AccessLists {
        /// Only this one.
        #[serde(default)]
        name: Option<String>,
    },
    /// `show route-map [NAME]`; answered by [`RouteMapsReply`].
    RouteMaps {
        /// Only this one.
        #[serde(default)]
        name: Option<String>,
    },
    /// `show key chain [NAME]`, which FRR does not have; answered by [`KeyChainsReply`].
    KeyChains {
        /// Only this one.
        #[serde(default)]
        name: Option<String>,
    },
    /// `show ip ospf fast-reroute`, which FRR does not have; answered by [`FastRerouteReply`].
    FastReroute,
}

impl Question for Request {
    fn is_question(&self) -> bool {
        match self {
            Self::Summary
            | Self::Neighbors { .. }
            | Self::Interfaces { .. }
            | Self::Database { .. }
            | Self::DatabaseDetail { .. }
            | Self::DatabaseMaxAge
            | Self::Routes
            | Self::RouteDetail
            | Self::BorderRouters
            | Self::ReachableRouters
            | Self::Traffic { .. }
            | Self::Vrfs
            | Self::GracefulRestart { .. }
            | Self::Events
            | Self::SpfLog
            | Self::KeyChains { .. }
            | Self::FastReroute
            | Self::PrefixLists { .. }
            | Self::AccessLists { .. }
            | Self::RouteMaps { .. } => true,
            Self::PrepareRestart => false,
        }
    }
}

/// The LSA types as `show ip ospf database` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatabaseKind {
    /// Type 1.
    Router,
    /// Type 2.
    Network,
    /// Type 3.
    Summary,
    /// Type 4.
    AsbrSummary,
    /// Type 5.
    External,
    /// Type 7.
    NssaExternal,
    /// Type 9.
    OpaqueLink,
    /// Type 10.
    OpaqueArea,
    /// Type 11.
    OpaqueAs,
}

impl DatabaseKind {
    /// All kinds, in the order `show ip ospf database` lists them: AS-wide ones last.
    pub const ALL: [Self; 9] = [
        Self::Router,
        Self::Network,
        Self::Summary,
        Self::AsbrSummary,
        Self::NssaExternal,
        Self::OpaqueLink,
        Self::OpaqueArea,
        Self::External,
        Self::OpaqueAs,
    ];

    /// The LS type.
    pub fn ls_type(self) -> LsType {
        match self {
            Self::Router => LsType::Router,
            Self::Network => LsType::Network,
            Self::Summary => LsType::SummaryNetwork,
            Self::AsbrSummary => LsType::SummaryAsbr,
            Self::External => LsType::AsExternal,
            Self::NssaExternal => LsType::Nssa,
            Self::OpaqueLink => LsType::OpaqueLink,
            Self::OpaqueArea => LsType::OpaqueArea,
            Self::OpaqueAs => LsType::OpaqueAs,
        }
    }

    /// Is it known in the whole AS rather than in one area?
    pub fn is_as_wide(self) -> bool {
        matches!(self, Self::External | Self::OpaqueAs)
    }

    /// FRR's JSON key for a list of these.
    pub fn json_key(self) -> &'static str {
        match self {
            Self::Router => "routerLinkStates",
            Self::Network => "networkLinkStates",
            Self::Summary => "summaryLinkStates",
            Self::AsbrSummary => "asbrSummaryLinkStates",
            Self::External => "asExternalLinkStates",
            Self::NssaExternal => "nssaExternalLinkStates",
            Self::OpaqueLink => "linkLocalOpaqueLsa",
            Self::OpaqueArea => "areaLocalOpaqueLsa",
            Self::OpaqueAs => "asExternalOpaqueLsa",
        }
    }

    /// The heading vtysh puts above them.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Router => "Router Link States",
            Self::Network => "Net Link States",
            Self::Summary => "Summary Link States",
            Self::AsbrSummary => "ASBR-Summary Link States",
            Self::External => "AS External Link States",
            Self::NssaExternal => "NSSA-external Link States",
            Self::OpaqueLink => "Link-Local Opaque-LSA",
            Self::OpaqueArea => "Area-Local Opaque-LSA",
            Self::OpaqueAs => "AS-external Opaque-LSA",
        }
    }

    /// The kind a JSON key stands for.
    pub(crate) fn of_json_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.json_key() == key)
    }
}

/// The reply to `request` as text for an operator. `Err` if `reply` is not the reply to such a request,
/// which means that the daemon is of another release.
pub fn render_text(request: &Request, reply: &Value) -> Result<String, serde_json::Error> {
    Ok(match request {
        Request::Summary => SummaryReply::deserialize(reply)?.text(),
        Request::Neighbors { detail: false, .. } => NeighborsReply::deserialize(reply)?.text(),
        Request::Neighbors { detail: true, .. } => NeighborDetailReply::deserialize(reply)?.text(),
        Request::Interfaces { .. } => InterfacesReply::deserialize(reply)?.text(),
        Request::Database { kind: None, .. } => DatabaseReply::deserialize(reply)?.text(),
        Request::Database { kind: Some(_), .. } | Request::DatabaseDetail { .. } => {
            DetailReply::deserialize(reply)?.text()
        }
        Request::DatabaseMaxAge => MaxAgeReply::deserialize(reply)?.text(),
        Request::Routes => RoutesReply::deserialize(reply)?.text(false),
        Request::RouteDetail => RoutesReply::deserialize(reply)?.text(true),
        Request::BorderRouters | Request::ReachableRouters => BorderRoutersReply::deserialize(reply)?.text(),
        Request::Traffic { .. } => TrafficReply::deserialize(reply)?.text(),
        Request::Vrfs => VrfsReply::deserialize(reply)?.text(),
        Request::GracefulRestart { helper, detail } => {
            GracefulRestartReply::deserialize(reply)?.text(*helper, *detail)
        }
        Request::PrepareRestart => PrepareRestartReply::deserialize(reply)?.text(),
        Request::Events => EventsReply::deserialize(reply)?.text(),
        Request::SpfLog => SpfLogReply::deserialize(reply)?.text(),
        Request::PrefixLists { .. } => PrefixListsReply::deserialize(reply)?.text(),
        Request::AccessLists { .. } => AccessListsReply::deserialize(reply)?.text(),
        Request::RouteMaps { .. } => RouteMapsReply::deserialize(reply)?.text(),
        Request::KeyChains { .. } => KeyChainsReply::deserialize(reply)?.text(),
        Request::FastReroute => FastRerouteReply::deserialize(reply)?.text(),
    })
}

/// For keys FRR prints only when they are true.
pub(crate) fn is_false(flag: &bool) -> bool {
    !*flag
}
