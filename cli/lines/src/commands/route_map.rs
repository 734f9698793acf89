//! `route-map`: entries of route maps, and the lines inside one.

use super::lists::sequence_of;
use super::{NO, Row, pair};
use crate::call::{Call, Meaning, Stop, refused, without_counterpart};
use crate::mode::Mode;
use crate::session::Phase;
use toml_edit::{InlineTable, Item, RawString, Table, TableLike, Value, value};

const MATCH: &str = "A condition; all of an entry must hold";
const SET: &str = "What changes in a route that is permitted";
const IP: &str = "IPv4";
const DESTINATION: &str = "The destination";
const LIST: &str = "A prefix list permits the destination";
const ACL: &str = "The same, before a name that would pass for a keyword";
const NAME: &str = "The list's name";
const MAP: &str = "Which routes are announced, and how";
const PERMIT: &str = "Routes that fit pass";
const DENY: &str = "Routes that fit do not pass";
const UNTAGGED: &str = "Tag 0";
/// Largest external metric (RFC 2328: LSInfinity less 1).
const LARGEST: u32 = 16_777_214;

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "route-map WORD$name <permit|deny> (1-65535)$at",
        help: &[MAP, "Its name", PERMIT, DENY, "The entry's place; the first that fits decides"],
        meaning: Meaning::Call(route_map),
    },
    Row {
        syntax: "no route-map WORD$name [<permit|deny> (1-65535)$at]",
        help: &[NO, MAP, "Its name", PERMIT, DENY, "The entry's place"],
        meaning: Meaning::Call(route_map),
    },
];

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "match ip address prefix-list",
        "WORD$list",
        [MATCH, IP, DESTINATION, LIST, NAME],
        Meaning::Call(match_prefix_list)
    ),
    pair!(
        "match ip address",
        "<WORD$list|access-list WORD$list>",
        [
            MATCH,
            IP,
            "An access list permits the destination",
            NAME,
            ACL,
            "A name that would pass for a keyword"
        ],
        Meaning::Call(match_access_list)
    ),
    pair!(
        "match ip next-hop prefix-list",
        "WORD$list",
        [MATCH, IP, "The first next hop", "A prefix list permits its gateway, as a /32", NAME],
        Meaning::Call(match_next_hop)
    ),
    pair!(
        "match interface",
        "IFNAME$on",
        [MATCH, "The first next hop leaves by this interface", "Its name"],
        Meaning::Call(match_interface)
    ),
    pair!(
        "match tag",
        "<untagged|(0-4294967295)$number>",
        [MATCH, "The route's tag", UNTAGGED, "The tag"],
        Meaning::Call(match_tag)
    ),
    pair!(
        "match metric",
        "(0-4294967295)$number",
        [MATCH, "The route's metric where it comes from", "0 for connected and static routes"],
        Meaning::Call(match_metric)
    ),
    pair!(
        "set metric",
        "<(0-16777214)$number|WORD$change>",
        [SET, "External metric", "The metric", "+N or -N for more or less than without the map"],
        Meaning::Call(set_metric)
    ),
    pair!(
        "set metric-type",
        "<type-1|type-2>",
        [SET, "External metric type", "With the cost inside the OSPF domain added", "Without"],
        Meaning::Call(set_metric_type)
    ),
    pair!(
        "set tag",
        "<untagged|(0-4294967295)$number>",
        [SET, "Tag in the AS-external-LSA", UNTAGGED, "The tag"],
        Meaning::Call(set_tag)
    ),
    pair!(
        "description",
        "LINE",
        ["What the entry is for", "For humans; \"…\" keeps blanks at its ends"],
        Meaning::Call(description)
    ),
];

/// Would this name of an access list be taken for a keyword of `match ip address`?
pub(crate) fn is_keyword_of_address(name: &str) -> bool {
    ["prefix-list", "access-list"].iter().any(|k| k.starts_with(name))
}

fn route_map(call: &mut Call<'_>) -> Result<(), Stop> {
    let name = call.arg("name")?.to_owned();
    let path = ["route-maps", name.as_str()];
    let at = if call.args.has("at") { Some(call.number::<u16>("at")?) } else { None };
    let action = if call.args.has("permit") { "permit" } else { "deny" };
    let same_action = |t: &dyn TableLike| t.get("action").and_then(Item::as_str) == Some(action);
    let here = |t: &dyn TableLike| at.is_none_or(|at| sequence_of(t) == Some(at.into()));
    if call.no() {
        let fits = |t: &dyn TableLike| here(t) && (at.is_none() || same_action(t));
        if !call.document().remove_tables(&path, fits) {
            return refused("there is no such entry");
        }
        return Ok(());
    }
    let Some(sequence) = at else { return refused("the line lacks its sequence") };
    if !call.session.document.tables(&path).into_iter().any(|t| here(t) && same_action(t)) {
        // Another action begins the entry anew, as in FRR.
        call.document().edit_tables(&path, |t| !here(t));
        call.document().push_table(&path, new_entry(sequence, action));
    }
    call.session.mode = Mode::RouteMap { name, sequence };
    Ok(())
}

