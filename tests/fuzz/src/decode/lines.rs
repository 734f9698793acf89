//! Configuration in lines.

use config_lines::{Document, Secrets, Session, import, render};
use routing_common::config::load;

/// Any bytes as a file, and its lines typed one by one.
pub fn lines(data: &[u8]) {
    let read = import(&[("frr.conf", data)]);
    assert!(read.report.iter().all(|f| !f.to_string().is_empty()));
    if let Ok(loaded) = load("router.toml", &read.text) {
        let shown = render(&loaded.config, Secrets::Shown);
        let again = import(&[("frr.conf", shown.as_bytes())]);
        match load("router.toml", &again.text) {
            Ok(again) => assert_eq!(again.config, loaded.config, "{shown}"),
            Err(found) => panic!("{shown}\n{found}"),
        }
    }
    let mut session = Session::new(Document::default());
    for line in String::from_utf8_lossy(data).lines() {
        let before = (session.document().text(), session.mode().clone());
        if session.line(line).is_err() {
            assert_eq!((session.document().text(), session.mode().clone()), before, "{line:?}");
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Ok((candidates, _)) = session.candidates(&words, "") {
            assert!(candidates.iter().all(|c| !c.help.is_empty()), "{line:?}");
        }
    }
    assert!(Document::parse(&session.document().text()).is_ok());
}
