//! Databases.

use crate::api::{
    DatabaseKind, DatabaseReply, DetailReply, DetailScope, ListOrCount, LsaDetail, LsaRow, MaxAgeReply,
    MaxAgeRow, Ordered,
};
use crate::instance::Instance;
use crate::lsa::{ExternalLsa, LsaBody, LsaKey};
use crate::lsdb::{Lsdb, LsdbEntry};
use routing_common::id::{AreaId, RouterId};
use routing_common::time::Instant;
use std::net::Ipv4Addr;

/// How many octets of LSAs are shown in full. As JSON they become up to twenty times as many, and a
/// reply has to fit one frame of the control socket.
const MAX_DETAILED_OCTETS: usize = 3 << 20;

/// Which LSAs are meant; `None` means all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Filter {
    pub(super) link_state_id: Option<Ipv4Addr>,
    pub(super) advertising_router: Option<RouterId>,
    pub(super) own: Option<RouterId>,
}

impl Filter {
    fn means(self, key: &LsaKey) -> bool {
        let router = key.advertising_router;
        self.link_state_id.is_none_or(|id| id == key.link_state_id)
            && self.advertising_router.is_none_or(|id| id == router)
            && self.own.is_none_or(|id| id == router)
    }
}

impl Instance {
    /// The databases of one area: its own, then its links'.
    fn area_databases(&self, area: AreaId) -> impl Iterator<Item = &Lsdb> {
        let links = self.interfaces.values().filter(move |i| i.area() == area).map(|i| &i.lsdb);
        self.areas.get(&area).map(|a| &a.lsdb).into_iter().chain(links)
    }

    pub(super) fn show_database(&self, now: Instant, filter: Filter) -> DatabaseReply {
        let mut reply = DatabaseReply {
            router_id: self.router_id,
            areas: Default::default(),
            as_wide: Ordered::default(),
        };
        for area in self.areas.keys() {
            let lists = reply.areas.entry(*area).or_default();
            for kind in DatabaseKind::ALL.into_iter().filter(|k| !k.is_as_wide()) {
                add_list(lists, now, kind, filter, self.area_databases(*area));
            }
        }
        for kind in DatabaseKind::ALL.into_iter().filter(|k| k.is_as_wide()) {
            add_list(&mut reply.as_wide, now, kind, filter, [&self.as_lsdb]);
        }
        reply
    }

    pub(super) fn show_lsas(
        &self,
        now: Instant,
        kind: DatabaseKind,
        filter: Filter,
    ) -> Result<DetailReply, String> {
        let all =
            || [&self.as_lsdb].into_iter().chain(self.areas.keys().flat_map(|a| self.area_databases(*a)));
        refuse_more_than(MAX_DETAILED_OCTETS, meant(all(), kind, filter))?;
        let mut lists = Ordered::default();
        lists.push(kind.json_key(), self.detailed(now, kind, filter));
        Ok(DetailReply { router_id: self.router_id, lists })
    }

    /// LSAs of all types; a type of which there are none is left out.
    pub(super) fn show_all_lsas(&self, now: Instant, filter: Filter) -> Result<DetailReply, String> {
        let all =
            || [&self.as_lsdb].into_iter().chain(self.areas.keys().flat_map(|a| self.area_databases(*a)));
        let of_kind = |kind| meant(all(), kind, filter);
        refuse_more_than(MAX_DETAILED_OCTETS, DatabaseKind::ALL.into_iter().flat_map(of_kind))?;
        let mut lists = Ordered::default();
        for kind in DatabaseKind::ALL.into_iter().filter(|kind| of_kind(*kind).next().is_some()) {
            lists.push(kind.json_key(), self.detailed(now, kind, filter));
        }
        Ok(DetailReply { router_id: self.router_id, lists })
    }

    fn detailed(&self, now: Instant, kind: DatabaseKind, filter: Filter) -> DetailScope {
        let detail = |entry: &LsdbEntry| LsaDetail::new(&entry.lsa, entry.age(now));
        if kind.is_as_wide() {
            return DetailScope::As(meant([&self.as_lsdb], kind, filter).map(detail).collect());
        }
        let of = |area: AreaId| meant(self.area_databases(area), kind, filter).map(detail).collect();
        DetailScope::Areas { areas: self.areas.keys().map(|area| (*area, of(*area))).collect() }
    }

    pub(super) fn show_max_age(&self) -> MaxAgeReply {
        let neighbors = || self.interfaces.values().flat_map(|i| i.neighbors.values());
        let waiting =
            |key: &LsaKey| neighbors().filter(|n| n.link_state_retransmission_list.contains_key(key)).count();
        let mut max_age_link_states = Ordered::default();
        let databases = self.databases();
        let keys = databases.iter().filter_map(|id| self.lsdb(*id)).flat_map(Lsdb::max_age_keys);
        for (at, key) in keys.enumerate() {
            max_age_link_states.push(
                at,
                MaxAgeRow {
                    link_type: key.ls_type.code(),
                    link_state_id: key.link_state_id,
                    advertising_router: key.advertising_router,
                    lsa_lock_count: waiting(key),
                },
            );
        }
        MaxAgeReply { router_id: self.router_id, max_age_link_states }
    }
}

