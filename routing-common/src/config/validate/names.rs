//! Names the operator gives to what other tables refer to: each is one word, stands for something, and somebody asks
//! for it. What stands under a name is numbered, each number once.

use crate::config::reader::{At, Section};
use crate::config::slip::nearest;
use core::cell::RefCell;
use core::ops::Range;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

/// What a name can be the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    PrefixList,
    AccessList,
    RouteMap,
    KeyChain,
}

impl What {
    const fn key(self) -> &'static str {
        match self {
            Self::PrefixList => "prefix-lists",
            Self::AccessList => "access-lists",
            Self::RouteMap => "route-maps",
            Self::KeyChain => "key-chains",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::PrefixList => "prefix list",
            Self::AccessList => "access list",
            Self::RouteMap => "route map",
            Self::KeyChain => "key chain",
        }
    }

    /// What to do about one that has nothing in it.
    const fn when_empty(self) -> &'static str {
        match self {
            Self::KeyChain => "add a key, or remove the name",
            _ => "add an entry, or remove the name; FRR would take it for one that permits everything",
        }
    }

    /// What is wrong with a number that stands twice under a name, and what to do about it.
    fn when_twice(self, number: u32) -> (String, &'static str) {
        match self {
            Self::KeyChain => (format!("key id {number} is used twice"), "each key needs its own id"),
            _ => (
                format!("sequence {number} is already in the file"),
                "each entry needs a sequence of its own",
            ),
        }
    }
}

/// An entry and where it stands.
pub(super) type Placed<T> = (T, Range<usize>);

pub(super) fn values<T>(entries: Vec<Placed<T>>) -> Vec<T> {
    entries.into_iter().map(|(e, _)| e).collect()
}

/// The entries under a name by number; one that stands twice is refused.
pub(super) fn ordered<T>(
    what: What,
    sections: &[Section<'_>],
    read: impl Fn(&Section<'_>) -> Option<T>,
    number: impl Fn(&T) -> u32,
) -> Vec<Placed<T>> {
    let mut entries: BTreeMap<u32, Placed<T>> = BTreeMap::new();
    for section in sections {
        let Some(entry) = read(section) else { continue };
        let number = number(&entry);
        match entries.entry(number) {
            Entry::Vacant(place) => {
                place.insert((entry, section.span()));
            }
            Entry::Occupied(_) => {
                let (message, hint) = what.when_twice(number);
                section.sink().error(section.span(), message, hint);
            }
        }
    }
    entries.into_values().collect()
}

/// Where names are given, and which of them were asked for.
#[derive(Default)]
pub(super) struct Names {
    places: Vec<(What, String, Range<usize>)>,
    used: RefCell<BTreeSet<(What, String)>>,
}

impl Names {
    /// The arrays of one of the tables, in file order.
    pub(super) fn declared<'a>(&mut self, root: &Section<'a>, what: What) -> Vec<(String, Vec<Section<'a>>)> {
        let mut all: Vec<(String, Vec<Section<'a>>)> = Vec::new();
        for (name, sections) in root.named_arrays(what.key()) {
            let plain = |b: u8| b.is_ascii_graphic() && !b"\"'\\".contains(&b);
            if !(1..=LONGEST_NAME).contains(&name.value.len()) || !name.value.bytes().all(plain) {
                let message =
                    format!("a {} cannot be called \"{}\"", what.words(), name.value.escape_debug());
                let hint =
                    format!("one word of up to {LONGEST_NAME} printable ASCII characters without quotes");
                root.sink().error(name.span.clone(), message, hint);
            }
            if sections.is_empty() {
                let message = format!("{} `{}` has no entry", what.words(), name.value.escape_debug());
                root.sink().missing(name.span.clone(), message, what.when_empty());
            }
            self.places.push((what, name.value.to_owned(), name.span));
            all.push((name.value.to_owned(), sections));
        }
        all
    }

    /// What the key `key` names, and where; an error if it is not there.
    pub(super) fn asked<'l, T>(
        &self,
        section: &Section<'_>,
        key: &str,
        what: What,
        all: &'l BTreeMap<String, T>,
    ) -> At<Option<&'l T>> {
        let At { value, span, origin } = section.text(key);
        let Some(name) = value else { return At { value: None, span, origin } };
        self.used.borrow_mut().insert((what, name.to_owned()));
        let found = all.get(name);
        if found.is_none() {
            let hint = match nearest(name, all.keys().map(String::as_str)) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write entries [[{}.{}]]", what.key(), name.escape_debug()),
            };
            let message = format!("there is no {} \"{}\"", what.words(), name.escape_debug());
            section.sink().missing(span.clone(), message, hint);
        }
        At { value: found, span, origin }
    }

    /// Warns of names that nobody asked for.
    pub(super) fn warn_of_unused(self, root: &Section<'_>) {
        let used = self.used.into_inner();
        for (what, name, span) in self.places {
            if !used.contains(&(what, name.clone())) {
                let message = format!("nothing uses {} `{}`", what.words(), name.escape_debug());
                let hint = "name it where it is meant to act, or remove it";
                root.sink().warning(span, message, hint);
            }
        }
    }
}
