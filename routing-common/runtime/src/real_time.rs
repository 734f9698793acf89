//! What a thread needs to keep its deadlines: the real-time class, memory that stays, timers without slack.
//!
//! All of it is a privilege that may be refused (a container without CAP_SYS_NICE, a user namespace). Whoever asks says
//! so to the operator and goes on: late is better than never.

use crate::sys::set_round_robin;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use std::io;

/// What a thread was granted of what it asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Granted {
    /// Its priority in SCHED_RR.
    pub real_time: Option<u8>,
    /// No memory of the process is paged out.
    pub memory_locked: bool,
    /// For the operator: what was refused, why, and what suffers.
    pub problems: Vec<String>,
}

/// Asks for all of it for the calling thread; `what` is what load would delay.
pub fn claim(priority: u8, what: &str) -> Granted {
    without_slack();
    let mut granted = Granted::default();
    match enter(priority) {
        Ok(()) => granted.real_time = Some(priority),
        Err(error) => {
            granted
                .problems
                .push(format!("no real-time scheduling: {error}; load on this host delays {what}"));
        }
    }
    match lock_memory() {
        Ok(()) => granted.memory_locked = true,
        Err(error) => granted.problems.push(format!("memory is not locked: {error}; paging delays {what}")),
    }
    granted
}

/// Puts the calling thread into SCHED_RR with this priority (1 to 99).
///
/// # Errors
/// EPERM without CAP_SYS_NICE or the limit for it.
fn enter(priority: u8) -> io::Result<()> {
    set_round_robin(priority)
}

/// Keeps all memory the process uses from being paged out, also what it comes to use.
///
/// # Errors
/// EPERM without the privilege to lock without a limit: with one, a later allocation would fail.
fn lock_memory() -> io::Result<()> {
    setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY)?;
    // Only what was touched: stacks reserve megabytes they never use.
    let on_fault = MlockAllFlags::from_bits_retain(libc::MCL_ONFAULT);
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE | on_fault)?;
    Ok(())
}

/// Lets the calling thread's waits end when they should; the kernel's default adds up to 50 µs to save wake-ups.
fn without_slack() {
    // proof: 1 ns is valid on every kernel that knows the call, and one that does not has no slack to take away.
    let _ = prctl::set_timerslack(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refused_is_an_error_and_nothing_else() {
        assert_eq!(enter(100).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        without_slack();
        assert_eq!(prctl::get_timerslack(), Ok(1));
    }
}
