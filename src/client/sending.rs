//! The right to send on a link, and what must be sent before it goes on to another task.
//!
//! Acknowledgements and PINGREQ are owed by the session, not by a task. Who finds that something is owed and cannot have the
//! right leaves it to the task that has it: a [`SendRight`] that ends looks once more.

use super::LinkRuntime;
use crate::net::channel::Open;
use crate::net::framing;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::socket::Broken;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::state::Action;
use w800_mqtt_core::mqtt::session::{LONGEST_CONTROL, SILENCE_MS};
use w800_mqtt_core::time::Instant;

/// How long what is owed may wait for a network that takes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As long as a network may be silent: then the connection ends.
    UntilSilence,
    /// Not at all, for the caller has the port in hand: it stays owed, and the caller tries again.
    PortInHand,
}

/// The right to send on a link: one task at a time, and while it is held nobody closes an established connection.
#[derive(Debug)]
pub struct SendRight {
    runtime: &'static LinkRuntime,
    patience: Patience,
}

impl SendRight {
    /// Waits for the right until `deadline`.
    pub fn claim(runtime: &'static LinkRuntime, deadline: Instant) -> Option<Self> {
        runtime.sending.acquire(left_ms(deadline)).then_some(Self { runtime, patience: Patience::UntilSilence })
    }

    /// With so much patience for what is owed.
    pub const fn with(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// With the established connection.
    ///
    /// # Errors
    /// 0x6003 or 0x6051 where there is none.
    pub fn on_established(self) -> Result<SendGuard, Code> {
        self.runtime.link.lock().permit(Action::Exchange)?;
        let open = self.runtime.channel.open().ok_or(Code::InDisconnectedState)?;
        Ok(self.on(open))
    }

    /// With a connection that is the caller's own.
    pub const fn on(self, open: Open) -> SendGuard {
        SendGuard { right: self, open }
    }
}

impl Drop for SendRight {
    fn drop(&mut self) {
        self.runtime.sending.release();
        flush(self.runtime, self.patience);
    }
}

/// The right to send whole packets on a connection that is open.
#[derive(Debug)]
pub struct SendGuard {
    right: SendRight,
    open: Open,
}

impl SendGuard {
    /// Sends `packet` until `deadline`. A connection on which that fails is ended: half a packet may be out, and nothing may
    /// follow it.
    ///
    /// # Errors
    /// [`Broken`] when the connection is of no use any more.
    #[inline(never)]
    pub fn send(&self, packet: &[u8], deadline: Instant) -> Result<(), Broken> {
        let runtime = self.right.runtime;
        runtime.send(self.open, packet, deadline).inspect_err(|_| runtime.break_connection())
    }

    /// Sends what the session owes the broker, with the right's patience.
    ///
    /// # Errors
    /// [`Broken`] as in [`SendGuard::send`].
    #[inline(never)]
    pub fn send_owed(&self) -> Result<(), Broken> {
        let runtime = self.right.runtime;
        send_owed(runtime, self.open, self.right.patience).map(drop).inspect_err(|_| runtime.break_connection())
    }

