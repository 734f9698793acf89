//! What the daemons say about themselves: the ground for `torc wait converged` and for metrics.

use crate::connect::ask;
use crate::management::Management;
use bfd_proto::api as bfd;
use ospf_proto::api as ospf;
use rib::api as rib;
use routing_common::control::configuration;
use routing_common::control::processes::Processes;
use serde_json::Value;
use std::path::Path;
use vrrp_proto::api as vrrp;

/// The answers; `None` from a daemon that did not give one, or was not asked.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) processes: Option<Processes>,
    pub(crate) state: Option<Value>,
    pub(crate) system: Option<Value>,
    pub(crate) routes: Option<Value>,
    pub(crate) ospf: Option<Value>,
    pub(crate) ospf_interfaces: Option<Value>,
    pub(crate) ospf_neighbors: Option<Value>,
    pub(crate) vrrp: Option<Value>,
    pub(crate) bfd: Option<Value>,
}

impl Survey {
    /// Asks what tells whether the router has converged.
    pub(crate) fn of_convergence(run_dir: &Path) -> Self {
        Self {
            processes: Management::open(run_dir).and_then(|mut m| m.processes()).ok(),
            system: ask(run_dir, "ribd", &rib::Request::System).ok(),
            ospf: ask(run_dir, "ospfd", &ospf::Request::Summary).ok(),
            ospf_neighbors: ask(run_dir, "ospfd", &ospf::Request::Neighbors { filter: None, detail: false })
                .ok(),
            vrrp: ask(run_dir, "vrrpd", &vrrp::Request::Routers { interface: None, vrid: None }).ok(),
            ..Self::default()
        }
    }

    /// Asks everything there are figures of.
    pub(crate) fn of_figures(run_dir: &Path) -> Self {
        Self {
            state: ask(run_dir, "mgmtd", &configuration::Request::ShowState).ok(),
            routes: ask(run_dir, "ribd", &rib::Request::RouteSummary).ok(),
            ospf_interfaces: ask(run_dir, "ospfd", &ospf::Request::Interfaces { name: None }).ok(),
            bfd: ask(run_dir, "bfdd", &bfd::Request::Peers).ok(),
            ..Self::of_convergence(run_dir)
        }
    }

    /// The rows of `show processes`: name, state, restarts.
    pub(crate) fn daemons(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let rows = self.processes.iter().flat_map(|p| &p.processes);
        rows.map(|row| (row.name.as_str(), row.state.as_str(), row.restarts))
    }

    /// The states of all OSPF neighbours, such as `Full/DR`.
    pub(crate) fn neighbor_states(&self) -> impl Iterator<Item = (&str, &str)> {
        let by_id = self.ospf_neighbors.as_ref().and_then(|n| n["neighbors"].as_object());
        by_id.into_iter().flatten().flat_map(|(id, rows)| {
            let states = rows.as_array().into_iter().flatten().filter_map(|row| row["nbrState"].as_str());
            states.map(move |state| (id.as_str(), state))
        })
    }
}
