//! `key chain NAME`: the keys with their lifetimes, in Universal Time.

use super::Page;
use crate::commands::MONTHS;
use routing_common::key_chain::{ChainKey, KeyChain, Lifetime};
use routing_common::render::Date;

impl Page {
    pub(super) fn key_chain(&mut self, chain: &KeyChain) {
        self.block(format_args!("key chain {}", chain.name), true, |page| {
            for key in &chain.keys {
                page.key(key);
            }
        });
    }

    fn key(&mut self, key: &ChainKey) {
        self.line(1, format_args!("key {}", key.id));
        let word = self.secret(&key.secret);
        self.line(2, format_args!("key-string {word}"));
        self.line(2, format_args!("cryptographic-algorithm {}", key.algorithm));
        for (word, lifetime) in [("accept-lifetime", key.accept), ("send-lifetime", key.send)] {
            self.line_if(lifetime != Lifetime::ALWAYS, 2, format!("{word} {}", times(lifetime)));
        }
        self.line(1, "exit");
    }
}

fn times(lifetime: Lifetime) -> String {
    let end = lifetime.end.map_or_else(|| "infinite".to_owned(), date);
    format!("{} {end}", date(lifetime.start))
}

/// FRR's spelling: `06:30:00 Jan 31 2027`.
fn date(seconds: u64) -> String {
    let Date { year, month, day, time: (hour, minute, second) } = Date::of(seconds);
    let month = usize::try_from(month).ok().and_then(|m| MONTHS.get(m.checked_sub(1)?)).unwrap_or(&"");
    let short: String = month.chars().take(3).collect();
    format!("{hour:02}:{minute:02}:{second:02} {short} {day:02} {year}")
}
