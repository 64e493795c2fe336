//! An incoming message as one `+MQTTSUBRECV` line, however it arrives (AT contract §4).
//!
//! A message that fits [`MOST_GATHERED`] is gathered first, so that a line is only opened when all of it is there. A
//! longer one goes to the port in the pieces in which it arrives, in constant memory. If the connection is lost inside
//! such a message, a host that reads by length must not take what follows for payload: the line is filled with NUL up
//! to its length, as far as that can be printed in [`FILL_MS`], and a line says how many bytes were real.

use super::output::Output;
use crate::options::ADDITIONS;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;
use w800_mqtt_core::at::answer::{self, LINE_END, Line, Sink};
use w800_mqtt_core::bytes::Buffer;
use w800_mqtt_core::mqtt::decoder::Head;

/// How long a broken message may go on being filled, in milliseconds: commands must be answered.
const FILL_MS: u64 = 5_000;

/// The same where CLEAN waits for it.
const HURRIED_FILL_MS: u64 = 1_000;

/// How long a command may wait for an open line that waits for the network, in milliseconds. What the port takes to
/// print does not count.
const MOST_STARVED_MS: u64 = 4_000;

const FILLING: [u8; 64] = [0; 64];

/// `+MQTTINCOMPLETE:<LinkID>,<received>`: the message above was cut off by the network. One of this project's additions.
const INCOMPLETE: &[u8] = b"+MQTTINCOMPLETE:";

/// Messages up to this many bytes are gathered before they are printed.
pub const MOST_GATHERED: u32 = 1024;

enum State {
    Idle,
    /// The whole line grows in memory.
    Gathering(Gathered),
    /// The line is open.
    Printing {
        output: Output,
        length: u32,
        left: u32,
        /// Milliseconds for which a command has waited for the port and the port for the network.
        starved_ms: u64,
    },
}

/// A line in memory, printed by one call: not even what the AT server prints by itself can cut it.
struct Gathered {
    line: Bytes,
    have: usize,
}

/// What a line has besides its topic and payload, in bytes.
const LINE_OVERHEAD: usize = 48;

impl Gathered {
    fn new(link: u8, head: &Head<Bytes>) -> Option<Self> {
        let topic = head.topic.as_ref();
        let payload = usize::try_from(head.payload_length).ok()?;
        let length = topic.len().checked_mul(2)?.checked_add(payload)?.checked_add(LINE_OVERHEAD)?;
        let mut gathered = Self { line: Bytes::allocate(length)?, have: 0 };
        answer::received(&mut gathered, link, topic, head.payload_length);
        Some(gathered)
    }
}

impl Sink for Gathered {
    fn write(&mut self, bytes: &[u8]) {
        let end = self.have.saturating_add(bytes.len());
        if let Some(place) = self.line.as_mut().get_mut(self.have..end) {
            place.copy_from_slice(bytes);
            self.have = end;
        }
    }
}

/// The message that is coming in on one link.
pub struct Delivery {
    link: u8,
    state: State,
    fill_ms: u64,
}

impl Delivery {
    /// No message is coming in.
    pub const fn new(link: u8) -> Self {
        Self { link, state: State::Idle, fill_ms: FILL_MS }
    }

    /// CLEAN waits for the end of it.
    pub const fn hurry(&mut self) {
        self.fill_ms = HURRIED_FILL_MS;
    }

    /// A message begins. `claim` gives the right to print, or `None` to give up the connection; it is asked at once
    /// for a long message and at the end of a short one.
    pub fn begin(&mut self, head: Head<Bytes>, claim: impl FnOnce() -> Option<Output>) -> Option<()> {
        if head.payload_length <= MOST_GATHERED
            && let Some(gathered) = Gathered::new(self.link, &head)
        {
            self.state = State::Gathering(gathered);
            return Some(());
        }
        let mut output = claim()?;
        let length = head.payload_length;
        answer::received(&mut output, self.link, head.topic.as_ref(), length);
        self.state = State::Printing { output, length, left: length, starved_ms: 0 };
        Some(())
    }

    /// The next bytes of its payload.
    pub fn payload(&mut self, piece: &[u8]) {
        match &mut self.state {
            State::Idle => {}
            State::Gathering(gathered) => gathered.write(piece),
            State::Printing { output, left, .. } => {
                output.write(piece);
                *left = left.saturating_sub(u32::try_from(piece.len()).unwrap_or(u32::MAX));
            }
        }
    }

    /// Whether a line is open on the port.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Printing { .. })
    }

    /// It took the network so long to bring more. `true` when a command has waited too long for an open line by that.
    pub fn waited(&mut self, milliseconds: u64) -> bool {
        let State::Printing { starved_ms, .. } = &mut self.state else { return false };
        *starved_ms = if Output::is_wanted() { starved_ms.saturating_add(milliseconds) } else { 0 };
        *starved_ms >= MOST_STARVED_MS
    }

    /// The message is complete.
    pub fn end(&mut self, claim: impl FnOnce() -> Option<Output>) -> Option<()> {
        if let State::Gathering(gathered) = &mut self.state {
            gathered.write(LINE_END);
            let mut output = claim()?;
            output.write(gathered.line.as_ref().get(..gathered.have).unwrap_or_default());
        }
        self.close();
        Some(())
    }

    fn close(&mut self) {
        let State::Printing { mut output, length, left, .. } = core::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        fill(&mut output, left, self.fill_ms);
        output.write(LINE_END);
        if ADDITIONS && left > 0 {
            output.end_line();
            Line::new(&mut output, INCOMPLETE).int(u32::from(self.link)).int(length.saturating_sub(left)).end();
        }
    }
}

fn fill(output: &mut Output, mut left: u32, milliseconds: u64) {
    let deadline = now().after(milliseconds);
    while left > 0 && left_ms(deadline) > 0 {
        let piece = FILLING.get(..left as usize).unwrap_or(&FILLING);
        output.write(piece);
        left = left.saturating_sub(piece.len() as u32);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.close();
    }
}
