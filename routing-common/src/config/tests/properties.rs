//! Whatever the text: a value or at least one error, and never a panic.

use super::super::load;
use proptest::prelude::*;

const EXAMPLE: &str = include_str!("../../../../docs/examples/ring5/r1.toml");

/// Pieces that are likely to make trouble when they land in the middle of a file.
const PIECES: &[&str] = &[
    "\"",
    "[",
    "]",
    "[[",
    "=",
    "\n",
    "{",
    "}",
    ",",
    "#",
    "0",
    "-1",
    "1e9",
    "true",
    "\"\"",
    "ü",
    "\0",
    "\r\n",
    "/32",
    "[ospf]\n",
    "authentication = { type = \"md5\", keys = [{ id = 1, key = \"x\" }] }\n",
    "vrid = 0\n",
    "99999999999999999999",
    "\"10s\"",
    "hello-interval = \"65535s\"\n",
    "next-hops = [{}]\n",
    "[[prefix-lists.P]]\nsequence = 1\naction = \"permit\"\nprefix = \"10.0.0.0/8\"\nle = 9\n",
    "[[route-maps.M]]\nmatch = { prefix-list = \"P\" }\nset = { metric = \"+1\" }\n",
    "route-map = \"M\"\n",
    "[[key-chains.C]]\nid = 1\nkey = \"x\"\nalgorithm = \"md5\"\n",
    "send-lifetime = { start = \"2027-01-31 00:00:00\", end = \"2027-02-28 00:00:00\" }\n",
    "authentication = { type = \"key-chain\", key-chain = \"C\" }\n",
    "1979-05-27",
];

/// Loading must end in a value without errors or in errors; its messages must print.
fn survives(text: &str) {
    match load("r.toml", text) {
        Ok(loaded) => assert!(!loaded.warnings.has_errors(), "{}", loaded.warnings),
        Err(found) => assert!(found.has_errors() && !found.to_string().is_empty(), "{text}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn a_mutated_example_is_survived(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..12, prop::sample::select(PIECES)), 1..6),
    ) {
        let mut chars: Vec<char> = EXAMPLE.chars().collect();
        for (index, removed, piece) in edits {
            let at = index.index(chars.len());
            let end = (at + removed).min(chars.len());
            chars.splice(at..end, piece.chars());
        }
        survives(&chars.into_iter().collect::<String>());
    }

    #[test]
    fn an_example_with_lines_dropped_or_doubled_is_survived(keep in proptest::collection::vec(0usize..3, 80)) {
        let lines = EXAMPLE.lines().zip(keep.iter().chain(core::iter::repeat(&1)));
        let text: String = lines.flat_map(|(line, n)| core::iter::repeat_n(format!("{line}\n"), *n)).collect();
        survives(&text);
    }
}
