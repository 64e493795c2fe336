//! Keep alive: when a PINGREQ is due, and when a silent broker is lost (MQTT 3.1.1 §3.1.2.10, AT contract §5).

use crate::time::Instant;

/// A broker that owes an answer and is silent this long is lost, in milliseconds (AT contract §5).
pub const SILENCE_MS: u64 = 10_000;

/// The clock of one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeepAlive {
    /// The keep alive in milliseconds; 0 switches it off.
    interval_ms: u64,
    last_sent: Instant,
    last_received: Instant,
    /// When a PINGREQ became due that has not been sent yet.
    ping_owed: Option<Instant>,
    /// When the oldest PINGREQ since the last PINGRESP was sent.
    ping_sent: Option<Instant>,
}

impl KeepAlive {
    /// A connection without keep alive.
    pub const OFF: Self = Self {
        interval_ms: 0,
        last_sent: Instant::from_millis(0),
        last_received: Instant::from_millis(0),
        ping_owed: None,
        ping_sent: None,
    };

    /// A connection that begins now, with a keep alive of so many seconds.
    pub fn begin(keep_alive_s: u16, now: Instant) -> Self {
        let interval_ms = u64::from(keep_alive_s).saturating_mul(1000);
        Self { interval_ms, last_sent: now, last_received: now, ..Self::OFF }
    }

    /// Something was sent.
    pub fn sent(&mut self, now: Instant) {
        self.last_sent = now;
    }

    /// Something was received.
    pub fn received(&mut self, now: Instant) {
        self.last_received = now;
    }

    /// PINGRESP has come.
    pub fn answered(&mut self) {
        self.ping_sent = None;
    }

    /// Whether a PINGREQ waits to be sent.
    pub const fn owes_ping(&self) -> bool {
        self.ping_owed.is_some()
    }

    /// Takes the PINGREQ that waits, to send it now. `false` when none does.
    pub fn take_ping(&mut self, now: Instant) -> bool {
        let owed = self.ping_owed.take().is_some();
        if owed {
            self.sent(now);
            self.ping_sent.get_or_insert(now);
        }
        owed
    }

    /// Lets time pass on a connection that stands: a PINGREQ may become due.
    pub fn tick(&mut self, now: Instant) {
        if self.ping_due().is_some_and(|due| due <= now) {
            self.ping_owed = Some(now);
        }
    }

    /// When the broker's silence becomes too long, counted from the last byte or what waits for an answer since.
    pub fn lost_at(&self) -> Option<Instant> {
        self.ping_sent.map(|sent| sent.max(self.last_received).after(SILENCE_MS))
    }

    /// When a packet that has begun must have gone on.
    pub const fn stalled_at(&self) -> Instant {
        self.last_received.after(SILENCE_MS)
    }

    /// Three quarters of the keep alive after the last byte sent: the broker never sees the whole of it in silence
    /// (§3.1.2.10), not even while PINGRESP waits after a long message. The whole keep alive after the last byte
    /// received: a dead peer is noticed while messages at QoS 0 are sent, which nobody answers. A PINGREQ that another
    /// task may have sent meanwhile is looked at again.
    pub fn ping_due(&self) -> Option<Instant> {
        let after = self.interval_ms.saturating_sub(self.interval_ms >> 2);
        if after == 0 {
            return None;
        }
        if let Some(owed) = self.ping_owed {
            return Some(owed.after(after.min(SILENCE_MS)));
        }
        let unsent = self.last_sent.after(after);
        let unheard = self.ping_sent.is_none().then(|| self.last_received.after(self.interval_ms));
        Some(unheard.map_or(unsent, |unheard| unheard.min(unsent)))
    }
}
