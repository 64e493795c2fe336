//! The two tasks of a link: what a command does in the AT server's task, and the link's own task.
//!
//! * [`actions`] runs one command: parse, ask the link's state, act, answer.
//! * [`queries`] prints the rows of the query forms.
//! * [`data_phase`] takes the bytes behind a `>` prompt.
//! * [`exchange`] sends a packet from the AT task and waits for the broker's answer.
//! * [`task`] is the link's task: it connects, reads, keeps alive, reconnects.
//! * [`delivery`] prints an incoming message as one line.
//! * [`statistics`] counts.
//! * [`report`] remembers why something failed.
//! * [`output`] keeps lines and answers from mixing.
//!
//! Locks, in the order in which they may be nested: the port ([`output::Output`]), a link's sending side
//! ([`Sending`]), a link's state ([`Slot::link`]). The last is held for a few instructions only, except by a query
//! that prints under it; nothing waits for the network or another task while holding it.
#![forbid(unsafe_code)]

pub mod actions;
pub mod data_phase;
pub mod delivery;
pub mod exchange;
pub mod output;
pub mod queries;
pub mod report;
pub mod statistics;
pub mod task;

use crate::net::channel::Channel;
use crate::options::LINKS;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::dns::{self, Lookup};
use crate::sdk::heap::Bytes;
use crate::sdk::socket::Broken;
use crate::sdk::sync::{Lock, NoSemaphore, Semaphore};
use crate::sdk::task::Task;
use core::sync::atomic::{AtomicBool, Ordering};
use statistics::Counters;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::Link;
use w800_mqtt_core::mqtt::session::{LONGEST_CONTROL, SILENCE_MS};
use w800_mqtt_core::time::Instant;

/// One link with what its two tasks share.
#[derive(Debug)]
pub struct Slot {
    /// The LinkID.
    pub index: u8,
    /// Configuration, state, session.
    pub link: Lock<Link<Bytes>>,
    /// The connection.
    channel: Channel,
    /// Counts 1 when nobody sends.
    sending: Semaphore,
    /// Released when the waiting command has its reply.
    done: Semaphore,
    /// Released when the link's task is over and may be deleted.
    ended: Semaphore,
    task: Lock<Option<Task>>,
    /// CLEAN wants the task to end.
    stop: AtomicBool,
    counters: Counters,
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
static SLOTS: [Slot; LINKS] = {
    let mut slots = [const { Slot::new(0) }; LINKS];
    let mut index = 0;
    while index < LINKS {
        slots[index].index = index as u8;
        index += 1;
    }
    slots
};

/// All links.
pub fn slots() -> &'static [Slot] {
    &SLOTS
}

/// Creates what the SDK must create before the first command can run.
///
/// # Errors
/// 0x604e when the SDK has no memory for a semaphore.
pub fn prepare() -> Result<(), Code> {
    let failed = |NoSemaphore| Code::CreateSemaFailed;
    let create = |semaphore: &Semaphore| semaphore.create().map_err(failed);
    for slot in &SLOTS {
        for semaphore in [&slot.sending, &slot.done, &slot.ended, &slot.lookup()?.wake] {
            create(semaphore)?;
        }
        slot.channel.create().map_err(failed)?;
    }
    create(output::semaphore())
}

impl Slot {
    const fn new(index: u8) -> Self {
        Self {
            index,
            link: Lock::new(Link::new()),
            channel: Channel::new(),
            sending: Semaphore::new(1),
            done: Semaphore::new(0),
            ended: Semaphore::new(0),
            task: Lock::new(None),
            stop: AtomicBool::new(false),
            counters: Counters::new(),
        }
    }

    /// The link's name lookup; its semaphore also wakes the link's task from a pause.
    fn lookup(&self) -> Result<&'static Lookup, Code> {
        dns::lookup(self.index).ok_or(Code::NullLink)
    }

    /// Whether CLEAN wants the link's task to end.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Sends `packet` until `deadline`. For who has claimed the sending side, or is alone as yet.
    fn send(&self, packet: &[u8], deadline: Instant) -> Result<(), Broken> {
        self.channel.send(packet, deadline)?;
        self.counters.bytes_sent.add(packet.len());
        Ok(())
    }

    /// Claims the sending side until `deadline`.
    pub fn claim_sending(&'static self, deadline: Instant) -> Option<Sending> {
        self.sending.acquire(left_ms(deadline)).then(|| Sending(self))
    }

    /// Sends what the session owes the broker, unless another task is sending: that one will do it then.
    pub fn flush(&'static self) {
        while self.link.lock().session.has_replies() {
            if !self.sending.acquire(0) {
                return;
            }
            let sending = Sending(self);
            if sending.send_replies().is_err() {
                self.break_connection();
                return;
            }
        }
    }

    /// Ends a connection that is of no use any more; the link's task notices and does the rest.
    pub fn break_connection(&self) {
        self.channel.abort();
    }

    /// Deletes the link's task if it is over.
    pub fn reap(&self) {
        self.reap_until(now());
    }

    /// Deletes the link's task, waiting until `deadline` for it to be over. `false` when it is not.
    pub fn reap_until(&self, deadline: Instant) -> bool {
        let over = self.task.lock().is_none() || self.ended.acquire(left_ms(deadline));
        if over {
            let task = self.task.lock().take();
            if let Some(task) = task {
                task.delete();
            }
            self.stop.store(false, Ordering::Release);
        }
        over
    }
}

/// The right to send on a link: whole packets only.
#[derive(Debug)]
pub struct Sending(&'static Slot);

impl Sending {
    /// Sends `packet` until `deadline`.
    ///
    /// # Errors
    /// [`Broken`] when there is no connection or it is of no use any more.
    pub fn send(&self, packet: &[u8], deadline: Instant) -> Result<(), Broken> {
        if self.0.channel.is_ready() { self.0.send(packet, deadline) } else { Err(Broken(0)) }
    }

    /// Sends what the session owes the broker.
    ///
    /// # Errors
    /// [`Broken`] as in [`Sending::send`].
    pub fn send_replies(&self) -> Result<(), Broken> {
        let mut packet = [0; LONGEST_CONTROL];
        loop {
            let length = self.0.link.lock().session.transmit(&mut packet, now());
            let Some(reply) = length.and_then(|length| packet.get(..length)) else { return Ok(()) };
            self.send(reply, now().after(SILENCE_MS))?;
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.sending.release();
    }
}
