//! From what was read to what is valid, cut by subject.
//!
//! Each submodule reads its tables and checks what only shows between two keys or two tables. Whoever
//! needs another subject's result gets it as a value: interfaces come first.

mod authentication;
mod bfd;
mod interfaces;
mod key_chain;
mod names;
mod ospf;
mod ospf_interface;
mod policy;
mod static_routes;
mod vrrp;

use super::diagnostics::Sink;
use super::model::{AccessConfig, Config, Defaults, RibConfig};
use super::reader::{At, Context, Section};
use super::schema;
use super::slip::nearest;
use crate::id::InterfaceName;
use interfaces::Interfaces;
use toml::de::DeTable;

/// Reads the whole file. The result is meaningful only if `sink` holds no error afterwards; `None` if
/// something without a default was refused.
pub(super) fn router(entries: &DeTable<'_>, sink: &Sink<'_>) -> Option<Config> {
    let defaults = read_defaults(entries);
    let root = Section::new(Context { sink, defaults }, &schema::ROOT, entries, 0..0);
    root.word("defaults");
    let hostname = hostname(&root);
    let interfaces = interfaces::read(&root);
    let static_routes = static_routes::read(&root, &interfaces);
    let access = access(&root);
    let rib = rib(&root);
    let bfd = bfd::read(&root, &interfaces);
    let lists = policy::read(&root, &interfaces);
    let chains = key_chain::read(&root);
    let ospf = ospf::read(&root, &interfaces, &bfd.profiles, &lists, &chains, rib.stale_time);
    let vrrp_groups = vrrp::read(&root, &interfaces, matches!(ospf, Ok(Some(_))));
    let policy = lists.into_policy(&root);
    let key_chains = chains.into_chains(&root);
    Some(Config {
        hostname,
        defaults,
        interfaces: interfaces.into_config(),
        static_routes,
        policy,
        access,
        key_chains,
        rib,
        ospf: ospf.ok()?,
        vrrp_groups,
        bfd_peers: bfd.peers,
    })
}

/// The set of defaults, needed before anything is read; a wrong value is reported when the root is.
fn read_defaults(entries: &DeTable<'_>) -> Defaults {
    let named = entries.iter().find(|(k, _)| k.get_ref() == "defaults");
    match named.and_then(|(_, v)| v.get_ref().as_str()) {
        Some("ring") => Defaults::Ring,
        _ => Defaults::Traditional,
    }
}

fn hostname(root: &Section<'_>) -> String {
    let At { value, span, .. } = root.text("hostname");
    let name = value.unwrap_or("router");
    let good = (1..=63).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && !name.starts_with(['-', '.']);
    if !good {
        let message = format!("`hostname` cannot be \"{}\"", name.escape_debug());
        root.sink().error(
            span,
            message,
            "1 to 63 letters, digits, `-` or `.`, beginning with a letter or digit",
        );
    }
    name.to_owned()
}

fn access(root: &Section<'_>) -> AccessConfig {
    let access = root.section_or_defaults("access");
    AccessConfig { operators: access.parsed("operators").value, readers: access.parsed("readers").value }
}

fn rib(root: &Section<'_>) -> RibConfig {
    let rib = root.section_or_defaults("rib");
    RibConfig {
        forwarding: rib.boolean("forwarding").value,
        next_hop_objects: rib.boolean("next-hop-objects").value,
        stale_time: rib.time("stale-time").value,
    }
}

/// Names the operator chose stand in commands and log lines, so they must be one plain word.
fn good_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    (1..=32).contains(&name.len()) && name.bytes().all(plain)
}

/// Warns if `name` has no `[interfaces.NAME]`: it may be configured elsewhere, or it may be a slip.
fn warn_if_unknown(
    section: &Section<'_>,
    interfaces: &Interfaces,
    name: &InterfaceName,
    at: core::ops::Range<usize>,
) {
    if interfaces.contains(name) {
        return;
    }
    let hint = match nearest(name.as_str(), interfaces.names()) {
        Some(near) => format!("did you mean `{near}`? Otherwise its addresses must come from elsewhere"),
        None => "its addresses must come from elsewhere, or add the table".to_owned(),
    };
    section.sink().warning(at, format!("interface `{name}` has no table [interfaces.{name}]"), hint);
}
