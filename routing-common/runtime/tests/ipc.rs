//! Control server and framed connections over Unix sockets in temporary directories.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use routing_common::config::load;
use routing_common::control::{FrameDecoder, Greeting, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use routing_runtime::access::Access;
use routing_runtime::control_server::{ControlServer, MAX_CONNECTIONS};
use routing_runtime::framed::{ClientEvent, FramedClient, FramedListener, ServerEvent};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);

/// Reads the next frame of a control connection; `None` when the daemon closed it.
async fn read<T: DeserializeOwned>(stream: &mut UnixStream, decoder: &mut FrameDecoder) -> Option<T> {
    loop {
        if let Some(frame) = decoder.next_frame().unwrap() {
            return Some(serde_json::from_slice(frame).unwrap());
        }
        let mut piece = [0; 4096];
        match timeout(SOON, stream.read(&mut piece)).await.unwrap().unwrap_or(0) {
            0 => return None,
            n => decoder.push(&piece[..n]),
        }
    }
}

fn access(config: &str) -> Access {
    Access::new(&load("", config).unwrap().config.access)
}

/// A server for which "look" is the only question.
fn bind(dir: &Path, config: &str) -> ControlServer {
    ControlServer::bind(dir, "testd", &access(config), |body| body == "look").unwrap()
}

async fn connect(dir: &Path) -> (UnixStream, FrameDecoder) {
    let mut stream = UnixStream::connect(dir.join("testd.sock")).await.unwrap();
    let mut decoder = FrameDecoder::default();
    let greeting: Greeting = read(&mut stream, &mut decoder).await.unwrap();
    assert_eq!((greeting.daemon.as_str(), greeting.protocol), ("testd", PROTOCOL_VERSION));
    (stream, decoder)
}

#[tokio::test]
async fn requests_are_answered_in_order_with_their_ids() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("testd.sock"), "stale").unwrap();
    let mut server = bind(dir.path(), "");
    let (mut stream, mut decoder) = connect(dir.path()).await;
    for (id, body) in [(7, json!("good")), (8, json!({ "bad": 1 }))] {
        stream.write_all(&encode(&Request { id, body }).unwrap()).await.unwrap();
    }
    let first = server.next_request().await;
    assert_eq!(first.body, json!("good"));
    first.respond(Ok(json!({ "rows": vec![1; 100_000] })));
    let second = server.next_request().await;
    second.respond(Err("no".into()));
    let reply: Reply = read(&mut stream, &mut decoder).await.unwrap();
    assert_eq!((reply.id, reply.outcome), (7, Outcome::Done(json!({ "rows": vec![1; 100_000] }))));
    let reply: Reply = read(&mut stream, &mut decoder).await.unwrap();
    assert_eq!((reply.id, reply.outcome), (8, Outcome::Refused("no".into())));
    drop(server);
    assert!(!dir.path().join("testd.sock").exists());
}

#[tokio::test]
async fn silent_rude_and_too_many_clients_do_not_disturb_the_others() {
    let dir = TempDir::new().unwrap();
    let mut server = bind(dir.path(), "");
    let mut rude = connect(dir.path()).await;
    rude.0.write_all(&[0xff; 64]).await.unwrap();
    assert_eq!(read::<Reply>(&mut rude.0, &mut rude.1).await, None, "an endless frame ends the connection");
    let mut rude = connect(dir.path()).await;
    rude.0.write_all(&[0, 0, 0, 2, b'[', b'[']).await.unwrap();
    assert_eq!(read::<Reply>(&mut rude.0, &mut rude.1).await, None, "so does what is no request");

    let mut held = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        held.push(connect(dir.path()).await);
    }
    held[0].0.write_all(&[0, 0]).await.unwrap(); // and never the rest
    let mut refused = UnixStream::connect(dir.path().join("testd.sock")).await.unwrap();
    assert_eq!(timeout(SOON, refused.read(&mut [0; 8])).await.unwrap().unwrap(), 0);

    let (stream, decoder) = held.last_mut().unwrap();
    stream.write_all(&encode(&Request { id: 1, body: json!(null) }).unwrap()).await.unwrap();
    timeout(SOON, server.next_request()).await.unwrap().respond(Ok(json!(true)));
    let reply: Reply = read(stream, decoder).await.unwrap();
    assert_eq!(reply.outcome, Outcome::Done(json!(true)));
    held.clear();
    // The slots come back.
    loop {
        let mut again = UnixStream::connect(dir.path().join("testd.sock")).await.unwrap();
        if again.read(&mut [0; 8]).await.unwrap() > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
}

