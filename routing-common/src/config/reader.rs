//! Walks the TOML tree along the schema, records what is wrong and goes on.
//!
//! A [`Section`] is one table of the file with its place in the schema. Every read names a key of that
//! schema, yields a value that is in range, and falls back to the default when the file's value was
//! refused, so that one mistake does not hide the next. [`At::sound`] tells checks between keys whether
//! the value is meant: comparing against a stand-in would blame the operator twice.

use super::diagnostics::Sink;
use super::duration::{format_duration, parse_duration};
use super::model::Defaults;
use super::schema::{Fallback, Key, Kind, Table, number_range};
use super::slip::nearest;
use core::cell::RefCell;
use core::ops::Range;
use core::str::FromStr;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Written in the file.
    File,
    /// Not written.
    Default,
    /// Written but refused; the default stands in.
    Refused,
}

/// A value and the place to point at.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
    pub(super) origin: Origin,
}

impl<T> At<T> {
    /// Is the value what the operator meant, written or by default?
    pub(super) fn sound(&self) -> bool {
        self.origin != Origin::Refused
    }

    /// The same place with another value.
    pub(super) fn map<U>(self, f: impl FnOnce(T) -> U) -> At<U> {
        At { value: f(self.value), span: self.span, origin: self.origin }
    }
}

/// A key that is a switch or a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice<'a> {
    /// `true` or `false`.
    Switch(bool),
    /// A name.
    Named(&'a str),
}

/// A key that is a number or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity<'a> {
    /// A number in the schema's range.
    Number(u32),
    /// A string.
    Text(&'a str),
}

/// What all sections of a file share.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) sink: &'a Sink<'a>,
    pub(super) defaults: Defaults,
}

