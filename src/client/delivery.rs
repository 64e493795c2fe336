//! An incoming message as one `+MQTTSUBRECV` line, however it arrives (AT contract §4).
//!
//! A message that fits [`MOST_GATHERED`] is gathered first, so that a line is only opened when all of it is there. A
//! longer one goes to the port in the pieces in which it arrives, in constant memory. If the connection is lost inside
//! such a message its line is ended by CR LF before its length is reached; `+MQTTDISCONNECTED` follows.

use super::output::Output;
use crate::at::answer::{self, LINE_END, Sink};
use crate::bytes::Buffer;
use crate::mqtt::decoder::Head;
use crate::sdk::heap::Bytes;

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
    Printing(Output),
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
            State::Printing(output) => output.write(piece),
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
        self.state = State::Printing(output);
        Some(())
    }

    fn close(&mut self) {
        if let State::Printing(mut output) = core::mem::replace(&mut self.state, State::Idle) {
            output.write(LINE_END);
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.close();
    }
}
