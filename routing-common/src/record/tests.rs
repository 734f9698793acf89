//! A toy engine recorded into memory, and the format under arbitrary bytes.

use super::format::MAGIC;
use super::*;
use crate::time::Duration;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Says every number it is told, and the time when it is woken.
#[derive(Default)]
struct Echo(VecDeque<u64>);

impl Machine for Echo {
    type Input<'a> = &'a [u64];
    type Output = u64;

    fn handle(&mut self, _: Instant, input: &[u64]) {
        self.0.extend(input);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.0.push_back(now.as_nanos());
    }

    fn poll_output(&mut self) -> Option<u64> {
        self.0.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}

impl Recordable for Echo {
    const DAEMON: &'static str = "echo";
    type Record = Vec<u64>;

    fn create(_: &Config, _: u64) -> Self {
        Self::default()
    }

    fn record(input: &&[u64]) -> Vec<u64> {
        input.to_vec()
    }

    fn input<'a>(record: &'a Vec<u64>, _: &Config) -> &'a [u64] {
        record
    }
}

/// A file in memory that is full after some bytes.
#[derive(Clone)]
struct Memory {
    bytes: Rc<RefCell<Vec<u8>>>,
    room: usize,
}

impl Sink for Memory {
    fn write(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        let mut file = self.bytes.borrow_mut();
        if file.len() + bytes.len() > self.room {
            return ControlFlow::Break(());
        }
        file.extend_from_slice(bytes);
        ControlFlow::Continue(())
    }

    fn give_up(&mut self, why: &str) {
        panic!("{why}");
    }
}

const TEXT: &str = "hostname = \"r1\"\n";

fn recorded(room: usize) -> (Recorded<Echo>, Rc<RefCell<Vec<u8>>>) {
    let config = crate::config::load("r1.toml", TEXT).unwrap().config;
    let memory = Memory { bytes: Rc::default(), room };
    let source = Configuration { file: "r1.toml".into(), text: TEXT.into() };
    (Recorded::recording(&config, 7, source, Box::new(memory.clone())), memory.bytes)
}

/// Three turns: drained, left with one output, and one that was never finished.
fn scene(engine: &mut Recorded<Echo>) -> Vec<u64> {
    let mut said = Vec::new();
    engine.handle(Instant::from_nanos(10), &[1, 2]);
    said.extend(std::iter::from_fn(|| engine.poll_output()));
    // Asking again changes nothing.
    assert_eq!(engine.poll_output(), None);
    engine.handle(Instant::from_nanos(20), &[3, 4]);
    said.extend(engine.poll_output());
    engine.handle_timeout(Instant::from_nanos(30));
    said.extend(engine.poll_output());
    said
}

fn entries(bytes: &[u8]) -> (Header, Vec<Entry<Vec<u64>>>, usize) {
    let (header, mut reader) = Reader::open(bytes).unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = reader.entry().unwrap() {
        assert_eq!(super::format::frame(&entry).unwrap(), reader.frame());
        entries.push(entry);
    }
    (header, entries, reader.torn())
}

fn digest(call: &Entry<Vec<u64>>, outputs: &[u64], drained: u8) -> u64 {
    let mut digest = Digest::default();
    digest.bytes(&super::format::frame(call).unwrap());
    outputs.iter().for_each(|o| digest.value(o));
    digest.bytes(&[drained]);
    digest.finish()
}

#[test]
fn a_recording_holds_the_calls_and_what_was_taken_after_each() {
    let (mut engine, file) = recorded(usize::MAX);
    assert_eq!(scene(&mut engine), [1, 2, 3, 4]);
    let (header, entries, torn) = entries(&file.borrow());
    assert_eq!((header.daemon.as_str(), header.seed, torn), ("echo", 7, 0));
    assert_eq!((header.source.file.as_str(), header.source.text.as_str()), ("r1.toml", TEXT));
    assert_eq!(header.release, env!("CARGO_PKG_VERSION"));
    let one = Entry::Call(Call::Input(Instant::from_nanos(10), vec![1, 2]));
    let two = Entry::Call(Call::Input(Instant::from_nanos(20), vec![3, 4]));
    let three = Entry::Call(Call::Timeout(Instant::from_nanos(30)));
    let turn = |outputs, drained, digest| Entry::Turn(Turn { outputs, drained, digest });
    let first = turn(2, true, digest(&one, &[1, 2], 1));
    let second = turn(1, false, digest(&two, &[3], 0));
    assert_eq!(entries, [one, first, two, second, three]);
}

#[test]
fn an_engine_says_the_same_recorded_or_not_and_after_the_file_is_full() {
    let (mut engine, file) = recorded(usize::MAX);
    let said = scene(&mut engine);
    let whole = file.borrow().clone();
    let mut silent = Recorded::<Echo>::silent(&crate::config::load("r1.toml", TEXT).unwrap().config, 7);
    assert_eq!(scene(&mut silent), said);
    for room in 0..whole.len() {
        let (mut engine, file) = recorded(room);
        assert_eq!(scene(&mut engine), said);
        assert_eq!(file.borrow()[..], whole[..file.borrow().len()], "no gap, no more after the end");
    }
}

