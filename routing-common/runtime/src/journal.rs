//! Log lines for systemd's journal in its own protocol: one datagram a line, with fields to search by.
//!
//! | field | what |
//! | --- | --- |
//! | `MESSAGE`, `PRIORITY`, `SYSLOG_IDENTIFIER` | the line, 3 (error) to 7 (debug), the daemon |
//! | `TORC_CODE` | the notice's code, such as `neighbor-state` |
//! | `MESSAGE_ID` | 128 bits made from the code, the same in every release |
//! | `TORC_INTERFACE`, `TORC_NEIGHBOR` | what it is about, where it is about one |
//! | `TORC_…` | whatever else the line has |
//!
//! The socket never makes a daemon wait: what the journal does not take at once goes to standard error.

use core::fmt::{Debug, Write as _};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where systemd listens.
pub(crate) const SOCKET: &str = "/run/systemd/journal/socket";

/// The journal's end of a connection.
#[derive(Debug)]
pub(crate) struct Journal {
    socket: UnixDatagram,
    daemon: String,
}

impl Journal {
    /// Connects to the journal that listens at `path`.
    ///
    /// # Errors
    /// When nobody does.
    pub(crate) fn open(path: &Path, daemon: &str) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket, daemon: daemon.to_owned() })
    }
}

/// Is the stream `fd` what systemd said it gave this process for a log (`JOURNAL_STREAM`, "device:inode")?
pub(crate) fn is_journal(fd: impl AsFd, journal_stream: Option<&str>) -> bool {
    let Ok(stat) = nix::sys::stat::fstat(fd) else { return false };
    journal_stream == Some(format!("{}:{}", stat.st_dev, stat.st_ino).as_str())
}

impl<S: Subscriber> Layer<S> for Journal {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut entry = Entry::default();
        let priority = match *event.metadata().level() {
            Level::ERROR => "3",
            Level::WARN => "4",
            // What an operator wants to know is more than chatter.
            Level::INFO => "6",
            Level::DEBUG | Level::TRACE => "7",
        };
        entry.field("PRIORITY", priority);
        entry.field("SYSLOG_IDENTIFIER", &self.daemon);
        event.record(&mut entry);
        if let Err(error) = self.socket.send(&entry.octets) {
            let text = entry.message;
            eprintln!("{text} (the journal does not take it: {error})");
        }
    }
}

/// A datagram in the making.
#[derive(Default)]
struct Entry {
    octets: Vec<u8>,
    message: String,
}

impl Entry {
    fn field(&mut self, name: &str, value: &str) {
        self.octets.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            self.octets.push(b'\n');
            self.octets.extend_from_slice(&u64::try_from(value.len()).unwrap_or(u64::MAX).to_le_bytes());
        } else {
            self.octets.push(b'=');
        }
        self.octets.extend_from_slice(value.as_bytes());
        self.octets.push(b'\n');
    }

    fn record(&mut self, name: &str, value: &str) {
        match name {
            "message" => {
                value.clone_into(&mut self.message);
                self.field("MESSAGE", value);
            }
            "code" => {
                self.field("TORC_CODE", value);
                self.field("MESSAGE_ID", &format!("{:032x}", message_id(value)));
            }
            other => {
                let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
                let name: String = "TORC_".chars().chain(other.chars().map(plain)).collect();
                self.field(&name, value);
            }
        }
    }
}

impl Visit for Entry {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{value:?}");
        self.record(field.name(), &text);
    }
}

fn message_id(code: &str) -> u128 {
    fnv_1a(&[b"torc:", code.as_bytes()].concat())
}

/// FNV-1a with 128 bits.
fn fnv_1a(octets: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    octets.iter().fold(BASIS, |hash, octet| (hash ^ u128::from(*octet)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logging::NoticeLog;
    use routing_common::notice::Notice;
    use routing_common::time::Instant;
    use std::os::unix::fs::MetadataExt as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn a_notice_is_one_datagram_with_its_facts_as_fields() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        assert!(Journal::open(&path, "ospfd").is_err(), "nobody listens");
        let receiver = UnixDatagram::bind(&path).unwrap();
        receiver.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let journal = Journal::open(&path, "ospfd").unwrap();
        let receive = || {
            let mut piece = vec![0; 4096];
            let count = receiver.recv(&mut piece).unwrap();
            piece.truncate(count);
            piece
        };
        tracing::subscriber::with_default(tracing_subscriber::registry().with(journal), || {
            let mut log = NoticeLog::with_facts();
            let notice = Notice::warning("neighbor-state", "neighbor 10.0.0.2 on eth1: Full to Down");
            log.write(Instant::ZERO, &notice.on("eth1").about("10.0.0.2"));
            let text = String::from_utf8(receive()).unwrap();
            let id = format!("MESSAGE_ID={:032x}", message_id("neighbor-state"));
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            assert_eq!(
                lines,
                [
                    "MESSAGE=neighbor 10.0.0.2 on eth1: Full to Down",
                    &id,
                    "PRIORITY=4",
                    "SYSLOG_IDENTIFIER=ospfd",
                    "TORC_CODE=neighbor-state",
                    "TORC_INTERFACE=eth1",
                    "TORC_NEIGHBOR=10.0.0.2",
                ]
            );
            log.write(Instant::ZERO, &Notice::info("x", "y"));
            assert!(!String::from_utf8(receive()).unwrap().contains("TORC_INTERFACE"), "it is about none");
            tracing::error!(exit_code = 3, "two\nlines");
            let entry = receive();
            let framed = b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n";
            assert!(entry.windows(framed.len()).any(|w| w == framed), "{entry:?}");
            assert!(String::from_utf8_lossy(&entry).contains("TORC_EXIT_CODE=3\n"));
        });
    }

    #[test]
    fn ids_are_stable_and_the_journals_stream_is_known_by_its_number() {
        // The published digests: another function would break everybody's filters.
        assert_eq!(fnv_1a(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv_1a(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_ne!(message_id("neighbor-state"), message_id("bfd-down"));
        let file = tempfile::tempfile().unwrap();
        let meta = file.metadata().unwrap();
        let stream = format!("{}:{}", meta.dev(), meta.ino());
        assert!(is_journal(&file, Some(&stream)));
        assert!(!is_journal(&file, Some("1:2")) && !is_journal(&file, None));
    }
}