const ASK_AT: &str = "TORC_TEST_ASK_AT";

/// Not a test of its own: what [`ask_as`] runs as somebody else. Says what becomes of a look and of a change.
#[tokio::test]
async fn somebody_asks() {
    let Some(dir) = std::env::var_os(ASK_AT) else { return };
    for body in ["look", "change"] {
        let Ok(mut stream) = UnixStream::connect(Path::new(&dir).join("testd.sock")).await else {
            println!("{body}: no way in");
            continue;
        };
        let mut decoder = FrameDecoder::default();
        let _: Greeting = read(&mut stream, &mut decoder).await.unwrap();
        stream.write_all(&encode(&Request { id: 1, body: json!(body) }).unwrap()).await.unwrap();
        let reply: Reply = read(&mut stream, &mut decoder).await.unwrap();
        match reply.outcome {
            Outcome::Done(value) => println!("{body}: {value}"),
            Outcome::Refused(why) => println!("{body}: {why}"),
        }
    }
}

/// What user 4321 is told whose further groups are these.
async fn ask_as(dir: &Path, groups: &str) -> Vec<String> {
    // A user without rights cannot read the one of the build.
    let program = dir.join("ask");
    if !program.exists() {
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = tokio::process::Command::new("setpriv");
    command.args(["--reuid=4321", "--regid=4321", &format!("--groups={groups}")]).arg(program);
    command.args(["--exact", "somebody_asks", "--nocapture"]).env(ASK_AT, dir).stdin(Stdio::null());
    let output = timeout(SOON, command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?} (this test runs as root)");
    let said = String::from_utf8(output.stdout).unwrap();
    said.lines().filter(|l| l.starts_with("look: ") || l.starts_with("change: ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn groups_of_the_peer_decide_what_it_may() {
    let dir = TempDir::new().unwrap();
    set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let access = access("[access]\noperators = \"901\"\nreaders = \"902\"");
    let mut server = ControlServer::bind(dir.path(), "testd", &access, |body| body == "look").unwrap();
    let engine = tokio::spawn(async move {
        loop {
            let request = server.next_request().await;
            let told = json!({ "operator": request.is_operator, "uid": request.peer.uid });
            request.respond(Ok(told));
        }
    });
    let (may, looks) = (r#"{"operator":true,"uid":4321}"#, r#"{"operator":false,"uid":4321}"#);
    let change = "change: uid 4321 may not change anything: that takes root or a member of group 901";
    let nothing =
        "uid 4321 may not talk to this router: that takes root or a member of group 902 or group 901";
    assert_eq!(ask_as(dir.path(), "900,901").await, [format!("look: {may}"), format!("change: {may}")]);
    assert_eq!(ask_as(dir.path(), "902").await, [format!("look: {looks}"), change.to_owned()]);
    // More groups than are asked for at first; being in the group of root is nothing.
    let many: Vec<String> = (1000..1100).chain([0, 902]).map(|g| g.to_string()).collect();
    assert_eq!(ask_as(dir.path(), &many.join(",")).await, [format!("look: {looks}"), change.to_owned()]);
    assert_eq!(ask_as(dir.path(), "0").await, [format!("look: {nothing}"), format!("change: {nothing}")]);

    // Other rules hold for connections that are open, and for the socket.
    access.set(&load("", "[access]\nreaders = \"4321\"").unwrap().config.access);
    let said = ask_as(dir.path(), "901").await;
    assert_eq!(said[0], format!("look: {looks}"), "its own group counts, too");
    assert!(said[1].ends_with("that takes root"), "{said:?}");
    access.set(&load("", "").unwrap().config.access);
    let closed =
        async { while ask_as(dir.path(), "901,902").await != ["look: no way in", "change: no way in"] {} };
    timeout(SOON, closed).await.expect("the socket is closed again");
    engine.abort();
}

#[tokio::test]
async fn readers_and_strangers_cannot_keep_operators_out() {
    let dir = TempDir::new().unwrap();
    set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let _server = bind(dir.path(), "[access]\nreaders = \"902\"");
    let mut held = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        held.push(connect(dir.path()).await);
    }
    // Every slot of an operator is taken; a stranger is told all the same, because he has one of his own.
    let said = ask_as(dir.path(), "1").await;
    assert!(said[0].contains("may not talk to this router"), "{said:?}");
}

type Server = FramedListener<String, u64>;
type Client = FramedClient<u64, String>;

async fn server_next(server: &mut Server) -> ServerEvent<u64> {
    timeout(SOON, server.next()).await.expect("an event")
}

async fn client_next(client: &mut Client) -> ClientEvent<String> {
    timeout(SOON, client.next()).await.expect("an event")
}

#[tokio::test]
async fn a_client_finds_a_server_that_starts_late_and_comes_back() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("rib.sock");
    let mut client = Client::new(path.clone());
    assert!(timeout(Duration::from_millis(120), client.next()).await.is_err(), "there is no server");
    client.send(&1).unwrap(); // dropped: there is no session
    for round in 0..2 {
        let mut server = Server::bind(&path).unwrap();
        let ServerEvent::Connected(id) = server_next(&mut server).await else { panic!("not connected") };
        assert_eq!(client_next(&mut client).await, ClientEvent::Connected);
        for n in 0..1000 {
            client.send(&(round * 1000 + n)).unwrap();
        }
        for n in 0..1000 {
            assert_eq!(server_next(&mut server).await, ServerEvent::Message(id, round * 1000 + n));
        }
        server.send(id, &"answer".to_owned());
        assert_eq!(client_next(&mut client).await, ClientEvent::Message("answer".into()));
        drop(server);
        assert!(matches!(client_next(&mut client).await, ClientEvent::Disconnected(_)));
        assert!(!client.is_connected());
    }
}

#[tokio::test]
async fn what_was_queued_arrives_before_an_orderly_end() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("rib.sock");
    let mut server = Server::bind(&path).unwrap();
    let mut client = Client::new(path);
    let ServerEvent::Connected(id) = server_next(&mut server).await else { panic!("not connected") };
    assert_eq!(client_next(&mut client).await, ClientEvent::Connected);
    for n in 0..10_000 {
        client.send(&n).unwrap();
    }
    let finishing = tokio::spawn(client.finish(SOON));
    for n in 0..10_000 {
        assert_eq!(server_next(&mut server).await, ServerEvent::Message(id, n));
    }
    assert!(matches!(server_next(&mut server).await, ServerEvent::Disconnected(gone, _) if gone == id));
    finishing.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_does_not_read_and_one_that_talks_nonsense_are_disconnected() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("rib.sock");
    let mut server = Server::bind(&path).unwrap();
    let _deaf = UnixStream::connect(&path).await.unwrap();
    let ServerEvent::Connected(deaf) = server_next(&mut server).await else { panic!("not connected") };
    let large = "x".repeat(8 << 20);
    for _ in 0..20 {
        server.send(deaf, &large);
    }
    let ServerEvent::Disconnected(gone, reason) = server_next(&mut server).await else {
        panic!("still there")
    };
    assert_eq!((gone, reason.as_str()), (deaf, "it does not read"));

    let mut rude = UnixStream::connect(&path).await.unwrap();
    let ServerEvent::Connected(id) = server_next(&mut server).await else { panic!("not connected") };
    rude.write_all(&[0, 0, 0, 11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
        .await
        .unwrap();
    assert!(matches!(server_next(&mut server).await, ServerEvent::Disconnected(gone, _) if gone == id));
}
