//! How a link's task connects: name, TCP, TLS, WebSocket, CONNECT, CONNACK; and the connection that comes of it.

use super::LinkRuntime;
use super::end::End;
use super::sending::{Patience, SendRight};
use crate::net::Attempt;
use crate::net::channel::Open;
use crate::net::framing::Framing;
use crate::net::security::{self, Resumption, Security, TlsRequest};
use crate::sdk::clock::now;
use crate::sdk::heap::Bytes;
use crate::sdk::socket::{Broken, Interest, Socket};
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::bytes::Buffer;
use w800_mqtt_core::link::config::Transport;
use w800_mqtt_core::mqtt::decoder::Violation;
use w800_mqtt_core::mqtt::session::{Event, SILENCE_MS};
use w800_mqtt_core::report::{Failure, Stage};
use w800_mqtt_core::time::Instant;
use w800_mqtt_core::ws::handshake::Resource;

/// Bytes received at once.
const RECEIVE_BYTES: usize = 1024;

/// A connection and what of its input is not used yet.
pub(super) struct Connection {
    runtime: &'static LinkRuntime,
    socket: Socket,
    open: Open,
    framing: Framing,
    buffer: Bytes,
    start: usize,
    end: usize,
    /// Bytes may be there although the socket shows none.
    more: bool,
}

impl Connection {
    /// Makes a connection of `socket` that the link's channel knows.
    fn new(runtime: &'static LinkRuntime, (socket, security): Secured) -> Result<Self, Failure> {
        let buffer = Bytes::allocate(RECEIVE_BYTES).ok_or(Failure::no_memory(Stage::Tcp))?;
        let open = runtime.channel.begin(socket.handle(), security);
        Ok(Self { runtime, socket, open, framing: Framing::Bare, buffer, start: 0, end: 0, more: false })
    }

    /// The connection as whoever may send on it shows it.
    pub(super) const fn open(&self) -> Open {
        self.open
    }

    /// Waits for input at most `milliseconds`; `false` when there is none.
    pub(super) fn wait(&self, milliseconds: u32) -> bool {
        self.more || self.socket.wait(Interest::Readable, milliseconds)
    }

    /// What is not used yet.
    pub(super) fn input(&self) -> &[u8] {
        self.buffer.as_ref().get(self.start..self.end).unwrap_or_default()
    }

