//! Kernel settings of one interface, changed with the old value remembered and put back.
//!
//! A setting is addressed by interface; the pseudo-interface `all` can only be reached by the functions
//! that say so, because a write to it changes interfaces that are none of our business.

use routing_common::id::InterfaceName;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// Which address family's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// `net.ipv4.conf`.
    Ipv4,
    /// `net.ipv6.conf`.
    Ipv6,
}

/// A setting's place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setting {
    family: Family,
    /// An interface or "all".
    scope: String,
    key: &'static str,
}

impl Setting {
    /// The setting `key` of one interface.
    ///
    /// # Errors
    /// `InvalidInput` for interfaces called "all" or "default", whose place means something else.
    pub fn of(family: Family, interface: &InterfaceName, key: &'static str) -> io::Result<Self> {
        if matches!(interface.as_str(), "all" | "default") {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("an interface called {interface} has no settings of its own"),
            ));
        }
        Ok(Self { family, scope: interface.as_str().to_owned(), key })
    }

    /// The setting `key` that holds for all interfaces of the namespace.
    pub fn of_all_interfaces(family: Family, key: &'static str) -> Self {
        Self { family, scope: "all".to_owned(), key }
    }

    /// The current value.
    ///
    /// # Errors
    /// `NotFound` when the interface has gone or the kernel does not know the key.
    pub fn get(&self) -> io::Result<String> {
        Ok(fs::read_to_string(self.path())?.trim().to_owned())
    }

    /// Writes a value.
    ///
    /// # Errors
    /// As for [`Setting::get`]; also EPERM or EROFS.
    pub fn set(&self, value: &str) -> io::Result<()> {
        fs::write(self.path(), value)
    }

    fn path(&self) -> PathBuf {
        let family = match self.family {
            Family::Ipv4 => "ipv4",
            Family::Ipv6 => "ipv6",
        };
        PathBuf::from("/proc/sys/net").join(family).join("conf").join(&self.scope).join(self.key)
    }
}

/// Turns IPv4 forwarding of the namespace on or off. The kernel resets per-interface settings that follow
/// it, so it is for the start of a daemon, before any [`SysctlGuard`].
///
/// # Errors
/// EPERM or EROFS.
pub fn set_ipv4_forwarding(on: bool) -> io::Result<()> {
    fs::write("/proc/sys/net/ipv4/ip_forward", if on { "1" } else { "0" })
}

/// Remembers the values it replaced and puts them back when told or dropped.
#[derive(Debug, Default)]
pub struct SysctlGuard {
    old: BTreeMap<Setting, String>,
}

impl SysctlGuard {
    /// Nothing changed yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a value, remembering the one that was there before the first write. Doing it again, after an
    /// interface was made anew for instance, asserts the value and keeps what was remembered.
    ///
    /// # Errors
    /// As for [`Setting::set`]; then nothing is remembered.
    pub fn set(&mut self, setting: Setting, value: &str) -> io::Result<()> {
        let current = setting.get()?;
        if current == value {
            return Ok(());
        }
        setting.set(value)?;
        self.old.entry(setting).or_insert(current);
        Ok(())
    }

    /// Puts everything back. Settings whose interface has gone are forgotten.
    ///
    /// # Errors
    /// The first failure, after all were tried.
    pub fn restore(&mut self) -> io::Result<()> {
        let mut result = Ok(());
        for (setting, value) in std::mem::take(&mut self.old) {
            match setting.set(&value) {
                Err(e) if e.kind() != io::ErrorKind::NotFound && result.is_ok() => result = Err(e),
                _ => {}
            }
        }
        result
    }
}

impl Drop for SysctlGuard {
    fn drop(&mut self) {
        if let Err(error) = self.restore() {
            tracing::warn!(%error, "a kernel setting could not be put back");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespace_wide_scope_is_never_reached_by_an_interface_name() {
        assert!(Setting::of(Family::Ipv4, &"all".parse().unwrap(), "rp_filter").is_err());
        assert!(Setting::of(Family::Ipv4, &"default".parse().unwrap(), "rp_filter").is_err());
        let lo = Setting::of(Family::Ipv4, &"lo".parse().unwrap(), "rp_filter").unwrap();
        assert!(lo.get().unwrap().parse::<u8>().is_ok());
        let unknown = Setting::of(Family::Ipv4, &"lo".parse().unwrap(), "no_such_key").unwrap();
        assert_eq!(unknown.get().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
