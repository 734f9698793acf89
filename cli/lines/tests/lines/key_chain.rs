//! `key chain` typed line by line.

use config_lines::{Document, LineError, Mode, Session};

fn session() -> Session {
    Session::new(Document::default())
}

fn feed(session: &mut Session, lines: &str) {
    for line in lines.lines() {
        session.line(line).unwrap_or_else(|e| panic!("{line}: {e}"));
    }
}

fn refusal(session: &mut Session, line: &str) -> String {
    let before = (session.document().text(), session.mode().clone());
    let refused = session.line(line);
    assert_eq!((session.document().text(), session.mode().clone()), before, "{line}");
    match refused {
        Err(LineError::Refused(reason)) => reason,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn keys_are_typed_in_either_order_of_dates_and_without_exit() {
    let mut s = session();
    feed(&mut s, "key chain RING\n key 1\n");
    assert_eq!(s.mode(), &Mode::Key { chain: "RING".into(), id: 1 });
    assert_eq!(s.mode().prompt(), "(config-keychain-key)");
    feed(
        &mut s,
        "key-string one secret\ncryptographic-algorithm hmac-sha-256\n\
         send-lifetime 06:30:00 31 jan 2027 06:30:00 Feb 28 2027\n\
         accept-lifetime 06:00:00 January 31 2027 duration 3600\n\
         key 2\nkey-s two\ncryptographic-algorithm md5\naccept-lifetime 00:00:00 1 Feb 2027 infinite\n",
    );
    assert_eq!(
        s.document().text(),
        "[[key-chains.RING]]\nid = 1\nkey = \"one secret\"\nalgorithm = \"hmac-sha-256\"\n\
         send-lifetime = { start = \"2027-01-31 06:30:00\", end = \"2027-02-28 06:30:00\" }\n\
         accept-lifetime = { start = \"2027-01-31 06:00:00\", end = \"2027-01-31 07:00:00\" }\n\n\
         [[key-chains.RING]]\nid = 2\nkey = \"two\"\nalgorithm = \"md5\"\n\
         accept-lifetime = { start = \"2027-02-01 00:00:00\" }\n"
    );
    feed(&mut s, "no accept-lifetime\nno cryptographic-algorithm\nkey 1\nno key 2\n");
    feed(&mut s, "no send-lifetime 06:30:00 31 jan 2027 06:30:00 Feb 28 2027\nno key-string\nexit\n");
    assert_eq!(s.mode(), &Mode::KeyChain("RING".into()));
    assert_eq!(
        s.document().text(),
        "[[key-chains.RING]]\nid = 1\nalgorithm = \"hmac-sha-256\"\n\
         accept-lifetime = { start = \"2027-01-31 06:00:00\", end = \"2027-01-31 07:00:00\" }\n"
    );
    feed(&mut s, "no key chain RING\nno key chain RING\n");
    assert_eq!(s.document().text(), "");
}

#[test]
fn nonsense_changes_nothing() {
    let mut s = session();
    feed(&mut s, "key chain RING\n key 7\n");
    assert!(refusal(&mut s, "send-lifetime 24:00:00 1 Jan 2027 infinite").contains("time of day"));
    assert!(refusal(&mut s, "send-lifetime 06:30:00 1 Ja 2027 infinite").contains("no month"));
    assert!(refusal(&mut s, "send-lifetime 06:30:00 30 Feb 2027 infinite").contains("2027-02-30"));
    let backwards = "send-lifetime 06:30:00 2 Jan 2027 06:30:00 1 Jan 2027";
    assert!(refusal(&mut s, backwards).contains("ends before"));
    assert!(refusal(&mut s, "key-string <hidden>").contains("what is shown instead"));
    assert!(refusal(&mut s, &format!("key-string {}", "x".repeat(129))).contains("129 bytes"));
    assert!(refusal(&mut s, "no key 8").contains("no such key"));
    feed(&mut s, "no key 7\n");
    assert!(refusal(&mut s, "key-string x").contains("not there any more"));
    assert!(matches!(s.line("key 256"), Err(LineError::NoCounterpart { harmless: false, .. })));
    assert!(matches!(s.line("cryptographic-algorithm md4"), Err(LineError::Command(_))));
}

#[test]
fn an_interface_names_its_chain() {
    let mut s = session();
    feed(&mut s, "interface eth0\n ip ospf area 0\n ip ospf authentication message-digest\n");
    feed(&mut s, " ip ospf message-digest-key 1 md5 x\n ip ospf authentication key-chain A\n");
    let chain = |name: &str| format!("authentication = {{ type = \"key-chain\", key-chain = \"{name}\" }}");
    assert!(s.document().text().contains(&chain("A")), "{}", s.document().text());
    feed(&mut s, " ip ospf authentication key-chain B\n");
    assert!(s.document().text().contains(&chain("B")), "{}", s.document().text());
    feed(&mut s, " no ip ospf authentication\n");
    assert!(!s.document().text().contains("authentication"));
}
