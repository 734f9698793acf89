//! What the databases looked like before: the changes a turn made, worked out once for all laws that ask.
//!
//! The engines are not asked what they did. Their databases are looked at after every turn of ospfd and compared
//! with what was there; an entry counts as changed when it holds another LSA or was set to MaxAge.

use super::Turn;
use crate::scenario::Daemon;
use crate::world::World;
use ospf_proto::Instance;
use ospf_proto::lsa::LsaKey;
use ospf_proto::lsdb::{DatabaseId, Lsdb, LsdbEntry};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// One difference between a database before and after.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) database: DatabaseId,
    pub(super) key: LsaKey,
    /// What was there.
    pub(super) old: Option<LsdbEntry>,
    /// What is there.
    pub(super) new: Option<LsdbEntry>,
}

/// Several laws look at one of these.
pub(super) type Shared = Rc<RefCell<Shadows>>;

/// The databases of all routers as they were.
#[derive(Debug, Default)]
pub(super) struct Shadows {
    /// Number of the turn the changes belong to.
    turn: u64,
    changes: Rc<[Change]>,
    none: Rc<[Change]>,
    routers: BTreeMap<usize, Shadow>,
}

#[derive(Debug, Default)]
struct Shadow {
    incarnation: u32,
    databases: BTreeMap<DatabaseId, BTreeMap<LsaKey, LsdbEntry>>,
}

impl Shadows {
    /// What a turn of ospfd changed; nothing for other daemons. A new process starts with empty databases and
    /// what it lacks is no change.
    pub(super) fn changes(&mut self, world: &World, turn: &Turn<'_>) -> Rc<[Change]> {
        if self.turn != world.counters.turns {
            self.turn = world.counters.turns;
            let engine = world.nodes[turn.router].ospf.engine.as_ref();
            self.changes = match engine.filter(|_| turn.daemon == Daemon::Ospf) {
                Some(engine) => {
                    let incarnation = world.nodes[turn.router].incarnation(Daemon::Ospf);
                    let shadow = self.routers.entry(turn.router).or_default();
                    if shadow.incarnation != incarnation {
                        *shadow = Shadow { incarnation, ..Shadow::default() };
                    }
                    let changes = shadow.update(engine);
                    if changes.is_empty() { Rc::clone(&self.none) } else { changes.into() }
                }
                None => Rc::clone(&self.none),
            };
        }
        Rc::clone(&self.changes)
    }
}

impl Shadow {
    fn update(&mut self, engine: &Instance) -> Vec<Change> {
        let mut changes = Vec::new();
        let none = Lsdb::default();
        let areas = engine.areas().map(|(id, area)| (DatabaseId::Area(id), &area.lsdb));
        let links = engine.interfaces().map(|i| (DatabaseId::Link(i.ifindex), &i.lsdb));
        let of_as = engine.lsdb(DatabaseId::As).map(|lsdb| (DatabaseId::As, lsdb));
        for (database, lsdb) in areas.chain(of_as).chain(links) {
            if !lsdb.is_empty() && !self.databases.contains_key(&database) {
                self.databases.insert(database, BTreeMap::new());
            }
        }
        for (database, old) in &mut self.databases {
            let new = engine.lsdb(*database).unwrap_or(&none);
            if is_same(old, new) {
                continue;
            }
            for (key, entry) in new.iter() {
                let before = old.get(key);
                if before.is_none_or(|b| !same_entry(b, entry)) {
                    let (old, new) = (before.cloned(), Some(entry.clone()));
                    changes.push(Change { database: *database, key: *key, old, new });
                }
            }
            for (key, entry) in old.iter().filter(|(key, _)| new.get(key).is_none()) {
                changes.push(Change { database: *database, key: *key, old: Some(entry.clone()), new: None });
            }
            for change in changes.iter().filter(|c| c.database == *database) {
                match &change.new {
                    Some(entry) => old.insert(change.key, entry.clone()),
                    None => old.remove(&change.key),
                };
            }
        }
        changes
    }
}

fn is_same(old: &BTreeMap<LsaKey, LsdbEntry>, new: &Lsdb) -> bool {
    old.len() == new.len() && old.iter().zip(new.iter()).all(|(a, b)| a.0 == b.0 && same_entry(a.1, b.1))
}

/// Flushing an LSA keeps its octets and notes the time.
fn same_entry(a: &LsdbEntry, b: &LsdbEntry) -> bool {
    Arc::ptr_eq(&a.lsa, &b.lsa) && a.installed_at == b.installed_at
}
