//! One LSA in full, made from the LSA itself, as JSON and as text.

use super::{Ordered, is_false};
use crate::lsa::{ExternalLsa, LsType, Lsa, LsaBody, RouterLink, RouterLinkKind, RouterLsa};
use crate::packet::options;
use core::fmt::Write as _;
use routing_common::id::RouterId;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// One LSA. What belongs to other types than its own is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LsaDetail {
    /// Present age in seconds.
    pub lsa_age: u16,
    /// Options for people; see [`options_list`].
    pub options: String,
    /// Router-LSA: the octet with bits V, E and B.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<u8>,
    /// Router-LSA: bit B.
    #[serde(default, skip_serializing_if = "is_false")]
    pub abr: bool,
    /// Router-LSA: bit E.
    #[serde(default, skip_serializing_if = "is_false")]
    pub asbr: bool,
    /// Router-LSA: bit V.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vl_endpoint: bool,
    /// "router-LSA" and so on.
    pub lsa_type: String,
    /// Link State ID.
    pub link_state_id: Ipv4Addr,
    /// Advertising Router.
    pub advertising_router: RouterId,
    /// Eight hexadecimal digits.
    pub lsa_seq_number: String,
    /// Hexadecimal, without leading zeros.
    pub checksum: String,
    /// Octets, header included.
    pub length: u16,
    /// Router-LSA: number of links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_of_links: Option<usize>,
    /// Router-LSA: "link0" and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_links: Option<Ordered<RouterLinkRow>>,
    /// Length of the mask. A mask with holes, which is none, counts its bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_mask: Option<u32>,
    /// Network-LSA, keyed by router id.
    #[serde(rename = "attchedRouters", default, skip_serializing_if = "Option::is_none")]
    pub attached_routers: Option<Ordered<AttachedRouterRow>>,
    /// Summary-LSA: the metric.
    #[serde(rename = "tos0Metric", default, skip_serializing_if = "Option::is_none")]
    pub tos0_metric: Option<u32>,
    /// AS-external-LSA: "E1" or "E2 (Larger than any link state path)".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_type: Option<String>,
    /// AS-external-LSA: always 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos: Option<u8>,
    /// AS-external-LSA: the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
    /// AS-external-LSA: the forwarding address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_address: Option<Ipv4Addr>,
    /// NSSA-LSA: the forwarding address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nssa_forward_address: Option<Ipv4Addr>,
    /// AS-external-LSA: the tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_route_tag: Option<u32>,
    /// Opaque LSA: name of its Opaque Type, which is the first octet of the Link State ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque_type: Option<String>,
    /// Opaque LSA: Opaque ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque_id: Option<u32>,
    /// Opaque LSA: octets behind the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque_data_length: Option<usize>,
    /// Opaque LSA: always true; one whose length does not fit never gets into the database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque_data_length_valid: Option<bool>,
    /// Opaque LSA: those octets in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opaque_data: Option<String>,
}

/// One link of a router-LSA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouterLinkRow {
    /// "another Router (point-to-point)", "a Transit Network", "Stub Network" or "a Virtual Link".
    pub link_type: String,
    /// Link ID of a point-to-point or virtual link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbor_router_id: Option<RouterId>,
    /// Link ID of a transit network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designated_router_address: Option<Ipv4Addr>,
    /// Link ID of a stub network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_address: Option<Ipv4Addr>,
    /// Link Data of a stub network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_mask: Option<Ipv4Addr>,
    /// Link Data of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_interface_address: Option<Ipv4Addr>,
    /// Always 0: TOS metrics are skipped.
    pub num_of_tos_metrics: u8,
    /// The metric.
    #[serde(rename = "tos0Metric")]
    pub tos0_metric: u16,
}

/// One router of a network-LSA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachedRouterRow {
    /// The same as the key.
    pub attached_router_id: RouterId,
}

/// Options as FRR shows them: "*|O|DC|EA|N/P|MC|E|MT", a dash for each bit that is not set.
pub fn options_list(octet: u8) -> String {
    let names = [
        (options::O, "O"),
        (options::DC, "DC"),
        (options::L, "EA"),
        (options::NP, "N/P"),
        (options::MC, "MC"),
        (options::E, "E"),
        (0x01, "MT"),
    ];
    let mut out = String::from("*");
    for (bit, name) in names {
        out.push('|');
        out.push_str(if octet & bit != 0 { name } else { "-" });
    }
    out
}

