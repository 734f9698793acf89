//! The texts on the disk: running, startup, what may be taken back, and the archive. Every file is replaced as a whole.
//!
//! | file | what |
//! | --- | --- |
//! | `RUN_DIR/running.toml` | what is in force; every daemon is started with it. Gone when the router was stopped in order |
//! | `RUN_DIR/unconfirmed.json` | what comes back unless somebody confirms |
//! | the file of `--config` | what the router boots from; written by `save` alone |
//! | `ARCHIVE/0000042.toml` | revision 42; who, when and why stand in its first line, which is a comment to TOML |
//!
//! The run directory does not survive a boot, the archive does.

use super::Unconfirmed;
use anyhow::{Context as _, bail};
use routing_common::control::configuration::Revision;
use routing_runtime::whole_file;
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

/// Revisions that are kept.
pub const KEPT: usize = 100;
/// Keys stand in these files.
const MODE: u32 = 0o640;
/// What a revision's first line begins with.
const HEAD: &str = "# torc ";

/// See the module text.
#[derive(Debug, Clone)]
pub struct Store {
    startup: PathBuf,
    run_dir: PathBuf,
    archive: PathBuf,
}

impl Store {
    /// The files of one router.
    pub fn new(startup: PathBuf, run_dir: PathBuf, archive: PathBuf) -> Self {
        Self { startup, run_dir, archive }
    }

    /// The file every daemon is started with.
    pub fn running_file(&self) -> PathBuf {
        self.run_dir.join("running.toml")
    }

    fn unconfirmed_file(&self) -> PathBuf {
        self.run_dir.join("unconfirmed.json")
    }

    /// How findings name a text: as the operator's file.
    pub fn name(&self) -> String {
        self.startup.display().to_string()
    }

