//! A configuration as lines, in the shape of FRR's `show running-config`: what is not the default, blocks indented by
//! one blank and closed with `exit`, `!` between them.
//!
//! The defaults are asked of the loader, so that this module knows none. Names that lines would choose themselves are
//! left out. Law: importing the lines (with their secrets) gives the same configuration.

mod bfd;
mod interface;
mod key_chain;
mod ospf;
mod policy;

use crate::commands::{FRR_WORDS, like_an_address};
use crate::text::{MASK, secret_word};
use routing_common::config::{
    BfdProfile, Config, Defaults, OspfConfig, OspfInterfaceConfig, RibConfig, Secret, StaticRoute,
    StaticTarget, VrrpGroup, load,
};
use routing_common::id::InterfaceName;
use std::fmt::Write as _;
use std::time::Duration;

/// Are keys and passwords part of the text?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// As they are: for files.
    Shown,
    /// Replaced by a word that no line takes back for a key: for screens.
    Masked,
}

/// Writes `config` as lines, from the header to `end`.
pub fn render(config: &Config, secrets: Secrets) -> String {
    let mut page = Page { text: String::new(), secrets, usual: Usual::of(config.defaults) };
    page.header(config);
    if !config.static_routes.is_empty() {
        for route in &config.static_routes {
            page.line(0, static_route(route));
        }
        page.line(0, "!");
    }
    for chain in config.key_chains.values() {
        page.key_chain(chain);
    }
    page.policy(&config.policy);
    for name in config.interface_names() {
        page.interface(config, name);
    }
    if let Some(ospf) = &config.ospf {
        page.ospf(ospf);
    }
    page.bfd(config);
    page.line(0, "end");
    page.text
}

/// What holds where the file says nothing.
struct Usual {
    rib: RibConfig,
    ospf: OspfConfig,
    ospf_interface: OspfInterfaceConfig,
    groups: Vec<VrrpGroup>,
    profile: BfdProfile,
}

impl Usual {
    fn of(defaults: Defaults) -> Self {
        let set = match defaults {
            Defaults::Traditional => "traditional",
            Defaults::Ring => "ring",
        };
        let text = format!(
            "defaults = \"{set}\"\ninterfaces.x.addresses = [\"10.0.0.1/24\"]\n[ospf]\nrouter-id = \"10.0.0.1\"\n\
             interfaces.x = {{ network-type = \"broadcast\" }}\n\
             [vrrp.groups.v2]\ninterface = \"x\"\nvrid = 2\nversion = 2\nvirtual-addresses = [\"10.0.0.2\"]\n\
             [vrrp.groups.v3]\ninterface = \"x\"\nvrid = 3\nvirtual-addresses = [\"10.0.0.3\"]\n\
             [bfd.peers.p]\naddress = \"10.0.0.9\"\n"
        );
        // proof: the text is ours and says nothing that could be refused; a test reads it with both sets.
        let config = load("", &text).expect("a file of defaults is valid").config;
        let ospf = config.ospf.expect("the file has OSPF");
        let ospf_interface = ospf.interfaces.values().next().expect("and an interface").clone();
        let profile = config.bfd_peers.into_values().next().expect("and a peer").profile;
        Self {
            rib: config.rib,
            ospf_interface,
            ospf,
            groups: config.vrrp_groups.into_values().collect(),
            profile,
        }
    }
}

/// The lines so far.
struct Page {
    text: String,
    secrets: Secrets,
    usual: Usual,
}

impl Page {
    fn line(&mut self, indent: usize, text: impl core::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{:indent$}{text}", "");
    }

    /// A line if `wanted`.
    fn line_if(&mut self, wanted: bool, indent: usize, text: impl core::fmt::Display) {
        if wanted {
            self.line(indent, text);
        }
    }

