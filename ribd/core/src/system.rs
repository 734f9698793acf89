//! Kernel settings other than routes: addresses from the configuration, links brought up, sysctls.
//!
//! Addresses: what the configuration names is put on, marked with
//! [`RIBD_ADDRESS_PROTOCOL`](routing_common::link::RIBD_ADDRESS_PROTOCOL), and put on again when the
//! interface (re)appears or somebody takes it away; what carries our mark and is configured no more is
//! taken off. Addresses others put on are never touched. An interface of the configuration is brought up
//! when it is first seen down; once it has been up, by whomever, `ip link set down` is the operator's word
//! and is respected until the interface leaves the host or the configuration.
//!
//! Sysctls: `ip_forward`, and per interface of the configuration those without which a ring router
//! fails: routes over a dead link must not be used (`ignore_routes_with_linkdown`), hosts must not be
//! redirected around the virtual router (`send_redirects`), asymmetric paths must not be filtered
//! (`rp_filter`). For the latter two the kernel combines the interface's value with `all`'s (or, maximum),
//! so `all` is cleared as well. The shell remembers every former value and restores it at the end.

use crate::links::Links;
use ipnetwork::Ipv4Network;
use routing_common::config::{Config, StaticTarget};
use routing_common::id::{IfIndex, InterfaceName};
use routing_common::link::{Address, Link, RIBD_ADDRESS_PROTOCOL};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A change outside the route table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SystemOp {
    /// Put an address on.
    AddAddress(IfIndex, Ipv4Network),
    /// Take one of ours off.
    RemoveAddress(IfIndex, Ipv4Network),
    /// Set the link up.
    BringUp(IfIndex),
    /// Write a value below `/proc/sys`; path elements, because interface names may contain dots.
    SetSysctl {
        /// Path elements below `/proc/sys`.
        path: Vec<String>,
        /// Value.
        value: u32,
    },
    /// Delete the link's neighbour entries that wait for an answer, with the packets that wait for them.
    ///
    /// What was sent while there was no carrier, be it by a host that did not know yet, left such an entry behind.
    /// The kernel asks again only a second after it asked in vain, and until then drops what a returning link is to
    /// carry.
    ForgetUnresolved(IfIndex),
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemState {
    /// Asked for, no answer yet.
    Asked,
    /// Done.
    Done,
    /// Refused, with the kernel's words; tried again.
    Failed(String),
}

/// Wishes and their state.
#[derive(Debug, Clone, Default)]
pub struct System {
    wishes: BTreeMap<SystemOp, SystemState>,
    /// Interfaces of the configuration that have been up.
    been_up: BTreeSet<IfIndex>,
    /// Addresses of the configuration that somebody took off and that are not back yet.
    missed: BTreeSet<(IfIndex, Ipv4Network)>,
    /// Addresses we put on, for kernels that do not keep the mark.
    added: BTreeSet<(IfIndex, Ipv4Network)>,
}

impl System {
    /// All current wishes.
    pub fn wishes(&self) -> impl Iterator<Item = (&SystemOp, &SystemState)> {
        self.wishes.iter()
    }

    /// Does some wish wait for another attempt?
    pub fn has_failed(&self) -> bool {
        self.wishes.values().any(|s| matches!(s, SystemState::Failed(_)))
    }

    /// Computes the wishes anew and returns those not asked for yet. With `retry`, failed ones are asked
    /// for again.
    pub fn reconcile(&mut self, config: &Config, links: &Links, retry: bool) -> Vec<SystemOp> {
        let configured = |l: &Link| config.interfaces.contains_key(&l.name);
        self.been_up.retain(|i| links.get(*i).is_some_and(configured));
        self.been_up.extend(links.iter().filter(|l| l.admin_up && configured(l)).map(|l| l.ifindex));
        let wanted: BTreeSet<SystemOp> =
            self.sysctls(config, links).into_iter().chain(self.addresses(config, links)).collect();
        self.wishes.retain(|op, _| wanted.contains(op));
        let mut ops = Vec::new();
        for op in wanted {
            let again = match self.wishes.get(&op) {
                None => true,
                Some(SystemState::Failed(_)) => retry,
                Some(_) => false,
            };
            if again {
                self.wishes.insert(op.clone(), SystemState::Asked);
                ops.push(op);
            }
        }
        self.missed.retain(|(i, n)| self.wishes.contains_key(&SystemOp::AddAddress(*i, *n)));
        ops.sort_by_key(|op| match op {
            // A forwarding change resets per-interface settings.
            SystemOp::SetSysctl { path, .. } if path.iter().any(|p| p == "ip_forward") => 0,
            // A subnet's first address takes the later ones along when it goes: the successor comes after.
            SystemOp::RemoveAddress(..) => 1,
            _ => 2,
        });
        ops
    }

    /// Links and addresses were read anew, because events were lost: what was done may be undone.
    pub fn doubt(&mut self) {
        self.wishes.retain(|_, state| matches!(state, SystemState::Failed(_)));
    }

    /// An address went, perhaps one of the configuration.
    pub fn address_removed(&mut self, config: &Config, links: &Links, address: &Address) {
        let interface = links.get(address.ifindex).and_then(|l| config.interfaces.get(&l.name));
        if interface.is_some_and(|i| i.addresses.contains(&address.network)) {
            self.missed.insert((address.ifindex, address.network));
        }
    }

    /// An address came. Says whether it is one that somebody had taken off.
    pub fn address_added(&mut self, address: &Address) -> bool {
        self.missed.remove(&(address.ifindex, address.network))
    }

    /// The shell's answer to one operation.
    pub fn answer(&mut self, op: SystemOp, outcome: Result<(), String>) {
        match (&op, &outcome) {
            (SystemOp::AddAddress(ifindex, network), Ok(())) => {
                self.added.insert((*ifindex, *network));
            }
            (SystemOp::RemoveAddress(ifindex, network), Ok(())) => {
                self.added.remove(&(*ifindex, *network));
            }
            (SystemOp::BringUp(ifindex), Ok(())) => {
                self.been_up.insert(*ifindex);
            }
            _ => {}
        }
        if let Some(state) = self.wishes.get_mut(&op) {
            *state = outcome.map_or_else(SystemState::Failed, |()| SystemState::Done);
        }
    }

    /// An interface is gone: what was done to it does not count any more.
    pub fn link_removed(&mut self, ifindex: IfIndex, name: &str) {
        self.been_up.remove(&ifindex);
        self.missed.retain(|(i, _)| *i != ifindex);
        self.added.retain(|(i, _)| *i != ifindex);
        self.wishes.retain(|op, _| match op {
            SystemOp::SetSysctl { path, .. } => path.iter().all(|p| p != name),
            SystemOp::AddAddress(i, _)
            | SystemOp::RemoveAddress(i, _)
            | SystemOp::BringUp(i)
            | SystemOp::ForgetUnresolved(i) => *i != ifindex,
        });
    }

    fn addresses(&self, config: &Config, links: &Links) -> Vec<SystemOp> {
        let mut ops = Vec::new();
        for link in links.iter() {
            let wanted: &[Ipv4Network] = config.interfaces.get(&link.name).map_or(&[], |i| &i.addresses);
            let configured = config.interfaces.contains_key(&link.name);
            if configured && !link.admin_up && !self.been_up.contains(&link.ifindex) {
                ops.push(SystemOp::BringUp(link.ifindex));
            }
            let have = |n: &Ipv4Network| links.addresses_of(link.ifindex).any(|a| a.network == *n);
            for network in wanted.iter().filter(|n| !have(n)) {
                ops.push(SystemOp::AddAddress(link.ifindex, *network));
            }
            for a in links.addresses_of(link.ifindex).filter(|a| !wanted.contains(&a.network)) {
                let ours =
                    a.protocol == RIBD_ADDRESS_PROTOCOL || self.added.contains(&(link.ifindex, a.network));
                if ours {
                    ops.push(SystemOp::RemoveAddress(link.ifindex, a.network));
                }
            }
        }
        ops
    }

    fn sysctls(&self, config: &Config, links: &Links) -> Vec<SystemOp> {
        let ipv4 = |rest: &[&str], value: u32| SystemOp::SetSysctl {
            path: ["net", "ipv4"].iter().chain(rest).map(|s| (*s).to_owned()).collect(),
            value,
        };
        if !config.rib.forwarding {
            return vec![ipv4(&["ip_forward"], 0)];
        }
        let mut ops = vec![
            ipv4(&["ip_forward"], 1),
            ipv4(&["conf", "all", "send_redirects"], 0),
            ipv4(&["conf", "all", "rp_filter"], 0),
        ];
        let routed = routed(config);
        for link in links.iter().filter(|l| !l.loopback && routed.contains(&l.name)) {
            let name = link.name.as_str();
            ops.push(ipv4(&["conf", name, "ignore_routes_with_linkdown"], 1));
            ops.push(ipv4(&["conf", name, "send_redirects"], 0));
            ops.push(ipv4(&["conf", name, "rp_filter"], 0));
        }
        ops
    }
}

/// The interfaces the configuration routes over.
fn routed(config: &Config) -> BTreeSet<InterfaceName> {
    let statics = config.static_routes.iter().filter_map(|r| match &r.target {
        StaticTarget::Gateway { interface: Some(name), .. } | StaticTarget::Interface(name) => {
            Some(name.clone())
        }
        _ => None,
    });
    config
        .interfaces
        .keys()
        .cloned()
        .chain(config.ospf.iter().flat_map(|o| o.interfaces.keys().cloned()))
        .chain(config.vrrp_groups.values().map(|g| g.interface.clone()))
        .chain(statics)
        .collect()
}
