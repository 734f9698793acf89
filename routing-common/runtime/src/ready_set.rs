//! Many sockets, one for each interface, waited for as one.
//!
//! A second epoll instance holds them, and the reactor knows that instance alone. So what it costs to wait, and to find out who can be
//! read, does not grow with the number of interfaces. It is level-triggered: a socket that was not read to its end is named again, after
//! the others.

use crate::sys::Descriptor;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use routing_common::id::IfIndex;
use std::io;
use std::os::fd::AsFd;

/// Interfaces named at once: more than a router has. Who is not named is not read before timers run, and a neighbour must not be taken for
/// silent because another one spoke.
const AT_ONCE: usize = 512;

/// Sockets that are waited for. One leaves by being closed.
#[derive(Debug)]
pub struct ReadySet {
    epoll: Epoll,
    /// The same instance under a second number, for the reactor.
    readiness: Descriptor,
}

impl ReadySet {
    /// An empty set; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let readiness = Descriptor::register(epoll.0.try_clone()?)?;
        Ok(Self { epoll, readiness })
    }

    /// Waits from now on for a socket of this interface as well.
    ///
    /// # Errors
    /// EEXIST for one that is waited for already, ENOMEM, ENOSPC.
    pub fn add(&self, ifindex: IfIndex, socket: &impl AsFd) -> io::Result<()> {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, u64::from(ifindex.0));
        Ok(self.epoll.add(socket, event)?)
    }

    /// Waits until some sockets can be read, or have an error to tell, and gives their interfaces. Cancel safe.
    pub async fn next(&self) -> Vec<IfIndex> {
        loop {
            let Ok(mut guard) = self.readiness.readable().await else {
                // The reactor is shutting down and with it whoever waits.
                return std::future::pending().await;
            };
            let ready = self.ready();
            if !ready.is_empty() {
                guard.retain_ready();
                return ready;
            }
            // Without loss: who becomes readable after the look has the reactor told anew.
            guard.clear_ready();
        }
    }

    /// The interfaces whose sockets can be read now.
    pub fn ready(&self) -> Vec<IfIndex> {
        let mut events = [EpollEvent::empty(); AT_ONCE];
        // proof: the descriptor is an epoll instance and nothing waits, so nothing can be refused or interrupted.
        let count = self.epoll.wait(&mut events, EpollTimeout::ZERO).unwrap_or(0);
        let keys = events.iter().take(count).map(EpollEvent::data);
        keys.filter_map(|key| u32::try_from(key).ok()).map(IfIndex).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::eventfd::EventFd;
    use std::collections::BTreeSet;
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;
    use tokio::time::timeout;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(10);

    fn said(by: &UnixDatagram) {
        by.send(b"x").unwrap();
    }

    fn read(socket: &UnixDatagram) {
        socket.recv(&mut [0; 8]).unwrap();
    }

    #[tokio::test]
    async fn whoever_can_be_read_is_named_until_he_is_read_or_closed() {
        let set = ReadySet::new().unwrap();
        let pairs: Vec<_> = (0..3).map(|_| UnixDatagram::pair().unwrap()).collect();
        for (ifindex, (here, _)) in (0..).map(IfIndex).zip(&pairs) {
            set.add(ifindex, here).unwrap();
        }
        assert!(set.add(IfIndex(0), &pairs[0].0).is_err());
        assert!(timeout(SHORT, set.next()).await.is_err());
        for _ in 0..3 {
            said(&pairs[1].1);
            said(&pairs[1].1);
            assert_eq!(timeout(LONG, set.next()).await.unwrap(), [IfIndex(1)]);
            read(&pairs[1].0);
            assert_eq!(timeout(LONG, set.next()).await.unwrap(), [IfIndex(1)], "one is left");
            read(&pairs[1].0);
            assert_eq!(set.ready(), []);
            assert!(timeout(SHORT, set.next()).await.is_err());
        }
        said(&pairs[0].1);
        said(&pairs[2].1);
        let both: BTreeSet<_> = timeout(LONG, set.next()).await.unwrap().into_iter().collect();
        assert_eq!(both, BTreeSet::from([IfIndex(0), IfIndex(2)]));
        drop(pairs);
        assert!(timeout(SHORT, set.next()).await.is_err(), "closed");
    }

    #[tokio::test]
    async fn more_than_are_named_at_once_have_their_turns() {
        let set = ReadySet::new().unwrap();
        let count = AT_ONCE + 100;
        let sockets: Vec<_> = (0..count).map(|_| EventFd::from_value(1).unwrap()).collect();
        for (ifindex, socket) in (0..).map(IfIndex).zip(&sockets) {
            set.add(ifindex, socket).unwrap();
        }
        // Nobody reads: the others are named all the same.
        let mut named = BTreeSet::new();
        for _ in 0..2 {
            named.extend(set.next().await);
        }
        assert_eq!(named.len(), count);
    }
}
