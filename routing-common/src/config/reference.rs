//! The reference page of the configuration file, printed from the schema.

use super::duration::format_duration;
use super::schema::{Fallback, Key, Kind, ROOT, Table, number_range};
use core::fmt::Write;

const INTRODUCTION: &str = "\
# Configuration reference

<!-- Generated from the schema in routing-common/src/config/schema/; a test compares. Write it anew with:
     BLESS=1 cargo test -p routing-common reference -->

One TOML file describes one router, by default `/etc/torc/router.toml`. Every daemon reads the same file,
validates all of it and uses its part. A file with a mistake is refused as a whole; every mistake is
reported at once, with line, excerpt and hint. Unknown keys are mistakes.

Durations are strings with a unit: `\"150ms\"`, `\"10s\"`, `\"1m\"`, `\"2h\"`. Prefixes and addresses are strings.
`NAME` stands for a name of your choice, or the kernel's name of an interface.

## Two sets of defaults

| key | `traditional` | `ring` |
| --- | --- | --- |
";

const RULES: &str = "
## Rules between keys

Refused:

* two interfaces in one subnet (except shared /32 addresses), an address listed twice on an interface;
* network, broadcast, multicast, reserved and loopback addresses where a host's address is meant (127.0.0.0/8 may
  stand on `lo`);
* a static route with no target, two targets, a next hop that is this router's own address, or the same
  destination, distance and target twice;
* `dead-interval` not longer than `hello-interval`, either of them beside `hello-multiplier` (a `dead-interval` of 1s
  may stand there); SPF delays not in ascending order;
* more than one area on a router: area border routers are not part of this version;
* one `vrid` twice on an interface, one virtual address in two groups of an interface;
* a virtual address outside the interface's subnets, where the file gives the interface addresses;
* priority 255 for addresses that are not the interface's own, any other priority for one that is, and
  `preempt = false` with priority 255;
* an advertisement interval that the protocol version cannot express;
* a BFD profile that is not there, `multihop` together with `interface`, two BFD peers that are one session, a
  `local-address` that the interface does not have in the file;
* a name of a prefix list, access list, route map or key chain that is not there, one of them without an entry, and one with the same
  `sequence` twice;
* a key chain with an id twice, a key without its secret or algorithm, a lifetime that ends before it begins;
* `bfd` under `vrrp`, `network-type` \"point-to-multipoint\" and \"non-broadcast\": not part of this version.

Only warned about: an interface that is used but has no table under `[interfaces]` (its addresses must then come from
elsewhere), lists, maps and key chains that nothing uses, times in which no key of a chain is meant to sign, keys longer than their digest (which RFC 5709 and HMAC alone use differently), keys that sign while
they are not accepted, entries that never decide because earlier ones match all they do, `set` in an
entry that denies, a `distribute-list` of what is not redistributed, `always` with a route map that has conditions,
`preempt-delay` without `preempt`, `bfd` on a passive OSPF interface, and a BFD peer on a single hop that is in no subnet of
the file while no `interface` is named.
";

/// The page `docs/configuration.md`.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    differences(&mut page, &ROOT);
    page.push_str(
        "| `ospf.interfaces.NAME.dead-interval` | `\"40s\"` | `\"4s\"` |\n\n\
         VRRP version 2 counts whole seconds, so its default is `\"1s\"` in both. A key that is written always \
         wins.\n",
    );
    table(&mut page, &ROOT, "The top of the file");
    page.push_str(RULES);
    page
}

/// The rows of keys whose default depends on the set.
fn differences(page: &mut String, t: &Table) {
    for key in t.keys {
        if let Fallback::Time { traditional, ring } = key.default
            && traditional != ring
        {
            let shown = |d| format!("`\"{}\"`", format_duration(d));
            line(
                page,
                format_args!("| `{}.{}` | {} | {} |", t.path, key.name, shown(traditional), shown(ring)),
            );
        }
        if let Some(inner) = inner(key) {
            differences(page, inner);
        }
    }
}

fn table(page: &mut String, t: &Table, title: &str) {
    line(
        page,
        format_args!(
            "\n## {title}\n\n{}\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |",
            t.text
        ),
    );
    for key in t.keys.iter().filter(|k| !matches!(k.kind, Kind::Refused(_))) {
        line(page, format_args!("| `{}` | {} | {} | {} |", key.name, value(key), default(key), key.text));
    }
    for inner in t.keys.iter().filter_map(inner) {
        table(page, inner, &format!("`{}`", inner.path));
    }
    if core::ptr::eq(t, &raw const super::schema::STATIC_ROUTE) {
        let inner = &super::schema::NEXT_HOP;
        table(page, inner, &format!("`{}`", inner.path));
    }
}

fn inner(key: &Key) -> Option<&'static Table> {
    match key.kind {
        Kind::Table(t) | Kind::Named(t) | Kind::NamedArray(t) | Kind::Array(t) | Kind::WordOrTable(_, t) => {
            Some(t)
        }
        _ => None,
    }
}

fn value(key: &Key) -> String {
    let words = |w: &[&str]| w.iter().map(|w| format!("`\"{w}\"`")).collect::<Vec<_>>().join(", ");
    match key.kind {
        Kind::Boolean => "`true` or `false`".into(),
        Kind::Number { min, max } => number_range(min, max),
        Kind::Time { min, max, step } => {
            let shown = format_duration;
            format!("`\"{}\"` to `\"{}\"` in steps of {}", shown(min), shown(max), shown(step))
        }
        Kind::Word(w) => words(w),
        Kind::NumberOrText { min, max, form } => format!("{}, or {form}", number_range(min, max)),
        Kind::SwitchOrText(form) => format!("`true`, `false` or {form}"),
        Kind::Text(form) => form.into(),
        Kind::List(form) => format!("array of {form}"),
        Kind::Table(t) => format!("table {}", link(t)),
        Kind::Named(t) => format!("tables {}", link(t)),
        Kind::NamedArray(t) => format!("arrays of tables {}", link(t)),
        Kind::Array(t) => format!("array of tables {}", link(t)),
        Kind::WordOrTable(w, t) => format!("{} or table {}", words(w), link(t)),
        Kind::Refused(reason) => reason.into(),
    }
}

fn default(key: &Key) -> String {
    match key.default {
        Fallback::Required => "**required**".into(),
        Fallback::Absent(text) => text.into(),
        Fallback::Boolean(b) => format!("`{b}`"),
        Fallback::Number(n) => format!("{n}"),
        Fallback::Word(w) => format!("`\"{w}\"`"),
        Fallback::Time { traditional, ring } if traditional == ring => {
            format!("`\"{}\"`", format_duration(traditional))
        }
        Fallback::Time { .. } => "see above".into(),
    }
}

/// A link to the table's section, by the anchor Markdown renderers make of its heading.
fn link(t: &Table) -> String {
    format!("[`{}`](#{})", t.path, t.path.replace('.', "").to_lowercase())
}

fn line(page: &mut String, text: core::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{text}");
}
