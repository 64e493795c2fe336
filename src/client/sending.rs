//! The right to send on a link, and what must be sent before it goes on to another task.
//!
//! Acknowledgements and PINGREQ are owed by the session, not by a task. Who finds that something is owed and cannot have the
//! right leaves it to the task that has it: a [`SendRight`] that ends looks once more.

use super::LinkRuntime;
use crate::net::channel::Open;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::socket::Broken;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::state::Action;
use w800_mqtt_core::mqtt::session::{LONGEST_CONTROL, SILENCE_MS};
use w800_mqtt_core::time::Instant;

/// The right to send on a link: one task at a time, and while it is held nobody closes an established connection.
#[derive(Debug)]
pub struct SendRight(&'static LinkRuntime);

impl SendRight {
    /// Waits for the right until `deadline`.
    pub fn claim(runtime: &'static LinkRuntime, deadline: Instant) -> Option<Self> {
        runtime.sending.acquire(left_ms(deadline)).then(|| Self(runtime))
    }

    /// With the established connection.
    ///
    /// # Errors
    /// 0x6003 or 0x6051 where there is none.
    pub fn on_established(self) -> Result<SendGuard, Code> {
        self.0.link.lock().permit(Action::Exchange)?;
        let open = self.0.channel.open().ok_or(Code::InDisconnectedState)?;
        Ok(self.on(open))
    }

    /// With a connection that is the caller's own.
    pub const fn on(self, open: Open) -> SendGuard {
        SendGuard { right: self, open }
    }
}

impl Drop for SendRight {
    fn drop(&mut self) {
        self.0.sending.release();
        flush(self.0);
    }
}

/// The right to send whole packets on a connection that is open.
#[derive(Debug)]
pub struct SendGuard {
    right: SendRight,
    open: Open,
}

impl SendGuard {
    /// Sends `packet` until `deadline`.
    ///
    /// # Errors
    /// [`Broken`] when the connection is of no use any more.
    pub fn send(&self, packet: &[u8], deadline: Instant) -> Result<(), Broken> {
        self.right.0.send(self.open, packet, deadline)
    }

    /// Sends what the session owes the broker.
    ///
    /// # Errors
    /// [`Broken`] as in [`SendGuard::send`].
    pub fn send_owed(&self) -> Result<(), Broken> {
        send_owed(self.right.0, self.open)
    }

    /// Ends the connection as each layer wants it; nothing is sent any more.
    pub fn farewell(self, deadline: Instant) {
        self.right.0.channel.farewell(self.open, deadline);
    }
}

/// Sends what the session owes the broker, unless another task has the right to send: that one will do it then.
pub fn flush(runtime: &LinkRuntime) {
    while owes(runtime) && runtime.sending.acquire(0) {
        let sent = match runtime.channel.open() {
            Some(open) => send_owed(runtime, open),
            None => Err(Broken(0)),
        };
        runtime.sending.release();
        if sent.is_err() {
            runtime.break_connection();
            return;
        }
    }
}

/// Behind CLEAN's DISCONNECT nothing may follow.
fn owes(runtime: &LinkRuntime) -> bool {
    !runtime.stopping() && runtime.link.lock().owes_packets()
}

fn send_owed(runtime: &LinkRuntime, open: Open) -> Result<(), Broken> {
    let mut packet = [0; LONGEST_CONTROL];
    loop {
        let length = runtime.link.lock().session.transmit(&mut packet, now());
        let Some(owed) = length.and_then(|length| packet.get(..length)) else { return Ok(()) };
        runtime.send(open, owed, now().after(SILENCE_MS))?;
    }
}
