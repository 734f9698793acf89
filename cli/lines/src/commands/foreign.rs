//! FRR's lines for which Torc has nothing, with the reason or what to do instead.
//!
//! What is in no table is a mistake; what is here is understood and left out knowingly.

use super::level;
use crate::mode::{Kind, Mode};
use crate::outcome::LineError;
use std::net::Ipv6Addr;

/// Why a line has no counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) reason: &'static str,
    /// Nothing is lost without it.
    pub(crate) harmless: bool,
    /// The lines below belong to it.
    pub(crate) block: bool,
}

type Row = (&'static str, Foreign);

const fn lost(reason: &'static str) -> Foreign {
    Foreign { reason, harmless: false, block: false }
}

const fn harmless(reason: &'static str) -> Foreign {
    Foreign { reason, harmless: true, block: false }
}

const fn block(reason: &'static str) -> Foreign {
    Foreign { reason, harmless: false, block: true }
}

const COMMENT: &str = "comments stand in the file, behind `#`";
const CONDITION: &str = "a route map here knows the destination, the next hop, interface, tag and metric; without this \
                         condition the entry takes more routes than before: look at it";
const ONE_ENTRY: &str = "the first entry that fits decides alone: look at the whole map";
const IPV6: &str = "Torc routes IPv4 only";
const TABLES: &str = "Torc uses the main routing table only";
const PROTOCOL: &str = "Torc has OSPFv2, VRRP, BFD and static routes, no other routing protocol";
const LOGGING: &str =
    "Torc's daemons log to standard error or the journal; their level is set where they are started";
const ACCESS: &str = "access to the shell is a matter of the socket's group";
const ONE_AREA: &str =
    "one area per router in this version: area border routers and special areas are not supported";
const LABELS: &str = "Torc has no MPLS, segment routing or traffic engineering";
const LINKS: &str = "Torc leaves links as they are: set this where the link is set up";
const WRITTEN: &str = "which release wrote the file";

const CONFIG: &[Row] = &[
    ("frr version LINE", harmless(WRITTEN)),
    ("torc version LINE", harmless(WRITTEN)),
    ("Building LINE", harmless("a heading")),
    ("Current LINE", harmless("a heading")),
    ("service integrated-vtysh-config", harmless("Torc always has one file")),
    ("service LINE", harmless(ACCESS)),
    ("username LINE", harmless(ACCESS)),
    ("password LINE", harmless(ACCESS)),
    ("enable LINE", harmless(ACCESS)),
    ("line vty", Foreign { reason: ACCESS, harmless: true, block: true }),
    ("banner LINE", harmless(ACCESS)),
    ("log LINE", harmless(LOGGING)),
    ("debug LINE", harmless("`--log-level` says what the daemons log")),
    ("domainname LINE", harmless("Torc needs no domain name")),
    ("router <bgp|isis|rip|ripng|ospf6|eigrp|babel|openfabric|pim|pim6|olsr> [LINE]", block(PROTOCOL)),
    ("router ospf (1-65535)", block("there is one OSPF instance, `router ospf`")),
    ("router ospf vrf LINE", block(TABLES)),
    ("router-id A.B.C.D [LINE]", lost("the router id is OSPF's: `router ospf`, `ospf router-id`")),
    ("ip router-id A.B.C.D [LINE]", lost("the router id is OSPF's: `router ospf`, `ospf router-id`")),
    ("route-map WORD optimization", harmless("a matter of FRR's inner workings")),
    ("access-list WORD remark LINE", harmless(COMMENT)),
    ("ip prefix-list WORD description LINE", harmless(COMMENT)),
    (
        "access-list WORD [seq (1-4294967295)] <permit|deny> LINE",
        lost("an access list has prefixes here, such as 10.0.0.0/8, and no masks, hosts or protocols"),
    ),
    ("ip <access-list|as-path|community-list|large-community-list|extcommunity-list> LINE", lost(PROTOCOL)),
    ("ip protocol LINE", lost("Torc chooses no source addresses for routes and filters none")),
    ("ip <nht|import-table> LINE", lost("next hops are always tracked; a default route resolves none")),
    ("ip <multicast-routing|pim|igmp|mroute|msdp|ssmpingd> [LINE]", lost(PROTOCOL)),
    (
        "ip route A.B.C.D/M WORD LINE",
        lost("of a static route Torc knows the gateway, the interface, tag and distance"),
    ),
    ("ipv6 LINE", lost(IPV6)),
    ("vrf WORD", block(TABLES)),
    ("exit-vrf", harmless("the end of such a block")),
    ("interface IFNAME vrf WORD", block(TABLES)),
    ("<pbr-map|nexthop-group|pseudowire|l2vpn|affinity-map|segment-routing> [LINE]", block(PROTOCOL)),
    ("<mpls|bgp|evpn|rpki|vni|fpm|ecmp|pbr|sharp> [LINE]", lost(PROTOCOL)),
    (
        "<agentx|snmp|mgmt|netns|allow-external-route-update|zebra> [LINE]",
        lost("Torc's daemons have nothing of the kind"),
    ),
    ("vrrp <default|autoconfigure> [LINE]", lost("say it of each virtual router: `interface`, `vrrp N …`")),
    (
        "<smux|dump|domain|nhrp|exec-timeout|vtysh|terminal|allow-reserved-ranges> [LINE]",
        harmless("Torc's daemons have nothing of the kind"),
    ),
    ("max-multipath (1-256)", lost("`maximum-paths` in `router ospf`")),
];

const INTERFACE: &[Row] = &[
    ("ipv6 LINE", lost(IPV6)),
    ("vrrp (1-255) ipv6 LINE", lost(IPV6)),
    ("vrrp (1-255) shutdown", lost("a virtual router that is not to run is left out of the configuration")),
    (
        "shutdown",
        lost(
            "Torc does not set links up or down: take the link down elsewhere, or leave its addresses and OSPF out",
        ),
    ),
    ("link-detect", harmless("Torc always heeds the carrier")),
    ("bandwidth LINE", lost("costs follow the link's own speed: say `ip ospf cost`")),
    ("<multicast|mtu|speed|duplex|arp|link-params|evpn|protodown> [LINE]", lost(LINKS)),
    (
        "ip address A.B.C.D/M LINE",
        lost("labels, peers and secondary marks: the first address is the primary one"),
    ),
    ("ip <pim|igmp|rip|router|nhrp|eigrp|mroute> [LINE]", lost(PROTOCOL)),
    ("<isis|openfabric|babel|eigrp|mpls|pbr-policy|bfd> [LINE]", lost(PROTOCOL)),
    (
        "ip ospf network <non-broadcast|point-to-multipoint> [LINE]",
        lost("networks are `broadcast` or `point-to-point`"),
    ),
    ("ip ospf network point-to-point LINE", lost("`point-to-point` without DMVPN")),
    ("ip ospf (1-65535) LINE", lost("there is one OSPF instance")),
    ("ip ospf prefix-suppression [LINE]", lost("all networks are announced (no RFC 6860)")),
    ("ip ospf neighbor-filter LINE", lost("whose packets are taken says `ip ospf authentication`")),
    ("ip ospf capability opaque", lost("opaque LSAs are always flooded")),
    ("ip ospf retransmit-window (20-1000)", lost("retransmissions are not gathered in a window")),
    ("ip ospf graceful-restart LINE", lost("Hellos after a restart have no delay of their own")),
    ("ip ospf bfd quick", lost("not part of this version; `ip ospf bfd`")),
    ("ip ospf <mpls|dscp|dead-timer-reset> LINE", lost("not part of this version")),
];

const ROUTER_OSPF: &[Row] = &[
    ("log-adjacency-changes [detail]", harmless("Torc always logs them")),
    ("capability opaque", harmless("opaque LSAs are always flooded")),
    (
        "<write-multiplier|refresh|socket|aggregation|proactive-arp|socket-per-interface> [LINE]",
        harmless("a matter of FRR's inner workings"),
    ),
    (
        "ospf <abr-type|opaque-lsa|send-extra-data|lsa-refresh|maxage-delay> [LINE]",
        harmless("a matter of FRR's inner workings"),
    ),
    (
        "area <A.B.C.D|(0-4294967295)> <stub|nssa|range|default-cost|export-list|import-list|filter-list|shortcut|virtual-link|flood-reduction> [LINE]",
        lost(ONE_AREA),
    ),
    (
        "redistribute <kernel|rip|isis|bgp|eigrp|nhrp|table|table-direct|vnc|babel|openfabric|sharp|ospf> [LINE]",
        lost("`connected` and `static` can be announced"),
    ),
    ("timers spf (0-4294967295) (0-4294967295)", lost("`timers throttle spf`, in milliseconds")),
    ("passive-interface <default|IFNAME> A.B.C.D", lost("settings are an interface's, not an address's")),
    (
        "distribute-list WORD out <kernel|rip|isis|bgp|eigrp|nhrp|table|vnc|babel|openfabric|sharp|ospf> [LINE]",
        lost("`connected` and `static` can be announced"),
    ),
    (
        "area <A.B.C.D|(0-4294967295)> authentication [message-digest]",
        lost("say `no ip ospf authentication` on each interface"),
    ),
    ("summary-address LINE", lost("external routes are announced as they are")),
    ("default-metric (0-16777214)", lost("say the metric in each `redistribute` line")),
    ("distance ospf LINE", lost("one distance for all OSPF routes, `distance N`")),
    ("neighbor LINE", lost("networks are `broadcast` or `point-to-point`, where neighbours find each other")),
    ("graceful-restart helper enable A.B.C.D", lost("help is given to all neighbours or none")),
    (
        "graceful-restart helper <supported-grace-time|planned-only> [LINE]",
        lost("help is given as RFC 3623 says"),
    ),
    ("graceful-restart notify LINE", lost("restarts need no notice before")),
    ("<mpls-te|mpls|router-info|pce|segment-routing|flood-reduction> [LINE]", lost(LABELS)),
    ("fast-reroute ti-lfa [node-protection]", lost("alternates need no labels here: say `fast-reroute lfa`")),
    ("shutdown", lost("OSPF runs while the configuration has it")),
    ("forwarding-address-self", lost("not part of this version")),
];

const ROUTE_MAP: &[Row] = &[
    ("match LINE", lost(CONDITION)),
    ("set LINE", lost("a route map here sets the metric, its type and the tag")),
    ("on-match LINE", lost(ONE_ENTRY)),
    ("continue [LINE]", lost(ONE_ENTRY)),
    ("call WORD", lost(ONE_ENTRY)),
];

const KEY_CHAIN: &[Row] =
    &[("key (256-2147483647)", block("an OSPF packet has room for the numbers up to 255"))];

const BFD: &[Row] = &[
    ("peer WORD LINE", block("a peer is an IPv4 address, in the main routing table")),
    ("sbfd LINE", lost("no seamless BFD")),
    ("bfd-name LINE", lost("no seamless BFD")),
];

const BFD_SESSION: &[Row] = &[
    ("echo-mode", lost("Torc sends no echo packets")),
    ("<echo-interval|echo> [LINE]", harmless("Torc sends no echo packets")),
    ("log-session-changes", harmless("Torc always logs them")),
    ("shutdown", lost("a session is shut down by its peer, not by a profile")),
    ("authentication LINE", lost("no authentication of BFD in this version")),
];

/// The foreign lines of a mode.
pub(super) fn rows(kind: Kind) -> Vec<Row> {
    match kind {
        Kind::Config => CONFIG,
        Kind::Interface => INTERFACE,
        Kind::RouterOspf => ROUTER_OSPF,
        Kind::RouteMap => ROUTE_MAP,
        Kind::KeyChain => KEY_CHAIN,
        Kind::Key => &[],
        Kind::Bfd => BFD,
        Kind::BfdPeer | Kind::BfdProfile => BFD_SESSION,
    }
    .to_vec()
}

/// Why these words, which are no command, have no counterpart; `None`: they are a mistake.
pub(crate) fn foreign_reason(mode: &Mode, words: &[&str]) -> Option<LineError> {
    let no = words.first() == Some(&"no");
    let words = if no { words.get(1..)? } else { words };
    let mut at = Some(mode.clone());
    while let Some(m) = at {
        if let Ok((Foreign { reason, harmless, block }, _)) = level(m.kind()).foreign.parse(words) {
            // Taking back what Torc does not have leaves things as they are.
            let (harmless, opens_block) = (harmless || no, block && !no);
            return Some(LineError::NoCounterpart { reason: reason.to_owned(), harmless, opens_block });
        }
        at = m.parent();
    }
    let ipv6 = |w: &&str| w.split('/').next().is_some_and(|a| a.parse::<Ipv6Addr>().is_ok());
    if words.iter().any(ipv6) {
        let reason = IPV6.to_owned();
        return Some(LineError::NoCounterpart { reason, harmless: no, opens_block: false });
    }
    per_address(mode, words)
}

/// FRR takes an address at the end of OSPF's interface lines.
fn per_address(mode: &Mode, words: &[&str]) -> Option<LineError> {
    let (last, before) = words.split_last()?;
    let ours = |w: &[&str]| level(mode.kind()).shown.parse(w).is_ok();
    if !matches!(mode, Mode::Interface(_)) || last.parse::<std::net::Ipv4Addr>().is_err() || !ours(before) {
        return None;
    }
    let reason = format!("settings are an interface's, not an address's: the line without {last}");
    Some(LineError::NoCounterpart { reason, harmless: false, opens_block: false })
}
