//! What the two tasks of a link share, and how it is made ready before the first command.

use super::counters::Counters;
#[cfg(not(argv_line))]
use super::output;
#[cfg(argv_line)]
use super::port;
use crate::net::channel::{Channel, Open};
use crate::net::framing;
use crate::options::LINKS;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::dns::{self, Lookup};
use crate::sdk::heap::{self, Bytes};
use crate::sdk::once::Once;
use crate::sdk::socket::Broken;
use crate::sdk::sync::{Critical, Mutex, NoMemory, Semaphore, no_lock_held};
use crate::sdk::task::Task;
use crate::sdk::word::Flag;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::Link;
use w800_mqtt_core::time::Instant;

/// One link with what its two tasks share.
#[derive(Debug)]
pub struct LinkRuntime {
    /// The LinkID.
    pub index: u8,
    /// Configuration, connection state, session.
    pub link: Mutex<Link<Bytes>>,
    /// The connection's socket and layers.
    pub(super) channel: Channel,
    /// Counts 1 when nobody has the right to send.
    pub(super) sending: Semaphore,
    /// Released when the waiting command has its reply.
    pub(super) done: Semaphore,
    /// Released when the link's task is over and may be deleted.
    pub(super) ended: Semaphore,
    /// The link's task, until it is deleted.
    pub(super) task: Critical<Option<Task>>,
    /// CLEAN wants the task to end.
    pub(super) stop: Flag,
    pub(super) counters: Counters,
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
static RUNTIMES: [LinkRuntime; LINKS] = {
    let mut runtimes = [const { LinkRuntime::new(0) }; LINKS];
    let mut index = 0;
    while index < LINKS {
        runtimes[index].index = index as u8;
        index += 1;
    }
    runtimes
};

static PREPARED: Once = Once::new();

/// All links. [`prepare`] must have succeeded before one of them is used.
pub fn runtimes() -> &'static [LinkRuntime] {
    &RUNTIMES
}

/// Creates what the SDK must create before the first command can run, unless that was done before.
///
/// # Errors
/// 0x604e when the SDK has no memory for it; the next command tries again.
pub fn prepare() -> Result<(), Code> {
    let prepared = PREPARED.run(|| {
        for runtime in &RUNTIMES {
            runtime.create()?;
        }
        #[cfg(argv_line)]
        port::create()?;
        #[cfg(not(argv_line))]
        output::semaphore().create()?;
        heap::open_arena();
        Ok(())
    });
    prepared.map_err(|NoMemory| Code::CreateSemaFailed)
}

impl LinkRuntime {
    const fn new(index: u8) -> Self {
        Self {
            index,
            link: Mutex::new(Link::new()),
            channel: Channel::new(),
            sending: Semaphore::new(1),
            done: Semaphore::new(0),
            ended: Semaphore::new(0),
            task: Critical::new(None),
            stop: Flag::new(false),
            counters: Counters::new(),
        }
    }

    fn create(&self) -> Result<(), NoMemory> {
        self.link.create()?;
        self.channel.create()?;
        for semaphore in [&self.sending, &self.done, &self.ended] {
            semaphore.create()?;
        }
        dns::lookup(self.index).map_or(Ok(()), |lookup| lookup.wake.create())
    }

    /// The link's name lookup; its semaphore also wakes the link's task from a pause.
    pub(super) fn lookup(&self) -> Result<&'static Lookup, Code> {
        dns::lookup(self.index).ok_or(Code::NullLink)
    }

    /// Whether CLEAN wants the link's task to end.
    pub fn stopping(&self) -> bool {
        self.stop.get()
    }

    /// Sends `packet` on the `open` connection until `deadline`. For who has the right to send, or is alone as yet.
    pub(super) fn send(&self, open: Open, packet: &[u8], deadline: Instant) -> Result<(), Broken> {
        no_lock_held();
        framing::send(&self.channel, open, packet, deadline)?;
        self.counters.bytes_sent.add(packet.len());
        Ok(())
    }

    /// Ends a connection that is of no use any more; the link's task notices and does the rest.
    pub fn break_connection(&self) {
        self.channel.abort();
    }

    /// Deletes the link's task if it is over.
    pub fn reap(&self) {
        if self.task.with(|task| task.is_some()) {
            self.reap_until(now());
        }
    }

    /// Deletes the link's task, waiting until `deadline` for it to be over. `false` when it is not.
    pub fn reap_until(&self, deadline: Instant) -> bool {
        if self.task.with(|task| task.is_some()) && !self.ended.acquire(left_ms(deadline)) {
            return false;
        }
        if let Some(task) = self.task.with(Option::take) {
            task.delete();
        }
        self.stop.set(false);
        true
    }
}
