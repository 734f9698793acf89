//! The main thread: carries clients, operators, interfaces and signals to the real-time thread, and its news to them.
//! Decides nothing.

use crate::real_time::{self, Link, News, Word};
use anyhow::{Context as _, bail};
use bfd_proto::message::{BfdMessage, ClientMessage};
use bfd_proto::{ClientId, Instance, api};
use routing_common::link::LinkEvent;
use routing_runtime::clock::Clock;
use routing_runtime::control_server::ControlRequest;
use routing_runtime::daemon::{DaemonContext, Sorted};
use routing_runtime::framed::{ConnectionId, FramedListener, ServerEvent};
use routing_runtime::netlink::monitor::LinkMonitor;
use routing_runtime::signals::Signal;
use std::time::Duration;
use tokio::sync::oneshot;

type Clients = FramedListener<BfdMessage, ClientMessage>;

/// How long a question may wait for the real-time thread, which answers in microseconds or has died.
const PATIENCE: Duration = Duration::from_secs(5);

/// The daemon from its context to its end.
pub(crate) async fn run(mut context: DaemonContext) -> anyhow::Result<()> {
    let mut monitor = LinkMonitor::start().context("watching interfaces")?;
    // Discriminators must differ from those of the run before, which the peer may still know.
    let seed = context.clock.now().as_nanos() ^ u64::from(std::process::id()).rotate_left(32);
    let mut link = real_time::start(context.engine_elsewhere(seed)).context("real-time thread")?;
    loop {
        let event = monitor.next().await;
        let complete = event == LinkEvent::SnapshotComplete;
        say(&link, Word::Link(event)).await?;
        if complete {
            break;
        }
    }
    say(&link, Word::Reconfigure(Box::new(context.config.clone()))).await?;
    let path = context.socket_path("bfd.sock");
    let mut clients = Clients::bind(&path).with_context(|| path.display().to_string())?;
    let mut control = context.control_server::<api::Request>()?;
    loop {
        tokio::select! {
            biased;
            signal = context.signals.next() => match signal {
                Signal::Reload => if let Some(config) = context.reload_config() {
                    say(&link, Word::Reconfigure(Box::new(config))).await?;
                },
                Signal::Terminate => say(&link, Word::Shutdown).await?,
                Signal::TerminateNow => return Ok(()),
            },
            news = link.news.recv() => match news {
                Some(News::ToClient(client, message)) => clients.send(ConnectionId(client.0), &message),
                Some(News::Disconnect(client)) => {
                    clients.close(ConnectionId(client.0));
                    say(&link, Word::ClientGone(client)).await?;
                }
                Some(News::Notice(notice)) => context.notice(&notice),
                Some(News::Finished) => return Ok(()),
                Some(News::Failed(error)) => return Err(error).context("real-time thread"),
                None => bail!("the real-time thread has died"),
            },
            event = monitor.next() => say(&link, Word::Link(event)).await?,
            event = clients.next() => say(&link, client_word(event)).await?,
            request = control.next_request() => match context.sort(request) {
                Sorted::Question(request) => answer(&link, request).await?,
                Sorted::Reconfigure(config, acknowledgement) => {
                    say(&link, Word::Reconfigure(config)).await?;
                    acknowledgement.give();
                }
                Sorted::Answered => {}
            },
        }
    }
}

async fn say(link: &Link, word: Word) -> anyhow::Result<()> {
    if link.say(word).await { Ok(()) } else { bail!("the real-time thread has died") }
}

fn client_word(event: ServerEvent<ClientMessage>) -> Word {
    let client = |id: ConnectionId| ClientId(id.0);
    match event {
        ServerEvent::Connected(id) => Word::ClientConnected(client(id)),
        ServerEvent::Message(id, message) => Word::ClientMessage(client(id), message),
        ServerEvent::Disconnected(id, _) => Word::ClientGone(client(id)),
    }
}

/// Asks for a copy of the engine and answers from it; the answer's text is made by a task that nobody waits for.
async fn answer(link: &Link, request: ControlRequest) -> anyhow::Result<()> {
    let (copy, copied) = oneshot::channel();
    say(link, Word::Copy(copy)).await?;
    tokio::spawn(async move {
        let engine = tokio::time::timeout(PATIENCE, copied).await;
        let result = match engine {
            Ok(Ok(engine)) => ask(&engine, &request),
            _ => Err("the real-time thread does not answer".to_owned()),
        };
        request.respond(result);
    });
    Ok(())
}

fn ask(engine: &Instance, request: &ControlRequest) -> Result<serde_json::Value, String> {
    let question = serde_json::from_value::<api::Request>(request.body.clone())
        .map_err(|e| format!("not a request of bfdd: {e}"))?;
    engine.query(Clock.now(), &question)
}
