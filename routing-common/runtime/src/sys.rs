//! The few system calls neither nix nor socket2 wraps. All `unsafe` of the suite is here.

use std::io;
use std::ops::Deref;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use tokio::io::unix::AsyncFd;

/// `setsockopt` with an option whose value is one C `int`.
pub(crate) fn set_int_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    set_option(fd, level, name, &value)
}

/// A value the kernel reads as plain bytes: every bit pattern is valid and there is no padding.
///
/// # Safety
/// Implementors are `repr(C)` (or primitive), `Copy`, and hold no padding and no pointer.
pub(crate) unsafe trait PlainOption: Copy {}

// SAFETY: a primitive integer.
unsafe impl PlainOption for i32 {}
// SAFETY: `repr(C)` in libc; int, u16, u16, [u8; 8] leave no padding.
unsafe impl PlainOption for libc::packet_mreq {}

/// `setsockopt` with any plain value.
pub(crate) fn set_option<T: PlainOption>(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: &T,
) -> io::Result<()> {
    // proof: option values are a few octets long.
    let length = libc::socklen_t::try_from(size_of::<T>()).expect("an option value is small");
    // SAFETY: `value` points to `length` initialised octets (no padding, by `PlainOption`) that live
    // through the call; the kernel copies them and keeps no pointer. A descriptor of the wrong type is
    // refused with an error.
    let rc = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const *value).cast(), length) };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A non-blocking descriptor registered with the runtime's reactor.
///
/// Gives shared access only: with a `&mut AsyncFd` one could swap the descriptor under the reactor.
#[derive(Debug)]
pub(crate) struct Descriptor(AsyncFd<OwnedFd>);

impl Descriptor {
    /// Registers a descriptor that was opened non-blocking. Must be called inside a tokio runtime.
    pub(crate) fn register(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        // SAFETY: an `OwnedFd` is open, always reports the same number, and stays open until it is
        // dropped with the `AsyncFd`, because `Deref` below hands out only `&AsyncFd`.
        let fd = unsafe { AsyncFd::register(fd.into()) }?;
        Ok(Self(fd))
    }
}

impl Deref for Descriptor {
    type Target = AsyncFd<OwnedFd>;

    fn deref(&self) -> &AsyncFd<OwnedFd> {
        &self.0
    }
}