fn new_entry(sequence: u16, action: &str) -> Table {
    let mut table = Table::new();
    table.insert("sequence", value(i64::from(sequence)));
    table.insert("action", value(action));
    table
}

/// Sets or takes back a key of the mode's entry; `part` is the table inside it that holds the key, if it is one.
fn edit(call: &mut Call<'_>, part: Option<&str>, key: &str, new: Option<Value>) -> Result<(), Stop> {
    let Mode::RouteMap { name, sequence } = call.mode.clone() else { return Ok(()) };
    let path = ["route-maps", name.as_str()];
    let here = |t: &dyn TableLike| sequence_of(t) == Some(sequence.into());
    let changed = call.document().change_tables(&path, here, |entry| match part {
        Some(part) => edit_part(entry, part, key, new.clone()),
        None => put(entry, key, new.clone()),
    });
    if changed { Ok(()) } else { refused(format!("entry {sequence} of {name} is not there any more")) }
}

fn edit_part(entry: &mut dyn TableLike, part: &str, key: &str, new: Option<Value>) {
    if new.is_some() && entry.get(part).is_none_or(|i| !i.is_table_like()) {
        entry.remove(part);
        entry.insert(part, Item::Value(Value::InlineTable(InlineTable::new())));
    }
    let Some(inner) = entry.get_mut(part).and_then(Item::as_table_like_mut) else { return };
    put(inner, key, new);
    if inner.is_empty() {
        entry.remove(part);
    }
}

pub(super) fn put(table: &mut dyn TableLike, key: &str, new: Option<Value>) {
    table.remove(key);
    // The last value in `{ … }` has the blank before the brace, which is not for the one that follows it.
    for (_, item) in table.iter_mut() {
        let Some(old) = item.as_value_mut() else { continue };
        let blank = |s: Option<&RawString>| s.and_then(|s| s.as_str()).is_none_or(|s| s.trim().is_empty());
        if blank(old.decor().prefix()) && blank(old.decor().suffix()) {
            old.decor_mut().clear();
        }
    }
    if let Some(new) = new {
        table.insert(key, Item::Value(new));
    }
}

/// A condition or change that is the argument `arg` of the line, or nothing for its `no`.
fn text(call: &mut Call<'_>, key: &str, arg: &str) -> Result<(), Stop> {
    let new = if call.no() { None } else { Some(call.arg(arg)?.into()) };
    edit(call, Some("match"), key, new)
}

fn number(call: &mut Call<'_>, part: &str, key: &str) -> Result<(), Stop> {
    let new = match call.no() {
        true => None,
        false if call.args.has("untagged") => Some(0.into()),
        false => Some(call.number::<i64>("number")?.into()),
    };
    edit(call, Some(part), key, new)
}

fn match_prefix_list(call: &mut Call<'_>) -> Result<(), Stop> {
    text(call, "prefix-list", "list")
}

fn match_access_list(call: &mut Call<'_>) -> Result<(), Stop> {
    text(call, "access-list", "list")
}

fn match_next_hop(call: &mut Call<'_>) -> Result<(), Stop> {
    text(call, "next-hop-prefix-list", "list")
}

fn match_interface(call: &mut Call<'_>) -> Result<(), Stop> {
    text(call, "interface", "on")
}

fn match_tag(call: &mut Call<'_>) -> Result<(), Stop> {
    number(call, "match", "tag")
}

fn match_metric(call: &mut Call<'_>) -> Result<(), Stop> {
    number(call, "match", "metric")
}

fn set_metric(call: &mut Call<'_>) -> Result<(), Stop> {
    let Some(change) = call.args.get("change").filter(|_| !call.no()) else {
        return number(call, "set", "metric");
    };
    let digits = change.strip_prefix(['+', '-']).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let amount = digits.and_then(|d| d.parse::<u32>().ok()).filter(|n| *n <= LARGEST);
    if amount.is_none() {
        return without_counterpart(format!("a metric is a number up to {LARGEST}, or +N or -N"));
    }
    let new = change.into();
    if call.session.phase == Phase::Collecting {
        call.note("counts from the metric of the line that names the map, which FRR's ospfd does not heed");
    }
    edit(call, Some("set"), "metric", Some(new))
}

fn set_metric_type(call: &mut Call<'_>) -> Result<(), Stop> {
    let kind: i64 = if call.args.has("type-1") { 1 } else { 2 };
    let new = if call.no() { None } else { Some(kind.into()) };
    edit(call, Some("set"), "metric-type", new)
}

fn set_tag(call: &mut Call<'_>) -> Result<(), Stop> {
    number(call, "set", "tag")
}

fn description(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.no() {
        return edit(call, None, "description", None);
    }
    let text = call.free_text();
    if text.chars().any(char::is_control) {
        return refused("a description cannot hold control characters");
    }
    edit(call, None, "description", Some(text.into()))
}
