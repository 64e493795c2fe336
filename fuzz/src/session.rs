//! The session, with a broker and a network that the input leads: the model of `core/tests/model`.

#[path = "../../core/tests/model/broker.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, reason = "it is a test's")]
mod broker;
#[path = "../../core/tests/bytes/mod.rs"]
#[allow(dead_code, missing_docs, reason = "it is a test's")]
mod bytes;
#[path = "../../core/tests/model/life.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, missing_debug_implementations, reason = "it is a test's")]
mod life;
#[path = "../../core/tests/model/random.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, missing_debug_implementations, reason = "it is a test's")]
mod random;
#[path = "../../core/tests/model/rules.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, reason = "it is a test's")]
mod rules;

pub use bytes::Bytes;
use life::{Fault, Life};
pub use random::Random;

/// Choices of one input; a life goes on by itself behind them.
const MOST_CHOICES: usize = 2_000;

/// Each byte is a choice.
///
/// # Panics
/// A rule is broken.
pub fn run(input: &[u8]) {
    let chosen = input.get(..MOST_CHOICES).unwrap_or(input);
    if let Err(breach) = Life::of(Random::behind(chosen, 1), Fault::None).run() {
        panic!("{breach:?}");
    }
}