/// The entries of one kind that are meant.
fn meant<'a>(
    databases: impl IntoIterator<Item = &'a Lsdb>,
    kind: DatabaseKind,
    filter: Filter,
) -> impl Iterator<Item = &'a LsdbEntry> {
    databases
        .into_iter()
        .flat_map(move |lsdb| lsdb.iter_type(kind.ls_type()))
        .filter(move |(key, _)| filter.means(key))
        .map(|(_, entry)| entry)
}

/// Refuses to show more than `limit` octets of LSAs in full.
fn refuse_more_than<'a>(limit: usize, entries: impl Iterator<Item = &'a LsdbEntry>) -> Result<(), String> {
    let (number, octets) = entries.fold((0, 0), |(n, sum), entry| (n + 1, sum + entry.lsa.raw().len()));
    if octets <= limit {
        return Ok(());
    }
    Err(format!("{number} LSAs are too many to show in full; name a Link State ID or an advertising router"))
}

/// Adds a list and its count, or nothing if it is empty, as FRR does.
fn add_list<'a>(
    lists: &mut Ordered<ListOrCount>,
    now: Instant,
    kind: DatabaseKind,
    filter: Filter,
    databases: impl IntoIterator<Item = &'a Lsdb>,
) {
    let rows: Vec<LsaRow> = meant(databases, kind, filter).map(|entry| row(now, entry)).collect();
    if !rows.is_empty() {
        let number = rows.len();
        lists.push(kind.json_key(), ListOrCount::List(rows));
        lists.push(format!("{}Count", kind.json_key()), ListOrCount::Count(number));
    }
}

fn row(now: Instant, entry: &LsdbEntry) -> LsaRow {
    let header = entry.header(now);
    let mut row = LsaRow {
        ls_id: header.key.link_state_id,
        advertised_router: header.key.advertising_router,
        lsa_age: header.age,
        sequence_number: format!("{:08x}", header.sequence),
        checksum: format!("{:x}", header.checksum),
        num_of_router_links: None,
        summary_address: None,
        metric_type: None,
        route: None,
        tag: None,
    };
    match entry.lsa.body() {
        LsaBody::Router(body) => row.num_of_router_links = Some(body.links.len()),
        LsaBody::SummaryNetwork(body) => row.summary_address = Some(prefix(header.key, body.mask)),
        LsaBody::AsExternal(body) | LsaBody::Nssa(body) => add_external(&mut row, header.key, body),
        LsaBody::Network(_) | LsaBody::SummaryAsbr(_) | LsaBody::Opaque(_) => {}
    }
    row
}

fn add_external(row: &mut LsaRow, key: LsaKey, body: &ExternalLsa) {
    row.metric_type = Some(if body.type2 { "E2".into() } else { "E1".into() });
    row.route = Some(prefix(key, body.mask));
    row.tag = Some(body.tag);
}

/// The prefix of an LSA; if its mask has holes, address and mask as they are.
fn prefix(key: LsaKey, mask: Ipv4Addr) -> String {
    key.prefix(mask).map_or_else(|| format!("{}/{mask}", key.link_state_id), |p| p.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsa::{LsType, Lsa, LsaSpec};
    use crate::lsdb::Provenance;
    use std::sync::Arc;

    #[test]
    fn a_reply_that_would_not_fit_a_frame_is_refused() {
        let now = Instant::ZERO;
        let mut lsdb = Lsdb::default();
        for n in 0..3 {
            let key = LsaKey {
                ls_type: LsType::OpaqueAs,
                link_state_id: Ipv4Addr::new(200, 0, 0, n),
                advertising_router: RouterId(Ipv4Addr::new(10, 255, 0, 1)),
            };
            let spec = LsaSpec { age: 0, options: 0, key, sequence: 1 };
            let lsa = Lsa::build(spec, &LsaBody::Opaque([0; 80].into()));
            lsdb.install(Arc::new(lsa), 0, Provenance::Flooded, None, now);
        }
        let entries = |filter| meant([&lsdb], DatabaseKind::OpaqueAs, filter);
        assert_eq!(refuse_more_than(300, entries(Filter::default())), Ok(()));
        let refusal = refuse_more_than(299, entries(Filter::default())).unwrap_err();
        assert!(refusal.starts_with("3 LSAs are too many"), "{refusal}");
        let one = Filter { link_state_id: Some(Ipv4Addr::new(200, 0, 0, 1)), ..Filter::default() };
        assert_eq!(refuse_more_than(299, entries(one)), Ok(()));
    }
}