    /// Ends the connection as each layer wants it; nothing is sent any more.
    pub fn farewell(self, deadline: Instant) {
        framing::farewell(&self.right.runtime.channel, self.open, deadline);
    }
}

/// Sends what the session owes the broker, unless another task has the right to send: that one will do it then.
pub fn flush(runtime: &LinkRuntime, patience: Patience) {
    while owes(runtime) && runtime.sending.acquire(0) {
        let sent = match runtime.channel.open() {
            Some(open) => send_owed(runtime, open, patience),
            None => Err(Broken::Failed(0)),
        };
        runtime.sending.release();
        match sent {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => return runtime.break_connection(),
        }
    }
}

/// Behind CLEAN's DISCONNECT nothing may follow.
fn owes(runtime: &LinkRuntime) -> bool {
    !runtime.stopping() && runtime.link.lock().owes_packets()
}

/// `false` when the network takes no more and there is no patience with it.
fn send_owed(runtime: &LinkRuntime, open: Open, patience: Patience) -> Result<bool, Broken> {
    let mut packet = [0; LONGEST_CONTROL];
    loop {
        if patience == Patience::PortInHand && !open.has_room(0) {
            return Ok(false);
        }
        let length = runtime.link.lock().session.transmit(&mut packet, now());
        let Some(owed) = length.and_then(|length| packet.get(..length)) else { return Ok(true) };
        runtime.send(open, owed, now().after(SILENCE_MS))?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{prepare, runtimes};
    use super::*;
    use crate::net::security::Security;
    use crate::sdk::heap::Bytes;
    use crate::sdk::socket::SocketHandle;
    use crate::sdk::task::testing::on_task;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use w800_mqtt_core::bytes::Buffer;
    use w800_mqtt_core::link::Reply;
    use w800_mqtt_core::link::config::{Target, UserConfig};
    use w800_mqtt_core::mqtt::session::Loss;

    /// The links are the program's: one test uses them at a time.
    fn alone() -> MutexGuard<'static, ()> {
        static ONE: Mutex<()> = Mutex::new(());
        ONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(text: &[u8]) -> Bytes {
        Bytes::copy_of(text).unwrap()
    }

    /// A link whose connection stands, on a socket that takes nothing.
    fn established() -> &'static LinkRuntime {
        prepare().unwrap();
        let runtime = &runtimes()[0];
        let mut link = runtime.link.lock();
        link.clean();
        let [client_id, username, password, path] = [b"id", &b""[..], b"", b"/"].map(bytes);
        link.configure_user(UserConfig { scheme: 1, client_id, username, password, path });
        link.begin_connection(Target { host: bytes(b"h"), port: 1, reconnect: false, timeout_ms: 1000 }).unwrap();
        link.connect_packet(now()).unwrap();
        link.session.receive(&mut &[0x20, 2, 0, 0][..], now()).unwrap();
        assert!(link.conclude_connection(Reply::Connected));
        link.established();
        drop(link);
        runtime.channel.begin(SocketHandle::CLOSED, Security::Plain);
        runtime
    }

    /// A PINGREQ becomes due.
    fn owe(runtime: &LinkRuntime) {
        runtime.link.lock().session.tick(now().after(600_000), false).unwrap();
        assert!(owes(runtime));
    }

    #[test]
    fn what_becomes_due_while_another_sends_goes_out_when_it_ends() {
        let _alone = alone();
        on_task(|| {
            let runtime = established();
            let ways: [fn(SendRight); 2] = [drop, |right| drop(right.on_established())];
            for ends in ways {
                let right = SendRight::claim(runtime, now()).unwrap();
                owe(runtime);
                flush(runtime, Patience::UntilSilence);
                assert!(owes(runtime), "who has no right leaves it");
                ends(right);
                assert!(!owes(runtime), "who had it does it");
            }
            runtime.channel.end();
        });
    }

    #[test]
    fn behind_a_farewell_nothing_follows() {
        let _alone = alone();
        on_task(|| {
            let runtime = established();
            let sending = SendRight::claim(runtime, now()).unwrap().on_established().unwrap();
            owe(runtime);
            runtime.stop.set(true);
            sending.farewell(now());
            assert!(runtime.link.lock().session.has_replies(), "not sent");
            runtime.stop.set(false);
            runtime.channel.end();
        });
    }

    #[test]
    fn without_a_connection_there_is_no_guard_to_send_with() {
        let _alone = alone();
        on_task(|| {
            let runtime = established();
            runtime.link.lock().connection_lost(Loss::Other, now());
            let refused = |right: SendRight| right.on_established().err();
            assert_eq!(SendRight::claim(runtime, now()).and_then(refused), Some(Code::InDisconnectedState));
            runtime.link.lock().clean();
            assert_eq!(SendRight::claim(runtime, now()).and_then(refused), Some(Code::UninitiatedOrAlreadyClean));
            runtime.channel.end();
        });
    }

    #[test]
    fn who_sends_holds_no_lock() {
        let _alone = alone();
        on_task(|| {
            let runtime = established();
            let sending = SendRight::claim(runtime, now()).unwrap().on_established().unwrap();
            assert!(sending.send(b"packet", now()).is_err(), "a socket that takes nothing");
            let held = runtime.link.lock();
            let sends = std::panic::AssertUnwindSafe(|| sending.send(b"packet", now()));
            assert!(std::panic::catch_unwind(sends).is_err());
            drop(held);
            drop(sending);
            runtime.channel.end();
        });
    }
}
