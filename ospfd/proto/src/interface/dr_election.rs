//! Electing the Designated Router (RFC 2328 §9.4) as a pure function.
//!
//! The candidates are given as they declare themselves in their Hellos; ourselves included, with what we
//! hold at this moment. The caller compares old and new and invokes AdjOK? (step 7). Step 6 is for NBMA
//! networks, which this suite does not run.

use routing_common::id::RouterId;
use std::net::Ipv4Addr;

/// A router on the network, in state 2-Way or greater, or ourselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub router_id: RouterId,
    /// Its interface address: what Hello packets name routers by.
    pub address: Ipv4Addr,
    /// Router Priority; 0 is ineligible.
    pub priority: u8,
    /// The Designated Router it declares.
    pub designated_router: Ipv4Addr,
    /// The Backup Designated Router it declares.
    pub backup_designated_router: Ipv4Addr,
}

/// Who was elected; 0.0.0.0 for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Elected {
    /// Designated Router's interface address.
    pub designated_router: Option<Ipv4Addr>,
    /// Backup Designated Router's interface address.
    pub backup_designated_router: Option<Ipv4Addr>,
}

impl Candidate {
    fn declares_itself_dr(&self) -> bool {
        self.designated_router == self.address
    }

    fn declares_itself_backup(&self) -> bool {
        self.backup_designated_router == self.address && !self.declares_itself_dr()
    }

    fn rank(&self) -> (u8, u32) {
        (self.priority, self.router_id.to_bits())
    }
}

/// Runs the algorithm for the router `own` (Router X) among `others`, its bidirectional neighbours.
pub fn elect(own: Candidate, others: &[Candidate]) -> Elected {
    let mut own = own;
    let first = round(own, others);
    // (4): if X's own part changed, repeat (2) and (3) with X declaring its new part.
    let was = (own.declares_itself_dr(), own.declares_itself_backup());
    let is =
        (first.designated_router == Some(own.address), first.backup_designated_router == Some(own.address));
    if was == is {
        return first;
    }
    own.designated_router = first.designated_router.unwrap_or(Ipv4Addr::UNSPECIFIED);
    own.backup_designated_router = first.backup_designated_router.unwrap_or(Ipv4Addr::UNSPECIFIED);
    round(own, others)
}

/// Steps (2) and (3).
fn round(own: Candidate, others: &[Candidate]) -> Elected {
    let eligible = || others.iter().chain([&own]).filter(|c| c.priority > 0);
    let backup = eligible()
        .filter(|c| c.declares_itself_backup())
        .max_by_key(|c| c.rank())
        .or_else(|| eligible().filter(|c| !c.declares_itself_dr()).max_by_key(|c| c.rank()))
        .map(|c| c.address);
    let designated =
        eligible().filter(|c| c.declares_itself_dr()).max_by_key(|c| c.rank()).map(|c| c.address).or(backup);
    Elected { designated_router: designated, backup_designated_router: backup }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: u8 = 0;

    fn address(n: u8) -> Ipv4Addr {
        if n == NOBODY { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::new(10, 0, 0, n) }
    }

    fn router(n: u8, priority: u8, dr: u8, bdr: u8) -> Candidate {
        Candidate {
            router_id: RouterId(Ipv4Addr::new(n, n, n, n)),
            address: address(n),
            priority,
            designated_router: address(dr),
            backup_designated_router: address(bdr),
        }
    }

    fn result(dr: u8, bdr: u8) -> Elected {
        let some = |n| (n != NOBODY).then(|| address(n));
        Elected { designated_router: some(dr), backup_designated_router: some(bdr) }
    }

    #[test]
    fn alone_it_elects_itself_and_no_backup() {
        assert_eq!(elect(router(1, 1, 0, 0), &[]), result(1, 0));
    }

    #[test]
    fn on_a_fresh_network_priority_then_router_id_decide() {
        let all = |own: u8| {
            let r = |n| router(n, if n == 1 { 5 } else { 1 }, 0, 0);
            let others: Vec<_> = (1..=3).filter(|n| *n != own).map(r).collect();
            elect(r(own), &others)
        };
        // Router 1 sees itself become both, repeats, and leaves Backup to the next best.
        assert_eq!(all(1), result(1, 3));
        // The others see 1 as both until it declares itself (the RFC's remark on the same router).
        assert_eq!(all(2), result(1, 1));
    }

    #[test]
    fn a_sitting_designated_router_is_not_deposed() {
        assert_eq!(elect(router(9, 255, 0, 0), &[router(1, 1, 1, 2), router(2, 1, 1, 2)]), result(1, 2));
    }

    #[test]
    fn the_backup_follows_a_dead_designated_router_and_a_new_backup_is_found() {
        // Router 2 was Backup; router 1 is gone.
        assert_eq!(elect(router(2, 1, 1, 2), &[router(3, 1, 1, 2)]), result(2, 3));
    }

    #[test]
    fn priority_zero_is_never_elected() {
        assert_eq!(elect(router(1, 0, 0, 0), &[router(2, 0, 0, 0)]), result(0, 0));
        assert_eq!(elect(router(1, 0, 0, 0), &[router(2, 1, 2, 0)]), result(2, 0));
    }

    #[test]
    fn of_two_declared_designated_routers_the_better_stays() {
        // After a partition heals: X (router 1) was DR, so is 2; X must step down and may become Backup.
        assert_eq!(elect(router(1, 1, 1, 0), &[router(2, 1, 2, 0)]), result(2, 1));
    }
}
