//! Inputs made from the kept ones by changes that a seed decides: always the same ones, so that a finding is about the
//! code at hand and no accident of the run. What libFuzzer finds by following coverage is looked for at leisure
//! (`cargo xtask fuzz`), from the same beginnings.
#![forbid(unsafe_code)]

use routing_common::rng::Rng;
use std::path::Path;

/// New inputs for each target.
const INPUTS: usize = 3000;
/// Changes of one input at most.
const CHANGES: u64 = 4;
/// Octets at the limits of something.
const INTERESTING: [u8; 8] = [0, 1, 0x0f, 0x10, 0x7f, 0x80, 0xfe, 0xff];
/// A longer input says nothing new.
const LONGEST: usize = 4096;

#[test]
fn changed_inputs_find_nothing() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in routing_fuzz::TARGETS {
        let mut files: Vec<_> =
            std::fs::read_dir(corpora.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let kept: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
        let mut rng = Rng::new(1);
        for _ in 0..INPUTS {
            let mut input = one(&mut rng, &kept).to_vec();
            for _ in 0..=rng.below(CHANGES) {
                change(&mut rng, &mut input, &kept);
            }
            input.truncate(LONGEST);
            if std::panic::catch_unwind(|| target(&input)).is_err() {
                let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-finding"));
                std::fs::write(&file, &input).unwrap();
                panic!("{name}: see the panic above; the input is in {}", file.display());
            }
        }
    }
}

fn one<'a>(rng: &mut Rng, kept: &'a [Vec<u8>]) -> &'a [u8] {
    &kept[rng.below(kept.len() as u64) as usize]
}

/// A place in the input, its end included.
fn place(rng: &mut Rng, input: &[u8]) -> usize {
    rng.below(input.len() as u64 + 1) as usize
}

fn octet(rng: &mut Rng) -> u8 {
    match rng.below(2) {
        0 => INTERESTING[rng.below(INTERESTING.len() as u64) as usize],
        _ => rng.next_u64() as u8,
    }
}

/// One of the changes fuzzers make: an octet, a bit, a piece taken out, put in, repeated, or the rest of another input.
fn change(rng: &mut Rng, input: &mut Vec<u8>, kept: &[Vec<u8>]) {
    let at = place(rng, input);
    let piece = at..(at + rng.below(16) as usize).min(input.len());
    match rng.below(6) {
        0 if at < input.len() => input[at] = octet(rng),
        1 if at < input.len() => input[at] ^= 1 << rng.below(8),
        2 => drop(input.drain(piece)),
        3 => {
            let octets: Vec<u8> = (0..=rng.below(4)).map(|_| octet(rng)).collect();
            input.splice(at..at, octets);
        }
        4 => {
            let piece = input[piece].to_vec();
            let to = place(rng, input);
            input.splice(to..to, piece);
        }
        _ => {
            let other = one(rng, kept);
            let from = place(rng, other);
            input.splice(at.., other[from..].iter().copied());
        }
    }
}
