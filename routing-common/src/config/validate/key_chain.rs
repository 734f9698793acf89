//! `[key-chains]`: keys with their times, and that their times make sense. Keys never appear in messages.
//!
//! What cannot be meant is refused: a lifetime that ends before it begins, an id twice, a name without keys or a chain
//! that is not there. What works but will hurt one day is warned about: a gap in which no key is meant to sign, and a key
//! that signs while it is not taken.

use super::authentication::secret;
use super::names::{Names, Placed, What, ordered, values};
use crate::config::reader::{At, Section};
use crate::key_chain::{Algorithm, ChainKey, KeyChain, Lifetime};
use crate::render::{Date, utc};
use std::collections::BTreeMap;

/// Years before have no place in FRR's lines.
const FIRST_YEAR: u64 = 1993;

/// The chains of the file, and which of them were asked for.
pub(super) struct KeyChains {
    chains: BTreeMap<String, KeyChain>,
    names: Names,
}

/// Reads the table.
pub(super) fn read(root: &Section<'_>) -> KeyChains {
    let mut all = KeyChains { chains: BTreeMap::new(), names: Names::default() };
    for (name, sections) in all.names.declared(root, What::KeyChain) {
        let keys = ordered(What::KeyChain, &sections, key, |k| k.id.into());
        warn_of_gaps(root, &keys);
        let keys = values(keys);
        all.chains.insert(name.clone(), KeyChain { name, keys });
    }
    all
}

impl KeyChains {
    /// The chain that `key-chain` of a section names.
    pub(super) fn named_in(&self, section: &Section<'_>) -> At<Option<KeyChain>> {
        self.names.asked(section, "key-chain", What::KeyChain, &self.chains).map(|chain| chain.cloned())
    }

    /// The chains; those nobody asked for are warned about.
    pub(super) fn into_chains(self, root: &Section<'_>) -> BTreeMap<String, KeyChain> {
        self.names.warn_of_unused(root);
        self.chains
    }
}

fn key(section: &Section<'_>) -> Option<ChainKey> {
    let id = section.number("id");
    let word = section.word("algorithm").value;
    let algorithm = Algorithm::ALL.into_iter().find(|a| a.word() == word);
    let secret = secret(section, algorithm.unwrap_or(Algorithm::HmacSha256).longest_key());
    let (send, accept) = (lifetime(section, "send-lifetime"), lifetime(section, "accept-lifetime"));
    let key = ChainKey {
        id: u8::try_from(id.value).ok()?,
        secret: secret.value?,
        algorithm: algorithm?,
        send: send?,
        accept: accept?,
    };
    warn_of_ambiguous(section, &key);
    warn_of_refused(section, &key);
    Some(key)
}

/// A lifetime; always, if it is not there.
fn lifetime(key: &Section<'_>, name: &str) -> Option<Lifetime> {
    let Some(section) = key.section(name) else { return Some(Lifetime::ALWAYS) };
    let (start, end) = (date(&section, "start"), date(&section, "end"));
    let (start, end) = (start?, end?);
    if end.is_some_and(|end| Some(end) <= start) {
        let message = format!("the {name} ends before it begins");
        section.sink().error(section.span(), message, "`end` must be later than `start`");
        return None;
    }
    Some(Lifetime { start: start?, end })
}

/// The date at `name` in seconds, `Some(None)` if there is none, `None` if it is not one.
fn date(section: &Section<'_>, name: &str) -> Option<Option<u64>> {
    let text = section.text(name);
    let Some(written) = text.value else { return Some(None) };
    let date = Date::parse(written).filter(|d| d.year >= FIRST_YEAR);
    let seconds = date.and_then(|d| d.seconds());
    if seconds.is_none() {
        let message = format!("`{name}` cannot be \"{}\"", written.escape_debug());
        let hint = format!("a date in Universal Time from {FIRST_YEAR} on, such as \"2027-01-31 06:30:00\"");
        section.sink().error(text.span, message, hint);
        return None;
    }
    Some(seconds)
}

/// Warns of a key that RFC 5709 §3.3 (1) and HMAC alone, which BIRD and we follow, make different use of.
fn warn_of_ambiguous(section: &Section<'_>, key: &ChainKey) {
    let (shortest, longest) = (key.algorithm.digest_length() + 1, key.algorithm.block_length());
    let length = key.secret.expose().len();
    if (usize::from(shortest)..=usize::from(longest)).contains(&length) {
        let message = format!("not every router understands a key of {length} bytes with {}", key.algorithm);
        let hint = format!("use up to {} bytes; on longer ones Torc and BIRD agree", shortest - 1);
        section.sink().warning(section.span(), message, hint);
    }
}

/// Warns of a key that signs while others do not take it (RFC 5709 §3.2).
fn warn_of_refused(section: &Section<'_>, key: &ChainKey) {
    let (send, accept) = (key.send, key.accept);
    let later = accept.end.is_some_and(|taken| send.end.is_none_or(|signs| taken < signs));
    if accept.start > send.start || later {
        let message = format!("key {} signs while it is not accepted", key.id);
        let hint = "`accept-lifetime` should begin before `send-lifetime` and end after it, on all routers";
        section.sink().warning(section.span(), message, hint);
    }
}

/// Warns of times between two keys in which none is meant to sign.
fn warn_of_gaps(root: &Section<'_>, keys: &[Placed<ChainKey>]) {
    let mut by_start: Vec<_> = keys.iter().collect();
    by_start.sort_by_key(|(key, _)| key.send.start);
    let mut covered = Some(0_u64);
    for (n, (key, span)) in by_start.into_iter().enumerate() {
        let Some(until) = covered else { return };
        if n > 0 && key.send.start > until.saturating_add(1) {
            let message = format!("no key signs from {} to {}", utc(until), utc(key.send.start));
            let hint = "the key before is used on meanwhile; let the send lifetimes overlap";
            root.sink().warning(span.clone(), message, hint);
        }
        covered = key.send.end.map(|end| end.max(until));
    }
}
