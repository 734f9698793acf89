//! `key chain`: keys that take turns, and the lines inside one.
//!
//! A chain is in the file once it has a key. Times are Universal Time; `duration` becomes an end.

use super::ospf_interface::key as secret;
use super::route_map::put;
use super::{NO, Row, pair};
use crate::call::{Call, Meaning, Stop, refused};
use crate::mode::Mode;
use routing_common::key_chain::Algorithm;
use routing_common::render::{Date, utc};
use toml_edit::{InlineTable, Item, Table, TableLike, Value, value};

/// The months as lines have them; three letters are enough.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const KEY_CHAIN: &str = "Keys that take turns: `ip ospf authentication key-chain`";
const CHAIN: &str = "Several keys, each with its time";
const ACCEPT: &str = "When packets signed with this key are taken; always by default";
const SEND: &str = "When this key signs; always by default";
const CLOCK: &str = "Universal Time, HH:MM:SS";
const DAY: &str = "Day";
const MONTH: &str = "Month, such as Jan";
const YEAR: &str = "Year";
const INFINITE: &str = "It never ends";
const DURATION: &str = "It ends so much later";
const SECONDS: &str = "Seconds";

macro_rules! times {
    () => {
        "WORD$clock <(1-31)$day WORD$month|WORD$month (1-31)$day> (1993-9999)$year <infinite|duration (1-2147483646)$length|\
         WORD$until <(1-31)$last_day WORD$last_month|WORD$last_month (1-31)$last_day> (1993-9999)$last_year>"
    };
}

pub(super) const ROWS: &[Row] = &[
    Row {
        syntax: "key chain WORD$name",
        help: &[KEY_CHAIN, CHAIN, "Its name"],
        meaning: Meaning::Call(key_chain),
    },
    Row {
        syntax: "no key chain WORD$name",
        help: &[NO, KEY_CHAIN, CHAIN, "Its name"],
        meaning: Meaning::Call(key_chain),
    },
];

/// Also inside a key, where the word would pass for the beginning of `key-string`.
pub(super) const KEY: &[Row] = &[
    Row {
        syntax: "key (0-255)$id",
        help: &["One key of the chain", "Key ID on the wire"],
        meaning: Meaning::Call(key),
    },
    Row {
        syntax: "no key (0-255)$id",
        help: &[NO, "One key of the chain", "Key ID on the wire"],
        meaning: Meaning::Call(key),
    },
];

pub(super) const PAIRS: &[[Row; 2]] = &[
    pair!(
        "key-string",
        "LINE$secret",
        ["The shared secret", "1 to 128 bytes, with `md5` 1 to 16"],
        Meaning::Call(key_string)
    ),
    pair!(
        "cryptographic-algorithm",
        "<md5$value|hmac-sha-1$value|hmac-sha-256$value|hmac-sha-384$value|hmac-sha-512$value>",
        [
            "How packets are signed with this key",
            "Keyed MD5 (RFC 2328)",
            "RFC 5709",
            "RFC 5709",
            "RFC 5709",
            "RFC 5709"
        ],
        Meaning::Call(algorithm)
    ),
    pair!(
        "accept-lifetime",
        times!(),
        [
            ACCEPT, CLOCK, DAY, MONTH, MONTH, DAY, YEAR, INFINITE, DURATION, SECONDS, CLOCK, DAY, MONTH,
            MONTH, DAY, YEAR,
        ],
        Meaning::Call(accept_lifetime)
    ),
    pair!(
        "send-lifetime",
        times!(),
        [
            SEND, CLOCK, DAY, MONTH, MONTH, DAY, YEAR, INFINITE, DURATION, SECONDS, CLOCK, DAY, MONTH, MONTH,
            DAY, YEAR,
        ],
        Meaning::Call(send_lifetime)
    ),
];

fn key_chain(call: &mut Call<'_>) -> Result<(), Stop> {
    let name = call.arg("name")?.to_owned();
    if call.no() {
        if !call.document().remove(&["key-chains", &name]) {
            // A chain whose keys are gone is not in the file.
            call.note(format!("there is no key chain {name} with a key"));
        }
        return Ok(());
    }
    call.session.mode = Mode::KeyChain(name);
    Ok(())
}

