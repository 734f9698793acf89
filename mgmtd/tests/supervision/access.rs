//! Groups that may look and groups that may change, as somebody without rights meets them. These tests run as root.

use super::{Bench, OSPF, PATIENCE, RIB_ONLY};
use routing_common::control::configuration::{Commit, History, Request as Configure, Source};
use routing_common::control::{FrameDecoder, Request, encode};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Instant;

const ASK_AT: &str = "TORC_TEST_ASK_AT";
const ASK: &str = "TORC_TEST_ASK";

/// Not a test of its own: asks as the user it was started as, and prints the answer.
#[test]
fn somebody_asks() {
    let Some(socket) = std::env::var_os(ASK_AT) else { return };
    let body = serde_json::from_str(&std::env::var(ASK).unwrap()).unwrap();
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.write_all(&encode(&Request { id: 1, body }).unwrap()).unwrap();
    let (mut decoder, mut piece, mut frames) = (FrameDecoder::default(), [0; 4096], 0);
    while frames < 2 {
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0, "no answer");
        decoder.push(&piece[..count]);
        while let Some(frame) = decoder.next_frame().unwrap() {
            frames += 1;
            if frames == 2 {
                println!("\n{}", String::from_utf8_lossy(frame));
            }
        }
    }
}

#[test]
fn who_may_only_look_changes_nothing_and_sees_no_keys() {
    let key =
        "[interfaces.e0]\n[ospf.interfaces.e0]\nauthentication = { type = \"simple\", key = \"geheim\" }\n";
    let closed = format!("{OSPF}{key}");
    let open = format!("{closed}[access]\noperators = \"901\"\nreaders = \"902\"\n");
    let mut bench = Bench::new(&closed);
    fs::set_permissions(bench.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = bench.path("ask");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    bench.start();
    bench.expect_processes(&["ribd running 0", "bfdd off 0", "vrrpd off 0", "ospfd running 0"]);
    let socket = bench.run_dir().join("mgmtd.sock");
    let ask = |group: &str, body: &Configure| -> String {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=4321", "--regid=4321", &format!("--groups={group}")]).arg(&program);
        command.args(["--exact", "access::somebody_asks", "--nocapture"]);
        let output =
            command.env(ASK_AT, &socket).env(ASK, serde_json::to_string(body).unwrap()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    };
    let show = Configure::GetConfiguration(Source::Running);
    assert!(ask("901", &show).contains("PermissionDenied"), "without the table the socket's mode decides");

    // The table is in force as soon as the commit is, for this socket as for every daemon's.
    bench.operator().commit(&open).unwrap();
    let shown = ask("902", &show);
    assert!(shown.contains("********") && !shown.contains("geheim"), "{shown}");
    assert!(ask("902", &Configure::GetConfiguration(Source::Back(1))).contains("********"));
    assert!(ask("902", &Configure::ShowHistory).contains("revisions"));
    assert!(ask("901", &show).contains("geheim"), "an operator edits the text, so he must have it");
    let commit = |test| {
        Configure::Commit(Commit {
            text: RIB_ONLY.into(),
            base: None,
            comment: None,
            confirm_within_sec: None,
            test,
        })
    };
    let back = Configure::Rollback { back: 1, confirm_within_sec: None };
    let changes = [
        commit(false),
        commit(true),
        back,
        Configure::Save,
        Configure::Lock,
        Configure::Confirm,
        Configure::Unlock,
    ];
    for change in changes.into_iter().chain([Configure::Reload { test: false }]) {
        let said = ask("902", &change);
        assert!(said.contains("that takes root or a member of group 901"), "{change:?}: {said}");
    }
    assert_eq!((bench.running(), bench.startup()), (open.clone(), closed.clone()));
    let log = fs::read_to_string(bench.path("mgmtd.log")).unwrap();
    assert!(log.contains("access-refused") && log.contains("uid 4321 may not change anything"), "{log}");
    assert!(!log.contains("geheim"), "{log}");

    let said = ask("901", &commit(false));
    assert!(said.contains("\"changed\":true"), "{said}");
    let history: History = bench.operator().ask(&Configure::ShowHistory).unwrap();
    assert_eq!(history.revisions[0].author, "uid 4321");
    let begun = Instant::now();
    while !ask("901", &show).contains("PermissionDenied") {
        assert!(begun.elapsed() < PATIENCE, "the socket stays open to everybody");
    }
}
