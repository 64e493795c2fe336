//! One link: its configuration, its state, its subscriptions (AT contract §2 and §3).
//!
//! * [`state`] is the table of what a link may do in which state.
//! * [`config`] is what the host has set, in memory that is given back at CLEAN.
//! * [`subscriptions`] is what the host has subscribed to.
//! * [`Link`] joins them with the MQTT session and with the one command that may be waiting for the broker.
//!
//! Never here: a socket, a task, the serial port. A link is handed events and asked what they mean.

pub mod config;
pub mod state;
pub mod subscriptions;

use crate::at::code::Code;
use crate::bytes::Buffer;
use crate::mqtt::QoS;
use crate::mqtt::session::{LONGEST_CONTROL, Session};
use crate::time::Instant;
use config::{ConnectionConfig, Target, TlsConfig, UserConfig};
use state::{Action, State};
use subscriptions::Subscriptions;

/// Where a link is between its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No connection since it was configured.
    Idle,
    /// The first connection is being made; the CONN command waits.
    Connecting,
    /// Connected.
    Connected,
    /// The connection was lost, or is being made again.
    Lost,
}

/// What the waiting command learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// The first connection is there.
    Connected,
    /// The first connection could not be made.
    NotConnected(Code),
    /// The broker has confirmed the publication.
    Published,
    /// The broker's answer to SUBSCRIBE; `None` is a refusal.
    Subscribed(Option<QoS>),
    /// The broker has confirmed UNSUBSCRIBE.
    Unsubscribed,
    /// The connection was lost before the broker answered.
    ConnectionLost,
}

/// What the one command that may be waiting waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Nothing,
    Connection,
    /// The answer to this packet identifier. A publication `survives` a loss that is followed by a reconnection.
    Answer {
        identifier: u16,
        survives: bool,
    },
    Over(Reply),
}

/// One link and everything that CLEAN gives back.
#[derive(Debug)]
pub struct Link<B> {
    user: Option<UserConfig<B>>,
    connection: Option<ConnectionConfig<B>>,
    /// ALPN names and SNI.
    pub tls: TlsConfig<B>,
    target: Option<Target<B>>,
    phase: Phase,
    wait: Wait,
    /// What the host has subscribed to.
    pub subscriptions: Subscriptions<B>,
    /// The MQTT protocol state.
    pub session: Session<B>,
}

impl<B: Buffer> Default for Link<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Buffer> Link<B> {
    /// A link in state 0.
    pub const fn new() -> Self {
        Self {
            user: None,
            connection: None,
            tls: TlsConfig::new(),
            target: None,
            phase: Phase::Idle,
            wait: Wait::Nothing,
            subscriptions: Subscriptions::new(),
            session: Session::new(),
        }
    }

    /// The state as `AT+MQTTCONN?` shows it.
    pub fn state(&self) -> State {
        match (self.phase, &self.user, &self.connection) {
            (Phase::Lost, ..) => State::Lost,
            (Phase::Connected, ..) => self.subscriptions.state(),
            (_, None, _) => State::NotInitialised,
            (_, _, None) => State::UserConfigured,
            (_, _, Some(_)) => State::ConnectionConfigured,
        }
    }

    /// Whether `action` is allowed now.
    ///
    /// # Errors
    /// The code of the contract's state table (§2).
    pub fn permit(&self, action: Action) -> Result<(), Code> {
        action.permit(self.state())
    }

    /// What USERCFG set; `None` in state 0.
    pub const fn user(&self) -> Option<&UserConfig<B>> {
        self.user.as_ref()
    }

    /// What USERCFG set, to be changed by CLIENTID, USERNAME, PASSWORD and their LONG forms.
    pub const fn user_mut(&mut self) -> Option<&mut UserConfig<B>> {
        self.user.as_mut()
    }

    /// USERCFG: sets the user and clears CONNCFG, ALPN, SNI and the long fields.
    pub fn configure_user(&mut self, user: UserConfig<B>) {
        *self = Self { user: Some(user), ..Self::new() };
    }

    /// What CONNCFG set, if it was set.
    pub const fn connection(&self) -> Option<&ConnectionConfig<B>> {
        self.connection.as_ref()
    }

