//! Arbitrary LSAs for property tests: everything an LSA can say in its decoded form.

use super::*;
use crate::constants::{LS_INFINITY, MAX_AGE};
use proptest::collection::vec;
use proptest::prelude::*;
use routing_common::id::RouterId;
use std::net::Ipv4Addr;

pub(crate) fn address() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from_bits)
}

pub(crate) fn router_id() -> impl Strategy<Value = RouterId> {
    address().prop_map(RouterId)
}

fn ls_type() -> impl Strategy<Value = LsType> {
    any::<u8>().prop_map(LsType::from)
}

pub(crate) fn key() -> impl Strategy<Value = LsaKey> {
    (ls_type(), address(), router_id()).prop_map(|(ls_type, link_state_id, advertising_router)| LsaKey {
        ls_type,
        link_state_id,
        advertising_router,
    })
}

pub(crate) fn header() -> impl Strategy<Value = LsaHeader> {
    (0..=MAX_AGE, any::<u8>(), key(), any::<i32>(), any::<u16>(), any::<u16>()).prop_map(
        |(age, options, key, sequence, checksum, length)| LsaHeader {
            age,
            options,
            key,
            sequence,
            checksum,
            length,
        },
    )
}

fn link() -> impl Strategy<Value = RouterLink> {
    let kind = (0..4u8, address(), address()).prop_map(|(kind, a, b)| match kind {
        0 => RouterLinkKind::PointToPoint { neighbor: RouterId(a), data: b },
        1 => RouterLinkKind::Transit { designated_router: a, address: b },
        2 => RouterLinkKind::Stub { network: a, mask: b },
        _ => RouterLinkKind::Virtual { neighbor: RouterId(a), address: b },
    });
    (kind, any::<u16>()).prop_map(|(kind, metric)| RouterLink { kind, metric })
}

fn router() -> impl Strategy<Value = RouterLsa> {
    (any::<bool>(), any::<bool>(), any::<bool>(), vec(link(), 0..20)).prop_map(|(v, e, b, links)| RouterLsa {
        virtual_link_endpoint: v,
        as_boundary: e,
        area_border: b,
        links,
    })
}

fn external() -> impl Strategy<Value = ExternalLsa> {
    (address(), any::<bool>(), 0..=LS_INFINITY, address(), any::<u32>()).prop_map(
        |(mask, type2, metric, forwarding_address, tag)| ExternalLsa {
            mask,
            type2,
            metric,
            forwarding_address,
            tag,
        },
    )
}

/// A type and a body that fits it.
fn typed_body() -> impl Strategy<Value = (LsType, LsaBody)> {
    let summary = || (address(), 0..=LS_INFINITY).prop_map(|(mask, metric)| SummaryLsa { mask, metric });
    let opaque = prop_oneof![Just(LsType::OpaqueLink), Just(LsType::OpaqueArea), Just(LsType::OpaqueAs)];
    prop_oneof![
        router().prop_map(|b| (LsType::Router, LsaBody::Router(b))),
        (address(), vec(router_id(), 0..20)).prop_map(|(mask, attached_routers)| {
            (LsType::Network, LsaBody::Network(NetworkLsa { mask, attached_routers }))
        }),
        summary().prop_map(|b| (LsType::SummaryNetwork, LsaBody::SummaryNetwork(b))),
        summary().prop_map(|b| {
            let b = SummaryLsa { mask: Ipv4Addr::UNSPECIFIED, ..b };
            (LsType::SummaryAsbr, LsaBody::SummaryAsbr(b))
        }),
        external().prop_map(|b| (LsType::AsExternal, LsaBody::AsExternal(b))),
        external().prop_map(|b| (LsType::Nssa, LsaBody::Nssa(b))),
        (opaque, vec(any::<u8>(), 0..64)).prop_map(|(t, bytes)| (t, LsaBody::Opaque(bytes.into()))),
    ]
}

/// What [`Lsa::build`] takes.
pub(crate) fn parts() -> impl Strategy<Value = (LsaSpec, LsaBody)> {
    (header(), typed_body()).prop_map(|(h, (ls_type, body))| {
        let key = LsaKey { ls_type, ..h.key };
        (LsaSpec { age: h.age, options: h.options, key, sequence: h.sequence }, body)
    })
}

pub(crate) fn lsa() -> impl Strategy<Value = Lsa> {
    parts().prop_map(|(spec, body)| Lsa::build(spec, &body))
}
