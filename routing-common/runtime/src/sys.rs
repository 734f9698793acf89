//! The few system calls neither nix nor socket2 wraps. All `unsafe` of the suite is here.

use routing_common::id::{IfIndex, InterfaceName};
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

/// The further groups of whoever is at the other end of a connected Unix socket, as the kernel noted them when he connected.
pub(crate) fn peer_groups(fd: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    // The kernel says how many there are when they do not fit; it allows 65536.
    let mut groups = vec![0u32; 64];
    loop {
        let octets = groups.len() * size_of::<u32>();
        let mut length = libc::socklen_t::try_from(octets).map_err(io::Error::other)?;
        // SAFETY: `groups` has `length` octets that may be written and lives through the call, every bit pattern is a
        // group; the kernel writes at most `length` octets and the new length. A descriptor of another kind is refused.
        let rc = unsafe {
            libc::getsockopt(
                fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = usize::try_from(length).unwrap_or(0) / size_of::<u32>();
        if rc == 0 {
            groups.truncate(count);
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::ERANGE) || count <= groups.len() {
            return Err(error);
        }
        groups.resize(count, 0);
    }
}

/// Binds a packet socket to an interface and an Ethernet type (host order; 0 hears nothing).
pub(crate) fn bind_packet(fd: BorrowedFd<'_>, ifindex: IfIndex, protocol: u16) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: AF_PACKET,
        sll_protocol: protocol.to_be(),
        sll_ifindex: ifindex.0.cast_signed(),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // proof: the structure is 20 octets long.
    let length = libc::socklen_t::try_from(size_of_val(&address)).expect("an address is small");
    // SAFETY: `address` is a fully initialised `sockaddr_ll`, `length` its size; the kernel copies it
    // during the call. A descriptor of another family is refused with an error.
    let rc = unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes the interface's card accept a multicast hardware address while the packet socket lives.
pub(crate) fn packet_membership(fd: BorrowedFd<'_>, ifindex: IfIndex, mac: [u8; 6]) -> io::Result<()> {
    let [a, b, c, d, e, f] = mac;
    let request = libc::packet_mreq {
        mr_ifindex: ifindex.0.cast_signed(),
        mr_type: PACKET_MR_MULTICAST,
        mr_alen: 6,
        mr_address: [a, b, c, d, e, f, 0, 0],
    };
    set_option(fd, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
}

/// The speed in Mbit/s that an interface's driver reports; `None` when it knows none (no carrier, a
/// virtual device) or the interface has gone. `fd` is any socket in the interface's namespace.
pub(crate) fn link_speed(fd: BorrowedFd<'_>, interface: &InterfaceName) -> Option<u32> {
    let mut command = EthtoolCommand { command: ETHTOOL_GSET, rest: [0; 10] };
    let mut name = [0; libc::IFNAMSIZ];
    for (to, from) in name.iter_mut().take(libc::IFNAMSIZ - 1).zip(interface.as_str().bytes()) {
        *to = from.cast_signed();
    }
    let mut request = libc::ifreq {
        ifr_name: name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: (&raw mut command).cast() },
    };
    // SAFETY: `request` is a whole `ifreq` with a terminated name; its data pointer leads to an
    // `ethtool_cmd`'s 44 octets, as ETHTOOL_GSET demands, and both live through the call. The kernel
    // keeps neither. Every bit pattern is a valid `EthtoolCommand`.
    let rc = unsafe { libc::ioctl(fd.as_raw_fd(), SIOCETHTOOL, &raw mut request) };
    let speed = command.speed();
    (rc == 0 && speed != 0 && speed != u32::MAX && speed != 0xffff).then_some(speed)
}

const SIOCETHTOOL: libc::Ioctl = 0x8946;
const ETHTOOL_GSET: u32 = 1;

/// `struct ethtool_cmd`, of which only the speed is of interest.
#[repr(C)]
struct EthtoolCommand {
    command: u32,
    /// supported, advertising; speed and four octets; addresses; two counters; speed_hi and two octets;
    /// three more.
    rest: [u32; 10],
}

const _: () = assert!(size_of::<EthtoolCommand>() == 44, "the kernel copies 44 octets");

impl EthtoolCommand {
    /// The speed's low half is at octet 12, its high half at octet 28.
    fn speed(&self) -> u32 {
        let half = |word: u32| {
            let [a, b, ..] = word.to_ne_bytes();
            u32::from(u16::from_ne_bytes([a, b]))
        };
        half(self.rest[2]) | half(self.rest[6]) << 16
    }
}

const AF_PACKET: u16 = 17;
const PACKET_MR_MULTICAST: u16 = 0;

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

/// Gives the pages of free blocks back to the kernel, wherever they lie; glibc by itself does so at the end of the heap only.
/// It takes about a millisecond for each ten megabytes.
pub fn give_back_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer and touches nothing that is allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Puts the calling thread into the real-time class SCHED_RR; threads and processes it starts are not in it.
///
/// # Errors
/// EPERM without CAP_SYS_NICE and an RLIMIT_RTPRIO of at least `priority`; EINVAL for a priority outside 1 to 99.
pub(crate) fn set_round_robin(priority: u8) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: i32::from(priority) };
    // SAFETY: 0 names the calling thread, `parameters` is a whole `sched_param` on our own stack; the kernel copies it
    // and keeps no pointer.
    let rc = unsafe {
        libc::sched_setscheduler(0, libc::SCHED_RR | libc::SCHED_RESET_ON_FORK, &raw const parameters)
    };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
