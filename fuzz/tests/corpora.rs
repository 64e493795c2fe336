//! Each target from its corpus, and from mutations of it that a seed chooses: the same in each run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use w800_mqtt_fuzz::session::Random;
use w800_mqtt_fuzz::{TARGETS, Target};

/// For each target; `W800_FUZZ_MS` gives another time.
const MUTATIONS: Duration = Duration::from_millis(600);
const LONGEST: usize = 4_096;

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut paths: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Some bytes changed, left out, doubled, or taken from another input or from the target's words.
fn mutate(bytes: &mut Vec<u8>, others: &[(PathBuf, Vec<u8>)], words: &[&[u8]], random: &mut Random) {
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(9)).min(bytes.len());
        let other = &others[random.below(others.len())].1;
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(at..end)),
            3 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            4 if !words.is_empty() => drop(bytes.splice(at..at, words[random.below(words.len())].iter().copied())),
            _ => {
                let from = random.below(other.len() + 1);
                let to = (from + random.below(65)).min(other.len());
                drop(bytes.splice(at..end, other[from..to].iter().copied()));
            }
        }
    }
    bytes.truncate(LONGEST);
}

fn hold(target: &Target, what: &str, input: &[u8]) {
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    assert!(outcome.is_ok(), "{}: {what}: b\"{}\"", target.name, input.escape_ascii());
}

fn run(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let inputs = corpus(target);
    assert!(!inputs.is_empty(), "{name} has no corpus");
    for (path, input) in &inputs {
        hold(target, &path.display().to_string(), input);
    }
    let time =
        std::env::var("W800_FUZZ_MS").ok().map_or(MUTATIONS, |text| Duration::from_millis(text.parse().unwrap()));
    let (mut random, begin, mut count) = (Random::new(1), Instant::now(), 0_u64);
    while begin.elapsed() < time {
        let mut input = inputs[random.below(inputs.len())].1.clone();
        mutate(&mut input, &inputs, target.words, &mut random);
        hold(target, "a mutation", &input);
        count += 1;
    }
    println!("{name}: {} inputs, {count} mutations", inputs.len());
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            run(stringify!($name));
        })*

        #[test]
        fn each_target_is_tested() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
        }
    };
}

targets!(port line packets session exchange frames handshake dispatcher);
