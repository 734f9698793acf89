//! Documents written from a run: Markdown, and what a reader must know about the machine.
//!
//! A generated document says so in its second line, carries its date and versions, and keeps to 120 columns where Markdown
//! lets it (a row of a table is one line).

use crate::stack::Stack;
use anyhow::{Context, Result, ensure};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Columns of running text.
const WIDTH: usize = 118;

/// A Markdown document under construction.
#[derive(Debug, Default)]
pub struct Document {
    text: String,
}

impl Document {
    /// Begins with a title and the note that nobody edits this by hand.
    pub fn new(title: &str, command: &str) -> Self {
        let note = format!(
            "<!-- Written by `{command}` from a run. Do not edit; run it again (as root, on an otherwise idle machine). -->"
        );
        Self { text: format!("# {title}\n\n{note}\n") }
    }

    /// A heading.
    pub fn heading(&mut self, level: usize, title: &str) {
        let _ = write!(self.text, "\n{} {title}\n", "#".repeat(level));
    }

    /// Running text, wrapped.
    pub fn paragraph(&mut self, text: &str) {
        let _ = write!(self.text, "\n{}\n", wrap(text, ""));
    }

    /// A list.
    pub fn list<S: AsRef<str>>(&mut self, items: &[S]) {
        self.text.push('\n');
        for item in items {
            let _ = writeln!(self.text, "- {}", wrap(item.as_ref(), "  "));
        }
    }

    /// A table.
    pub fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let _ = write!(self.text, "\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
        for row in rows {
            let _ = writeln!(self.text, "| {} |", row.join(" | "));
        }
    }

    /// A drawing, as it is.
    pub fn drawing(&mut self, text: &str) {
        let _ = write!(self.text, "\n```\n{}\n```\n", text.trim_matches('\n'));
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(self, file: &Path) -> Result<()> {
        let beside = file.with_extension("md.new");
        std::fs::write(&beside, self.text).with_context(|| beside.display().to_string())?;
        std::fs::rename(&beside, file).with_context(|| file.display().to_string())
    }
}

/// Breaks text at spaces; every line but the first is indented.
fn wrap(text: &str, indent: &str) -> String {
    let (mut wrapped, mut column) = (String::new(), indent.len());
    for word in text.split_whitespace() {
        let width = word.chars().count();
        if column > indent.len() && column + 1 + width > WIDTH {
            wrapped = wrapped + "\n" + indent;
            column = indent.len();
        } else if column > indent.len() {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += width;
    }
    wrapped
}

/// Today's date (UTC), kernel, processors and memory: the first lines of a document.
///
/// # Errors
/// `date` or `/proc` cannot be read.
pub fn machine() -> Result<Vec<String>> {
    let read = |file: &str| std::fs::read_to_string(file).with_context(|| file.to_owned());
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processors = read("/proc/cpuinfo")?;
    let count = processors.lines().filter(|line| line.starts_with("processor")).count();
    let model = after(&processors, "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = after(&read("/proc/meminfo")?, "MemTotal").unwrap_or_default();
    let kilobytes: u64 = memory.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default();
    Ok(vec![
        format!("Date: {} (UTC)", said(Command::new("date").args(["-u", "+%Y-%m-%d %H:%M"]))?),
        format!("Kernel: Linux {}", read("/proc/sys/kernel/osrelease")?.trim()),
        format!("Machine: {count} × {model} (virtual), {} GiB of memory", (kilobytes + (1 << 19)) >> 20),
    ])
}

/// The version of a suite as its own programs tell it.
///
/// # Errors
/// A program does not start.
pub fn version(stack: Stack, daemons: &Path) -> Result<String> {
    let of = |program: &Path| said(Command::new(program).arg("--version"));
    let last_word = |text: String| text.split_whitespace().last().unwrap_or_default().to_owned();
    Ok(match stack {
        Stack::Torc => format!("Torc {}", last_word(of(&daemons.join("torc"))?)),
        Stack::Frr => format!("FRR {}", last_word(of(Path::new("/usr/lib/frr/zebra"))?)),
        Stack::Bird => {
            let keepalived = of(Path::new("/usr/sbin/keepalived"))?;
            let keepalived = keepalived.split_whitespace().nth(1).unwrap_or_default().trim_start_matches('v');
            format!("BIRD {} with keepalived {keepalived}", last_word(of(Path::new("/usr/sbin/bird"))?))
        }
    })
}

/// The first line a command prints, wherever it prints it.
fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{}", command.get_program().display()))?;
    let text = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
    ensure!(!line.is_empty(), "{} says nothing", command.get_program().display());
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_never_wider_than_the_page() {
        let text = "word ".repeat(100);
        let wrapped = wrap(&text, "  ");
        assert!(wrapped.lines().all(|line| line.len() <= WIDTH), "{wrapped}");
        assert!(wrapped.lines().skip(1).all(|line| line.starts_with("  word")), "{wrapped}");
        assert_eq!(wrapped.split_whitespace().count(), 100);
    }

    #[test]
    fn a_document_is_markdown() {
        let mut document = Document::new("T", "cargo xtask t");
        document.heading(2, "H");
        document.table(&["a", "b"], &[vec!["1".to_owned(), "2".to_owned()]]);
        assert!(document.text.ends_with("\n## H\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"), "{}", document.text);
    }
}
