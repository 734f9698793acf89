//! `[prefix-lists]`, `[access-lists]` and `[route-maps]`.

use super::ospf::{METRIC_TYPE, METRIC_TYPE_TEXT};
use super::{Fallback, Key, Kind, Table, key, table_key};

const ACTION: Key = key(
    "action",
    Kind::Word(&["permit", "deny"]),
    Fallback::Required,
    "What becomes of what the entry matches.",
);
const SEQUENCE: Key = key(
    "sequence",
    Kind::Number { min: 1, max: u32::MAX },
    Fallback::Required,
    "Its place: entries are asked in ascending order, wherever they stand in the file.",
);
const LENGTH: Kind = Kind::Number { min: 1, max: 32 };

pub(super) static PREFIX_LIST_ENTRY: Table = Table {
    path: "prefix-lists.NAME",
    text: "One entry of a set of prefixes. The first entry that matches decides; what none matches is denied.",
    keys: &[
        SEQUENCE,
        ACTION,
        key(
            "prefix",
            Kind::Text("IPv4 prefix, such as `\"10.10.0.0/16\"`, or `\"any\"`"),
            Fallback::Required,
            "The prefix alone, unless `ge` or `le` is there. `any` is 0.0.0.0/0 with `le = 32`.",
        ),
        key(
            "ge",
            LENGTH,
            Fallback::Absent("the prefix's length"),
            "Shortest length of prefixes inside it; without `le` up to 32.",
        ),
        key("le", LENGTH, Fallback::Absent("see `ge`"), "Longest length of prefixes inside it."),
    ],
};

pub(super) static ACCESS_LIST_ENTRY: Table = Table {
    path: "access-lists.NAME",
    text: "One entry of a set of prefixes. The first entry that matches decides; what none matches is denied.",
    keys: &[
        SEQUENCE,
        ACTION,
        key(
            "prefix",
            Kind::Text("IPv4 prefix, such as `\"10.10.0.0/16\"`, or `\"any\"`"),
            Fallback::Required,
            "The prefix and all inside it.",
        ),
        key("exact", Kind::Boolean, Fallback::Boolean(false), "The prefix alone."),
    ],
};

pub(super) static ROUTE_MAP_ENTRY: Table = Table {
    path: "route-maps.NAME",
    text: "One entry of a route map. The first entry whose conditions all hold decides: `permit` lets the route pass \
           with the changes of `set`, `deny` does not. A route that fits no entry is denied.",
    keys: &[
        key(
            "sequence",
            Kind::Number { min: 1, max: 65_535 },
            Fallback::Required,
            "Its place: entries are asked in ascending order, wherever they stand in the file.",
        ),
        ACTION,
        key("description", Kind::Text("one line of text"), Fallback::Absent("none"), "For humans."),
        table_key("match", Kind::Table(&MATCH), "Conditions; without any, every route fits."),
        table_key("set", Kind::Table(&SET), "Changes."),
        key(
            "on-match",
            Kind::Refused("the first entry that fits decides; write its changes into one entry"),
            Fallback::Absent(""),
            "",
        ),
        key(
            "call",
            Kind::Refused("route maps do not call each other; write the conditions into one entry"),
            Fallback::Absent(""),
            "",
        ),
    ],
};

static MATCH: Table = Table {
    path: "route-maps.NAME.match",
    text: "Conditions on a route. All that are there must hold.",
    keys: &[
        key(
            "prefix-list",
            Kind::Text("the name of one of `prefix-lists`"),
            Fallback::Absent("none"),
            "It permits the destination.",
        ),
        key(
            "access-list",
            Kind::Text("the name of one of `access-lists`"),
            Fallback::Absent("none"),
            "It permits the destination.",
        ),
        key(
            "next-hop-prefix-list",
            Kind::Text("the name of one of `prefix-lists`"),
            Fallback::Absent("none"),
            "It permits the gateway of the first next hop, as a /32: its entries need `le = 32`. A route without a \
             gateway has 0.0.0.0.",
        ),
        key(
            "interface",
            Kind::Text("interface name"),
            Fallback::Absent("any"),
            "The first next hop leaves by it.",
        ),
        key("tag", Kind::Number { min: 0, max: u32::MAX }, Fallback::Absent("any"), "The route's tag."),
        key(
            "metric",
            Kind::Number { min: 0, max: u32::MAX },
            Fallback::Absent("any"),
            "The route's metric where it comes from: 0 for connected and static routes.",
        ),
    ],
};

static SET: Table = Table {
    path: "route-maps.NAME.set",
    text: "What changes in a route that is permitted.",
    keys: &[
        key(
            "metric",
            Kind::NumberOrText {
                min: 0,
                max: 16_777_214,
                form: "`\"+N\"` or `\"-N\"` for so much more or less",
            },
            Fallback::Absent("as without the map"),
            "External metric; more and less than it were without the map, from 0 to 16777214.",
        ),
        key("metric-type", METRIC_TYPE, Fallback::Absent("as without the map"), METRIC_TYPE_TEXT),
        key(
            "tag",
            Kind::Number { min: 0, max: u32::MAX },
            Fallback::Absent("the route's own"),
            "Tag in the AS-external-LSA.",
        ),
    ],
};
