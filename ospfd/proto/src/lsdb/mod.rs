//! The link state database (RFC 2328 §12.2), one per flooding scope.
//!
//! Each area has one, the AS has one (types 5 and 11), each interface has one (type 9);
//! [`DatabaseId`] names them. A [`Lsdb`] stores and ages; who floods, acknowledges and recomputes is the
//! instance.
//!
//! Invariants:
//! * At most one instance per [`LsaKey`]. Retransmission lists hold keys only and mean the instance that
//!   is here, so installing a newer one can never leave an old one behind on a list (§13 (5)(c)).
//! * Ages do not tick. An entry knows its age when it was installed and when that was.
//! * Every entry that is not at MaxAge stands exactly once in the `attention` index: our own at the moment it
//!   wants refreshing or reaches MaxAge, another at that moment *or before*. What replaces an LSA takes its
//!   place, which is moved to where it belongs when its time comes: in a database at work nearly all LSAs are
//!   replaced before. Every entry at MaxAge stands in `max_age` until it may be removed (§14).
//! * `octets` is the sum of the entries' lengths.
//!
//! Deviation: the checksum is not verified again at every CheckAge (§14); the octets are immutable.

mod aging;

use crate::constants::MAX_AGE;
use crate::lsa::{LsType, Lsa, LsaHeader, LsaKey, Scope};
use crate::spf::{LsaSource, keys_in};
use core::num::NonZeroU64;
use ipnetwork::Ipv4Network;
use routing_common::id::{AreaId, IfIndex, RouterId};
use routing_common::time::{Duration, Instant};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

pub use aging::Attention;

/// LSAs one database may hold.
pub(crate) const MAX_LSAS: usize = 200_000;

/// Octets of LSAs one database may hold.
const MAX_OCTETS: usize = 256 << 20;

/// Which database. Link state ids repeat between areas, so a key alone names no LSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatabaseId {
    /// Of an area.
    Area(AreaId),
    /// Of the whole AS.
    As,
    /// Of one link.
    Link(IfIndex),
}

impl DatabaseId {
    /// Where an LSA of this type lives that is seen on an interface of `area`.
    pub fn of(ls_type: LsType, area: AreaId, ifindex: IfIndex) -> Self {
        match ls_type.scope() {
            Scope::Link => Self::Link(ifindex),
            Scope::Area => Self::Area(area),
            Scope::As => Self::As,
        }
    }
}

/// How an instance got here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// We originated it, now, in this life.
    Own,
    /// A neighbour flooded it; MinLSArrival holds for its successor.
    Flooded,
}

/// When something happened last, if it ever did: half the size of an `Option<Instant>`, of which a large database
/// would hold many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Moment(Option<NonZeroU64>);

impl Moment {
    fn at(instant: Instant) -> Self {
        Self(NonZeroU64::new(instant.as_nanos().saturating_add(1)))
    }

    fn get(self) -> Option<Instant> {
        self.0.map(|nanos| Instant::from_nanos(nanos.get() - 1))
    }
}

/// One LSA in the database.
#[derive(Debug, Clone)]
pub struct LsdbEntry {
    /// The LSA; its header's age is not the present age.
    pub lsa: Arc<Lsa>,
    /// Where it came from.
    pub provenance: Provenance,
    /// When it was installed.
    pub installed_at: Instant,
    sent_at: Moment,
    answered_at: Moment,
    age_at_install: u16,
    /// Where it stands in the index.
    attention: Moment,
    /// Does it say what the instance before it did not, with regard to routes (RFC 3623 §3.2 (3))?
    pub(crate) is_news: bool,
}

impl LsdbEntry {
    /// LS age now, in seconds, at most MaxAge.
    pub fn age(&self, now: Instant) -> u16 {
        let passed = now.since(self.installed_at).as_secs().saturating_add(u64::from(self.age_at_install));
        u16::try_from(passed).unwrap_or(MAX_AGE).min(MAX_AGE)
    }

