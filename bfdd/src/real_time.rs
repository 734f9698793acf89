//! The real-time thread: it owns the engine and the sockets, and does nothing else.
//!
//! A turn empties the sockets if there may be news, or takes a packet of routine from each that has one, then what the main
//! thread said, then it runs the timers, then it sleeps until the next deadline, the next packet or the next word. Before
//! timers run the sockets are emptied, unless they have just been seen empty: the engine must not find a peer silent whose
//! packet lies unread. Everything in a turn is bounded, so that a flood on one socket delays the rest by twice [`FLOOD`] packets
//! and no more.
//!
//! While all sessions are Up a packet of routine wakes nobody: it is read when something is due, as a rule when
//! something is sent. What may be news wakes the thread, which then reads the routine that came before it first.
//!
//! It never waits for anybody: words to the main thread go into a queue of [`QUEUE`]; when that is full the clients whose
//! news were lost are disconnected, and hear everything again when they come back. It does not log. A question
//! is answered by a copy of the engine, which the main thread makes into text.

use crate::sockets::{FLOOD, Kind, Sockets, Way};
use bfd_proto::message::ClientMessage;
use bfd_proto::{ClientId, HostStatus, Input, Instance, Output, Received};
use routing_common::config::Config;
use routing_common::link::LinkEvent;
use routing_common::machine::Machine;
use routing_common::notice::Notice;
use routing_common::record::Recorded;
use routing_common::time::{Duration, Instant};
use routing_runtime::clock::Clock;
use routing_runtime::real_time;
use routing_runtime::wait::Waker;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use tokio::sync::{mpsc, oneshot};

/// Words that may wait in either direction.
const QUEUE: usize = 1024;
/// Words taken in a turn.
const WORDS_AT_ONCE: usize = 16;
/// So long after a wait that saw nothing to read the sockets are taken for empty still.
const FRESH: Duration = Duration::from_micros(300);
/// In SCHED_RR, above ordinary programs and below the kernel's own threads.
const PRIORITY: u8 = 20;

/// From the main thread.
#[derive(Debug)]
pub(crate) enum Word {
    Link(LinkEvent),
    Reconfigure(Box<Config>),
    ClientConnected(ClientId),
    ClientMessage(ClientId, ClientMessage),
    ClientGone(ClientId),
    Shutdown,
    /// A copy of the engine, please.
    Copy(oneshot::Sender<Box<Instance>>),
}

/// To the main thread.
#[derive(Debug)]
pub(crate) enum News {
    ToClient(ClientId, bfd_proto::message::BfdMessage),
    Disconnect(ClientId),
    Notice(Notice),
    Finished,
    /// The thread cannot go on.
    Failed(io::Error),
}

/// The main thread's end.
#[derive(Debug)]
pub(crate) struct Link {
    words: SyncSender<Word>,
    waker: Arc<Waker>,
    pub(crate) news: mpsc::Receiver<News>,
}

impl Link {
    /// Says something; waits while the queue is full. `false` if the thread is gone.
    pub(crate) async fn say(&self, word: Word) -> bool {
        let mut word = word;
        loop {
            match self.words.try_send(word) {
                Ok(()) => {
                    self.waker.wake();
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(back)) => {
                    word = back;
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
            }
        }
    }
}

/// Starts the thread; `engine` makes the engine there.
pub(crate) fn start(engine: impl FnOnce() -> Recorded<Instance> + Send + 'static) -> io::Result<Link> {
    let (words, heard) = sync_channel(QUEUE);
    let (told, news) = mpsc::channel(QUEUE);
    let waker = Arc::new(Waker::new()?);
    let theirs = Arc::clone(&waker);
    std::thread::Builder::new().name("bfd".to_owned()).spawn(move || {
        let status = privileges();
        let mut thread = RealTime {
            engine: engine(),
            sockets: Sockets::default(),
            told,
            unheard: BTreeSet::new(),
            flooded: false,
            finished: false,
        };
        thread.input(Input::Host(status));
        if let Err(error) = thread.run(&heard, &theirs) {
            let _ = thread.told.try_send(News::Failed(error));
        }
    })?;
    Ok(Link { words, waker, news })
}

/// Asks for what keeps deadlines under load.
fn privileges() -> HostStatus {
    let real_time::Granted { real_time, memory_locked, problems } = real_time::claim(PRIORITY, "BFD");
    HostStatus { real_time, memory_locked, problems }
}

struct RealTime {
    engine: Recorded<Instance>,
    sockets: Sockets,
    told: mpsc::Sender<News>,
    /// Clients whose news did not fit the queue.
    unheard: BTreeSet<ClientId>,
    /// Between the last two deadlines more came than should wait in a queue.
    flooded: bool,
    finished: bool,
}

impl RealTime {
    fn run(&mut self, heard: &Receiver<Word>, waker: &Waker) -> io::Result<()> {
        // Of what was waited for: may it have something to read? Empty after a wait that saw nothing.
        let mut ready = Vec::new();
        let mut deadline = None;
        let mut deaf = false;
        while !self.finished {
            self.read(&ready);
            for word in heard.try_iter().take(WORDS_AT_ONCE) {
                self.word(word);
            }
            let now = Clock.now();
            if self.deadline().is_some_and(|at| at <= now) {
                let fresh = ready.is_empty() && deadline.is_some_and(|at| now < at + FRESH);
                self.expire(!fresh, !fresh || deaf);
            }
            self.disconnect_unheard();
            deadline = self.deadline();
            let patience = self.engine.engine().patience();
            deaf = !self.flooded && deadline.is_some_and(|at| at <= now + patience);
            let routine = self.sockets.descriptors(Kind::Routine).take(if deaf { 0 } else { usize::MAX });
            let descriptors = self.sockets.descriptors(Kind::News).chain(routine);
            waker.wait(descriptors, deadline, &mut ready)?;
        }
        Ok(())
    }

