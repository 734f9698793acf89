//! Unix sockets of a daemon: making one appear ready, and frames on a byte stream.

use routing_common::control::MAX_FRAME;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::UnixListener;

/// Owner and group may talk to a daemon.
pub(crate) const MODE: u32 = 0o660;

/// Listens at `path` with a socket of this mode, replacing what an earlier process left there.
///
/// The socket is made under another name and moved into place once it has its mode, so that a client
/// finds either nothing or a socket that answers and that it may use.
pub(crate) fn listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let mut name = OsString::from(".");
    name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(".new");
    let fresh = path.with_file_name(name);
    match fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&fresh)?;
    set_mode(&fresh, mode)?;
    fs::rename(&fresh, path)?;
    Ok(listener)
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Waits between failed `accept`s: they fail when descriptors run out, which does not pass at once.
pub(crate) const ACCEPT_PAUSE: std::time::Duration = std::time::Duration::from_millis(100);

/// Reads one frame into `frame`; `false` at a clean end of the stream. A length above `limit` is an
/// error, and memory is taken only as octets arrive. Not cancel safe.
pub(crate) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
    frame: &mut Vec<u8>,
) -> io::Result<bool> {
    let mut head = [0; 4];
    if stream.read(&mut head[..1]).await? == 0 {
        return Ok(false);
    }
    read_rest(stream, head, limit, frame).await?;
    Ok(true)
}

/// Reads the frame whose first octet, in `head`, is there already.
pub(crate) async fn read_rest(
    stream: &mut (impl AsyncRead + Unpin),
    mut head: [u8; 4],
    limit: usize,
    frame: &mut Vec<u8>,
) -> io::Result<()> {
    stream.read_exact(&mut head[1..]).await?;
    let length = u32::from_be_bytes(head);
    if usize::try_from(length).unwrap_or(usize::MAX) > limit.min(MAX_FRAME) {
        return Err(io::Error::other(format!("a frame of {length} octets is longer than {limit}")));
    }
    frame.clear();
    let read = stream.take(u64::from(length)).read_to_end(frame).await?;
    if u32::try_from(read) == Ok(length) { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}
