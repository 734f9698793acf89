//! The end of the files: rules about all interfaces, and what FRR would have left without effect.

use super::report::{Finding, Note};
use super::{Import, Reading};
use crate::commands::loopback_or_highest;
use crate::document::Document;
use crate::mode::Mode;
use crate::outcome::LineError;
use crate::session::{Kept, Phase};
use routing_common::config::load;
use routing_common::id::AreaId;
use routing_common::prefix::Ipv4Network;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use toml_edit::Item;

const ONE_AREA: &str = "one area per router in this version: area border routers are not supported";

impl Reading {
    pub(super) fn finish(mut self, names: &[&str]) -> Import {
        self.kept_lines();
        self.ospf_without_process();
        self.one_area();
        self.router_id();
        self.groups();
        self.session.document.sort();
        let mut text = format!("# Made from {}.\n", names.join(", ").escape_debug());
        text.push_str(&self.session.document.text());
        let mut report: Vec<Finding> = self.findings.into_iter().map(Note::into_finding).collect();
        if let Err(found) = load("router.toml", &text) {
            let errors = found.iter().filter(|d| d.severity == routing_common::config::Severity::Error);
            report.extend(errors.map(Note::at_the_end));
        }
        Import { text, report }
    }

    /// Lines that waited for the end, the narrowest `network` first, as FRR looks them up.
    fn kept_lines(&mut self) {
        self.session.phase = Phase::Finishing;
        self.session.kept.sort_by_key(turn);
        for (kept, outcome) in self.session.retry() {
            let Some(note) = self.findings.get_mut(kept.id) else { continue };
            match outcome {
                Ok(done) => note.take(done.notes),
                Err(LineError::NoCounterpart { reason, harmless, .. }) => {
                    note.no_counterpart(reason, harmless)
                }
                Err(LineError::Refused(reason)) => note.mistake(reason),
                Err(LineError::Command(error)) => note.mistake(super::in_one_line(&self.session, &error)),
            }
        }
        for kept in std::mem::take(&mut self.session.kept) {
            if let Some(note) = self.findings.get_mut(kept.id) {
                note.no_counterpart(
                    format!("without effect, in FRR too, for want of {}", kept.waits_for),
                    false,
                );
            }
        }
    }

    /// FRR keeps OSPF settings of interfaces without running OSPF.
    fn ospf_without_process(&mut self) {
        if self.session.router_ospf || !self.session.document.has(&["ospf"]) {
            return;
        }
        self.session.document.remove(&["ospf"]);
        self.disown(|n| n.is_ospf_on(None), "without effect, in FRR too: there is no `router ospf`");
    }

    /// Keeps the backbone, or the area with most interfaces, and lets go of the others.
    fn one_area(&mut self) {
        let document = &self.session.document;
        let mut areas: BTreeMap<AreaId, Vec<String>> = BTreeMap::new();
        for name in document.names(&["ospf", "interfaces"]) {
            let written = document.text_at(&["ospf", "interfaces", &name, "area"]);
            let area = written.and_then(|a| a.parse().ok()).unwrap_or(AreaId::BACKBONE);
            areas.entry(area).or_default().push(name);
        }
        let rank = |(area, on): &(&AreaId, &Vec<String>)| (**area == AreaId::BACKBONE, on.len());
        let Some(kept) = areas.iter().max_by_key(rank).map(|(area, _)| *area) else { return };
        for (area, on) in areas.into_iter().filter(|(area, _)| *area != kept) {
            let reason = format!("area {area} beside area {kept}: {ONE_AREA}");
            for name in on {
                self.session.document.remove(&["ospf", "interfaces", &name]);
                self.disown(|n| n.is_ospf_on(Some(&name)), &reason);
            }
            let names_area = |n: &Note| {
                let words = n.words();
                let network = words.first().is_some_and(|w| "network".starts_with(w));
                let last = words.last().and_then(|w| w.parse::<AreaId>().ok());
                n.mode == Mode::RouterOspf && network && last == Some(area)
            };
            self.disown(names_area, &reason);
        }
    }

    /// The verdict "no counterpart" for the lines that were taken and that `whose` names.
    fn disown(&mut self, whose: impl Fn(&Note) -> bool, reason: &str) {
        for note in self.findings.iter_mut().filter(|n| n.taken() && whose(n)) {
            note.no_counterpart(reason, false);
        }
    }

