//! What a link has done since the start, and what it takes of the memory, for C.

use super::{LinkRuntime, prepare, runtimes};
use crate::options::ARENA_BYTES;
use crate::sdk::heap;
use crate::sdk::task;

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
