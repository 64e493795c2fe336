//! One link: its configuration, its state, its subscriptions (AT contract §2 and §3).
//!
//! * [`state`] is the table of what a link may do in which state.
//! * [`config`] is what the host has set, in memory that is given back at CLEAN.
//! * [`credential`] is what TLS may need besides.
//! * [`subscriptions`] is what the host has subscribed to.
//! * [`delivery`] is an incoming message as a line.
//! * [`Link`] joins them with the MQTT session and with the one command that may be waiting for the broker.
//!
//! Never here: a socket, a task, the serial port. A link is handed events and asked what they mean.

pub mod config;
pub mod credential;
pub mod delivery;
pub mod state;
pub mod subscriptions;

use crate::at::code::Code;
use crate::bytes::Buffer;
use crate::mqtt::QoS;
use crate::mqtt::identifier::PacketIdentifier;
use crate::mqtt::session::{LONGEST_CONTROL, Loss, Session};
use crate::time::Instant;
use config::{ConnectionConfig, Target, TlsConfig, UserConfig};
use state::{Action, State};
use subscriptions::Subscriptions;

/// Where a link's connection stands. Nothing else says so: the states 0 to 6 are derived from it, and who sends or asks
/// for the time of the next packet asks it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionState {
    /// None since the link was configured.
    Unconnected,
    /// The first connection is being made; CONN waits.
    Connecting,
    /// CONNACK has accepted it: commands may send.
    Established,
    /// It was lost, or is being made again.
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
    /// The connection was lost before the broker answered, and the answer will not come on another one.
    ConnectionLost,
}

/// What the loss of a connection brings about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consequence {
    /// The waiting command must be woken.
    pub wakes: bool,
    /// This publication is not sent again: the broker has refused it by closing too often.
    pub dropped: Option<PacketIdentifier>,
}