impl LsaDetail {
    /// The LSA at its present age.
    pub fn new(lsa: &Lsa, age: u16) -> Self {
        let mut detail = Self::header(lsa, age);
        match lsa.body() {
            LsaBody::Router(body) => detail.add_router(body),
            LsaBody::Network(body) => {
                detail.network_mask = Some(body.mask.to_bits().count_ones());
                let mut routers = Ordered::default();
                for id in &body.attached_routers {
                    routers.push(id, AttachedRouterRow { attached_router_id: *id });
                }
                detail.attached_routers = Some(routers);
            }
            LsaBody::SummaryNetwork(body) | LsaBody::SummaryAsbr(body) => {
                detail.network_mask = Some(body.mask.to_bits().count_ones());
                detail.tos0_metric = Some(body.metric);
            }
            LsaBody::AsExternal(body) => {
                detail.add_external(body);
                detail.forward_address = Some(body.forwarding_address);
            }
            LsaBody::Nssa(body) => {
                detail.add_external(body);
                detail.nssa_forward_address = Some(body.forwarding_address);
            }
            LsaBody::Opaque(data) => {
                let [opaque_type, id @ ..] = lsa.key().link_state_id.octets();
                detail.opaque_type = Some(opaque_name(opaque_type).to_owned());
                detail.opaque_id = Some(u32::from_be_bytes([0, id[0], id[1], id[2]]));
                detail.opaque_data_length = Some(data.len());
                detail.opaque_data_length_valid = Some(true);
                detail.opaque_data = Some(data.iter().map(|octet| format!("{octet:02x}")).collect());
            }
        }
        detail
    }

    fn header(lsa: &Lsa, age: u16) -> Self {
        let header = lsa.header();
        Self {
            lsa_age: age,
            options: options_list(header.options),
            flags: None,
            abr: false,
            asbr: false,
            vl_endpoint: false,
            lsa_type: type_name(header.key.ls_type),
            link_state_id: header.key.link_state_id,
            advertising_router: header.key.advertising_router,
            lsa_seq_number: format!("{:08x}", header.sequence),
            checksum: format!("{:x}", header.checksum),
            length: header.length,
            num_of_links: None,
            router_links: None,
            network_mask: None,
            attached_routers: None,
            tos0_metric: None,
            metric_type: None,
            tos: None,
            metric: None,
            forward_address: None,
            nssa_forward_address: None,
            external_route_tag: None,
            opaque_type: None,
            opaque_id: None,
            opaque_data_length: None,
            opaque_data_length_valid: None,
            opaque_data: None,
        }
    }

    fn add_router(&mut self, body: &RouterLsa) {
        self.abr = body.area_border;
        self.asbr = body.as_boundary;
        self.vl_endpoint = body.virtual_link_endpoint;
        self.flags = Some(u8::from(self.abr) | u8::from(self.asbr) << 1 | u8::from(self.vl_endpoint) << 2);
        self.num_of_links = Some(body.links.len());
        let mut links = Ordered::default();
        for (at, link) in body.links.iter().enumerate() {
            links.push(format!("link{at}"), RouterLinkRow::new(link));
        }
        self.router_links = Some(links);
    }

    fn add_external(&mut self, body: &ExternalLsa) {
        self.network_mask = Some(body.mask.to_bits().count_ones());
        let name = if body.type2 { "E2 (Larger than any link state path)" } else { "E1" };
        self.metric_type = Some(name.to_owned());
        self.tos = Some(0);
        self.metric = Some(body.metric);
        self.external_route_tag = Some(body.tag);
    }
}

impl RouterLinkRow {
    fn new(link: &RouterLink) -> Self {
        let mut row = Self {
            link_type: String::new(),
            neighbor_router_id: None,
            designated_router_address: None,
            network_address: None,
            network_mask: None,
            router_interface_address: None,
            num_of_tos_metrics: 0,
            tos0_metric: link.metric,
        };
        let name = match link.kind {
            RouterLinkKind::PointToPoint { neighbor, data } => {
                row.neighbor_router_id = Some(neighbor);
                row.router_interface_address = Some(data);
                "another Router (point-to-point)"
            }
            RouterLinkKind::Transit { designated_router, address } => {
                row.designated_router_address = Some(designated_router);
                row.router_interface_address = Some(address);
                "a Transit Network"
            }
            RouterLinkKind::Stub { network, mask } => {
                row.network_address = Some(network);
                row.network_mask = Some(mask);
                "Stub Network"
            }
            RouterLinkKind::Virtual { neighbor, address } => {
                row.neighbor_router_id = Some(neighbor);
                row.router_interface_address = Some(address);
                "a Virtual Link"
            }
        };
        name.clone_into(&mut row.link_type);
        row
    }
}

/// FRR's name of a type; for type 4 it is that of type 3.
fn type_name(ls_type: LsType) -> String {
    match ls_type {
        LsType::SummaryAsbr => LsType::SummaryNetwork.to_string(),
        LsType::OpaqueLink => "Link-Local Opaque-LSA".into(),
        LsType::OpaqueArea => "Area-Local Opaque-LSA".into(),
        LsType::OpaqueAs => "AS-external Opaque-LSA".into(),
        other => other.to_string(),
    }
}