    /// After a wait.
    fn read(&mut self, ready: &[bool]) {
        let (news, routine) = ready.split_at(self.sockets.count().min(ready.len()));
        if news.contains(&true) {
            return self.empty(true, true);
        }
        for (place, _) in routine.iter().enumerate().filter(|(_, ready)| **ready) {
            self.receive(Kind::Routine, place);
        }
    }

    /// Takes what is there. Routine first: news came after it, or says the same again.
    fn empty(&mut self, news: bool, routine: bool) {
        let wanted = [(Kind::Routine, routine), (Kind::News, news)];
        for (kind, _) in wanted.into_iter().filter(|(_, wanted)| *wanted) {
            for place in 0..self.sockets.count() {
                (0..FLOOD).take_while(|_| self.receive(kind, place)).for_each(drop);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [self.engine.poll_timeout(), self.sockets.retry_at()].into_iter().flatten().min()
    }

    fn word(&mut self, word: Word) {
        let input = match word {
            Word::Link(event) => Input::Link(event),
            Word::Reconfigure(config) => Input::Reconfigure(config),
            Word::ClientConnected(client) => Input::ClientConnected(client),
            Word::ClientMessage(client, message) => Input::ClientMessage(client, message),
            Word::ClientGone(client) => {
                self.unheard.remove(&client);
                Input::ClientGone(client)
            }
            Word::Shutdown => Input::Shutdown,
            Word::Copy(answer) => {
                // Whoever asked may be gone.
                let _ = answer.send(Box::new(self.engine.engine().clone()));
                return;
            }
        };
        self.input(input);
    }

    fn input(&mut self, input: Input<'_>) {
        let now = Clock.now();
        self.engine.handle(now, input);
        self.drain(now);
    }

    /// The next packet of one place; `false` if there is none.
    fn receive(&mut self, kind: Kind, place: usize) -> bool {
        let Some((multihop, d)) = self.sockets.receive(kind, place) else { return false };
        let packet = Received {
            interface: d.interface,
            source: d.source,
            destination: d.destination,
            ttl: d.ttl,
            multihop,
            payload: d.payload,
            received: d.received,
        };
        let now = Clock.now();
        self.engine.handle(now, Input::Packet(packet));
        self.drain(now);
        true
    }

    /// Everything that is due, after the packets that came before it, as far as they may be there.
    fn expire(&mut self, news: bool, routine: bool) {
        self.empty(news, routine);
        self.flooded = self.sockets.take_flood();
        let now = Clock.now();
        if self.engine.poll_timeout().is_some_and(|at| at <= now) {
            self.engine.handle_timeout(now);
            self.drain(now);
        }
        if let Some(fault) = self.sockets.retry(now) {
            self.input(Input::Fault(fault));
        }
    }

    fn drain(&mut self, now: Instant) {
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Transmit { session, packet } => {
                    if !self.sockets.send(session, &packet) {
                        self.engine.handle(Clock.now(), Input::TransmitFailed(session));
                    }
                }
                Output::Listen(interface) => {
                    let fault = self.sockets.listen(now, interface);
                    self.fault(fault);
                }
                Output::StopListening(interface) => self.sockets.stop_listening(interface),
                Output::Open { session, peer, local, interface } => {
                    let fault = self.sockets.open(now, session, Way { peer, local, interface });
                    self.fault(fault);
                }
                Output::Close(session) => self.sockets.close(session),
                Output::ToClient(client, message) => {
                    if self.told.try_send(News::ToClient(client, message)).is_err() {
                        self.unheard.insert(client);
                    }
                }
                Output::Disconnect(client) => _ = self.unheard.insert(client),
                // One that does not fit is one of a thousand.
                Output::Notice(notice) => _ = self.told.try_send(News::Notice(notice)),
                Output::Finished => {
                    self.finished = true;
                    let _ = self.told.try_send(News::Finished);
                }
            }
        }
    }

    fn fault(&mut self, fault: Option<String>) {
        if let Some(text) = fault {
            self.engine.handle(Clock.now(), Input::Fault(text));
        }
    }

    /// Those who missed something, and those the engine wants no more of, are to begin anew.
    fn disconnect_unheard(&mut self) {
        while let Some(client) = self.unheard.first().copied() {
            if self.told.try_send(News::Disconnect(client)).is_err() {
                return;
            }
            self.unheard.remove(&client);
        }
    }
}
