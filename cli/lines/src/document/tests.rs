use super::Document;

const FILE: &str = r#"# The router in the hall.
hostname = "r1" # as on the label

[interfaces.eth0]
addresses = ["192.168.1.1/24"]

# Ring timers.
[ospf.spf]
long-delay = "1s"

[ospf]
router-id = "10.0.0.1"
interfaces.eth0 = { cost = 10 }
"#;

fn document() -> Document {
    Document::parse(FILE).unwrap()
}

#[test]
fn what_is_not_touched_stays_as_it_was_written() {
    let mut d = document();
    assert_eq!(d.text(), FILE);
    d.set(&["hostname"], "r2");
    d.set(&["ospf", "interfaces", "eth0", "cost"], 20);
    d.push(&["interfaces", "eth0", "addresses"], "192.168.2.1/24");
    let wanted = FILE
        .replace("\"r1\" #", "\"r2\" #")
        .replace("cost = 10", "cost = 20")
        .replace("1.1/24\"]", "1.1/24\", \"192.168.2.1/24\"]");
    assert_eq!(d.text(), wanted);
}

#[test]
fn holders_go_when_empty_and_tables_that_mean_something_stay() {
    let mut d = document();
    assert!(d.remove(&["ospf", "spf", "long-delay"]));
    assert!(!d.has(&["ospf", "spf"]));
    assert!(d.remove(&["ospf", "interfaces", "eth0", "cost"]));
    assert!(d.has(&["ospf", "interfaces", "eth0"]));
    assert!(!d.remove(&["ospf", "interfaces", "eth9", "cost"]));
    assert!(d.remove(&["ospf", "interfaces", "eth0"]));
    assert!(!d.has(&["ospf", "interfaces"]));
    assert!(d.retain(&["interfaces", "eth0", "addresses"], |a| a.starts_with("192.")));
    assert!(d.has(&["interfaces", "eth0"]) && !d.has(&["interfaces", "eth0", "addresses"]));
}

#[test]
fn new_tables_are_made_as_a_file_would_have_them() {
    let mut d = Document::default();
    d.set(&["hostname"], "r1");
    d.set(&["ospf", "interfaces", "eth0", "cost"], 10);
    d.ensure_table(&["ospf", "redistribute", "static"]);
    d.set(&["ospf", "router-id"], "1.1.1.1");
    assert_eq!(
        d.text(),
        "hostname = \"r1\"\n\n[ospf]\nrouter-id = \"1.1.1.1\"\n\n[ospf.interfaces.eth0]\ncost = 10\n\n\
         [ospf.redistribute.static]\n"
    );
}

#[test]
fn a_text_that_is_no_toml_is_refused() {
    assert!(Document::parse("hostname = ").is_err());
}
