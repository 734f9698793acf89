//! Ageing (RFC 2328 §14): which entries need something done, and when.

use super::{Lsdb, Moment, Provenance};
use crate::lsa::LsaKey;
use routing_common::time::Instant;

/// What an entry wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// It reached MaxAge and must be flushed (§14).
    ReachedMaxAge,
    /// It is ours and wants a new instance (§12.4, first event).
    Refresh,
}

impl Lsdb {
    /// When [`Lsdb::pop_attention`] is to be asked next. It may have nothing then.
    pub fn next_attention(&self) -> Option<Instant> {
        self.attention.first().map(|(at, _)| *at)
    }

    /// The next entry that wants attention at `now`. It is asked for only once; one that reached MaxAge
    /// waits among [`Lsdb::max_age_keys`] from now on.
    pub fn pop_attention(&mut self, now: Instant) -> Option<(LsaKey, Attention)> {
        while self.next_attention()? <= now {
            let (_, key) = self.attention.pop_first()?;
            let entry = self.entries.get_mut(&key)?;
            entry.attention = Moment::default();
            if entry.is_max_age(now) {
                self.max_age.insert(key);
                return Some((key, Attention::ReachedMaxAge));
            }
            // A refresh that cannot happen now (the caller's concern) must not lose the end of life.
            let end = entry.end();
            entry.attention = Moment::at(end);
            self.attention.insert((end, key));
            if entry.provenance == Provenance::Own {
                return Some((key, Attention::Refresh));
            }
        }
        None
    }

