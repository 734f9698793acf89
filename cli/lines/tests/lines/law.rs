//! What is written as lines reads back as the same configuration; and no bytes make the crate panic.

use super::generator::file;
use config_lines::{Document, Secrets, Session, Verdict, import, render};
use proptest::prelude::*;
use routing_common::config::load;

/// Lines that are likely to make trouble.
const LINES: &[&str] = &[
    "interface eth0",
    " ip address 10.0.0.1/24",
    " ip ospf area 0",
    " ip ospf area 1",
    " ip ospf cost 5",
    " no ip ospf cost",
    " ip ospf authentication message-digest",
    " ip ospf message-digest-key 1 md5 \"\\u{20}\"",
    " vrrp 1 ip 10.0.0.9",
    " vrrp 1 name x",
    " no vrrp 1",
    "router ospf",
    " network 10.0.0.0/8 area 0",
    " passive-interface default",
    " area 0 authentication",
    "no router ospf",
    "bfd",
    " peer 10.0.0.2",
    " detect-multiplier 3",
    " profile p",
    " no profile p",
    "no bfd",
    " label y",
    "ip route 10.0.0.0/8 10.0.0.2 bfd",
    "ip route 10.0.0.0 255.0.255.0 10.0.0.2",
    "no ip route 10.0.0.0/8",
    "no interface eth0",
    "router bgp 1",
    "ip prefix-list P permit 10.0.0.0/8 le 24",
    "ip prefix-list P seq 5 deny any",
    "no ip prefix-list P seq 5",
    "no ip prefix-list P",
    "access-list A deny 10.0.0.0/8 exact-match",
    "access-list A seq 7 permit any",
    "access-list A permit 10.0.0.0 0.255.255.255",
    "no access-list A",
    "route-map M permit 10",
    "route-map M deny 10",
    " match ip address A",
    " match ip address prefix-list P",
    " match tag 5",
    " set metric +5",
    " set metric rtt",
    " no match ip address",
    "no route-map M",
    " redistribute static route-map M",
    " distribute-list A out static",
    "exit",
    "end",
    "!",
    "key chain C",
    " key 1",
    "  key-string a b",
    "  cryptographic-algorithm hmac-sha-256",
    "  accept-lifetime 00:00:00 Jan 1 2027 infinite",
    "  send-lifetime 00:00:00 31 december 2027 duration 60",
    "  send-lifetime 00:00:00 1 Jan 2028 00:00:00 Feb 30 2028",
    "  no send-lifetime",
    " no key 1",
    "no key chain C",
    " ip ospf authentication key-chain C",
    "frr defaults datacenter",
    "\u{0}\u{ff}",
    "ip",
    "no",
];

fn shuffled() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        8 => prop::sample::select(LINES).prop_map(|l| l.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(line, 0..30).prop_map(|l| l.join(&b'\n'))
}

/// The lines that open the blocks around the line at `at`, the outermost first.
fn heads<'a>(lines: &[&'a str], at: usize) -> Vec<&'a str> {
    let indent = |l: &str| l.len() - l.trim_start().len();
    let mut depth = indent(lines[at]);
    let mut heads = Vec::new();
    for line in lines[..at].iter().rev() {
        if indent(line) < depth {
            depth = indent(line);
            heads.insert(0, *line);
        }
    }
    heads
}

proptest! {
    #[test]
    fn a_rendered_configuration_reads_back_as_itself(text in file()) {
        let config = load("generated.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e}")).config;
        let lines = render(&config, Secrets::Shown);
        let read = import(&[("frr.conf", lines.as_bytes())]);
        let bad: Vec<String> = read.report.iter().filter(|f| f.verdict == Verdict::Mistake
            || f.verdict == Verdict::NoCounterpart { harmless: false }).map(ToString::to_string).collect();
        prop_assert!(bad.is_empty(), "{:?}\n{}\n{}", bad, lines, read.text);
        let again = load("imported.toml", &read.text).unwrap_or_else(|e| panic!("{lines}\n{}\n{e}", read.text)).config;
        prop_assert_eq!(&again, &config, "{}", lines);
        // The same lines typed one by one.
        let mut session = Session::new(Document::default());
        for line in lines.lines() {
            // Headers have no counterpart and need none.
            let _ = session.line(line);
        }
        prop_assert_eq!(session.waiting().count(), 0);
        let typed = load("typed.toml", &session.document().text()).unwrap_or_else(|e| panic!("{lines}\n{e}")).config;
        prop_assert_eq!(typed, config);
    }

    #[test]
    fn every_line_can_be_taken_back(text in file()) {
        let config = load("generated.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e}")).config;
        let page = render(&config, Secrets::Shown);
        let mut session = Session::new(Document::default());
        for line in page.lines() {
            let _ = session.line(line);
        }
        let lines: Vec<&str> = page.lines().filter(|l| !["exit", "!", "end"].contains(&l.trim())).collect();
        for (at, line) in lines.iter().enumerate().rev() {
            let words = line.trim();
            if words.starts_with("torc version") || words == "no ip address" {
                continue;
            }
            session.line("end").unwrap();
            for head in heads(&lines, at) {
                session.line(head).unwrap();
            }
            let back = words.strip_prefix("no ").map_or_else(|| format!("no {words}"), str::to_owned);
            let done = session.line(&back);
            prop_assert!(done.is_ok(), "{}: {:?}\n{}", back, done, page);
        }
        let left = session.document().text();
        prop_assert_eq!(left.trim(), "", "{}", page);
    }

    #[test]
    fn masked_lines_show_no_secret(text in file()) {
        let config = load("generated.toml", &text).unwrap_or_else(|e| panic!("{text}\n{e}")).config;
        let masked = render(&config, Secrets::Masked);
        for line in masked.lines().filter(|l| l.contains("-key ") || l.contains("key-string ")) {
            prop_assert!(line.ends_with(" <hidden>"), "{}", line);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in shuffled()) {
        let read = import(&[("a", &bytes), ("b", &bytes)]);
        prop_assert!(Document::parse(&read.text).is_ok(), "{}", read.text);
        if let Ok(loaded) = load("imported.toml", &read.text) {
            let lines = render(&loaded.config, Secrets::Shown);
            let again = import(&[("frr.conf", lines.as_bytes())]).text;
            let again = load("again.toml", &again).unwrap_or_else(|e| panic!("{lines}\n{e}")).config;
            prop_assert_eq!(again, loaded.config, "{}", lines);
        }
        let mut session = Session::new(Document::default());
        for line in String::from_utf8_lossy(&bytes).lines() {
            let before = (session.document().text(), session.mode().clone());
            if session.line(line).is_err() {
                prop_assert_eq!((session.document().text(), session.mode().clone()), before, "{}", line);
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let _ = session.candidates(&words, "");
        }
        prop_assert!(Document::parse(&session.document().text()).is_ok());
    }
}
