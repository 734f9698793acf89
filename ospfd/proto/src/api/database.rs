//! `show ip ospf database` in its forms.

use super::{DatabaseKind, LsaDetail, Ordered};
use core::fmt::Write as _;
use routing_common::id::{AreaId, RouterId};
use routing_common::render::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Every LSA in one line: by area and type, then those of the AS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseReply {
    /// This router.
    pub router_id: RouterId,
    /// Areas with their lists and counts; see [`DatabaseKind::json_key`].
    pub areas: BTreeMap<AreaId, Ordered<ListOrCount>>,
    /// Lists and counts of the AS.
    #[serde(flatten)]
    pub as_wide: Ordered<ListOrCount>,
}

/// The value beside a list's key, or beside that key with "Count" at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ListOrCount {
    /// The LSAs.
    List(Vec<LsaRow>),
    /// Their number.
    Count(usize),
}

/// One LSA in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LsaRow {
    /// Link State ID.
    pub ls_id: Ipv4Addr,
    /// Advertising Router.
    pub advertised_router: RouterId,
    /// Present age in seconds.
    pub lsa_age: u16,
    /// Eight hexadecimal digits.
    pub sequence_number: String,
    /// Hexadecimal, without leading zeros.
    pub checksum: String,
    /// Router-LSAs: number of links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_of_router_links: Option<usize>,
    /// Summary-LSAs: the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary_address: Option<String>,
    /// AS-external-LSAs: "E1" or "E2".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_type: Option<String>,
    /// AS-external-LSAs: the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// AS-external-LSAs: the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<u32>,
}

/// All LSAs of one type in full, under the key of their kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetailReply {
    /// This router.
    pub router_id: RouterId,
    /// One entry.
    #[serde(flatten)]
    pub lists: Ordered<DetailScope>,
}

/// LSAs by area, or of the AS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DetailScope {
    /// Of the AS.
    As(Vec<LsaDetail>),
    /// Of areas.
    Areas {
        /// By area.
        areas: BTreeMap<AreaId, Vec<LsaDetail>>,
    },
}

/// LSAs at MaxAge that are not gone yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaxAgeReply {
    /// This router.
    pub router_id: RouterId,
    /// Numbered from "0"; FRR prints all under one repeated key, which is not JSON anyone can read.
    pub max_age_link_states: Ordered<MaxAgeRow>,
}

/// One LSA at MaxAge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MaxAgeRow {
    /// LS type as a number.
    pub link_type: u8,
    /// Link State ID.
    pub link_state_id: Ipv4Addr,
    /// Advertising Router.
    pub advertising_router: RouterId,
    /// How many neighbours' retransmission lists still hold it.
    pub lsa_lock_count: usize,
}

fn heading(router_id: RouterId) -> String {
    format!("\n       OSPF Router with ID ({router_id})\n")
}

/// The lists among the entries, without their counts.
fn lists(entries: &Ordered<ListOrCount>) -> impl Iterator<Item = (DatabaseKind, &[LsaRow])> {
    entries.iter().filter_map(|(key, value)| match value {
        ListOrCount::List(rows) => Some((DatabaseKind::of_json_key(key)?, rows.as_slice())),
        ListOrCount::Count(_) => None,
    })
}

impl DatabaseReply {
    /// vtysh's tables.
    pub(super) fn text(&self) -> String {
        let mut out = heading(self.router_id);
        for (area, entries) in &self.areas {
            for (kind, rows) in lists(entries) {
                // Writing to a String cannot fail.
                let _ = write!(out, "\n                {} (Area {area})\n\n", kind.heading());
                out.push_str(&table(kind, rows));
            }
        }
        for (kind, rows) in lists(&self.as_wide) {
            let _ = write!(out, "\n                {}\n\n", kind.heading());
            out.push_str(&table(kind, rows));
        }
        out
    }
}

fn table(kind: DatabaseKind, rows: &[LsaRow]) -> String {
    let (id, last) = match kind {
        DatabaseKind::Router => ("Link ID", Some("Link count")),
        DatabaseKind::Summary | DatabaseKind::External | DatabaseKind::NssaExternal => {
            ("Link ID", Some("Route"))
        }
        DatabaseKind::Network | DatabaseKind::AsbrSummary => ("Link ID", None),
        DatabaseKind::OpaqueLink | DatabaseKind::OpaqueArea | DatabaseKind::OpaqueAs => {
            ("Opaque-Type/Id", None)
        }
    };
    let mut table = Table::new([id, "ADV Router", "Age", "Seq#", "CkSum"].into_iter().chain(last)).right(2);
    for row in rows {
        table.row([
            row.ls_id.to_string(),
            row.advertised_router.to_string(),
            row.lsa_age.to_string(),
            format!("0x{}", row.sequence_number),
            format!("0x{:0>4}", row.checksum),
            row.last_cell(),
        ]);
    }
    table.text()
}

impl LsaRow {
    fn last_cell(&self) -> String {
        if let Some(links) = self.num_of_router_links {
            links.to_string()
        } else if let (Some(kind), Some(route)) = (&self.metric_type, &self.route) {
            format!("{kind} {route} [{:#x}]", self.tag.unwrap_or(0))
        } else {
            self.summary_address.clone().unwrap_or_default()
        }
    }
}

impl DetailReply {
    /// vtysh's paragraphs.
    pub(super) fn text(&self) -> String {
        let mut out = heading(self.router_id);
        for (key, scope) in self.lists.iter() {
            let kind = DatabaseKind::of_json_key(key);
            let title = kind.map_or(key, |k| k.heading());
            let is_asbr = kind == Some(DatabaseKind::AsbrSummary);
            match scope {
                DetailScope::As(lsas) => {
                    let _ = write!(out, "\n                {title}\n\n");
                    lsas.iter().for_each(|lsa| lsa.write(is_asbr, &mut out));
                }
                DetailScope::Areas { areas } => {
                    for (area, lsas) in areas {
                        let _ = write!(out, "\n                {title} (Area {area})\n\n");
                        lsas.iter().for_each(|lsa| lsa.write(is_asbr, &mut out));
                    }
                }
            }
        }
        out
    }
}

impl MaxAgeReply {
    /// vtysh's paragraphs, one line an LSA.
    pub(super) fn text(&self) -> String {
        let mut out = heading(self.router_id);
        out.push_str("\n                MaxAge Link States:\n\n");
        let mut table = Table::new(["Type", "Link State ID", "ADV Router", "Unacknowledged"]).right(3);
        for (_, row) in self.max_age_link_states.iter() {
            table.row([
                row.link_type.to_string(),
                row.link_state_id.to_string(),
                row.advertising_router.to_string(),
                row.lsa_lock_count.to_string(),
            ]);
        }
        if !table.is_empty() {
            out.push_str(&table.text());
        }
        out
    }
}