    /// When this instance last left in a Link State Update: for §13 (8), and because an LSA nobody was
    /// sent may be replaced without waiting for MinLSInterval.
    pub fn sent_at(&self) -> Option<Instant> {
        self.sent_at.get()
    }

    /// When it was last given to a neighbour that asked for it, who then does not take a successor for
    /// MinLSArrival.
    pub fn answered_at(&self) -> Option<Instant> {
        self.answered_at.get()
    }

    /// It leaves in a Link State Update.
    pub(crate) fn note_sent(&mut self, now: Instant) {
        self.sent_at = Moment::at(now);
    }

    /// A neighbour asked for it and gets it.
    pub(crate) fn note_answered(&mut self, now: Instant) {
        self.answered_at = Moment::at(now);
    }

    /// Its header with the present age.
    pub fn header(&self, now: Instant) -> LsaHeader {
        self.lsa.header().with_age(self.age(now))
    }

    /// When it reaches MaxAge, or did.
    fn end(&self) -> Instant {
        self.installed_at + Duration::from_secs(u64::from(MAX_AGE - self.age_at_install))
    }

    /// Has it reached MaxAge?
    pub fn is_max_age(&self, now: Instant) -> bool {
        self.age(now) >= MAX_AGE
    }
}

/// A database; see the module text.
#[derive(Debug, Clone, Default)]
pub struct Lsdb {
    entries: BTreeMap<LsaKey, LsdbEntry>,
    attention: BTreeSet<(Instant, LsaKey)>,
    max_age: BTreeSet<LsaKey>,
    octets: usize,
    /// How many there were when they were packed last.
    packed: usize,
}

impl Lsdb {
    /// Looks an LSA up.
    pub fn get(&self, key: &LsaKey) -> Option<&LsdbEntry> {
        self.entries.get(key)
    }

    /// Looks an LSA up for noting that it was sent.
    pub(crate) fn get_mut(&mut self, key: &LsaKey) -> Option<&mut LsdbEntry> {
        self.entries.get_mut(key)
    }