    /// All input is used.
    pub(super) const fn use_up(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Replaces what was used by what is there. `false` when that is nothing that MQTT sees.
    pub(super) fn receive(&mut self) -> Result<bool, End> {
        let received = self.runtime.channel.receive(self.open, self.buffer.as_mut());
        let (got, more) = received.map_err(End::Closed)?;
        self.more = more;
        self.unframe(got)?;
        Ok(self.end > 0)
    }

    /// Takes the frames from the first `got` bytes of the buffer.
    fn unframe(&mut self, got: usize) -> Result<(), End> {
        self.start = 0;
        let bytes = self.buffer.as_mut().get_mut(..got).unwrap_or_default();
        self.end = self.framing.unframe(bytes).map_err(End::Framing)?;
        self.runtime.counters.bytes_received.add(self.end);
        Ok(())
    }

    /// Sends the control frame that is owed, unless another task is sending, or nothing can be sent and there is no patience
    /// with that: then `false`, and it must be tried again.
    pub(super) fn reply(&mut self, patience: Patience) -> Result<bool, End> {
        if !self.framing.owes_reply() {
            return Ok(true);
        }
        if patience == Patience::PortInHand && !self.open.has_room(0) {
            return Ok(false);
        }
        let Some(right) = SendRight::claim(self.runtime, now()) else { return Ok(false) };
        let _right = right.with(patience);
        let sent = self.framing.send_reply(&self.runtime.channel, self.open, now().after(SILENCE_MS));
        sent.map(|()| true).map_err(End::Closed)
    }

    /// Whether the server has closed the WebSocket.
    pub(super) const fn is_closed(&self) -> bool {
        self.framing.is_closed()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.runtime.channel.end();
    }
}

/// What an attempt connects to.
struct Plan {
    host: Bytes,
    port: u16,
    path: Bytes,
    transport: Transport,
    deadline: Instant,
}

impl Plan {
    fn new(runtime: &LinkRuntime) -> Result<Self, Failure> {
        let failure = Failure::no_memory(Stage::Dns);
        let link = runtime.link.lock();
        let (user, target) = link.user().zip(link.target()).ok_or(Failure::at(Stage::Connack))?;
        Ok(Self {
            host: Bytes::copy_of(target.host.as_ref()).ok_or(failure)?,
            port: target.port,
            path: Bytes::copy_of(user.path.as_ref()).ok_or(failure)?,
            transport: Transport::of(user.scheme),
            deadline: now().after(u64::from(target.timeout_ms)),
        })
    }
}

/// One attempt, up to CONNACK: the connection, and whether the broker still has this client's session.
pub(super) fn connect(
    runtime: &'static LinkRuntime,
    resumption: &mut Resumption,
) -> Result<(Connection, bool), Failure> {
    let plan = Plan::new(runtime)?;
    let given_up = || runtime.stopping();
    let lookup = runtime.lookup().map_err(|_| Failure::at(Stage::Dns))?;
    let attempt = Attempt { deadline: plan.deadline, lookup, given_up: &given_up };
    let mut connection = Connection::new(runtime, secure(runtime, &plan, resumption, &attempt)?)?;
    if plan.transport.websocket {
        open_websocket(&mut connection, &plan, &attempt)?;
    }
    drop((plan.host, plan.path));
    send_connect(&connection, attempt.deadline)?;
    let session_present = await_connack(&mut connection, &attempt)?;
    Ok((connection, session_present))
}

/// A connection up to TLS.
type Secured = (Socket, Security);

/// Connects up to TLS.
#[inline(never)]
fn secure(
    runtime: &LinkRuntime,
    plan: &Plan,
    resumption: &mut Resumption,
    attempt: &Attempt<'_>,
) -> Result<Secured, Failure> {
    if plan.transport.tls {
        secure_by_tls(runtime, plan, resumption, attempt)
    } else {
        security::connect(plan.transport, (plan.host.as_ref(), plan.port), attempt)
    }
}

#[inline(never)]
fn secure_by_tls(
    runtime: &LinkRuntime,
    plan: &Plan,
    resumption: &mut Resumption,
    attempt: &Attempt<'_>,
) -> Result<Secured, Failure> {
    let host = plan.host.as_ref();
    let request = TlsRequest::new(host, &runtime.link.lock().tls)?;
    security::connect_by_tls(runtime.index, plan.transport, (host, plan.port), request, resumption, attempt)
}

#[inline(never)]
fn open_websocket(connection: &mut Connection, plan: &Plan, attempt: &Attempt<'_>) -> Result<(), Failure> {
    let resource =
        Resource { host: plan.host.as_ref(), port: plan.port, path: plan.path.as_ref(), secure: plan.transport.tls };
    let channel = &connection.runtime.channel;
    let buffer = connection.buffer.as_mut();
    let (left, framing) = Framing::open(channel, connection.open, &connection.socket, &resource, buffer, attempt)?;
    connection.framing = framing;
    connection.open = channel.frame(connection.open);
    connection.more = plan.transport.tls;
    connection.unframe(left).map_err(|end| Failure { stage: Stage::WebSocket, ..ended(end) })
}

#[inline(never)]
fn send_connect(connection: &Connection, deadline: Instant) -> Result<(), Failure> {
    let failure = Failure::at(Stage::Connack);
    let runtime = connection.runtime;
    let made = runtime.link.lock().connect_packet(now());
    let (packet, length) = made.map_err(not_made)?;
    let bytes = packet.as_ref().get(..length).ok_or(failure)?;
    runtime.send(connection.open, bytes, deadline).map_err(|broken| ended(End::Closed(broken)))
}

/// CONNECT could not be made, for this reason.
const fn not_made(code: Code) -> Failure {
    match code {
        Code::MallocFailed => Failure::no_memory(Stage::Connack),
        _ => Failure::because(Stage::Connack, code, 0, "command refused"),
    }
}

/// The connection has ended so before CONNACK came.
const fn ended(end: End) -> Failure {
    let text = match end {
        End::Closed(broken) if broken.is_by_peer() => "closed by the peer before CONNACK",
        End::Closed(Broken::Failed(0)) => "no answer",
        End::Closed(_) => "connection lost before CONNACK",
        _ => end.text(),
    };
    let detail = if let End::Closed(broken) = end { broken.number() } else { 0 };
    Failure::because(Stage::Connack, Code::ClientStartFailed, detail, text)
}

#[inline(never)]
fn await_connack(connection: &mut Connection, attempt: &Attempt<'_>) -> Result<bool, Failure> {
    let failure = Failure::at(Stage::Connack);
    while !attempt.is_over() {
        let mut input = connection.input();
        let event = connection.runtime.link.lock().session.receive(&mut input, now());
        let accepted = accepted(event)?;
        let left = input.len();
        connection.start = connection.end.saturating_sub(left);
        if let Some(session_present) = accepted {
            return Ok(session_present);
        }
        connection.reply(Patience::UntilSilence).map_err(ended)?;
        if connection.is_closed() {
            return Err(ended(End::WebSocketClosed));
        }
        if connection.more || attempt.wait(&connection.socket, Interest::Readable) {
            connection.receive().map_err(ended)?;
        }
    }
    Err(failure)
}

/// Whether CONNACK has come and accepted the connection, and with a session.
fn accepted(event: Result<Option<Event<'_, Bytes>>, Violation>) -> Result<Option<bool>, Failure> {
    match event {
        Ok(None) => Ok(None),
        Ok(Some(Event::Connected { session_present })) => Ok(Some(session_present)),
        Ok(Some(Event::Refused(code))) => Err(Failure::of(Stage::Connack, i32::from(code))),
        Ok(Some(_)) => Err(ended(End::Violation(Violation::Unexpected))),
        Err(violation) => Err(ended(End::Violation(violation))),
    }
}
