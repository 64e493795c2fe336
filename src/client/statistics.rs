//! What a link has done since the start: counters that wrap at 2^32.

use super::{LinkRuntime, prepare, runtimes};
use crate::options::ARENA_BYTES;
use crate::sdk::heap;
use crate::sdk::task;
use core::sync::atomic::{AtomicU32, Ordering};

/// A count that one task at a time adds to: the sender, or the link's task.
#[derive(Debug)]
pub struct Counter(AtomicU32);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// Adds `more`. Loading and storing is enough: nobody else writes meanwhile.
    pub fn add(&self, more: usize) {
        self.0.store(self.get().wrapping_add(more as u32), Ordering::Relaxed);
    }

    fn get(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
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

/// What `w800_mqtt_at_get_statistics` fills in; `include/w800_mqtt_at.h` describes it.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Statistics {
    bytes_sent: u32,
    bytes_received: u32,
    messages_sent: u32,
    messages_received: u32,
    reconnections: u32,
    stack_size: u32,
    stack_peak: u32,
    heap_used: u32,
    heap_peak: u32,
    arena_size: u32,
    arena_used: u32,
    arena_peak: u32,
}

/// The statistics of a link; `None` where there is none.
pub fn of(link: u8) -> Option<Statistics> {
    prepare().ok()?;
    let LinkRuntime { counters, .. } = runtimes().get(usize::from(link))?;
    let stack = task::stack(usize::from(link));
    Some(Statistics {
        bytes_sent: counters.bytes_sent.get(),
        bytes_received: counters.bytes_received.get(),
        messages_sent: counters.messages_sent.get(),
        messages_received: counters.messages_received.get(),
        reconnections: counters.reconnections.get(),
        stack_size: stack.size,
        stack_peak: stack.peak,
        heap_used: heap::OF_SDK.used(),
        heap_peak: heap::OF_SDK.peak(),
        arena_size: ARENA_BYTES as u32,
        arena_used: heap::arena_used(),
        arena_peak: heap::arena_peak(),
    })
}
