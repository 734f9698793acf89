//! Kernel parameters of interfaces, with the old values kept in a file.
//!
//! The file, because a killed daemon cannot put them back: its successor finds there what the values were
//! before the first of them was changed, and not what its predecessor left. Interfaces that are gone are
//! skipped: their parameters went with them.

use anyhow::Context as _;
use routing_common::id::InterfaceName;
use routing_runtime::sysctl::{Family, Setting};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use vrrp_proto::instance::SysctlFamily;

/// The parameters this daemon ever sets; a file that names others is not believed.
const KEYS: [(SysctlFamily, &str); 6] = [
    (SysctlFamily::Ipv4, "arp_ignore"),
    (SysctlFamily::Ipv4, "arp_announce"),
    (SysctlFamily::Ipv4, "promote_secondaries"),
    (SysctlFamily::Ipv4, "rp_filter"),
    (SysctlFamily::Ipv4, "send_redirects"),
    (SysctlFamily::Ipv6, "disable_ipv6"),
];

/// Old values by interface and "family/key".
type Saved = BTreeMap<InterfaceName, BTreeMap<String, String>>;

/// See the module text.
#[derive(Debug)]
pub(crate) struct Sysctls {
    file: PathBuf,
    saved: Saved,
}

impl Sysctls {
    /// Takes over what an earlier run wrote to `file`, if it did.
    pub(crate) fn load(file: PathBuf) -> Self {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let saved = serde_json::from_str(&text).unwrap_or_default();
        Self { file, saved }
    }

    /// Sets a value, after having written down the old one.
    pub(crate) fn set(
        &mut self,
        interface: &InterfaceName,
        family: SysctlFamily,
        key: &'static str,
        value: &str,
    ) -> anyhow::Result<()> {
        let what = || format!("{interface}: setting {key} to {value}");
        let setting = Setting::of(family_of(family), interface, key).with_context(what)?;
        let old = match setting.get() {
            Ok(old) => old,
            // A kernel without IPv6 has none to switch off; a missing interface will be told about.
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(e).with_context(what),
        };
        if old == value {
            return Ok(());
        }
        let row = self.saved.entry(interface.clone()).or_default();
        row.entry(label(family, key)).or_insert(old);
        // Written first, so that a kill in between forgets nothing. A file that cannot be written (a full or
        // read-only disk) is told about, but the router works without it and not without the parameter.
        let written = self.write();
        setting.set(value).with_context(what)?;
        written
    }

    /// Puts back everything of one interface.
    pub(crate) fn restore(&mut self, interface: &InterfaceName) -> anyhow::Result<()> {
        let row = self.saved.remove(interface).unwrap_or_default();
        for (family, key) in KEYS {
            let Some(old) = row.get(&label(family, key)) else { continue };
            let setting = Setting::of(family_of(family), interface, key)?;
            match setting.set(old) {
                Err(e) if !is_gone(&e) => tracing::warn!("{interface}: {key} not put back to {old}: {e}"),
                _ => {}
            }
        }
        self.write()
    }

    /// Forgets an interface of ours that is about to go.
    pub(crate) fn forget(&mut self, interface: &InterfaceName) -> anyhow::Result<()> {
        match self.saved.remove(interface) {
            Some(_) => self.write(),
            None => Ok(()),
        }
    }

    /// Puts back everything; the file goes.
    pub(crate) fn restore_all(&mut self) -> anyhow::Result<()> {
        let interfaces: Vec<InterfaceName> = self.saved.keys().cloned().collect();
        interfaces.iter().try_for_each(|interface| self.restore(interface))
    }

    /// Replaces the file as a whole, so that it is never half written.
    fn write(&self) -> anyhow::Result<()> {
        let shown = self.file.display();
        if self.saved.is_empty() {
            return match fs::remove_file(&self.file) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    Err(e).with_context(|| format!("removing {shown}"))
                }
                _ => Ok(()),
            };
        }
        let fresh = self.file.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(&self.saved)?)
            .and_then(|()| fs::rename(&fresh, &self.file))
            .with_context(|| format!("writing {shown}"))
    }
}

fn family_of(family: SysctlFamily) -> Family {
    match family {
        SysctlFamily::Ipv4 => Family::Ipv4,
        SysctlFamily::Ipv6 => Family::Ipv6,
    }
}

fn label(family: SysctlFamily, key: &str) -> String {
    match family {
        SysctlFamily::Ipv4 => format!("ipv4/{key}"),
        SysctlFamily::Ipv6 => format!("ipv6/{key}"),
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_daemon_wrote_is_taken_over_and_nonsense_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("vrrpd.sysctls");
        let nowhere: InterfaceName = "no-such-if".parse().unwrap();
        let mut first = Sysctls::load(file.clone());
        first.set(&nowhere, SysctlFamily::Ipv4, "arp_ignore", "1").unwrap();
        assert!(!file.exists(), "nothing was changed, so nothing is remembered");
        fs::write(&file, r#"{"no-such-if": {"ipv4/arp_ignore": "0"}}"#).unwrap();
        let mut second = Sysctls::load(file.clone());
        assert_eq!(second.saved[&nowhere]["ipv4/arp_ignore"], "0");
        second.restore_all().unwrap();
        assert!(!file.exists());
        fs::write(&file, "][").unwrap();
        assert!(Sysctls::load(file).saved.is_empty());
    }
}
