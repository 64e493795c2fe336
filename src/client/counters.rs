//! What a link has done since the start: counters that wrap at 2^32.

use crate::sdk::word::Word;

/// A count that one task at a time adds to: the sender, or the link's task.
#[derive(Debug)]
pub struct Counter(Word);

impl Counter {
    const fn new() -> Self {
        Self(Word::new(0))
    }

    /// Adds `more`. Loading and storing is enough: nobody else writes meanwhile.
    pub fn add(&self, more: usize) {
        self.0.set(self.get().wrapping_add(more as u32));
    }

    /// The count.
    pub fn get(&self) -> u32 {
        self.0.get()
    }
}

/// The counters of a link.
#[derive(Debug)]
pub struct Counters {
    /// Bytes of the MQTT packets that were sent.
    pub bytes_sent: Counter,
    /// Bytes of MQTT that were received.
    pub bytes_received: Counter,
    /// PUBLISH packets that were sent, those sent again not counted.
    pub messages_sent: Counter,
    /// Messages that were delivered whole.
    pub messages_received: Counter,
    /// Connections made again after one was lost.
    pub reconnections: Counter,
}

impl Counters {
    /// All at 0.
    pub const fn new() -> Self {
        Self {
            bytes_sent: Counter::new(),
            bytes_received: Counter::new(),
            messages_sent: Counter::new(),
            messages_received: Counter::new(),
            reconnections: Counter::new(),
        }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}
