//! Control server and framed connections over Unix sockets in temporary directories.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use routing_common::control::{FrameDecoder, Greeting, Outcome, PROTOCOL_VERSION, Reply, Request, encode};
use routing_runtime::control_server::{ControlServer, MAX_CONNECTIONS};
use routing_runtime::framed::{ClientEvent, FramedClient, FramedListener, ServerEvent};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::path::Path;
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
    let mut server = ControlServer::bind(dir.path(), "testd").unwrap();
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
    let mut server = ControlServer::bind(dir.path(), "testd").unwrap();
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
