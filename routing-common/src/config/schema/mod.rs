//! Every key a file may hold: name, type, range, default and meaning.
//!
//! The one place for all of that. `reader` takes types, ranges and defaults from here, refuses keys
//! that are not here, and insists in tests that every key here is read; `reference` prints it. So the
//! loader, its messages and the reference page cannot drift apart.

mod bfd;
mod key_chain;
mod ospf;
mod policy;
mod vrrp;

pub(super) use bfd::BFD;
pub(super) use ospf::{NETWORK_TYPES_REFUSED, OSPF};
pub(super) use vrrp::VRRP;

use std::time::Duration;

/// A table of the file.
pub(super) struct Table {
    /// Its path as the operator writes it, `NAME` standing for a name he chooses.
    pub(super) path: &'static str,
    /// What it is for.
    pub(super) text: &'static str,
    /// What may stand in it.
    pub(super) keys: &'static [Key],
}

/// One key.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Fallback,
    pub(super) text: &'static str,
}

/// What a key's value must be.
pub(super) enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Number { min: u32, max: u32 },
    /// A string with a unit.
    Time { min: Duration, max: Duration, step: Duration },
    /// One of these strings.
    Word(&'static [&'static str]),
    /// A whole number, or a string of the described form.
    NumberOrText { min: u32, max: u32, form: &'static str },
    /// `true`, `false` or a string of the described form.
    SwitchOrText(&'static str),
    /// A string of the described form.
    Text(&'static str),
    /// An array of strings of the described form (or of what the description says).
    List(&'static str),
    /// A table.
    Table(&'static Table),
    /// A table of tables whose names the operator chooses.
    Named(&'static Table),
    /// A table of arrays of tables; the operator chooses the arrays' names.
    NamedArray(&'static Table),
    /// An array of tables.
    Array(&'static Table),
    /// A word or a table.
    WordOrTable(&'static [&'static str], &'static Table),
    /// Known, but not part of this version, for this reason.
    Refused(&'static str),
}

/// What holds when a key is absent.
pub(super) enum Fallback {
    /// It must not be absent.
    Required,
    /// Nothing, or what the text says.
    Absent(&'static str),
    Boolean(bool),
    Number(u32),
    Word(&'static str),
    /// Per set of defaults.
    Time {
        traditional: Duration,
        ring: Duration,
    },
}

/// A range of numbers in words.
pub(super) fn number_range(min: u32, max: u32) -> String {
    if max == min + 1 { format!("{min} or {max}") } else { format!("{min} to {max}") }
}

const fn key(name: &'static str, kind: Kind, default: Fallback, text: &'static str) -> Key {
    Key { name, kind, default, text }
}

const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn always(d: Duration) -> Fallback {
    Fallback::Time { traditional: d, ring: d }
}

const fn table_key(name: &'static str, kind: Kind, text: &'static str) -> Key {
    key(name, kind, Fallback::Absent(""), text)
}

const NO_BFD: &str = "VRRP does not use BFD in this version; short advertisement intervals (`defaults = \"ring\"`) \
                      are the way to detect failures quickly";

/// The whole file.
pub(super) static ROOT: Table = Table {
    path: "",
    text: "What concerns the router as a whole.",
    keys: &[
        key(
            "hostname",
            Kind::Text("1 to 63 letters, digits, `-` or `.`"),
            Fallback::Word("router"),
            "Name of the router in prompts and logs.",
        ),
        key(
            "defaults",
            Kind::Word(&["traditional", "ring"]),
            Fallback::Word("traditional"),
            "Which default timers the file starts from: those of the RFCs, or fast detection on every \
             link. A key that is written always wins.",
        ),
        table_key("interfaces", Kind::Named(&INTERFACE), "Interfaces by their kernel name."),
        table_key("static-routes", Kind::Array(&STATIC_ROUTE), "Static routes."),
        table_key(
            "prefix-lists",
            Kind::NamedArray(&policy::PREFIX_LIST_ENTRY),
            "Sets of prefixes, by a name of your choice.",
        ),
        table_key(
            "access-lists",
            Kind::NamedArray(&policy::ACCESS_LIST_ENTRY),
            "Simpler sets of prefixes, by a name of your choice.",
        ),
        table_key(
            "route-maps",
            Kind::NamedArray(&policy::ROUTE_MAP_ENTRY),
            "Which routes are announced, and how, by a name of your choice.",
        ),
        table_key("access", Kind::Table(&ACCESS), "Who may look and who may change, beside root."),
        table_key(
            "key-chains",
            Kind::NamedArray(&key_chain::KEY),
            "Keys that take turns, by a name of your choice.",
        ),
        table_key("rib", Kind::Table(&RIB), "The routing table and the kernel's forwarding."),
        table_key("ospf", Kind::Table(&OSPF), "OSPFv2; without this table it does not run."),
        table_key("vrrp", Kind::Table(&VRRP), "VRRP; without groups it does not run."),
        table_key("bfd", Kind::Table(&BFD), "Bidirectional Forwarding Detection; runs if something uses it."),
    ],
};

pub(super) static INTERFACE: Table = Table {
    path: "interfaces.NAME",
    text: "One interface. It need not exist yet: one that appears later is taken up then.",
    keys: &[
        key("description", Kind::Text("one line of text"), Fallback::Absent("none"), "For humans."),
        key(
            "addresses",
            Kind::List("IPv4 addresses with prefix length, such as `\"192.168.1.1/24\"`"),
            Fallback::Absent("none"),
            "Addresses the interface gets; the first is the primary one. Subnets of different interfaces \
             must not overlap, except /32 addresses, which may be shared (unnumbered links).",
        ),
    ],
};

pub(super) static STATIC_ROUTE: Table = Table {
    path: "static-routes",
    text: "One static route. Give exactly one of: `next-hop` (with or without `interface`), `interface` \
           alone, `next-hops`, `blackhole`.",
    keys: &[
        key(
            "prefix",
            Kind::Text("IPv4 prefix, such as `\"10.10.0.0/16\"`"),
            Fallback::Required,
            "Destination.",
        ),
        key(
            "next-hop",
            Kind::Text("IPv4 address"),
            Fallback::Absent("none"),
            "The gateway. Need not be directly connected.",
        ),
        key(
            "interface",
            Kind::Text("interface name"),
            Fallback::Absent("any"),
            "The only interface the route may use: it goes when the link goes.",
        ),
        key(
            "next-hops",
            Kind::List("addresses, or tables `{ next-hop = \"…\", interface = \"…\" }`"),
            Fallback::Absent("none"),
            "Several gateways at once: equal-cost multipath.",
        ),
        key("blackhole", Kind::Boolean, Fallback::Boolean(false), "Drop what matches, silently."),
        key(
            "distance",
            Kind::Number { min: 1, max: 255 },
            Fallback::Number(1),
            "Administrative distance. A larger one makes a floating route; 255 is never used.",
        ),
        key(
            "tag",
            Kind::Number { min: 0, max: u32::MAX },
            Fallback::Number(0),
            "Tag, carried along in redistribution.",
        ),
    ],
};

pub(super) static NEXT_HOP: Table = Table {
    path: "static-routes.next-hops",
    text: "One of several next hops; at least one of the two keys.",
    keys: &[
        key("next-hop", Kind::Text("IPv4 address"), Fallback::Absent("none"), "The gateway."),
        key(
            "interface",
            Kind::Text("interface name"),
            Fallback::Absent("any"),
            "Only through this interface.",
        ),
    ],
};

pub(super) static ACCESS: Table = Table {
    path: "access",
    text: "Who may talk to the daemons beside root and the user they run as: groups of the host's users, whose members are \
           known by primary and further groups. Without either key only the owner and group of the sockets may, and may do \
           everything; with one, the sockets are open to everybody and each request is judged.",
    keys: &[
        key(
            "operators",
            Kind::Text("name or number of a group"),
            Fallback::Absent("nobody"),
            "Its members may do everything: change, save, confirm, take back, restart.",
        ),
        key(
            "readers",
            Kind::Text("name or number of a group"),
            Fallback::Absent("nobody"),
            "Its members may look. Keys and passwords are blanked out for them.",
        ),
    ],
};

pub(super) static RIB: Table = Table {
    path: "rib",
    text: "The routing table and the kernel's forwarding.",
    keys: &[
        key("forwarding", Kind::Boolean, Fallback::Boolean(true), "Forward packets between interfaces."),
        key(
            "next-hop-objects",
            Kind::Boolean,
            Fallback::Boolean(true),
            "Use the kernel's next-hop objects where it has them.",
        ),
        key(
            "stale-time",
            Kind::Time { min: Duration::ZERO, max: seconds(3600), step: millis(1) },
            always(seconds(120)),
            "How long routes of a daemon that went away stay in the kernel for its successor.",
        ),
    ],
};
