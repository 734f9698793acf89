//! A request is a line that ends in one zero octet; a reply is text, three zero octets and a status.

use std::io::{self, Read};

/// A longer line is refused, as FRR does.
const LONGEST: usize = 8191;

/// The requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Request {
    buffer: Vec<u8>,
}

impl Request {
    /// The next line; `None` when the client has hung up. The inner error is for a line that is too long.
    pub(super) fn read(&mut self, stream: &mut impl Read) -> io::Result<Option<Result<String, String>>> {
        let mut piece = [0; 512];
        let mut too_long = false;
        loop {
            if let Some(end) = self.buffer.iter().position(|octet| *octet == 0) {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if too_long || line.len() > LONGEST + 1 {
                    return Ok(Some(Err(format!("% The line is longer than {LONGEST} octets\n"))));
                }
                let text = String::from_utf8_lossy(line.strip_suffix(&[0]).unwrap_or_default()).into_owned();
                return Ok(Some(Ok(text)));
            }
            if self.buffer.len() > LONGEST {
                // What is dropped is not needed any more, only its end is.
                too_long = true;
                self.buffer.clear();
            }
            let count = stream.read(&mut piece)?;
            if count == 0 {
                return Ok(None);
            }
            self.buffer.extend_from_slice(piece.get(..count).unwrap_or_default());
        }
    }
}

/// The octets of a reply. The text cannot hold zeros: a reader would take them for its end.
pub(super) fn reply(text: &str, status: u8) -> Vec<u8> {
    let mut octets: Vec<u8> = text.bytes().filter(|octet| *octet != 0).collect();
    octets.extend([0, 0, 0, status]);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its octets out a few at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            let (now, later) = self.0.split_at(count);
            into[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    #[test]
    fn lines_survive_any_cut_and_a_long_one_is_refused_alone() {
        let mut sent = b"enable\0show version\0".to_vec();
        sent.extend(vec![b'x'; 20_000]);
        sent.extend(b"\0end\0rest");
        for step in [1, 3, 511, 4096] {
            let (mut stream, mut request) = (Drip(&sent, step), Request::default());
            let mut next = || request.read(&mut stream).unwrap();
            assert_eq!(next(), Some(Ok("enable".into())));
            assert_eq!(next(), Some(Ok("show version".into())));
            assert!(next().unwrap().is_err());
            assert_eq!(next(), Some(Ok("end".into())));
            assert_eq!(next(), None, "what has no end is no line");
        }
    }

    #[test]
    fn a_reply_ends_in_three_zeros_and_the_status() {
        assert_eq!(reply("", 0), [0, 0, 0, 0]);
        assert_eq!(reply("a\0b\n", 2), b"ab\n\0\0\0\x02");
    }
}
