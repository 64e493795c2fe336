//! An incoming message as one `+MQTTSUBRECV` line, however it arrives (AT contract §4).
//!
//! A message that fits [`MOST_GATHERED`] is gathered first, so that a line is only opened when all of it is there. A
//! longer one goes to the port in the pieces in which it arrives, in constant memory. If the connection is lost inside
//! such a message, a host that reads by length must not take what follows for payload: the line is filled with NUL up
//! to its length, as far as that can be printed in [`FILL_MS`], and a line says how many bytes were real.

use super::output::Output;
use crate::at::answer::{self, LINE_END, Line, Sink};
use crate::bytes::Buffer;
use crate::mqtt::decoder::Head;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;

/// How long a broken message may go on being filled, in milliseconds: commands must be answered.
const FILL_MS: u64 = 5_000;

const FILLING: [u8; 64] = [0; 64];

/// `+MQTTINCOMPLETE:<LinkID>,<received>`: the message above was cut off by the network.
const INCOMPLETE: &[u8] = b"+MQTTINCOMPLETE:";

/// Messages up to this many bytes are gathered before they are printed.
pub const MOST_GATHERED: u32 = 1024;

enum State {
    Idle,
    Gathering {
        head: Head<Bytes>,
        payload: Bytes,
        have: usize,
    },
    /// The line is open.
    Printing {
        output: Output,
        length: u32,
        left: u32,
    },
}

/// The message that is coming in on one link.
pub struct Delivery {
    link: u8,
    state: State,
}

impl Delivery {
    /// No message is coming in.
    pub const fn new(link: u8) -> Self {
        Self { link, state: State::Idle }
    }

    /// A message begins. `claim` gives the right to print, or `None` to give up the connection; it is asked at once
    /// for a long message and at the end of a short one.
    pub fn begin(&mut self, head: Head<Bytes>, claim: impl FnOnce() -> Option<Output>) -> Option<()> {
        if head.payload_length <= MOST_GATHERED
            && let Some(payload) = usize::try_from(head.payload_length).ok().and_then(Bytes::allocate)
        {
            self.state = State::Gathering { head, payload, have: 0 };
            return Some(());
        }
        self.open(&head, claim)
    }

    /// The next bytes of its payload.
    pub fn payload(&mut self, piece: &[u8]) {
        match &mut self.state {
            State::Idle => {}
            State::Printing { output, left, .. } => {
                output.write(piece);
                *left = left.saturating_sub(u32::try_from(piece.len()).unwrap_or(u32::MAX));
            }
            State::Gathering { payload, have, .. } => {
                let end = have.saturating_add(piece.len());
                if let Some(place) = payload.as_mut().get_mut(*have..end) {
                    place.copy_from_slice(piece);
                }
                *have = end;
            }
        }
    }

    /// The message is complete.
    pub fn end(&mut self, claim: impl FnOnce() -> Option<Output>) -> Option<()> {
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Gathering { head, payload, .. } => {
                self.open(&head, claim)?;
                self.payload(payload.as_ref());
            }
            open => self.state = open,
        }
        self.close();
        Some(())
    }

    fn open(&mut self, head: &Head<Bytes>, claim: impl FnOnce() -> Option<Output>) -> Option<()> {
        let mut output = claim()?;
        answer::received(&mut output, self.link, head.topic.as_ref(), head.payload_length);
        let length = head.payload_length;
        self.state = State::Printing { output, length, left: length };
        Some(())
    }

    fn close(&mut self) {
        let State::Printing { mut output, length, left } = core::mem::replace(&mut self.state, State::Idle) else {
            return;
        };
        fill(&mut output, left);
        output.write(LINE_END);
        if left > 0 {
            Line::new(&mut output, INCOMPLETE).int(u32::from(self.link)).int(length.saturating_sub(left)).end();
        }
    }
}

fn fill(output: &mut Output, mut left: u32) {
    let deadline = now().after(FILL_MS);
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