fn id_of(table: &dyn TableLike) -> Option<i64> {
    table.get("id").and_then(Item::as_integer)
}

fn key(call: &mut Call<'_>) -> Result<(), Stop> {
    let (Mode::KeyChain(chain) | Mode::Key { chain, .. }) = call.mode.clone() else { return Ok(()) };
    let id: u8 = call.number("id")?;
    let path = ["key-chains", chain.as_str()];
    let here = |t: &dyn TableLike| id_of(t) == Some(id.into());
    if call.no() {
        if !call.document().remove_tables(&path, here) {
            return refused("there is no such key");
        }
        return Ok(());
    }
    if !call.session.document.tables(&path).into_iter().any(here) {
        let mut new = Table::new();
        new.insert("id", value(i64::from(id)));
        call.document().push_table(&path, new);
    }
    call.session.mode = Mode::Key { chain, id };
    Ok(())
}

/// Sets or takes back a setting of the mode's key.
fn edit(call: &mut Call<'_>, setting: &str, new: Option<Value>) -> Result<(), Stop> {
    let Mode::Key { chain, id } = call.mode.clone() else { return Ok(()) };
    let path = ["key-chains", chain.as_str()];
    let here = |t: &dyn TableLike| id_of(t) == Some(id.into());
    let changed = call.document().change_tables(&path, here, |key| put(key, setting, new.clone()));
    if changed { Ok(()) } else { refused(format!("key {id} of {chain} is not there any more")) }
}

fn key_string(call: &mut Call<'_>) -> Result<(), Stop> {
    let new = if call.no() { None } else { Some(secret(call, Algorithm::HmacSha256.longest_key())?.into()) };
    edit(call, "key", new)
}

fn algorithm(call: &mut Call<'_>) -> Result<(), Stop> {
    let new = if call.no() { None } else { Some(call.arg("value")?.into()) };
    edit(call, "algorithm", new)
}

fn accept_lifetime(call: &mut Call<'_>) -> Result<(), Stop> {
    lifetime(call, "accept-lifetime")
}

fn send_lifetime(call: &mut Call<'_>) -> Result<(), Stop> {
    lifetime(call, "send-lifetime")
}

fn lifetime(call: &mut Call<'_>, setting: &str) -> Result<(), Stop> {
    if call.no() {
        return edit(call, setting, None);
    }
    let start = date(call, ["clock", "day", "month", "year"])?;
    let end = match () {
        () if call.args.has("length") => Some(start.saturating_add(call.number::<u64>("length")?)),
        () if call.args.has("until") => Some(date(call, ["until", "last_day", "last_month", "last_year"])?),
        () => None,
    };
    if end.is_some_and(|end| end <= start) {
        return refused("the lifetime ends before it begins");
    }
    let mut table = InlineTable::new();
    table.insert("start", utc(start).into());
    if let Some(end) = end {
        table.insert("end", utc(end).into());
    }
    edit(call, setting, Some(table.into()))
}

/// The date these arguments of the line make, in seconds since 1970.
fn date(call: &Call<'_>, [clock, day, month, year]: [&str; 4]) -> Result<u64, Stop> {
    let clock = call.arg(clock)?;
    let Some(time) = Date::parse_time(clock) else {
        return refused(format!("{clock} is no time of day, such as 06:30:00"));
    };
    let written = call.arg(month)?.to_ascii_lowercase();
    let fits = |name: &&str| written.len() >= 3 && name.to_ascii_lowercase().starts_with(&written);
    let Some(month) = (1..).zip(MONTHS).find(|(_, name)| fits(name)).map(|(n, _)| n) else {
        return refused(format!("{written} is no month, such as Jan"));
    };
    let date = Date { year: call.number(year)?, month, day: call.number(day)?, time };
    date.seconds().map_or_else(|| refused(format!("there is no {date}")), Ok)
}