    /// The text the router boots from.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn startup(&self) -> Result<String, String> {
        fs::read_to_string(&self.startup).map_err(|e| format!("error: {}: {e}", self.name()))
    }

    /// The text in force, if the router was not stopped in order.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn running(&self) -> anyhow::Result<Option<String>> {
        read_if_there(&self.running_file())
    }

    /// What may be taken back. A file that makes no sense is none: it was never half written.
    pub fn unconfirmed(&self) -> Option<Unconfirmed> {
        let text = read_if_there(&self.unconfirmed_file()).ok().flatten()?;
        serde_json::from_str(&text).ok()
    }

    /// Brings a text to where the daemons read it: before it what may be taken back, or after it nothing of the kind.
    ///
    /// # Errors
    /// What the file system says; the text in force is the former one then.
    pub fn store(&self, text: &str, unconfirmed: Option<&Unconfirmed>) -> anyhow::Result<()> {
        if let Some(unconfirmed) = unconfirmed {
            let file = self.unconfirmed_file();
            whole_file::replace(&file, &serde_json::to_vec(unconfirmed)?, MODE)
                .with_context(|| file.display().to_string())?;
        }
        let file = self.running_file();
        whole_file::replace(&file, text.as_bytes(), MODE).with_context(|| file.display().to_string())?;
        if unconfirmed.is_none() { self.settle() } else { Ok(()) }
    }

    /// Nothing may be taken back any more.
    ///
    /// # Errors
    /// What the file system says.
    pub fn settle(&self) -> anyhow::Result<()> {
        let file = self.unconfirmed_file();
        whole_file::remove(&file).with_context(|| file.display().to_string())
    }

    /// The router has been stopped in order: it will boot from its startup file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn forget_running(&self) -> anyhow::Result<()> {
        let file = self.running_file();
        whole_file::remove(&file).with_context(|| file.display().to_string())?;
        self.settle()
    }

    /// Makes `text` what the router boots from.
    ///
    /// # Errors
    /// What the file system says.
    pub fn save(&self, text: &str) -> anyhow::Result<()> {
        whole_file::replace(&self.startup, text.as_bytes(), MODE).with_context(|| self.name())
    }

    /// Keeps a revision, and drops those beyond [`KEPT`].
    ///
    /// # Errors
    /// What the file system says; nothing was kept then.
    pub fn archive(&self, revision: &Revision, text: &str) -> anyhow::Result<()> {
        fs::create_dir_all(&self.archive).with_context(|| self.archive.display().to_string())?;
        let file = self.file_of(revision.revision);
        // JSON has no line ends of its own here, so the comment stays one line whatever was typed.
        let kept = format!("{HEAD}{}\n{text}", serde_json::to_string(revision)?);
        whole_file::replace(&file, kept.as_bytes(), MODE).with_context(|| file.display().to_string())?;
        let numbers = self.numbers()?;
        for old in numbers.iter().rev().skip(KEPT) {
            whole_file::remove(&self.file_of(*old))?;
        }
        Ok(())
    }

    /// The revisions that are kept, newest first. A file that is none is passed over.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn history(&self) -> anyhow::Result<Vec<Revision>> {
        Ok(self.revisions()?.collect())
    }

    /// The text of the newest revision, and its number.
    ///
    /// # Errors
    /// When the archive cannot be read.
    pub fn newest(&self) -> anyhow::Result<Option<(u64, String)>> {
        self.revisions()?.next().map(|newest| self.with_text(&newest)).transpose()
    }

    /// The text of the revision `back` steps before the newest one.
    ///
    /// # Errors
    /// When there is none.
    pub fn back(&self, back: u32) -> anyhow::Result<(u64, String)> {
        let nth = usize::try_from(back).unwrap_or(usize::MAX);
        match self.revisions()?.nth(nth) {
            Some(found) => self.with_text(&found),
            None => bail!("there is no revision {back} steps back; {} are kept", self.revisions()?.count()),
        }
    }

    /// Newest first; each is opened when it is asked for.
    fn revisions(&self) -> anyhow::Result<impl Iterator<Item = Revision>> {
        Ok(self.numbers()?.into_iter().rev().filter_map(|n| self.head_of(n).ok()))
    }

    fn with_text(&self, revision: &Revision) -> anyhow::Result<(u64, String)> {
        Ok((revision.revision, self.text_of(revision.revision)?))
    }

    fn file_of(&self, revision: u64) -> PathBuf {
        self.archive.join(format!("{revision:07}.toml"))
    }

    fn numbers(&self) -> anyhow::Result<Vec<u64>> {
        let entries = match fs::read_dir(&self.archive) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.with_context(|| self.archive.display().to_string())?,
        };
        let number = |name: &str| name.strip_suffix(".toml")?.parse::<u64>().ok();
        let names = entries.filter_map(|e| e.ok()?.file_name().into_string().ok());
        let mut numbers: Vec<u64> = names.filter_map(|name| number(&name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn head_of(&self, revision: u64) -> anyhow::Result<Revision> {
        let mut line = String::new();
        BufReader::new(fs::File::open(self.file_of(revision))?).read_line(&mut line)?;
        let head: Revision = serde_json::from_str(line.strip_prefix(HEAD).context("no revision")?)?;
        if head.revision == revision { Ok(head) } else { bail!("another revision's") }
    }

    fn text_of(&self, revision: u64) -> anyhow::Result<String> {
        let file = self.file_of(revision);
        let mut reader = BufReader::new(fs::File::open(&file).with_context(|| file.display().to_string())?);
        reader.read_line(&mut String::new())?;
        let mut text = String::new();
        reader.read_to_string(&mut text)?;
        Ok(text)
    }
}

fn read_if_there(file: &Path) -> anyhow::Result<Option<String>> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).with_context(|| file.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(dir: &Path) -> Store {
        Store::new(dir.join("router.toml"), dir.to_owned(), dir.join("archive"))
    }

    fn revision(number: u64, comment: &str) -> Revision {
        let comment = Some(comment.to_owned()).filter(|c| !c.is_empty());
        Revision { revision: number, at: 1_000 + number, author: "a".into(), comment }
    }

    #[test]
    fn texts_come_back_as_they_were_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        assert_eq!(store.running().unwrap(), None);
        let waits = Unconfirmed { deadline_ns: 7, text: "old".into() };
        store.store("new", Some(&waits)).unwrap();
        assert_eq!((store.running().unwrap().as_deref(), store.unconfirmed()), (Some("new"), Some(waits)));
        store.store("newer", None).unwrap();
        assert_eq!((store.running().unwrap().as_deref(), store.unconfirmed()), (Some("newer"), None));
        store.forget_running().unwrap();
        assert_eq!(store.running().unwrap(), None);
        store.save("x").unwrap();
        assert_eq!(store.startup().unwrap(), "x");
    }

    #[test]
    fn the_archive_keeps_the_newest_and_what_was_said_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        assert!(store.history().unwrap().is_empty());
        for n in 1..=u64::try_from(KEPT).unwrap() + 3 {
            store
                .archive(&revision(n, if n % 2 == 0 { "two\nlines" } else { "" }), &format!("# t\nn = {n}\n"))
                .unwrap();
        }
        fs::write(dir.path().join("archive/notes.toml"), "x").unwrap();
        fs::write(dir.path().join("archive/0000009.toml"), "no head").unwrap();
        let history = store.history().unwrap();
        // One of those kept was overwritten by a file that is no revision.
        assert_eq!((history.len(), history[0].revision), (KEPT - 1, 103));
        assert_eq!(history[1].comment.as_deref(), Some("two\nlines"));
        assert_eq!(store.back(2).unwrap(), (101, "# t\nn = 101\n".to_owned()));
        assert_eq!(store.newest().unwrap().unwrap().0, 103);
        assert!(store.back(4_000).unwrap_err().to_string().contains("99 are kept"));
    }
}
