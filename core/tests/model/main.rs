//! A model that judges the session: a hundred thousand random lives of a client, a broker and its subscriber.
//!
//! * [`life`] is one of them: sessions lost and kept, cuts before, inside and after any packet, acknowledgements that
//!   are said twice, come late and overtake each other where MQTT allows it, and messages that the broker refuses.
//! * [`broker`] is the other side, by MQTT 3.1.1 alone.
//! * [`rules`] is what the session is held to.
//!
//! Every life follows from its seed: a failure names it, and `Life::new(seed, Fault::None).run()` repeats it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod broker;
#[path = "../bytes/mod.rs"]
mod bytes;
mod life;
mod random;
mod rules;

use life::{Events, Fault, Life};
use rules::Rule;

const LIVES: u64 = 100_000;

#[test]
fn a_hundred_thousand_lives() {
    let mut all = Events::default();
    for seed in 0..LIVES {
        let mut life = Life::new(seed, Fault::None);
        if let Err(breach) = life.run() {
            panic!("seed {seed} after {} steps: {breach:?}", life.events.steps);
        }
        all.add(life.events);
    }
    println!("{all:?}");
    // That nothing was found means something only where there was something to find.
    let often = [all.losses, all.sessions_lost, all.sent_again, all.confirmed, all.received, all.duplicates];
    assert!(often.iter().all(|times| *times > 100_000 / 2), "{all:?}");
    assert!(all.dropped > 1_000 && all.waited > 100, "{all:?}");
}

/// How many lives a mistake may live through at most.
const SOON: u64 = 1_000;

#[test]
fn every_mistake_is_found_soon() {
    let mistakes = [
        (Fault::TrustsLostSession, Rule::OkMeansDelivered),
        (Fault::ForgetsReceived, Rule::ExactlyOnce),
        (Fault::OkAtPubrec, Rule::OkMeansDelivered),
        (Fault::NothingAgain, Rule::BoundedTime),
        (Fault::Swapped, Rule::Order),
        (Fault::FewIdentifiers, Rule::Identifier),
        (Fault::BlamesNetwork, Rule::NothingElseDropped),
    ];
    for (fault, rule) in mistakes {
        let breaches = (0..SOON).filter_map(|seed| Life::new(seed, fault).run().err().map(|breach| (seed, breach)));
        let found = breaches.filter(|(_, breach)| breach.0 == rule).min_by_key(|(seed, _)| *seed);
        println!("{fault:?}: {found:?}");
        assert!(found.is_some(), "{fault:?} breaks {rule:?}, and no life shows it");
    }
}