/// What the one command that may be waiting waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Nothing,
    Connection,
    /// The answer to this packet identifier. A publication `survives` a loss that is followed by a reconnection.
    Answer {
        identifier: PacketIdentifier,
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
    connection_state: ConnectionState,
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
            connection_state: ConnectionState::Unconnected,
            wait: Wait::Nothing,
            subscriptions: Subscriptions::new(),
            session: Session::new(),
        }
    }

    /// The state as `AT+MQTTCONN?` shows it.
    pub fn state(&self) -> State {
        match (self.connection_state, &self.user, &self.connection) {
            (ConnectionState::Lost, ..) => State::Lost,
            (ConnectionState::Established, ..) => self.subscriptions.state(),
            (_, None, _) => State::NotInitialised,
            (_, _, None) => State::UserConfigured,
            (_, _, Some(_)) => State::ConnectionConfigured,
        }
    }

    /// Whether commands may send.
    pub fn is_established(&self) -> bool {
        self.connection_state == ConnectionState::Established
    }

    /// Whether something must be sent on the connection that stands: [`Session::transmit`] gives it.
    pub fn owes_packets(&self) -> bool {
        self.is_established() && self.session.has_replies()
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
        self.clean();
        self.user = Some(user);
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
        self.connection_state = ConnectionState::Connecting;
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

    /// CONNACK has come: whether everything must be subscribed to again. That the session is present is not enough: it
    /// may have begun with the last connection, and that one may have been lost before every SUBSCRIBE was answered.
    pub fn must_subscribe_again(&mut self, session_present: bool) -> bool {
        if !session_present {
            self.subscriptions.forgotten();
        }
        !self.subscriptions.all_held()
    }

    /// Encodes the SUBSCRIBE for the `index`th subscription that the broker does not hold: its length; `None` after the
    /// last.
    pub fn resubscribe(&mut self, index: usize, packet: &mut [u8; LONGEST_CONTROL], now: Instant) -> Option<usize> {
        let known = self.subscriptions.not_held(index)?;
        let filter = core::str::from_utf8(known.filter.as_ref()).ok()?;
        let (identifier, length) = self.session.subscribe(filter, known.asked, packet, now).ok()?;
        self.subscriptions.resubscribing(index, identifier);
        Some(length)
    }

    /// The connection stands: CONNACK has accepted it.
    pub const fn established(&mut self) {
        self.connection_state = ConnectionState::Established;
    }

    /// The first connection failed or was given up: the link is as it was before CONN.
    pub fn connection_failed(&mut self) {
        self.session.connection_lost(Loss::Other, Instant::default());
        self.connection_state = ConnectionState::Unconnected;
    }

    /// An established connection is gone, in this way.
    pub fn connection_lost(&mut self, loss: Loss, now: Instant) -> Consequence {
        let dropped = self.session.connection_lost(loss, now);
        self.subscriptions.connection_lost();
        self.connection_state = ConnectionState::Lost;
        let wakes = match self.wait {
            Wait::Answer { identifier, survives } => !(survives && self.reconnects()) || dropped == Some(identifier),
            _ => false,
        };
        if wakes {
            self.wait = Wait::Over(Reply::ConnectionLost);
        }
        Consequence { wakes, dropped }
    }

    /// CLEAN: everything is given back; state 0. In place: a new link would stand on the stack first.
    #[inline(never)]
    pub fn clean(&mut self) {
        self.user = None;
        self.connection = None;
        self.tls.alpn.clear();
        self.tls.sni = None;
        self.target = None;
        self.connection_state = ConnectionState::Unconnected;
        self.wait = Wait::Nothing;
        self.subscriptions.clear();
        self.session.reset();
    }

    /// The waiting command now waits for the answer to `identifier`.
    pub const fn await_answer(&mut self, identifier: PacketIdentifier, survives_loss: bool) {
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
    pub fn conclude(&mut self, identifier: PacketIdentifier, reply: Reply) -> bool {
        let waits = matches!(self.wait, Wait::Answer { identifier: awaited, .. } if awaited == identifier);
        if waits {
            self.wait = Wait::Over(reply);
        }
        waits
    }

    /// Whether a command waits for the connection or for an answer, or has not taken it yet.
    pub fn is_awaited(&self) -> bool {
        self.wait != Wait::Nothing
    }

    /// What the waiting command has learnt. With nothing learnt it goes on waiting, unless it has `given_up`.
    pub fn reply(&mut self, given_up: bool) -> Option<Reply> {
        if given_up || matches!(self.wait, Wait::Over(_)) { self.take_reply() } else { None }
    }

    /// What the waiting command has learnt; it waits no longer. `None` when nothing has come.
    pub fn take_reply(&mut self) -> Option<Reply> {
        match core::mem::replace(&mut self.wait, Wait::Nothing) {
            Wait::Over(reply) => Some(reply),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mqtt::publication::Publication;
    use crate::mqtt::session::{Begun, Event, Resend};
    use std::vec::Vec;

    type L = Link<Vec<u8>>;

    const NOW: Instant = Instant::from_millis(0);
    const LEVELS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];

    fn user(client_id: &[u8], username: &[u8], password: &[u8]) -> UserConfig<Vec<u8>> {
        let [client_id, username, password, path] = [client_id, username, password, b"/"].map(<[u8]>::to_vec);
        UserConfig { scheme: 1, client_id, username, password, path }
    }

    fn connection(disable_clean_session: bool) -> ConnectionConfig<Vec<u8>> {
        ConnectionConfig {
            keep_alive_s: 60,
            disable_clean_session,
            will_topic: Vec::new(),
            will_message: Vec::new(),
            will_qos: QoS::AtMostOnce,
            will_retain: false,
        }
    }

    fn target(reconnect: bool) -> Target<Vec<u8>> {
        Target { host: b"broker".to_vec(), port: 1883, reconnect, timeout_ms: 15_000 }
    }

    /// The connection ends, not by the peer: whether a waiting command is woken.
    fn lose(link: &mut L) -> bool {
        link.connection_lost(Loss::Other, NOW).wakes
    }

    fn configured() -> L {
        let mut link = L::new();
        link.configure_user(user(b"id", b"u", b"p"));
        link
    }

    /// A link whose CONN has been answered.
    fn connected(reconnect: bool) -> L {
        let mut link = configured();
        link.begin_connection(target(reconnect)).unwrap();
        accept(&mut link, false);
        assert!(link.conclude_connection(Reply::Connected));
        link.established();
        assert_eq!(link.take_reply(), Some(Reply::Connected));
        link
    }

    fn accept(link: &mut L, present: bool) {
        let (packet, length) = link.connect_packet(NOW).unwrap();
        assert_eq!(packet[0], 0x10);
        assert!(length <= packet.len());
        let connack = [0x20, 2, u8::from(present), 0];
        let event = link.session.receive(&mut &connack[..], NOW);
        assert_eq!(event, Ok(Some(Event::Connected { session_present: present })));
    }

    fn subscribe(link: &mut L, filter: &[u8], asked: QoS, granted: QoS) {
        assert!(link.subscriptions.granted(filter.to_vec(), asked, granted));
    }

    #[test]
    fn a_whole_life() {
        let mut link = L::new();
        assert_eq!(link.state(), State::NotInitialised);
        assert!(link.user().is_none() && link.user_mut().is_none() && link.target().is_none());
        link.configure_user(user(b"id", b"u", b"p"));
        assert_eq!(link.state(), State::UserConfigured);
        link.configure_connection(connection(false));
        assert_eq!(link.state(), State::ConnectionConfigured);
        link.begin_connection(target(true)).unwrap();
        assert_eq!(link.state(), State::ConnectionConfigured, "not before CONNACK");
        accept(&mut link, false);
        assert!(link.conclude_connection(Reply::Connected));
        link.established();
        assert_eq!(link.state(), State::Connected);
        subscribe(&mut link, b"a", QoS::AtLeastOnce, QoS::AtLeastOnce);
        assert_eq!(link.state(), State::Subscribed);
        assert!(!lose(&mut link));
        assert_eq!(link.state(), State::Lost);
        link.established();
        assert_eq!(link.state(), State::Subscribed, "subscriptions outlive a loss");
        link.subscriptions.remove(b"a");
        assert_eq!(link.state(), State::Unsubscribed);
        assert!(!lose(&mut link));
        link.established();
        assert_eq!(link.state(), State::Unsubscribed);
        subscribe(&mut link, b"b", QoS::AtMostOnce, QoS::AtMostOnce);
        assert_eq!(link.state(), State::Subscribed);
        link.clean();
        assert_eq!(link.state(), State::NotInitialised);
        link.configure_user(user(b"id", b"u", b"p"));
        assert_eq!(link.state(), State::UserConfigured);
        link.established();
        assert_eq!(link.state(), State::Connected, "CLEAN forgets that there were subscriptions");
    }

    #[test]
    fn nothing_is_owed_but_on_a_connection_that_stands() {
        let mut link = configured();
        link.configure_connection(connection(false));
        link.begin_connection(target(true)).unwrap();
        accept(&mut link, false);
        link.session.tick(NOW.after(60_000), false).unwrap();
        assert!(link.session.has_replies(), "a PINGREQ");
        assert!(!link.is_established() && !link.owes_packets(), "the task that connects has not told the link yet");
        link.established();
        assert!(link.owes_packets());
        assert!(!lose(&mut link));
        assert!(!link.owes_packets());
    }

    #[test]
    fn permission_follows_the_state() {
        let mut link = configured();
        assert_eq!(link.permit(Action::Exchange), Err(Code::InDisconnectedState));
        assert_eq!(link.permit(Action::Connect), Ok(()));
        link = connected(false);
        assert_eq!(link.permit(Action::Exchange), Ok(()));
        assert_eq!(link.permit(Action::Connect), Err(Code::AlreadyConnected));
        assert!(!lose(&mut link));
        assert_eq!(link.permit(Action::Exchange), Err(Code::InDisconnectedState));
        assert_eq!(link.permit(Action::Connect), Err(Code::NotInConfiguredState));
        assert_eq!(link.permit(Action::Clean), Ok(()));
    }

    #[test]
    fn clean_and_usercfg_give_everything_back() {
        let new = std::format!("{:?}", L::new());
        let mut link = connected(true);
        link.configure_connection(connection(true));
        link.tls.sni = Some(b"name".to_vec());
        link.tls.alpn.push(b"mqtt".to_vec()).unwrap();
        subscribe(&mut link, b"a", QoS::ExactlyOnce, QoS::ExactlyOnce);
        publish(&mut link, QoS::ExactlyOnce);
        link.await_answer(identifier(7), true);
        link.clean();
        assert_eq!(std::format!("{link:?}"), new);

        let mut link = configured();
        link.configure_connection(connection(true));
        link.tls.sni = Some(b"name".to_vec());
        link.tls.alpn.push(b"mqtt".to_vec()).unwrap();
        link.user_mut().unwrap().client_id = b"another".to_vec();
        link.configure_user(user(b"id", b"u", b"p"));
        assert_eq!(std::format!("{link:?}"), std::format!("{:?}", configured()));
    }

    #[test]
    fn a_configuration_that_cannot_connect_changes_nothing() {
        let cases = [
            (user(b"", b"u", b"p"), Some(connection(true)), Code::ClientIdIsNull),
            (user(b"id", b"", b"p"), None, Code::UsernameIsNull),
            (user(b"id", b"", b"p"), Some(connection(true)), Code::UsernameIsNull),
        ];
        for (user, connection, code) in cases {
            let mut link = L::new();
            link.configure_user(user);
            if let Some(connection) = connection {
                link.configure_connection(connection);
            }
            let before = std::format!("{link:?}");
            assert_eq!(link.begin_connection(target(true)), Err(code));
            assert_eq!(std::format!("{link:?}"), before);
        }
        let mut link = L::new();
        assert_eq!(link.begin_connection(target(true)), Err(Code::NoConfigured));
        assert_eq!(link.connect_packet(NOW), Err(Code::NoConfigured));
        assert_eq!(std::format!("{link:?}"), std::format!("{:?}", L::new()));
    }

    #[test]
    fn a_failed_first_connection_may_be_tried_again() {
        let mut link = configured();
        link.begin_connection(target(true)).unwrap();
        link.connect_packet(NOW).unwrap();
        link.connection_failed();
        assert!(link.conclude_connection(Reply::NotConnected(Code::ClientStartFailed)));
        assert_eq!(link.take_reply(), Some(Reply::NotConnected(Code::ClientStartFailed)));
        assert_eq!(link.state(), State::UserConfigured);
        assert_eq!(link.permit(Action::Configure), Ok(()));
        link.begin_connection(target(false)).unwrap();
        assert!(!link.reconnects());
        accept(&mut link, false);
        assert!(link.conclude_connection(Reply::Connected));
    }

    #[test]
    fn a_connection_that_comes_after_conn_has_given_up() {
        let mut link = configured();
        link.begin_connection(target(true)).unwrap();
        assert_eq!(link.take_reply(), None, "CONN's time is over");
        assert!(!link.conclude_connection(Reply::Connected), "nobody waits");
        assert_eq!(link.take_reply(), None);
    }

    #[test]
    fn a_connection_lost_before_conn_has_looked() {
        let mut link = configured();
        link.begin_connection(target(false)).unwrap();
        assert!(link.conclude_connection(Reply::Connected));
        link.established();
        assert!(!lose(&mut link), "CONN was woken already");
        assert_eq!(link.take_reply(), Some(Reply::Connected));
        assert_eq!(link.state(), State::Lost);
    }

    #[test]
    fn one_answer_for_one_wait() {
        let mut link = connected(false);
        assert!(!link.conclude(identifier(7), Reply::Published), "nothing waits");
        assert_eq!(link.take_reply(), None);
        link.await_answer(identifier(7), true);
        assert!(!link.conclude(identifier(8), Reply::Published), "another's answer");
        assert!(!link.conclude_connection(Reply::Connected));
        assert!(link.conclude(identifier(7), Reply::Published));
        assert!(!link.conclude(identifier(7), Reply::Unsubscribed), "the first counts");
        assert_eq!(link.take_reply(), Some(Reply::Published));
        assert_eq!(link.take_reply(), None, "once");
        link.await_answer(identifier(9), false);
        assert_eq!(link.take_reply(), None, "the command's time is over");
        assert!(!link.conclude(identifier(9), Reply::Subscribed(None)), "too late");
        assert_eq!(link.take_reply(), None);
    }

    #[test]
    fn what_a_loss_means_for_the_waiting_command() {
        for (survives, reconnects) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut link = connected(reconnects);
            assert_eq!(link.reconnects(), reconnects);
            link.await_answer(identifier(7), survives);
            let goes_on = survives && reconnects;
            assert_eq!(lose(&mut link), !goes_on);
            assert!(!lose(&mut link), "told once");
            assert_eq!(link.conclude(identifier(7), Reply::Published), goes_on);
            let reply = if goes_on { Reply::Published } else { Reply::ConnectionLost };
            assert_eq!(link.take_reply(), Some(reply));
        }
        let mut link = connected(true);
        assert!(!lose(&mut link), "nothing waits");
        assert_eq!(link.take_reply(), None);
        link = connected(false);
        link.await_answer(identifier(7), false);
        assert!(link.conclude(identifier(7), Reply::Unsubscribed));
        assert!(!lose(&mut link), "the answer was there before the loss");
        assert_eq!(link.take_reply(), Some(Reply::Unsubscribed));
    }

    fn identifier(value: u16) -> PacketIdentifier {
        PacketIdentifier::new(value).unwrap()
    }

    fn publish(link: &mut L, qos: QoS) -> PacketIdentifier {
        let mut publication = Publication::new(b"t", 0, qos, false).unwrap();
        let Ok(Begun::Send(identifier)) = link.session.publish(&mut publication, NOW) else { panic!("it waits") };
        link.session.sent(identifier, publication, true, NOW);
        identifier
    }

    #[test]
    fn a_publication_that_waits_through_a_loss() {
        let mut link = connected(true);
        let identifier = publish(&mut link, QoS::AtLeastOnce);
        link.await_answer(identifier, true);
        assert!(!lose(&mut link));
        accept(&mut link, false);
        link.established();
        let Resend::Publish(again, publication) = link.session.resend(NOW) else { panic!("nothing") };
        assert_eq!((again, publication.packet()), (identifier, &b"\x3a\x05\x00\x01t\x00\x01"[..]));
        link.session.sent(again, publication, true, NOW);
        let event = link.session.receive(&mut &b"\x40\x02\x00\x01"[..], NOW);
        assert_eq!(event, Ok(Some(Event::Published(identifier))));
        assert!(link.conclude(identifier, Reply::Published));
        assert_eq!(link.take_reply(), Some(Reply::Published));
    }

    /// A message that the broker refuses by closing: whoever waits for it learns when it is dropped.
    #[test]
    fn a_publication_that_is_dropped_is_waited_for_no_more() {
        let mut link = connected(true);
        let refused = publish(&mut link, QoS::AtLeastOnce);
        link.await_answer(refused, true);
        let mut ends = std::vec![link.connection_lost(Loss::PeerClosed, NOW)];
        while ends.len() < 8 {
            accept(&mut link, false);
            link.established();
            let Resend::Publish(again, publication) = link.session.resend(NOW) else { panic!("nothing") };
            assert_eq!(again, refused);
            link.session.sent(again, publication, true, NOW);
            ends.push(link.connection_lost(Loss::PeerClosed, NOW));
        }
        // One where it was new, two that make it a suspect, five alone.
        let goes_on = Consequence { wakes: false, dropped: None };
        assert_eq!(ends[..7], [goes_on; 7]);
        assert_eq!(ends[7], Consequence { wakes: true, dropped: Some(refused) });
        assert_eq!(link.take_reply(), Some(Reply::ConnectionLost));
        accept(&mut link, false);
        assert!(!link.session.has_resend(NOW), "the link lives on without it");
    }

    #[test]
    fn subscribing_again_in_order() {
        let mut link = connected(true);
        for (filter, asked) in [b"c", b"a", b"b"].into_iter().zip(LEVELS) {
            subscribe(&mut link, filter, asked, QoS::AtMostOnce);
        }
        assert!(!lose(&mut link));
        accept(&mut link, false);
        link.established();
        assert!(link.must_subscribe_again(false));
        let mut packet = [0; LONGEST_CONTROL];
        let expected: [&[u8]; 3] =
            [b"\x82\x06\x00\x01\x00\x01c\x00", b"\x82\x06\x00\x02\x00\x01a\x01", b"\x82\x06\x00\x03\x00\x01b\x02"];
        for (index, bytes) in expected.into_iter().enumerate() {
            assert_eq!(link.resubscribe(index, &mut packet, NOW), Some(8));
            assert_eq!(&packet[..8], bytes, "at the QoS that was asked for");
        }
        assert_eq!(link.resubscribe(3, &mut packet, NOW), None);
        link.subscriptions.resubscribed(identifier(3), Some(QoS::AtLeastOnce));
        link.subscriptions.resubscribed(identifier(1), None);
        let shown: Vec<_> = link.subscriptions.iter().map(|known| (&known.filter[..], known.shown_qos())).collect();
        assert_eq!(shown, [(&b"c"[..], 128), (b"a", 0), (b"b", 1)]);
    }

    #[test]
    fn a_new_session_lost_before_it_had_all_subscriptions() {
        let mut link = connected(true);
        assert!(!link.must_subscribe_again(false), "there are none");
        subscribe(&mut link, b"a", QoS::AtLeastOnce, QoS::AtLeastOnce);
        subscribe(&mut link, b"b", QoS::AtLeastOnce, QoS::AtLeastOnce);
        let mut packet = [0; LONGEST_CONTROL];
        assert!(!link.must_subscribe_again(true));
        for answered in 0..=2 {
            assert!(!lose(&mut link));
            assert!(link.must_subscribe_again(false), "the broker has forgotten them");
            let requests = [0, 1].map(|index| {
                link.resubscribe(index, &mut packet, NOW).unwrap();
                identifier(u16::from_be_bytes([packet[2], packet[3]]))
            });
            for request in &requests[..answered] {
                link.subscriptions.resubscribed(*request, Some(QoS::AtMostOnce));
            }
            assert!(!lose(&mut link));
            assert_eq!(link.must_subscribe_again(true), answered < 2, "{answered} of 2 were answered");
        }
    }

    #[test]
    fn an_answer_of_a_lost_connection_does_not_count() {
        let mut link = connected(true);
        subscribe(&mut link, b"a", QoS::AtLeastOnce, QoS::AtLeastOnce);
        let mut packet = [0; LONGEST_CONTROL];
        assert!(link.must_subscribe_again(false));
        assert!(link.resubscribe(0, &mut packet, NOW).is_some());
        assert!(!lose(&mut link));
        assert!(!link.subscriptions.resubscribed(identifier(1), None));
        assert_eq!(link.subscriptions.iter().map(|known| known.shown_qos()).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_session_without_memory_for_connect() {
        #[derive(Debug)]
        struct Little(Vec<u8>);
        impl AsRef<[u8]> for Little {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        impl AsMut<[u8]> for Little {
            fn as_mut(&mut self) -> &mut [u8] {
                &mut self.0
            }
        }
        impl Buffer for Little {
            fn allocate(length: usize) -> Option<Self> {
                (length < 16).then(|| Self(std::vec![0; length]))
            }
        }
        let [client_id, username, password, path] = [(); 4].map(|()| Little(Vec::new()));
        let mut link = Link::<Little>::new();
        link.configure_user(UserConfig { scheme: 1, client_id, username, password, path });
        assert_eq!(link.connect_packet(NOW).unwrap_err(), Code::MallocFailed);
    }
}