    /// CONNCFG.
    pub fn configure_connection(&mut self, connection: ConnectionConfig<B>) {
        self.connection = Some(connection);
    }

    /// Where CONN went last; `None` before the first CONN.
    pub const fn target(&self) -> Option<&Target<B>> {
        self.target.as_ref()
    }

    /// Whether a lost connection is to be made again.
    pub fn reconnects(&self) -> bool {
        self.target.as_ref().is_some_and(|target| target.reconnect)
    }

    /// CONN: checks that the configuration can make a connection and enters its target.
    ///
    /// # Errors
    /// 0x6015 for a kept session without a client identifier, 0x6018 for a password without a user name; nothing has
    /// changed then.
    pub fn begin_connection(&mut self, target: Target<B>) -> Result<(), Code> {
        let user = self.user.as_ref().ok_or(Code::NoConfigured)?;
        config::check(user, self.connection.as_ref())?;
        self.target = Some(target);
        self.phase = Phase::Connecting;
        self.wait = Wait::Connection;
        Ok(())
    }

    /// The CONNECT packet that these settings ask for, and its length; begins a connection of the session.
    ///
    /// # Errors
    /// 0x6001 in state 0, 0x6005 without memory for the packet, or a text's code when it is not UTF-8.
    pub fn connect_packet(&mut self, now: Instant) -> Result<(B, usize), Code> {
        let user = self.user.as_ref().ok_or(Code::NoConfigured)?;
        let options = config::connect_options(user, self.connection.as_ref())?;
        self.session.connect(&options, now).map_err(|_| Code::MallocFailed)
    }

    /// Encodes the SUBSCRIBE for the `index`th subscription on a new connection: its length; `None` behind the last.
    pub fn resubscribe(&mut self, index: usize, packet: &mut [u8; LONGEST_CONTROL], now: Instant) -> Option<usize> {
        let known = self.subscriptions.get(index)?;
        let filter = core::str::from_utf8(known.filter.as_ref()).ok()?;
        let (identifier, length) = self.session.subscribe(filter, known.asked, packet, now).ok()?;
        self.subscriptions.resubscribing(index, identifier);
        Some(length)
    }

    /// The connection stands: CONNACK has accepted it.
    pub fn connected(&mut self) {
        self.phase = Phase::Connected;
    }

    /// The first connection failed or was given up: the link is as it was before CONN.
    pub fn connection_failed(&mut self) {
        self.session.connection_lost();
        self.phase = Phase::Idle;
    }

    /// An established connection is gone. `true` when a waiting command must be woken.
    pub fn connection_lost(&mut self) -> bool {
        self.session.connection_lost();
        self.subscriptions.connection_lost();
        self.phase = Phase::Lost;
        match self.wait {
            Wait::Answer { survives, .. } if !(survives && self.reconnects()) => {
                self.wait = Wait::Over(Reply::ConnectionLost);
                true
            }
            _ => false,
        }
    }

    /// CLEAN: everything is given back; state 0.
    pub fn clean(&mut self) {
        *self = Self::new();
    }

    /// The waiting command now waits for the answer to `identifier`.
    pub const fn await_answer(&mut self, identifier: u16, survives_loss: bool) {
        self.wait = Wait::Answer { identifier, survives: survives_loss };
    }

    /// The first connection has come to this end. `true` when CONN still waits and must be woken.
    pub fn conclude_connection(&mut self, reply: Reply) -> bool {
        let waits = self.wait == Wait::Connection;
        if waits {
            self.wait = Wait::Over(reply);
        }
        waits
    }

    /// The broker has answered `identifier`. `true` when a command waits for it and must be woken.
    pub fn conclude(&mut self, identifier: u16, reply: Reply) -> bool {
        let waits = matches!(self.wait, Wait::Answer { identifier: awaited, .. } if awaited == identifier);
        if waits {
            self.wait = Wait::Over(reply);
        }
        waits
    }

    /// What the waiting command has learnt; it waits no longer. `None` when nothing has come.
    pub fn take_reply(&mut self) -> Option<Reply> {
        match core::mem::replace(&mut self.wait, Wait::Nothing) {
            Wait::Over(reply) => Some(reply),
            _ => None,
        }
    }
}
