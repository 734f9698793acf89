//! What every daemon says about itself, asked once: the ground for `torc wait converged` and for metrics.

use crate::connect::Connection;
use bfd_proto::api as bfd;
use ospf_proto::api as ospf;
use rib::api as rib;
use routing_common::control::{configuration, processes};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use vrrp_proto::api as vrrp;

/// The answers; `None` from a daemon that did not give one.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    pub(crate) processes: Option<Value>,
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
    /// Asks everybody.
    pub(crate) fn of(run_dir: &Path) -> Self {
        let mut mgmtd = Connection::open(run_dir, "mgmtd").ok();
        let mut ribd = Connection::open(run_dir, "ribd").ok();
        let mut ospfd = Connection::open(run_dir, "ospfd").ok();
        let mut vrrpd = Connection::open(run_dir, "vrrpd").ok();
        let mut bfdd = Connection::open(run_dir, "bfdd").ok();
        Self {
            processes: ask(&mut mgmtd, &processes::Request::ShowProcesses),
            state: ask(&mut mgmtd, &configuration::Request::ShowState),
            system: ask(&mut ribd, &rib::Request::System),
            routes: ask(&mut ribd, &rib::Request::RouteSummary),
            ospf: ask(&mut ospfd, &ospf::Request::Summary),
            ospf_interfaces: ask(&mut ospfd, &ospf::Request::Interfaces { name: None }),
            ospf_neighbors: ask(&mut ospfd, &ospf::Request::Neighbors { filter: None, detail: false }),
            vrrp: ask(&mut vrrpd, &vrrp::Request::Routers { interface: None, vrid: None }),
            bfd: ask(&mut bfdd, &bfd::Request::Peers),
        }
    }

    /// The rows of `show processes`: name, state, restarts.
    pub(crate) fn daemons(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        let rows = self.processes.as_ref().and_then(|p| p["processes"].as_array());
        rows.into_iter().flatten().filter_map(|row| {
            Some((row["name"].as_str()?, row["state"].as_str()?, row["restarts"].as_u64()?))
        })
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

fn ask(connection: &mut Option<Connection>, request: &impl Serialize) -> Option<Value> {
    connection.as_mut()?.ask(serde_json::to_value(request).ok()?).ok()
}