/// Names of Opaque Types (IANA's registry).
fn opaque_name(opaque_type: u8) -> &'static str {
    match opaque_type {
        1 => "Traffic Engineering LSA",
        2 => "Sycamore Optical Topology Descriptions",
        3 => "Grace-LSA",
        4 => "Router Information LSA",
        7 => "Extended Prefix Opaque LSA",
        8 => "Extended Link Opaque LSA",
        128.. => "Private/Experimental",
        _ => "Unassigned",
    }
}

/// What vtysh says behind the Link State ID of a type.
fn id_remark(lsa_type: &str, is_asbr: bool) -> &'static str {
    match lsa_type {
        "network-LSA" => " (address of Designated Router)",
        "summary-LSA" if is_asbr => " (AS Boundary Router address)",
        "summary-LSA" => " (summary Network Number)",
        "AS-external-LSA" => " (External Network Number)",
        "NSSA-LSA" => " (External Network Number for NSSA)",
        "Link-Local Opaque-LSA" => " (Link-Local Opaque-Type/ID)",
        "Area-Local Opaque-LSA" => " (Area-Local Opaque-Type/ID)",
        "AS-external Opaque-LSA" => " (AS-external Opaque-Type/ID)",
        _ => "",
    }
}

// Writing to a String cannot fail, hence the `let _`.
impl LsaDetail {
    /// vtysh's paragraph. `is_asbr` tells type 4 from type 3, which share a name.
    pub(super) fn write(&self, is_asbr: bool, out: &mut String) {
        let _ = writeln!(out, "  LS age: {}\n  Options: {}", self.lsa_age, self.options);
        if let Some(flags) = self.flags {
            let named = [(self.vl_endpoint, " VL-endpoint"), (self.abr, " ABR"), (self.asbr, " ASBR")];
            let names: String = named.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
            let colon = if names.is_empty() { "" } else { " :" };
            let _ = writeln!(out, "  Flags: {flags:#x}{colon}{names}");
        }
        let _ = writeln!(
            out,
            "  LS Type: {}\n  Link State ID: {}{}\n  Advertising Router: {}\n  LS Seq Number: {}\n  \
             Checksum: 0x{:0>4}\n  Length: {}\n",
            self.lsa_type,
            self.link_state_id,
            id_remark(&self.lsa_type, is_asbr),
            self.advertising_router,
            self.lsa_seq_number,
            self.checksum,
            self.length
        );
        self.write_links(out);
        if let Some(mask) = self.network_mask {
            let _ = writeln!(out, "  Network Mask: /{mask}");
        }
        for (id, _) in self.attached_routers.iter().flat_map(Ordered::iter) {
            let _ = writeln!(out, "        Attached Router: {id}");
        }
        if let Some(metric) = self.tos0_metric {
            let _ = writeln!(out, "        TOS: 0  Metric: {metric}");
        }
        self.write_external(out);
        if let (Some(opaque_type), Some(id), Some(length)) =
            (&self.opaque_type, self.opaque_id, self.opaque_data_length)
        {
            let _ = writeln!(
                out,
                "  Opaque-Type {} ({opaque_type})\n  Opaque-ID   {id:#x}\n  Opaque-Info: {length} octets of data",
                self.link_state_id.octets()[0]
            );
        }
        out.push('\n');
    }

    fn write_links(&self, out: &mut String) {
        let Some(links) = &self.router_links else { return };
        let _ = writeln!(out, "   Number of Links: {}\n", links.0.len());
        for (_, link) in links.iter() {
            let _ = writeln!(out, "    Link connected to: {}", link.link_type);
            if let Some(id) = link.neighbor_router_id {
                let _ = writeln!(out, "     (Link ID) Neighboring Router ID: {id}");
            }
            if let Some(address) = link.designated_router_address {
                let _ = writeln!(out, "     (Link ID) Designated Router address: {address}");
            }
            if let (Some(network), Some(mask)) = (link.network_address, link.network_mask) {
                let _ = writeln!(out, "     (Link ID) Net: {network}\n     (Link Data) Network Mask: {mask}");
            }
            if let Some(address) = link.router_interface_address {
                let _ = writeln!(out, "     (Link Data) Router Interface address: {address}");
            }
            let _ =
                writeln!(out, "      Number of TOS metrics: 0\n       TOS 0 Metric: {}\n", link.tos0_metric);
        }
    }

    fn write_external(&self, out: &mut String) {
        let (Some(kind), Some(metric), Some(tag)) = (&self.metric_type, self.metric, self.external_route_tag)
        else {
            return;
        };
        let kind = kind.trim_start_matches('E');
        let _ = writeln!(out, "        Metric Type: {kind}\n        TOS: 0\n        Metric: {metric}");
        if let Some(address) = self.forward_address {
            let _ = writeln!(out, "        Forward Address: {address}");
        }
        if let Some(address) = self.nssa_forward_address {
            let _ = writeln!(out, "        NSSA: Forward Address: {address}");
        }
        let _ = writeln!(out, "        External Route Tag: {tag}");
    }
}