/// One table of the file.
pub(super) struct Section<'a> {
    context: Context<'a>,
    schema: &'static Table,
    /// What the file says; nothing where the table is left out.
    entries: Option<&'a DeTable<'a>>,
    /// Where to point when the table as a whole is meant.
    span: Range<usize>,
    /// Keys that were read, to hold code and schema together.
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    /// Opens a table and refuses the keys the schema does not have.
    pub(super) fn new(
        context: Context<'a>,
        schema: &'static Table,
        entries: &'a DeTable<'a>,
        span: Range<usize>,
    ) -> Self {
        for (name, _) in entries.iter() {
            let known = schema.keys.iter().find(|k| k.name == name.get_ref().as_ref());
            match known.map(|k| &k.kind) {
                Some(Kind::Refused(reason)) => {
                    context.sink.error(
                        name.span(),
                        format!("`{}` is not supported", name.get_ref()),
                        *reason,
                    );
                }
                Some(_) => {}
                None => context.sink.error(
                    name.span(),
                    format!("unknown key `{}`{}", name.get_ref().escape_debug(), of(schema)),
                    unknown_key_hint(name.get_ref(), schema),
                ),
            }
        }
        Self { context, schema, entries: Some(entries), span, asked: RefCell::default() }
    }

    pub(super) fn sink(&self) -> &'a Sink<'a> {
        self.context.sink
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The key's schema and its value in the file.
    fn entry(&self, name: &str) -> Option<(&'a Spanned<Cow<'a, str>>, &'a Spanned<DeValue<'a>>)> {
        self.entries?.iter().find(|(k, _)| k.get_ref() == name)
    }

    fn find(&self, name: &str) -> (&'static Key, Option<&'a Spanned<DeValue<'a>>>) {
        let key = self.schema.keys.iter().find(|k| k.name == name);
        // proof: names come from this crate's code alone, and its tests read every section there is.
        let key = key.expect("the code reads only keys of the schema");
        self.asked.borrow_mut().insert(key.name);
        let value = self.entry(name).map(|(_, v)| v);
        if value.is_none() && matches!(key.default, Fallback::Required) {
            let hint = format!("`{name}`: {}", key.text);
            self.sink().missing(self.span(), format!("missing key `{name}`{}", of(self.schema)), hint);
        }
        (key, value)
    }

    /// Reads a value with `read`; the fallback when absent or refused.
    fn value<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'static Key, &'a Spanned<DeValue<'a>>) -> Option<T>,
        fallback: impl FnOnce(&Fallback) -> T,
    ) -> At<T> {
        let (key, found) = self.find(name);
        let Some(found) = found else {
            let origin =
                if matches!(key.default, Fallback::Required) { Origin::Refused } else { Origin::Default };
            return At { value: fallback(&key.default), span: self.span(), origin };
        };
        match read(key, found) {
            Some(value) => At { value, span: found.span(), origin: Origin::File },
            None => At { value: fallback(&key.default), span: found.span(), origin: Origin::Refused },
        }
    }

    /// A switch.
    pub(super) fn boolean(&self, name: &str) -> At<bool> {
        self.value(
            name,
            |_, v| v.get_ref().as_bool().or_else(|| self.wrong_type(v, "`true` or `false`")),
            |d| matches!(d, Fallback::Boolean(true)),
        )
    }

    /// A switch or a name; `None` when absent or refused.
    pub(super) fn switch_or_text(&self, name: &str) -> At<Option<Choice<'a>>> {
        self.value(
            name,
            |k, v| match v.get_ref() {
                DeValue::Boolean(on) => Some(Some(Choice::Switch(*on))),
                DeValue::String(text) => Some(Some(Choice::Named(text.as_ref()))),
                _ => {
                    let form = if let Kind::SwitchOrText(form) = k.kind { form } else { "" };
                    self.wrong_type(v, &format!("`true`, `false` or {form}"))
                }
            },
            |_| None,
        )
    }

    /// A number in the schema's range.
    pub(super) fn number(&self, name: &str) -> At<u32> {
        let fallback = |d: &Fallback| if let Fallback::Number(n) = d { *n } else { 0 };
        self.value(name, |k, v| self.read_number(k, v), fallback)
    }

    /// A number in the schema's range, if there is one.
    pub(super) fn optional_number(&self, name: &str) -> At<Option<u32>> {
        self.value(name, |k, v| self.read_number(k, v).map(Some), |_| None)
    }

    /// A number in the schema's range or a string, if there is one.
    pub(super) fn number_or_text(&self, name: &str) -> At<Option<Quantity<'a>>> {
        self.value(
            name,
            |k, v| match v.get_ref() {
                DeValue::String(text) => Some(Some(Quantity::Text(text.as_ref()))),
                _ => self.read_number(k, v).map(|n| Some(Quantity::Number(n))),
            },
            |_| None,
        )
    }

    fn read_number(&self, key: &Key, v: &Spanned<DeValue<'_>>) -> Option<u32> {
        let (min, max, or) = match key.kind {
            Kind::Number { min, max } => (min, max, String::new()),
            Kind::NumberOrText { min, max, form } => (min, max, format!(", or {form}")),
            _ => (0, u32::MAX, String::new()),
        };
        let Some(number) = v.get_ref().as_integer() else {
            return self.wrong_type(v, &format!("a whole number: {}{or}", number_range(min, max)));
        };
        let number = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let fits = number.and_then(|n| u32::try_from(n).ok()).filter(|n| (min..=max).contains(n));
        if fits.is_none() {
            let message = format!("`{}` is out of range", key.name);
            self.sink().error(v.span(), message, format!("possible: {}", number_range(min, max)));
        }
        fits
    }

    /// A duration in the schema's range.
    pub(super) fn time(&self, name: &str) -> At<Duration> {
        self.value(name, |k, v| self.read_time(k, v), |d| self.default_time(d))
    }

    /// A duration in the schema's range, or what `fallback` says when it is absent or refused.
    pub(super) fn time_or(&self, name: &str, fallback: Duration) -> At<Duration> {
        self.value(name, |k, v| self.read_time(k, v), |_| fallback)
    }

    /// A duration in the schema's range, if there is one.
    pub(super) fn optional_time(&self, name: &str) -> At<Option<Duration>> {
        self.value(name, |k, v| self.read_time(k, v).map(Some), |_| None)
    }

    fn default_time(&self, default: &Fallback) -> Duration {
        match (default, self.context.defaults) {
            (Fallback::Time { traditional, .. }, Defaults::Traditional) => *traditional,
            (Fallback::Time { ring, .. }, Defaults::Ring) => *ring,
            _ => Duration::ZERO,
        }
    }

    fn read_time(&self, key: &Key, v: &Spanned<DeValue<'_>>) -> Option<Duration> {
        let Some(text) = v.get_ref().as_str() else {
            return match v.get_ref() {
                DeValue::Integer(n) => self.refuse(
                    v,
                    format!("`{}` has no unit", key.name),
                    format!("a duration is a string with a unit, such as \"{n}s\" or \"{n}ms\""),
                ),
                _ => self.wrong_type(v, "a duration such as \"10s\" or \"150ms\""),
            };
        };
        match parse_duration(text) {
            Ok(d) => self.in_range(key, v, d),
            Err(why) => {
                self.refuse(v, why, "write a number and a unit, such as \"10s\", \"150ms\" or \"1m\"")
            }
        }
    }

    fn in_range(&self, key: &Key, v: &Spanned<DeValue<'_>>, d: Duration) -> Option<Duration> {
        let Kind::Time { min, max, step } = key.kind else { return Some(d) };
        let shown = |d| format_duration(d);
        if d < min || d > max {
            let hint = format!("it must be from {} to {}", shown(min), shown(max));
            return self.refuse(v, format!("`{}` is out of range", key.name), hint);
        }
        if !d.as_nanos().is_multiple_of(step.as_nanos().max(1)) {
            let hint = format!("the protocol counts it in steps of {}", shown(step));
            return self.refuse(v, format!("`{}` must be a multiple of {}", key.name, shown(step)), hint);
        }
        Some(d)
    }

    /// One of the schema's words; the schema's default when absent or refused.
    pub(super) fn word(&self, name: &str) -> At<&'static str> {
        self.word_with(name, &[], "")
    }

    /// Like [`Section::word`]; the words in `unsupported` are refused with `reason`.
    pub(super) fn word_with(&self, name: &str, unsupported: &[&str], reason: &str) -> At<&'static str> {
        let fallback = |d: &Fallback| if let Fallback::Word(w) = d { w } else { "" };
        self.value(name, |k, v| self.read_word(k, v, unsupported, reason), fallback)
    }

    fn read_word(
        &self,
        key: &Key,
        v: &Spanned<DeValue<'_>>,
        unsupported: &[&str],
        reason: &str,
    ) -> Option<&'static str> {
        let words: &[&'static str] = match key.kind {
            Kind::Word(words) | Kind::WordOrTable(words, _) => words,
            _ => &[],
        };
        let allowed = words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ");
        let Some(text) = v.get_ref().as_str() else {
            return self.wrong_type(v, &format!("one of {allowed}"));
        };
        if unsupported.contains(&text) {
            return self.refuse(v, format!("`{}` \"{text}\" is not supported", key.name), reason.to_owned());
        }
        let found = words.iter().find(|w| **w == text).copied();
        if found.is_none() {
            let hint = match nearest(text, words.iter().copied()) {
                Some(word) => format!("did you mean \"{word}\"? Allowed: {allowed}"),
                None => format!("allowed: {allowed}"),
            };
            self.sink().error(
                v.span(),
                format!("`{}` cannot be \"{}\"", key.name, text.escape_debug()),
                hint,
            );
        }
        found
    }

    /// A string, if there is one.
    pub(super) fn text(&self, name: &str) -> At<Option<&'a str>> {
        self.value(name, |k, v| self.read_text(k, v).map(Some), |_| None)
    }

    fn read_text(&self, key: &Key, v: &'a Spanned<DeValue<'a>>) -> Option<&'a str> {
        v.get_ref().as_str().or_else(|| match key.kind {
            Kind::Text(form) => self.wrong_type(v, &format!("a string: {form}")),
            _ => self.wrong_type(v, "a string"),
        })
    }

    /// A string that is a `T`, if there is one.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> At<Option<T>> {
        self.value(
            name,
            |k, v| {
                let text = self.read_text(k, v)?;
                let form = if let Kind::Text(form) = k.kind { form } else { "" };
                self.parse(v, text, &format!("`{name}`"), form).map(Some)
            },
            |_| None,
        )
    }

    /// `text` as a `T`, or an error that says what `what` should have been.
    pub(super) fn parse<T: FromStr>(
        &self,
        at: &Spanned<DeValue<'_>>,
        text: &str,
        what: &str,
        form: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(_) => self.refuse(
                at,
                format!("{what} cannot be \"{}\"", text.escape_debug()),
                format!("expected: {form}"),
            ),
        }
    }

    /// The elements of an array; empty when absent.
    pub(super) fn list(&self, name: &str) -> At<&'a [Spanned<DeValue<'a>>]> {
        let read = |k: &'static Key, v: &'a Spanned<DeValue<'a>>| match (v.get_ref(), &k.kind) {
            (DeValue::Array(elements), _) => Some(&**elements),
            (_, Kind::List(form)) => self.wrong_type(v, &format!("an array of {form}")),
            (_, Kind::Array(_)) => self.wrong_type(v, "an array of tables"),
            _ => self.wrong_type(v, "an array"),
        };
        self.value(name, read, |_| &[][..])
    }

    /// The table `name`, if there is one.
    pub(super) fn section(&self, name: &str) -> Option<Section<'a>> {
        let (key, found) = self.find(name);
        let (Kind::Table(schema) | Kind::WordOrTable(_, schema)) = key.kind else { return None };
        self.open(schema, found?, self.key_span(name))
    }

    /// The sub-table, or one that holds nothing but the defaults.
    pub(super) fn section_or_defaults(&self, name: &str) -> Section<'a> {
        self.section(name).unwrap_or_else(|| {
            // proof: names come from this crate's code alone, and its tests read every section there is.
            let Kind::Table(schema) = self.find(name).0.kind else { unreachable!("the key holds a table") };
            self.defaults_of(schema)
        })
    }

    /// One of the tables whose names the operator chooses, as if he had written it without a key.
    pub(super) fn unwritten(&self, name: &str) -> Section<'a> {
        // proof: names come from this crate's code alone, and its tests read every section there is.
        let Kind::Named(schema) = self.find(name).0.kind else { unreachable!("the key holds named tables") };
        self.defaults_of(schema)
    }

    fn defaults_of(&self, schema: &'static Table) -> Section<'a> {
        Section { context: self.context, schema, entries: None, span: self.span(), asked: RefCell::default() }
    }

    pub(super) fn defaults(&self) -> Defaults {
        self.context.defaults
    }

    /// Does the key hold a table?
    pub(super) fn holds_table(&self, name: &str) -> bool {
        matches!(self.find(name).1.map(Spanned::get_ref), Some(DeValue::Table(_)))
    }

    /// The tables of an array of tables, in file order.
    pub(super) fn array(&self, name: &str) -> Vec<Section<'a>> {
        self.tables(name, self.list(name).value)
    }

    /// The tables of an array of tables whose elements were read.
    pub(super) fn tables(&self, name: &str, elements: &'a [Spanned<DeValue<'a>>]) -> Vec<Section<'a>> {
        let Kind::Array(schema) = self.find(name).0.kind else { return Vec::new() };
        elements.iter().filter_map(|v| self.open(schema, v, v.span())).collect()
    }

    /// The tables whose names the operator chose, each with its name.
    pub(super) fn named(&self, name: &str) -> Vec<(At<&'a str>, Section<'a>)> {
        let (key, found) = self.find(name);
        let (Kind::Named(schema), Some(found)) = (&key.kind, found) else { return Vec::new() };
        let DeValue::Table(tables) = found.get_ref() else {
            self.wrong_type::<()>(found, "a table");
            return Vec::new();
        };
        let sections = tables.iter().filter_map(|(name, value)| {
            let at = At { value: name.get_ref().as_ref(), span: name.span(), origin: Origin::File };
            Some((at, self.open(schema, value, name.span())?))
        });
        sections.collect()
    }

    /// The arrays whose names the operator chose, each with its name and its tables.
    pub(super) fn named_arrays(&self, name: &str) -> Vec<(At<&'a str>, Vec<Section<'a>>)> {
        let (key, found) = self.find(name);
        let (Kind::NamedArray(schema), Some(found)) = (&key.kind, found) else { return Vec::new() };
        let DeValue::Table(arrays) = found.get_ref() else {
            self.wrong_type::<()>(found, "a table");
            return Vec::new();
        };
        let read = |(name, value): (&'a Spanned<Cow<'a, str>>, &'a Spanned<DeValue<'a>>)| {
            let at = At { value: name.get_ref().as_ref(), span: name.span(), origin: Origin::File };
            let DeValue::Array(elements) = value.get_ref() else {
                return self.wrong_type(value, "an array of tables");
            };
            Some((at, elements.iter().filter_map(|v| self.open(schema, v, v.span())).collect()))
        };
        arrays.iter().filter_map(read).collect()
    }

    /// Opens `value` as a table of the given schema.
    pub(super) fn open(
        &self,
        schema: &'static Table,
        value: &'a Spanned<DeValue<'a>>,
        span: Range<usize>,
    ) -> Option<Section<'a>> {
        match value.get_ref() {
            DeValue::Table(entries) => Some(Section::new(self.context, schema, entries, span)),
            _ => self.wrong_type(value, "a table"),
        }
    }

    fn key_span(&self, name: &str) -> Range<usize> {
        self.entry(name).map_or(self.span(), |(k, _)| k.span())
    }

    /// Records that a value has the wrong type.
    pub(super) fn wrong_type<T>(&self, v: &Spanned<DeValue<'_>>, wanted: &str) -> Option<T> {
        self.refuse(v, format!("this is {}", type_of(v.get_ref())), format!("expected {wanted}"))
    }

    fn refuse<T>(&self, v: &Spanned<DeValue<'_>>, message: String, hint: impl Into<String>) -> Option<T> {
        self.sink().error(v.span(), message, hint);
        None
    }
}

#[cfg(test)]
impl Drop for Section<'_> {
    /// Code and schema must name the same keys; a key of the schema that is never read is a bug.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let asked = self.asked.borrow();
            let forgotten: Vec<_> = self
                .schema
                .keys
                .iter()
                .filter(|k| !matches!(k.kind, Kind::Refused(_)) && !asked.contains(k.name))
                .map(|k| k.name)
                .collect();
            assert!(forgotten.is_empty(), "{} is never asked for {forgotten:?}", self.schema.path);
        }
    }
}

fn of(schema: &Table) -> String {
    if schema.path.is_empty() { String::new() } else { format!(" in `{}`", schema.path) }
}

fn unknown_key_hint(name: &str, schema: &Table) -> String {
    let supported = || schema.keys.iter().filter(|k| !matches!(k.kind, Kind::Refused(_))).map(|k| k.name);
    let allowed = supported().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, supported()) {
        Some(near) => format!("did you mean `{near}`? Allowed here: {allowed}"),
        None => format!("allowed here: {allowed}"),
    }
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
