//! `authentication` of an OSPF interface (RFC 2328 App. D). Keys never appear in messages.

use super::key_chain::KeyChains;
use crate::config::model::{Md5Key, OspfAuthentication, Secret};
use crate::config::reader::{At, Origin, Section};
use std::collections::BTreeSet;
use toml::Spanned;
use toml::de::DeValue;

/// Reads `authentication`: the word "null" or a table.
pub(super) fn read(interface: &Section<'_>, chains: &KeyChains) -> OspfAuthentication {
    if !interface.holds_table("authentication") {
        interface.word("authentication");
        return OspfAuthentication::Null;
    }
    let Some(section) = interface.section("authentication") else { return OspfAuthentication::Null };
    let method = section.word("type");
    let key = secret(&section, 8);
    let keys = section.list("keys");
    let md5 = md5_keys(&section, &keys);
    let chain = chains.named_in(&section);
    let allowed = match method.value {
        "simple" => Some("key"),
        "md5" => Some("keys"),
        "key-chain" => Some("key-chain"),
        _ => None,
    };
    if method.sound() {
        for (name, at) in [
            ("key", (&key.span, key.origin)),
            ("keys", (&keys.span, keys.origin)),
            ("key-chain", (&chain.span, chain.origin)),
        ] {
            misplaced(&section, method.value, name, at, allowed);
        }
    }
    match method.value {
        "simple" => key.value.map_or(OspfAuthentication::Null, OspfAuthentication::Simple),
        "md5" => OspfAuthentication::Md5(md5),
        "key-chain" => chain.value.map_or(OspfAuthentication::Null, OspfAuthentication::KeyChain),
        _ => OspfAuthentication::Null,
    }
}

/// `key` belongs to "simple", `keys` to "md5" and `key-chain` to its own, each is needed there and wrong elsewhere.
fn misplaced(
    section: &Section<'_>,
    method: &str,
    name: &str,
    (span, origin): (&core::ops::Range<usize>, Origin),
    allowed: Option<&str>,
) {
    let (wanted, given) = (allowed == Some(name), origin != Origin::Default);
    if wanted && !given {
        let message = format!("authentication \"{method}\" needs `{name}`");
        let hint = match name {
            "key" => "key = \"…\" of 1 to 8 bytes",
            "key-chain" => "key-chain = \"the name of one of `key-chains`\"",
            _ => "keys = [{ id = 1, key = \"…\" }]",
        };
        section.sink().missing(section.span(), message, hint);
    }
    if !wanted && given {
        let message = format!("authentication \"{method}\" has no `{name}`");
        let hint = "\"simple\" takes `key`, \"md5\" takes `keys`, \"key-chain\" takes `key-chain`";
        section.sink().error(span.clone(), message, hint);
    }
}

fn md5_keys<'a>(section: &Section<'a>, elements: &At<&'a [Spanned<DeValue<'a>>]>) -> Vec<Md5Key> {
    let mut used = BTreeSet::new();
    let mut keys = Vec::new();
    if elements.origin == Origin::File && elements.value.is_empty() {
        section.sink().error(elements.span.clone(), "`keys` is empty", "keys = [{ id = 1, key = \"…\" }]");
    }
    for entry in section.tables("keys", elements.value) {
        let id = entry.number("id");
        let secret = secret(&entry, 16);
        if id.sound() && !used.insert(id.value) {
            entry.sink().error(
                id.span,
                format!("key id {} is used twice", id.value),
                "each key needs its own id",
            );
        }
        if let (Ok(id), Some(secret)) = (u8::try_from(id.value), secret.value) {
            keys.push(Md5Key { id, secret });
        }
    }
    keys
}

/// The `key` of a section, blanked out in every message, 1 to `longest` bytes long.
pub(super) fn secret(section: &Section<'_>, longest: usize) -> At<Option<Secret>> {
    let text = section.text("key");
    if text.origin != Origin::Default {
        section.sink().hide(text.span.clone());
    }
    let Some(bytes) = text.value.map(str::as_bytes) else { return text.map(|_| None) };
    if !(1..=longest).contains(&bytes.len()) {
        let message = format!("this key is {} bytes long", bytes.len());
        section.sink().error(text.span.clone(), message, format!("1 to {longest} bytes are possible here"));
        return At { value: None, span: text.span, origin: Origin::Refused };
    }
    text.map(|t| t.map(Secret::new))
}
