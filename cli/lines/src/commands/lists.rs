//! `ip prefix-list` and `access-list`: sets of prefixes, one entry a line.
//!
//! A line without `seq` goes behind the others, at the next multiple of five, unless the list already says the same.
//! A line with the `seq` of an entry takes its place. The list goes with its last entry.

use super::{NO, Row};
use crate::call::{Call, Meaning, Stop, refused};
use crate::document::Document;
use routing_common::prefix::{Ipv4Network, canonical};
use toml_edit::{Item, Table, TableLike, value};

const IP: &str = "IPv4";
const PREFIX_LIST: &str = "A set of prefixes, an entry a line";
const ACCESS_LIST: &str = "A simpler set of prefixes, an entry a line";
const NAME: &str = "Its name";
const SEQ: &str = "The entry's place; behind the others by default";
const PLACE: &str = "Entries are asked in ascending order";
const PERMIT: &str = "What matches is in the set";
const DENY: &str = "What matches is not";
const ANY: &str = "All prefixes";
const ALONE: &str = "This prefix alone, without `ge` and `le`";
const INSIDE: &str = "This prefix and all inside it";
const GE: &str = "Shortest length of prefixes inside it";
const LE: &str = "Longest length of prefixes inside it";
const BITS: &str = "Bits";
const EXACT: &str = "The prefix alone";

macro_rules! prefix_entry {
    () => {
        "<permit|deny> <any|A.B.C.D/M$prefix [{ge (0-32)$shortest|le (0-32)$longest}]>"
    };
}

macro_rules! access_entry {
    () => {
        "<permit|deny> <any|A.B.C.D/M$prefix [exact-match]>"
    };
}

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: concat!("ip prefix-list WORD$name [seq (1-4294967295)$at] ", prefix_entry!()),
        help: &[IP, PREFIX_LIST, NAME, SEQ, PLACE, PERMIT, DENY, ANY, ALONE, GE, BITS, LE, BITS],
        meaning: Meaning::Call(prefix_list),
    },
    Row {
        syntax: concat!("no ip prefix-list WORD$name [seq (1-4294967295)$at] [", prefix_entry!(), "]"),
        help: &[NO, IP, PREFIX_LIST, NAME, SEQ, PLACE, PERMIT, DENY, ANY, ALONE, GE, BITS, LE, BITS],
        meaning: Meaning::Call(prefix_list),
    },
    Row {
        syntax: concat!("access-list WORD$name [seq (1-4294967295)$at] ", access_entry!()),
        help: &[ACCESS_LIST, NAME, SEQ, PLACE, PERMIT, DENY, ANY, INSIDE, EXACT],
        meaning: Meaning::Call(access_list),
    },
    Row {
        syntax: concat!("no access-list WORD$name [seq (1-4294967295)$at] [", access_entry!(), "]"),
        help: &[NO, ACCESS_LIST, NAME, SEQ, PLACE, PERMIT, DENY, ANY, INSIDE, EXACT],
        meaning: Meaning::Call(access_list),
    },
];

/// What an entry says beside its sequence.
#[derive(PartialEq, Eq)]
struct Said {
    action: String,
    /// `any` or a prefix.
    prefix: String,
    ge: Option<i64>,
    le: Option<i64>,
    exact: bool,
}

impl Said {
    /// Of a line; `None` if it names no entry.
    fn of_line(call: &Call<'_>) -> Result<Option<Self>, Stop> {
        let action = match (call.args.has("permit"), call.args.has("deny")) {
            (true, _) => "permit",
            (_, true) => "deny",
            _ => return Ok(None),
        };
        // 0 bits are no bound, as in FRR.
        let bound = |name| -> Result<Option<i64>, Stop> {
            let said = if call.args.has(name) { Some(call.number::<i64>(name)?) } else { None };
            Ok(said.filter(|n| *n > 0))
        };
        let (ge, le) = (bound("shortest")?, bound("longest")?);
        let prefix = if call.args.has("any") {
            "any".to_owned()
        } else {
            let Ok(prefix) = call.arg("prefix")?.parse::<Ipv4Network>() else {
                return refused("that is no prefix");
            };
            let least = ge.unwrap_or(prefix.prefix().into());
            if least < i64::from(prefix.prefix()) || le.is_some_and(|le| le < least) {
                return refused("the prefix's length must not exceed `ge`, nor that `le`");
            }
            canonical(prefix).to_string()
        };
        Ok(Some(Self { action: action.to_owned(), prefix, ge, le, exact: call.args.has("exact-match") }))
    }

