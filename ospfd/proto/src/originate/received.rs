//! Meeting our own LSAs (RFC 2328 §13.4): in a Link State Update, or, before that, in the description of a
//! neighbour's database.

use crate::constants::{MAX_AGE, MAX_SEQUENCE};
use crate::instance::Instance;
use crate::lsa::{
    ExternalLsa, LsType, Lsa, LsaBody, LsaHeader, LsaKey, LsaSpec, NetworkLsa, RouterLsa, SummaryLsa,
};
use crate::lsdb::{DatabaseId, Provenance};
use routing_common::time::Instant;
use std::net::Ipv4Addr;
use std::sync::Arc;

impl Instance {
    /// §13.4: an own LSA was received and installed.
    pub(crate) fn receive_self_originated(
        &mut self,
        now: Instant,
        database: DatabaseId,
        key: LsaKey,
        sequence: i32,
    ) {
        if self.is_withheld(&key) {
            // RFC 3623 §2 (1): it is as valid as any other, so it stays. If somebody flushes it meanwhile, what we
            // originate after the restart must follow it all the same.
            self.note_sequence(database, key, sequence);
            return;
        }
        if self.desired.contains_key(&(database, key)) {
            self.override_gate(now, database, key, sequence);
        }
        self.reconcile(now, database, key);
    }

    /// The header of an own LSA, newer than ours or of one we have not, was seen during an exchange. Says
    /// whether it was dealt with; if not, the contents must be requested.
    pub(crate) fn outsequence_stale(
        &mut self,
        now: Instant,
        database: DatabaseId,
        header: &LsaHeader,
    ) -> bool {
        let key = header.key;
        if key.advertising_router != self.router_id
            || header.sequence == MAX_SEQUENCE
            || self.shutting_down
            || self.is_withheld(&key)
        {
            return false;
        }
        if self.desired.contains_key(&(database, key)) {
            self.override_gate(now, database, key, header.sequence);
            self.reconcile(now, database, key);
            return true;
        }
        if header.is_max_age() {
            return true; // On its way out already.
        }
        let Some(body) = farewell_body(&key) else { return false };
        let spec = LsaSpec { age: MAX_AGE, options: self.lsa_options(), key, sequence: header.sequence + 1 };
        let lsa = Arc::new(Lsa::build(spec, &body));
        self.install(now, database, &lsa, MAX_AGE, Provenance::Own);
        self.flood(now, database, key, None);
        self.note_flush(now, database, key);
        self.forget_when_quiet(now, database, key);
        true
    }

    fn override_gate(&mut self, now: Instant, database: DatabaseId, key: LsaKey, sequence: i32) {
        self.note_sequence(database, key, sequence);
        let mut state = self.own.get(&(database, key)).copied().unwrap_or_default();
        if self.may_override(now, &state) {
            state.overridden = Some(now);
            state.last = None;
        }
        self.own.insert((database, key), state);
    }

    /// Somebody has a copy of our LSA with this sequence number: ours must have a larger one.
    pub(crate) fn note_sequence(&mut self, database: DatabaseId, key: LsaKey, sequence: i32) {
        let state = self.own.entry((database, key)).or_default();
        state.floor = Some(state.floor.map_or(sequence, |f| f.max(sequence)));
    }
}

/// A body for an LSA whose only purpose is to be flushed; `None` for types whose contents must be fetched first.
///
/// It says as little as the type allows, but no less: FRR takes a network-LSA that lists no router (App. A.4.3
/// has the Designated Router list itself) for malformed, drops the whole packet and never acknowledges it.
fn farewell_body(key: &LsaKey) -> Option<LsaBody> {
    let zero = Ipv4Addr::UNSPECIFIED;
    let external = ExternalLsa { mask: zero, type2: true, metric: 0, forwarding_address: zero, tag: 0 };
    match key.ls_type {
        LsType::Router => Some(LsaBody::Router(RouterLsa::default())),
        LsType::Network => {
            let attached_routers = vec![key.advertising_router];
            Some(LsaBody::Network(NetworkLsa { mask: Ipv4Addr::BROADCAST, attached_routers }))
        }
        LsType::SummaryNetwork => Some(LsaBody::SummaryNetwork(SummaryLsa { mask: zero, metric: 0 })),
        LsType::SummaryAsbr => Some(LsaBody::SummaryAsbr(SummaryLsa { mask: zero, metric: 0 })),
        LsType::AsExternal => Some(LsaBody::AsExternal(external)),
        LsType::Nssa | LsType::OpaqueLink | LsType::OpaqueArea | LsType::OpaqueAs | LsType::Unknown(_) => {
            None
        }
    }
}