    /// The entries at MaxAge that wait for removal.
    pub fn max_age_keys(&self) -> impl Iterator<Item = &LsaKey> {
        self.max_age.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::{INITIAL_SEQUENCE, MAX_AGE};
    use crate::lsa::{LsType, Lsa, LsaBody, LsaSpec, NetworkLsa, RouterLsa};
    use crate::lsdb::Provenance;
    use routing_common::id::RouterId;
    use routing_common::time::Duration;
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    fn lsa(n: u8) -> Arc<Lsa> {
        let id = Ipv4Addr::new(n, n, n, n);
        let key = LsaKey { ls_type: LsType::Router, link_state_id: id, advertising_router: RouterId(id) };
        let spec = LsaSpec { age: 0, options: 2, key, sequence: INITIAL_SEQUENCE };
        Arc::new(Lsa::build(spec, &LsaBody::Router(RouterLsa::default())))
    }

    #[test]
    fn an_own_lsa_is_refreshed_and_still_has_an_end_of_life() {
        let mut db = Lsdb::default();
        let t = Instant::from_secs;
        db.install(lsa(1), 0, Provenance::Own, Some(Duration::from_secs(1700)), t(0));
        assert_eq!(db.next_attention(), Some(t(1700)));
        assert_eq!(db.pop_attention(t(1699)), None);
        assert_eq!(db.pop_attention(t(1700)), Some((lsa(1).key(), Attention::Refresh)));
        assert_eq!(db.next_attention(), Some(t(3600)));
        assert_eq!(db.pop_attention(t(3600)), Some((lsa(1).key(), Attention::ReachedMaxAge)));
        assert_eq!(db.max_age_keys().count(), 1);
        assert_eq!(db.next_attention(), None);
    }

    #[test]
    fn what_replaces_an_lsa_reaches_max_age_in_its_own_time() {
        let mut db = Lsdb::default();
        let t = Instant::from_secs;
        db.install(lsa(1), 0, Provenance::Flooded, None, t(0));
        db.install(lsa(1), 5, Provenance::Flooded, None, t(1000));
        assert_eq!(db.pop_attention(t(3600)), None, "that was the end of the first instance");
        assert_eq!(db.next_attention(), Some(t(4595)));
        // An older one than its predecessor thought has its end before.
        db.install(lsa(1), 3000, Provenance::Flooded, None, t(3700));
        assert_eq!(db.pop_attention(t(4299)), None);
        assert_eq!(db.pop_attention(t(4300)), Some((lsa(1).key(), Attention::ReachedMaxAge)));
        assert_eq!(db.next_attention(), None);
        // One of ours is refreshed in time, whatever stood there.
        db.install(lsa(1), 0, Provenance::Flooded, None, t(5000));
        db.install(lsa(1), 0, Provenance::Own, Some(Duration::from_secs(1700)), t(5000));
        assert_eq!(db.next_attention(), Some(t(6700)));
        db.install(lsa(1), 0, Provenance::Own, Some(Duration::from_secs(1700)), t(6000));
        assert_eq!(db.next_attention(), Some(t(7700)));
        db.install(lsa(1), MAX_AGE, Provenance::Own, Some(Duration::from_secs(1700)), t(6000));
        assert_eq!((db.next_attention(), db.max_age_keys().count()), (None, 1));
        db.install(lsa(1), 0, Provenance::Flooded, None, t(7000));
        assert_eq!((db.next_attention(), db.max_age_keys().count()), (Some(t(10_600)), 0));
    }

    #[test]
    fn premature_ageing_leaves_no_attention_behind() {
        let mut db = Lsdb::default();
        let t = Instant::from_secs;
        db.install(lsa(1), 10, Provenance::Flooded, None, t(0));
        assert_eq!(db.get(&lsa(1).key()).map(|e| e.age(t(5))), Some(15));
        assert!(db.age_prematurely(&lsa(1).key(), t(5)));
        assert!(!db.age_prematurely(&lsa(1).key(), t(6)));
        assert_eq!(db.get(&lsa(1).key()).map(|e| e.age(t(5))), Some(MAX_AGE));
        assert_eq!(db.next_attention(), None);
        assert!(db.remove(&lsa(1).key()).is_some());
        assert_eq!(db.max_age_keys().count(), 0);
    }

    #[test]
    fn premature_ageing_in_the_second_of_the_natural_end_is_told_once() {
        let mut db = Lsdb::default();
        let t = Instant::from_secs;
        db.install(lsa(1), 0, Provenance::Flooded, None, t(0));
        assert!(db.age_prematurely(&lsa(1).key(), t(3600)), "nobody has been told yet");
        assert_eq!(db.pop_attention(t(3600)), None);
        db.install(lsa(1), 0, Provenance::Flooded, None, t(4000));
        assert!(db.pop_attention(t(7600)).is_some());
        assert!(!db.age_prematurely(&lsa(1).key(), t(7600)));
    }

    #[test]
    fn one_type_is_a_range() {
        let mut db = Lsdb::default();
        for n in [1, 2, 255] {
            db.install(lsa(n), 0, Provenance::Flooded, None, Instant::ZERO);
        }
        assert_eq!(db.iter_type(LsType::Router).count(), 3);
        assert_eq!(db.iter_type(LsType::Network).count(), 0);
    }

    #[test]
    fn a_full_database_takes_new_instances_of_what_it_has() {
        let mut db = Lsdb::default();
        let id = |n: u32| Ipv4Addr::from_bits(n);
        let big = |n: u32, networks: usize| {
            let key = LsaKey {
                ls_type: LsType::Network,
                link_state_id: id(n),
                advertising_router: RouterId(id(n)),
            };
            let spec = LsaSpec { age: 0, options: 2, key, sequence: INITIAL_SEQUENCE };
            let attached_routers = vec![RouterId(id(1)); networks];
            Arc::new(Lsa::build(spec, &LsaBody::Network(NetworkLsa { mask: id(0), attached_routers })))
        };
        let shared = big(1, 16_000);
        let fits = super::super::MAX_OCTETS / shared.raw().len();
        db.install(Arc::clone(&shared), 0, Provenance::Flooded, None, Instant::ZERO);
        assert!(db.has_room_for(&big(2, 16_000)));
        // As if there were so many; the sum is what counts.
        db.octets = fits * shared.raw().len();
        assert!(!db.has_room_for(&big(2, 16_000)));
        assert!(db.has_room_for(&big(1, 16_000)));
        db.octets = shared.raw().len();
        assert!(db.remove(&shared.key()).is_some());
        assert_eq!(db.octets, 0);
    }
}