    /// FRR chooses a router id; the file must name it.
    fn router_id(&mut self) {
        if !self.session.document.has(&["ospf"]) || self.session.document.has(&["ospf", "router-id"]) {
            return;
        }
        let chosen = loopback_or_highest(&self.session.document);
        let text = match chosen {
            Some(id) => {
                self.session.document.set(&["ospf", "router-id"], id.to_string());
                format!("router id {id} from the interfaces' addresses, as FRR would choose it")
            }
            None => "no `ospf router-id`, and no address to take one from".to_owned(),
        };
        let opens = |n: &&mut Note| n.taken() && n.words().first().is_some_and(|w| "router".starts_with(w));
        if let Some(note) = self.findings.iter_mut().find(opens) {
            note.add(&text);
        }
    }

    /// FRR has the virtual addresses on interfaces of their own, which Torc makes itself.
    fn carriers(&mut self, group: &Group) {
        for name in self.session.document.names(&["interfaces"]) {
            let carries =
                subnets(&self.session.document, &name).iter().any(|a| group.addresses.contains(&a.ip()));
            if !carries || name == group.interface {
                continue;
            }
            self.session.document.remove(&["interfaces", &name]);
            self.session.document.remove(&["ospf", "interfaces", &name]);
            let about = |n: &Note| {
                matches!(&n.mode, Mode::Interface(i) if i.as_str() == name) || n.is_ospf_on(Some(&name))
            };
            self.disown(about, "Torc makes the interface of a virtual router itself");
        }
    }

    /// Virtual routers: those without an address do nothing, those with the interface's own are its owner.
    fn groups(&mut self) {
        for name in self.session.document.names(&["vrrp", "groups"]) {
            let document = &self.session.document;
            let Some(group) = Group::read(document, &name) else { continue };
            let shut_down = self.findings.iter().any(|n| n.shuts_down(&group.interface, group.vrid));
            if group.addresses.is_empty() || shut_down {
                let why = if shut_down { "is shut down" } else { "has no address" };
                self.session.document.remove(&["vrrp", "groups", &name]);
                let reason = format!("without effect, in FRR too: the virtual router {why}");
                self.disown(|n| n.is_group(&group.interface, group.vrid), &reason);
                continue;
            }
            let own = subnets(document, &group.interface);
            self.carriers(&group);
            let said = format!(
                "the prefix length of its addresses is that of {}'s subnet, of which the files say nothing: add \
                 `ip address`, or write `vrrp {} ip A.B.C.D/M`",
                group.interface, group.vrid
            );
            let owner = group.addresses.iter().all(|a| own.iter().any(|o| o.ip() == *a));
            if owner {
                self.session.document.set(&["vrrp", "groups", &name, "priority"], 255);
            }
            let first =
                self.findings.iter_mut().find(|n| n.taken() && n.is_group(&group.interface, group.vrid));
            match first {
                Some(note) if own.is_empty() && group.bare => note.add(&said),
                Some(note) if owner => note.add("priority 255: the address is the interface's own"),
                _ => {}
            }
        }
    }
}

/// In which order lines that waited are tried.
fn turn(kept: &Kept) -> (u8, u8) {
    let words: Vec<&str> = kept.text.split_ascii_whitespace().skip_while(|w| *w == "no").collect();
    let begins = |word: &str| words.first().is_some_and(|w| word.starts_with(w));
    match kept.mode {
        Mode::RouterOspf if begins("network") => {
            let length = words.get(1).and_then(|p| p.parse::<Ipv4Network>().ok()).map_or(0, |p| p.prefix());
            (0, 32 - length.min(32))
        }
        Mode::RouterOspf if begins("area") => (3, 0),
        Mode::RouterOspf => (2, 0),
        _ => (1, 0),
    }
}

/// A virtual router in the file.
struct Group {
    interface: String,
    vrid: i64,
    addresses: Vec<Ipv4Addr>,
    /// Does one of the addresses lack a prefix length?
    bare: bool,
}

impl Group {
    fn read(document: &Document, name: &str) -> Option<Self> {
        let at = |key| document.get(&["vrrp", "groups", name, key]);
        let addresses = document.strings(&["vrrp", "groups", name, "virtual-addresses"]);
        Some(Self {
            interface: at("interface").and_then(Item::as_str)?.to_owned(),
            vrid: at("vrid").and_then(Item::as_integer)?,
            bare: addresses.iter().any(|a| !a.contains('/')),
            addresses: addresses.iter().filter_map(|a| a.split('/').next()?.parse().ok()).collect(),
        })
    }
}

/// The addresses of an interface in the file.
fn subnets(document: &Document, interface: &str) -> Vec<Ipv4Network> {
    let listed = document.strings(&["interfaces", interface, "addresses"]);
    listed.iter().filter_map(|a| a.parse().ok()).collect()
}
