//! Kernel settings: changed with the former value remembered, and put back at the end.
//!
//! The former values are also written to `RUN_DIR/ribd.sysctl`, because a ribd that was killed leaves its
//! own values in the kernel and its successor must not take those for the operator's.

use anyhow::Context as _;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// See the module text.
#[derive(Debug)]
pub(crate) struct SysctlStore {
    file: PathBuf,
    /// Path below `/proc/sys` to the value before our first write.
    former: BTreeMap<String, String>,
}

impl SysctlStore {
    /// Reads what a killed predecessor remembered.
    pub(crate) fn open(file: &Path) -> anyhow::Result<Self> {
        let former = match fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                tracing::warn!(%error, file = %file.display(), "unreadable, former kernel settings are lost");
                BTreeMap::new()
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(e).with_context(|| format!("reading {}", file.display())),
        };
        Ok(Self { file: file.to_owned(), former })
    }

    /// Writes a value unless it is there already.
    pub(crate) fn set(&mut self, path: &[String], value: u32) -> Result<(), String> {
        let place = place(path).ok_or("not a path below /proc/sys")?;
        let now = fs::read_to_string(&place).map_err(|e| e.to_string())?.trim().to_owned();
        let value = value.to_string();
        if now == value {
            return Ok(());
        }
        if let Entry::Vacant(vacant) = self.former.entry(path.join("/")) {
            vacant.insert(now);
            self.remember();
        }
        fs::write(&place, value).map_err(|e| e.to_string())
    }

    /// Puts every value back and forgets. Interfaces that are gone took theirs along.
    pub(crate) fn restore(&mut self) {
        for (path, value) in core::mem::take(&mut self.former) {
            let elements: Vec<String> = path.split('/').map(str::to_owned).collect();
            let Some(place) = place(&elements) else { continue };
            match fs::write(&place, &value) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, %path, %value, "a kernel setting could not be put back");
                }
                _ => {}
            }
        }
        let _ = fs::remove_file(&self.file);
    }

    fn remember(&self) {
        let written = serde_json::to_vec(&self.former)
            .map_err(io::Error::other)
            .and_then(|bytes| fs::write(&self.file, bytes));
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.file.display(), "former kernel settings are not recorded");
        }
    }
}

/// The file of a setting; `None` if an element would lead elsewhere.
fn place(path: &[String]) -> Option<PathBuf> {
    let harmless = |e: &String| !e.is_empty() && !e.contains('/') && e != "." && e != "..";
    path.iter().all(harmless).then(|| path.iter().fold(PathBuf::from("/proc/sys"), |p, e| p.join(e)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_proc_sys() {
        let path = |text: &[&str]| place(&text.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>());
        assert_eq!(path(&["net", "eth0.5"]), Some(PathBuf::from("/proc/sys/net/eth0.5")));
        assert_eq!(path(&["net", ".."]), None);
        assert_eq!(path(&["net", "a/b"]), None);
        assert_eq!(path(&["net", ""]), None);
    }
}