    /// A block with its end, unless `lines` wrote nothing and nothing is `kept`.
    fn block(&mut self, head: impl core::fmt::Display, kept: bool, lines: impl FnOnce(&mut Self)) {
        let before = self.text.len();
        self.line(0, head);
        let empty = self.text.len();
        lines(self);
        if self.text.len() == empty && !kept {
            self.text.truncate(before);
            return;
        }
        self.line(0, "exit");
        self.line(0, "!");
    }

    fn header(&mut self, config: &Config) {
        self.line(0, "!");
        self.line(0, concat!("torc version ", env!("CARGO_PKG_VERSION")));
        self.line(
            0,
            match config.defaults {
                Defaults::Traditional => "frr defaults traditional",
                Defaults::Ring => "torc defaults ring",
            },
        );
        self.line(0, format_args!("hostname {}", config.hostname));
        let access = [("operators", &config.access.operators), ("readers", &config.access.readers)];
        for (who, group) in access.iter().filter_map(|(who, group)| Some((who, group.as_ref()?))) {
            self.line(0, format_args!("torc access {who} {group}"));
        }
        let (rib, usual) = (&config.rib, self.usual.rib.clone());
        self.line_if(rib.forwarding != usual.forwarding, 0, switch(rib.forwarding, "ip forwarding"));
        let objects = switch(rib.next_hop_objects, "rib next-hop-objects");
        self.line_if(rib.next_hop_objects != usual.next_hop_objects, 0, objects);
        let stale = format_args!("rib stale-time {}", millis(rib.stale_time)).to_string();
        self.line_if(rib.stale_time != usual.stale_time, 0, stale);
        self.line(0, "!");
    }

    /// A secret as it may be shown.
    fn secret(&self, secret: &Secret) -> String {
        match self.secrets {
            Secrets::Shown => secret_word(&String::from_utf8_lossy(secret.expose())),
            Secrets::Masked => MASK.to_owned(),
        }
    }
}

/// The line, or its `no`.
fn switch(on: bool, line: &str) -> String {
    if on { line.to_owned() } else { format!("no {line}") }
}

/// Whole milliseconds as a number, what is finer with its unit.
fn millis(d: Duration) -> String {
    counted(d, Duration::from_millis(1))
}

/// Whole seconds as a number, what is finer with its unit.
fn seconds(d: Duration) -> String {
    counted(d, Duration::from_secs(1))
}

fn counted(d: Duration, unit: Duration) -> String {
    if d.as_nanos().is_multiple_of(unit.as_nanos()) {
        (d.as_nanos() / unit.as_nanos()).to_string()
    } else {
        routing_common::config::format_duration(d)
    }
}

fn static_route(route: &StaticRoute) -> String {
    let mut line = format!("ip route {} ", route.prefix);
    // Writing to a String cannot fail.
    let _ = match &route.target {
        StaticTarget::Gateway { address, interface: None } => write!(line, "{address}"),
        StaticTarget::Gateway { address, interface: Some(name) } => {
            write!(line, "{address} {}", route_interface(name))
        }
        StaticTarget::Interface(name) => write!(line, "{}", route_interface(name)),
        StaticTarget::Blackhole => write!(line, "blackhole"),
    };
    if route.tag != 0 {
        let _ = write!(line, " tag {}", route.tag);
    }
    if route.distance != 1 {
        let _ = write!(line, " {}", route.distance);
    }
    line
}

/// An interface in a static route: with the word `interface` if its name could be taken for something else.
fn route_interface(name: &InterfaceName) -> String {
    let name = name.as_str();
    let keywords = ["blackhole", "reject", "Null0", "null0", "interface", "tag"];
    let number = name.parse::<u64>().is_ok() || like_an_address(name);
    if number || FRR_WORDS.contains(&name) || keywords.iter().any(|k| k.starts_with(name)) {
        format!("interface {name}")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_of_defaults_are_known() {
        let [slow, fast] = [Defaults::Traditional, Defaults::Ring].map(Usual::of);
        assert!(slow.profile.transmit_interval > fast.profile.transmit_interval);
        assert_eq!(slow.groups.len(), 2);
    }
}