#[test]
fn a_file_cut_anywhere_after_its_header_is_read_up_to_there() {
    let (mut engine, file) = recorded(usize::MAX);
    scene(&mut engine);
    let whole = file.borrow().clone();
    let (_, all, _) = entries(&whole);
    let (_, reader) = Reader::open(&whole).unwrap();
    let begin = reader.offset();
    for end in 0..whole.len() {
        if end < begin {
            assert!(Reader::open(&whole[..end]).is_err(), "{end}");
            continue;
        }
        let (_, some, torn) = entries(&whole[..end]);
        assert_eq!(some[..], all[..some.len()]);
        let (_, fewer, _) = entries(&whole[..end - torn]);
        assert_eq!(fewer, some);
    }
}

#[test]
fn what_is_no_recording_is_refused_with_its_place() {
    let (mut engine, file) = recorded(usize::MAX);
    scene(&mut engine);
    let whole = file.borrow().clone();
    let reason = |bytes: &[u8]| Reader::open(bytes).unwrap_err().reason;
    assert_eq!(reason(b""), Reason::NoRecording);
    assert_eq!(reason(b"hostname"), Reason::NoRecording);
    assert_eq!(reason(b"TORCREC\xff...."), Reason::Version(255));
    assert_eq!(reason(&MAGIC), Reason::NoHeader);
    let (_, reader) = Reader::open(&whole).unwrap();
    let begin = reader.offset();
    let after = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        let (_, mut reader) = Reader::open(&bytes).unwrap();
        reader.entry::<Vec<u64>>().unwrap_err()
    };
    let long = after(&|b| b[begin..begin + 4].copy_from_slice(&u32::MAX.to_be_bytes()));
    assert_eq!((long.offset, long.reason), (begin, Reason::TooLong(u32::MAX as usize)));
    let surplus = after(&|b| {
        b[begin + 3] += 1;
        let end = begin + 3 + usize::from(b[begin + 3]);
        b.insert(end, 0);
    });
    assert_eq!((surplus.offset, surplus.reason), (begin, Reason::Surplus(1)));
    let kind = after(&|b| b[begin + 4] = 9);
    assert!(matches!(kind.reason, Reason::Malformed(_)), "{kind}");
    assert_eq!(kind.to_string(), format!("byte {begin}: {}", kind.reason));
}

#[test]
fn a_configuration_does_not_show_its_keys() {
    let source = Configuration { file: "r.toml".into(), text: "key = \"secret\"".into() };
    let header = Header { daemon: "ospfd".into(), release: "1".into(), seed: 0, source };
    assert!(!format!("{header:?}").contains("secret"));
}

fn arbitrary_entry() -> impl Strategy<Value = Entry<Vec<u64>>> {
    let call = (any::<u64>(), proptest::option::of(proptest::collection::vec(any::<u64>(), 0..9)));
    let texts = (".{0,20}", ".{0,90}").prop_map(|(file, text)| Configuration { file, text });
    prop_oneof![
        call.prop_map(|(at, input)| match input {
            Some(numbers) => Entry::Call(Call::Input(Instant::from_nanos(at), numbers)),
            None => Entry::Call(Call::Timeout(Instant::from_nanos(at))),
        }),
        (any::<u64>(), any::<bool>(), any::<u64>())
            .prop_map(|(outputs, drained, digest)| Entry::Turn(Turn { outputs, drained, digest })),
        texts.prop_map(Entry::Configured),
    ]
}

proptest! {
    #[test]
    fn entries_come_back_as_they_were(written in proptest::collection::vec(arbitrary_entry(), 0..20)) {
        let (_, file) = recorded(usize::MAX);
        let mut bytes = file.borrow().clone();
        for entry in &written {
            bytes.extend(super::format::frame(entry).unwrap());
        }
        let (_, read, torn) = entries(&bytes);
        prop_assert_eq!((read, torn), (written, 0));
    }

    #[test]
    fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..200), flip in any::<prop::sample::Index>()) {
        let _ = Reader::open(&noise);
        let (mut engine, file) = recorded(usize::MAX);
        scene(&mut engine);
        let mut bytes = file.borrow().clone();
        bytes.extend(&noise);
        let at = flip.index(bytes.len());
        bytes[at] ^= 1 << (at % 8);
        if let Ok((_, mut reader)) = Reader::open(&bytes) {
            let mut before = 0;
            while let Ok(Some(_)) = reader.entry::<Vec<u64>>() {
                prop_assert!(reader.offset() > before, "every entry takes bytes");
                before = reader.offset();
            }
            prop_assert!(reader.offset() + reader.torn() == bytes.len());
        }
    }
}

#[test]
fn time_is_kept_to_the_nanosecond() {
    let call: Entry<Vec<u64>> = Entry::Call(Call::Timeout(Instant::from_nanos(u64::MAX - 1)));
    let bytes = super::format::frame(&call).unwrap();
    let whole = [&MAGIC[..], &super::format::frame(&header()).unwrap(), &bytes].concat();
    let (_, mut reader) = Reader::open(&whole).unwrap();
    let Some(Entry::Call(read)) = reader.entry::<Vec<u64>>().unwrap() else { panic!("a call") };
    assert_eq!(read.at() + Duration::from_nanos(1), Instant::from_nanos(u64::MAX));
}

fn header() -> Entry<()> {
    let source = Configuration::default();
    Entry::Header(Header { daemon: "echo".into(), release: "1".into(), seed: 1, source })
}