    /// Of the file.
    fn of_table(table: &dyn TableLike) -> Option<Self> {
        let text = |key| table.get(key).and_then(Item::as_str).map(str::to_owned);
        let number = |key| table.get(key).and_then(Item::as_integer);
        let exact = table.get("exact").and_then(Item::as_bool).unwrap_or(false);
        Some(Self {
            action: text("action")?,
            prefix: text("prefix")?,
            ge: number("ge"),
            le: number("le"),
            exact,
        })
    }

    fn write(&self, sequence: i64) -> Table {
        let mut table = Table::new();
        table.insert("sequence", value(sequence));
        table.insert("action", value(self.action.as_str()));
        table.insert("prefix", value(self.prefix.as_str()));
        for (key, bound) in [("ge", self.ge), ("le", self.le)] {
            if let Some(bound) = bound {
                table.insert(key, value(bound));
            }
        }
        if self.exact {
            table.insert("exact", value(true));
        }
        table
    }
}

pub(super) fn sequence_of(table: &dyn TableLike) -> Option<i64> {
    table.get("sequence").and_then(Item::as_integer)
}

fn prefix_list(call: &mut Call<'_>) -> Result<(), Stop> {
    entry(call, "prefix-lists")
}

fn access_list(call: &mut Call<'_>) -> Result<(), Stop> {
    entry(call, "access-lists")
}

fn entry(call: &mut Call<'_>, lists: &str) -> Result<(), Stop> {
    let name = call.arg("name")?.to_owned();
    let path = [lists, name.as_str()];
    let said = Said::of_line(call)?;
    let at = if call.args.has("at") { Some(call.number::<i64>("at")?) } else { None };
    if call.no() {
        return remove(call, &path, said.as_ref(), at);
    }
    let Some(said) = said else { return refused("the line lacks its action") };
    let document = &call.session.document;
    let known = |t: &dyn TableLike| Said::of_table(t).as_ref() == Some(&said);
    if at.is_none() && document.tables(&path).into_iter().any(known) {
        return Ok(());
    }
    let Some(at) = at.or_else(|| behind(document, &path)) else {
        return refused("there is no sequence behind the last one");
    };
    // In its place, so that the file's order stays.
    let mut new = Some(said.write(at));
    call.document().edit_tables(&path, |table| {
        if sequence_of(table) == Some(at)
            && let Some(new) = new.take()
        {
            table.clear();
            for (key, item) in new {
                table.insert(&key, item);
            }
        }
        true
    });
    if let Some(new) = new {
        call.document().push_table(&path, new);
    }
    Ok(())
}

/// The multiple of five behind the last sequence.
fn behind(document: &Document, path: &[&str]) -> Option<i64> {
    let last = document.tables(path).into_iter().filter_map(sequence_of).max().unwrap_or(0);
    let next = (last / 5).checked_add(1)?.checked_mul(5)?;
    u32::try_from(next).is_ok().then_some(next)
}

fn remove(call: &mut Call<'_>, path: &[&str], said: Option<&Said>, at: Option<i64>) -> Result<(), Stop> {
    let fits = |table: &dyn TableLike| {
        at.is_none_or(|at| sequence_of(table) == Some(at))
            && said.is_none_or(|s| Said::of_table(table).as_ref() == Some(s))
    };
    if call.document().remove_tables(path, fits) { Ok(()) } else { refused("there is no such entry") }
}
