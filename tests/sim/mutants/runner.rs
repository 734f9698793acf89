//! Runs the scenarios of seeds until one fails. `cargo xtask mutants` builds it in a copy of the workspace in whose
//! engines bugs have been planted.
//!
//! Arguments: first seed, last seed, step. It says `clean`, or `broken`, the seed, the law and its words, by tabs.
#![forbid(unsafe_code)]

use routing_sim::generate::{self, Options};
use routing_sim::trial::{self, Mode};

/// Longest text, in characters, so that a pipe holds it.
const LONGEST_TEXT: usize = 2_000;

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let [first, last, step] = numbers[..] else { panic!("arguments: FIRST LAST STEP") };
    for seed in (first..=last).step_by(usize::try_from(step).unwrap_or(1).max(1)) {
        let scenario = generate::scenario(seed, &Options::default());
        if let Some(failure) = trial::trial(&scenario, Mode::Once).failure {
            let text = format!("at {}: {} {}", failure.at, failure.text, failure.place);
            let text: Vec<&str> = text.split_whitespace().collect();
            let text: String = text.join(" ").chars().take(LONGEST_TEXT).collect();
            println!("broken\t{seed}\t{}\t{text}", failure.law);
            return;
        }
    }
    println!("clean");
}