    /// All LSAs in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&LsaKey, &LsdbEntry)> {
        self.entries.iter()
    }

    /// All LSAs of one type, in key order.
    pub fn iter_type(&self, ls_type: LsType) -> impl Iterator<Item = (&LsaKey, &LsdbEntry)> {
        let bound = |address, router| LsaKey {
            ls_type,
            link_state_id: Ipv4Addr::from_bits(address),
            advertising_router: RouterId(Ipv4Addr::from_bits(router)),
        };
        self.entries.range(bound(0, 0)..=bound(u32::MAX, u32::MAX))
    }

    /// How many LSAs there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// May this LSA come in? A database that is full only takes new instances of what it has, so that no
    /// neighbour can make it grow without end.
    pub(crate) fn has_room_for(&self, lsa: &Lsa) -> bool {
        let old = self.entries.get(&lsa.key()).map(|e| e.lsa.raw().len());
        let octets = self.octets - old.unwrap_or(0) + lsa.raw().len();
        (old.is_some() || self.entries.len() < MAX_LSAS) && octets <= MAX_OCTETS
    }

    /// Stores an instance with the given age, replacing an older one (§13.2), and returns it. `refresh_after` is how long
    /// our own LSA may live before it wants refreshing.
    pub fn install(
        &mut self,
        lsa: Arc<Lsa>,
        age: u16,
        provenance: Provenance,
        refresh_after: Option<Duration>,
        now: Instant,
    ) -> &mut LsdbEntry {
        let key = lsa.key();
        let entry = LsdbEntry {
            lsa,
            provenance,
            installed_at: now,
            sent_at: Moment::default(),
            answered_at: Moment::default(),
            age_at_install: age.min(MAX_AGE),
            attention: Moment::default(),
            is_news: false,
        };
        let wanted = (!entry.is_max_age(now))
            .then(|| refresh_after.map_or(entry.end(), |after| entry.end().min(now + after)));
        self.octets += entry.lsa.raw().len();
        let (entry, old) = match self.entries.entry(key) {
            Entry::Occupied(slot) => {
                let slot = slot.into_mut();
                let old = std::mem::replace(slot, entry);
                (slot, Some(old))
            }
            Entry::Vacant(slot) => (slot.insert(entry), None),
        };
        self.octets -= old.as_ref().map_or(0, |old| old.lsa.raw().len());
        let stands = old.and_then(|old| old.attention.get());
        let place = match (stands, wanted) {
            (Some(stands), Some(wanted)) if provenance == Provenance::Flooded => Some(stands.min(wanted)),
            _ => wanted,
        };
        entry.attention = place.map(Moment::at).unwrap_or_default();
        if place != stands {
            if let Some(at) = stands {
                self.attention.remove(&(at, key));
            }
            self.attention.extend(place.map(|at| (at, key)));
        }
        match wanted {
            Some(_) => self.max_age.remove(&key),
            None => self.max_age.insert(key),
        };
        entry
    }

    /// Sets the age of an LSA to MaxAge (§14.1). Says whether there was one that is not at its end already,
    /// as far as [`Lsdb::pop_attention`] has told.
    pub fn age_prematurely(&mut self, key: &LsaKey, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        entry.age_at_install = MAX_AGE;
        entry.installed_at = now;
        if let Some(at) = core::mem::take(&mut entry.attention).get() {
            self.attention.remove(&(at, *key));
        }
        self.max_age.insert(*key)
    }

    /// Takes an LSA out.
    pub fn remove(&mut self, key: &LsaKey) -> Option<LsdbEntry> {
        let entry = self.entries.remove(key)?;
        self.forget(key, &entry);
        Some(entry)
    }

    /// What else is known about an entry that is no longer there.
    fn forget(&mut self, key: &LsaKey, entry: &LsdbEntry) {
        self.octets -= entry.lsa.raw().len();
        if let Some(at) = entry.attention.get() {
            self.attention.remove(&(at, *key));
        }
        self.max_age.remove(key);
    }

    /// Makes the trees anew with full nodes, if they have grown enough to be worth it. A neighbour tells a database in
    /// ascending order, and a tree that grows at its end leaves half of every node empty.
    pub(crate) fn pack(&mut self) {
        if self.entries.len() < self.packed + self.packed / 4 + 1 {
            return;
        }
        self.packed = self.entries.len();
        self.entries = core::mem::take(&mut self.entries).into_iter().collect();
        self.attention = core::mem::take(&mut self.attention).into_iter().collect();
    }

    /// A view for the routing table calculation: no LSA at MaxAge is in it (§16.1).
    pub fn view(&self, now: Instant) -> LsdbView<'_> {
        LsdbView { lsdb: self, now }
    }
}

/// A database as the routing table calculation sees it at one moment.
#[derive(Debug, Clone, Copy)]
pub struct LsdbView<'a> {
    lsdb: &'a Lsdb,
    now: Instant,
}

impl LsaSource for LsdbView<'_> {
    fn get(&self, key: &LsaKey) -> Option<&Lsa> {
        self.lsdb.get(key).filter(|e| !e.is_max_age(self.now)).map(|e| e.lsa.as_ref())
    }

    fn for_each<'a>(&'a self, ls_type: LsType, visit: &mut dyn FnMut(&'a Lsa)) {
        self.lsdb
            .iter_type(ls_type)
            .filter(|(_, e)| !e.is_max_age(self.now))
            .for_each(|(_, e)| visit(e.lsa.as_ref()));
    }

    fn for_each_in<'a>(&'a self, ls_type: LsType, network: Ipv4Network, visit: &mut dyn FnMut(&'a Lsa)) {
        self.lsdb
            .entries
            .range(keys_in(ls_type, network))
            .filter(|(_, e)| !e.is_max_age(self.now))
            .for_each(|(_, e)| visit(e.lsa.as_ref()));
    }

    fn has(&self, ls_type: LsType) -> bool {
        self.lsdb.iter_type(ls_type).any(|(_, e)| !e.is_max_age(self.now))
    }
}
