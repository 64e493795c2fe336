//! The link's own task: connects, reads, keeps alive, reconnects (AT contract §5).
//!
//! CONN starts it; it is over when the first connection failed, when a connection was lost that shall not be made
//! again, or when CLEAN asks for it. It never waits without a bound, and it never polls but while lwIP connects.

use super::delivery::Delivery;
use super::output::Output;
use super::{Slot, report, slots};
use crate::net::channel::Security;
use crate::net::tls::Kept;
use crate::net::websocket::{Frames, Target};
use crate::net::{Attempt, Failure, Stage, tcp, tls, websocket};
use crate::options::TASK_STACK;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;
use crate::sdk::log;
use crate::sdk::socket::{self, Interest, Socket};
use crate::sdk::task::Body;
use w800_mqtt_core::at::answer::{self, Endpoint};
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::bytes::Buffer;
use w800_mqtt_core::link::Reply;
use w800_mqtt_core::link::config::Transport;
use w800_mqtt_core::mqtt::backoff;
use w800_mqtt_core::mqtt::decoder::Violation;
use w800_mqtt_core::mqtt::session::{Event, LONGEST_CONTROL, Lost, Resend, SILENCE_MS};
use w800_mqtt_core::time::Instant;

/// What the handshake of TLS needs of a stack besides, in bytes.
const TLS_STACK: u32 = 2048;

/// The task's stack in bytes.
pub const fn stack_bytes(transport: Transport) -> u32 {
    if transport.tls { TASK_STACK.saturating_add(TLS_STACK) } else { TASK_STACK }
}

/// How long CONN waits, after its time, for the line that belongs to a connection made in the last moment.
pub const PRINT_GRACE_MS: u32 = 5_000;

/// Bytes received at once.
const RECEIVE_BYTES: usize = 1024;

/// Payload bytes printed between two looks at the keep alive: a slow port must not make the shortest one late.
const PRINT_BYTES: usize = 256;

/// How often a task that waits for the rest of a message looks whether a command waits for the port, in milliseconds.
const OPEN_LINE_CHECK_MS: u32 = 500;

/// The longest wait for the right to print before the keep alive is looked at again, in milliseconds.
const OUTPUT_CHECK_MS: u64 = 1_000;

/// The task of a link.
#[derive(Debug)]
pub struct LinkTask;

impl Body for LinkTask {
    fn run(index: usize) {
        if let Some(slot) = slots().get(index) {
            live(slot);
            socket::forget_this_task();
            slot.ended.release();
        }
    }
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy)]
enum End {
    /// CLEAN asked for it.
    Stopped,
    /// The peer or the network ended it.
    Closed,
    /// The server has closed the WebSocket.
    SocketClosed,
    Framing(websocket::Violation),
    Violation(Violation),
    Silence(Lost),
}

/// A connection and what of its input is not used yet.
struct Connection {
    slot: &'static Slot,
    socket: Socket,
    /// The server's frames, where MQTT comes in a WebSocket.
    frames: Option<Frames>,
    buffer: Bytes,
    start: usize,
    end: usize,
    /// Bytes may be there although the socket shows none.
    more: bool,
}

impl Connection {
    /// Makes a connection of `socket` that the link's channel knows.
    fn new(slot: &'static Slot, (socket, security): Secured) -> Result<Self, Failure> {
        let no_memory = Failure::because(Stage::Tcp, Code::MallocFailed, 0, "no memory for a buffer");
        let buffer = Bytes::allocate(RECEIVE_BYTES).ok_or(no_memory)?;
        slot.channel.begin(socket.stream(), security);
        Ok(Self { slot, socket, frames: None, buffer, start: 0, end: 0, more: false })
    }

    /// Waits for input at most `milliseconds`; `false` when there is none.
    fn wait(&self, milliseconds: u32) -> bool {
        self.more || self.socket.wait(Interest::Readable, milliseconds)
    }

    /// What is not used yet.
    fn input(&self) -> &[u8] {
        self.buffer.as_ref().get(self.start..self.end).unwrap_or_default()
    }

    /// Replaces what was used by what is there: perhaps nothing that MQTT sees.
    fn receive(&mut self) -> Result<(), End> {
        let (got, more) = self.slot.channel.receive(self.buffer.as_mut()).map_err(|_| End::Closed)?;
        self.more = more;
        self.unframe(got)
    }

    /// Takes the frames from the first `got` bytes of the buffer.
    fn unframe(&mut self, got: usize) -> Result<(), End> {
        self.start = 0;
        self.end = match &mut self.frames {
            Some(frames) => {
                frames.unframe(self.buffer.as_mut().get_mut(..got).unwrap_or_default()).map_err(End::Framing)?
            }
            None => got,
        };
        self.slot.counters.bytes_received.add(self.end);
        Ok(())
    }

    /// Sends the control frame that is owed, unless another task is sending: then `false`, and it must be tried again.
    fn reply(&mut self) -> Result<bool, End> {
        let Some(frames) = self.frames.as_mut().filter(|frames| frames.owes_reply()) else { return Ok(true) };
        let Some(_sending) = self.slot.claim_sending(now()) else { return Ok(false) };
        let sent = websocket::send_reply(&self.slot.channel, frames, now().after(SILENCE_MS));
        sent.map(|()| true).map_err(|_| End::Closed)
    }

    /// Whether the server has closed the WebSocket.
    fn is_closed(&self) -> bool {
        self.frames.as_ref().is_some_and(|frames| frames.closed().is_some())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.slot.channel.end();
    }
}

fn live(slot: &'static Slot) {
    let mut session = None;
    let mut connection = match connect(slot, true, &mut session) {
        Ok(connection) => connection,
        Err(failure) => return first_failed(slot, failure),
    };
    loop {
        let end = serve(slot, &mut connection);
        session = if slot.link.lock().reconnects() { slot.channel.session() } else { None };
        close(slot, connection, end);
        if slot.stopping() || !slot.link.lock().reconnects() {
            return;
        }
        match reconnect(slot, &mut session) {
            Some(next) => connection = next,
            None => return,
        }
    }
}

fn first_failed(slot: &Slot, failure: Failure) {
    report::no_connection(slot.index, failure);
    let waits = {
        let mut link = slot.link.lock();
        link.connection_failed();
        link.conclude_connection(Reply::NotConnected(failure.code))
    };
    if waits {
        slot.done.release();
    }
}

/// Tries again with growing pauses until there is a connection or CLEAN asks to stop.
fn reconnect(slot: &'static Slot, session: &mut Option<Kept>) -> Option<Connection> {
    let mut attempt = 0_u32;
    while !slot.stopping() {
        let wake = &slot.lookup().ok()?.wake;
        // A lookup that was answered at once has left its signal. CLEAN asks first and signals then.
        wake.drain();
        if slot.stopping() {
            return None;
        }
        wake.acquire(backoff::pause_ms(attempt, random(slot)));
        if slot.stopping() {
            return None;
        }
        match connect(slot, false, session) {
            Ok(connection) => return Some(connection),
            Err(failure) => report::no_connection(slot.index, failure),
        }
        attempt = attempt.saturating_add(1);
    }
    None
}

/// A number that differs between devices (client identifier) and between attempts (time). It spreads reconnections;
/// nothing secret depends on it.
fn random(slot: &Slot) -> u32 {
    let time = Instant::default().until(now()) as u32;
    let link = slot.link.lock();
    let name = link.user().map_or(&[][..], |user| user.client_id.as_ref());
    let seeded = name.iter().fold(time ^ 0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (seeded ^ (seeded >> 15)).wrapping_mul(0x2C1B_3C6D) >> 8
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
    fn new(slot: &Slot) -> Result<Self, Failure> {
        let failure = Failure::at(Stage::Connack);
        let link = slot.link.lock();
        let (user, target) = link.user().zip(link.target()).ok_or(failure)?;
        Ok(Self {
            host: Bytes::copy_of(target.host.as_ref()).ok_or(failure)?,
            port: target.port,
            path: Bytes::copy_of(user.path.as_ref()).ok_or(failure)?,
            transport: Transport::of(user.scheme),
            deadline: now().after(u64::from(target.timeout_ms)),
        })
    }
}

/// One attempt: name, TCP, TLS, WebSocket, CONNECT, CONNACK; then everything that a session resumes with.
fn connect(slot: &'static Slot, first: bool, session: &mut Option<Kept>) -> Result<Connection, Failure> {
    let plan = Plan::new(slot)?;
    let given_up = || slot.stopping();
    let lookup = slot.lookup().map_err(|_| Failure::at(Stage::Dns))?;
    let attempt = Attempt { deadline: plan.deadline, lookup, given_up: &given_up };
    let mut connection = Connection::new(slot, secure(slot, &plan, session, &attempt)?)?;
    if plan.transport.websocket {
        open_websocket(&mut connection, &plan, &attempt)?;
    }
    drop((plan.host, plan.path));
    send_connect(slot, attempt.deadline)?;
    let session_present = await_connack(slot, &mut connection, &attempt)?;
    established(slot, first, session_present)?;
    Ok(connection)
}

/// A connection up to TLS.
type Secured = (Socket, Option<Security>);

/// Connects up to TLS.
#[inline(never)]
fn secure(slot: &Slot, plan: &Plan, session: &mut Option<Kept>, attempt: &Attempt<'_>) -> Result<Secured, Failure> {
    if plan.transport.tls {
        return secure_by_tls(slot, plan, session, attempt);
    }
    let socket = tcp::connect(plan.host.as_ref(), plan.port, attempt)?;
    Ok((socket, if plan.transport.websocket { websocket::without_tls()? } else { None }))
}

#[inline(never)]
fn secure_by_tls(
    slot: &Slot,
    plan: &Plan,
    session: &mut Option<Kept>,
    attempt: &Attempt<'_>,
) -> Result<Secured, Failure> {
    let host = plan.host.as_ref();
    let wanted = tls::Wanted::new(host, &slot.link.lock().tls)?;
    let (socket, tls) = tls::connect(slot.index, plan.transport, (host, plan.port), wanted, session, attempt)?;
    Ok((socket, Some(Security::Tls(tls))))
}

#[inline(never)]
fn open_websocket(connection: &mut Connection, plan: &Plan, attempt: &Attempt<'_>) -> Result<(), Failure> {
    let target =
        Target { host: plan.host.as_ref(), port: plan.port, path: plan.path.as_ref(), secure: plan.transport.tls };
    let channel = &connection.slot.channel;
    let (left, frames) = websocket::open(channel, &connection.socket, &target, connection.buffer.as_mut(), attempt)?;
    connection.frames = Some(frames);
    connection.more = plan.transport.tls;
    connection.unframe(left).map_err(|_| Failure::at(Stage::WebSocket))
}

#[inline(never)]
fn send_connect(slot: &Slot, deadline: Instant) -> Result<(), Failure> {
    let failure = Failure::at(Stage::Connack);
    let made = slot.link.lock().connect_packet(now());
    let (packet, length) = made.map_err(|_| failure)?;
    let bytes = packet.as_ref().get(..length).ok_or(failure)?;
    slot.send(bytes, deadline).map_err(|broken| Failure { detail: broken.0, ..failure })
}

#[inline(never)]
fn await_connack(slot: &Slot, connection: &mut Connection, attempt: &Attempt<'_>) -> Result<bool, Failure> {
    let failure = Failure::at(Stage::Connack);
    while !attempt.is_over() {
        let mut input = connection.input();
        let accepted = accepted(slot.link.lock().session.receive(&mut input, now()))?;
        let left = input.len();
        connection.start = connection.end.saturating_sub(left);
        if let Some(session_present) = accepted {
            return Ok(session_present);
        }
        connection.reply().map_err(|_| failure)?;
        if connection.is_closed() {
            return Err(failure);
        }
        if connection.more || attempt.wait(&connection.socket, Interest::Readable) {
            connection.receive().map_err(|_| failure)?;
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
        Ok(Some(_)) => Err(Failure::at(Stage::Connack)),
        Err(violation) => {
            log::warn(&["broker broke the protocol: ", violation_text(violation)]);
            Err(Failure::at(Stage::Connack))
        }
    }
}

/// Makes the connection the link's, resumes the session on it and tells the host.
#[inline(never)]
fn established(slot: &'static Slot, first: bool, session_present: bool) -> Result<(), Failure> {
    let failure = Failure::at(Stage::Connack);
    let sending = slot.claim_sending(now().after(SILENCE_MS)).ok_or(failure)?;
    let subscribe = {
        let mut link = slot.link.lock();
        if first && !link.conclude_connection(Reply::Connected) {
            return Err(failure);
        }
        link.connected();
        link.must_subscribe_again(session_present)
    };
    slot.channel.set_ready();
    // Half a packet may be out: nothing may follow it.
    if resume(slot, &sending, subscribe).is_err() {
        slot.channel.abort();
    }
    drop(sending);
    if !first {
        slot.counters.reconnections.add(1);
    }
    if let Ok(mut output) = claim_output(slot) {
        print_connected(slot, &mut output);
    }
    if first {
        slot.done.release();
    }
    Ok(())
}

fn print_connected(slot: &Slot, output: &mut Output) {
    let link = slot.link.lock();
    if let (Some(user), Some(target)) = (link.user(), link.target()) {
        let endpoint = Endpoint {
            scheme: user.scheme,
            host: target.host.as_ref(),
            port: target.port,
            path: user.path.as_ref(),
            reconnect: target.reconnect,
        };
        answer::connected(output, slot.index, &endpoint);
    }
}

/// Subscribes again where the broker has forgotten it, then sends again what is in flight.
fn resume(slot: &Slot, sending: &super::Sending, subscribe: bool) -> Result<(), socket::Broken> {
    let deadline = now().after(SILENCE_MS);
    let mut packet = [0; LONGEST_CONTROL];
    let mut index = 0_usize;
    while subscribe && let Some(length) = slot.link.lock().resubscribe(index, &mut packet, now()) {
        sending.send(packet.get(..length).unwrap_or_default(), deadline)?;
        index = index.saturating_add(1);
    }
    loop {
        let step = slot.link.lock().session.resend(now());
        match step {
            Resend::Nothing => return Ok(()),
            Resend::Replies => sending.send_replies()?,
            Resend::Publish(identifier, publication) => {
                let sent = sending.send(publication.packet(), deadline);
                slot.link.lock().session.sent(identifier, publication, sent.is_ok(), now());
                sent?;
            }
        }
    }
}

/// Reads and reacts until the connection ends.
fn serve(slot: &'static Slot, connection: &mut Connection) -> End {
    let mut delivery = Delivery::new(slot.index);
    loop {
        if let Err(end) = step(slot, connection, &mut delivery) {
            if slot.stopping() {
                delivery.hurry();
            }
            return end;
        }
    }
}

fn step(slot: &'static Slot, connection: &mut Connection, delivery: &mut Delivery) -> Result<(), End> {
    process(slot, connection, delivery)?;
    tick(slot, false)?;
    let deadline = slot.link.lock().session.deadline();
    // CLEAN may have come before there was a stream that it could end.
    if slot.stopping() {
        return Err(End::Stopped);
    }
    let wait = deadline.map_or(u32::MAX, left_ms);
    let replied = connection.reply()?;
    let wait = if delivery.is_open() || !replied { wait.min(OPEN_LINE_CHECK_MS) } else { wait };
    if connection.is_closed() {
        return Err(End::SocketClosed);
    }
    let begin = now();
    let readable = connection.wait(wait);
    if delivery.waited(begin.until(now())) {
        return Err(End::Silence(Lost::StalledPacket));
    }
    if slot.stopping() {
        return Err(End::Stopped);
    }
    if readable {
        connection.receive()?;
    }
    if !readable || connection.end == 0 {
        tick(slot, true)?;
    }
    Ok(())
}

/// Lets the session look at the time, and sends what it owes.
fn tick(slot: &'static Slot, idle: bool) -> Result<(), End> {
    slot.link.lock().session.tick(now(), idle).map_err(End::Silence)?;
    slot.flush();
    Ok(())
}

/// Acts on all input that is there.
fn process(slot: &'static Slot, connection: &mut Connection, delivery: &mut Delivery) -> Result<(), End> {
    let mut input = connection.input();
    loop {
        let event = slot.link.lock().session.receive(&mut input, now()).map_err(End::Violation)?;
        match event {
            Some(event) => act(slot, event, delivery)?,
            None if input.is_empty() => break,
            None => send_replies_now(slot)?,
        }
    }
    connection.start = 0;
    connection.end = 0;
    slot.flush();
    Ok(())
}

/// The queue of acknowledgements is full: reading pauses until they are sent.
fn send_replies_now(slot: &'static Slot) -> Result<(), End> {
    let sending = slot.claim_sending(now().after(SILENCE_MS)).ok_or(End::Closed)?;
    sending.send_replies().map_err(|_| End::Closed)
}

fn act(slot: &'static Slot, event: Event<'_, Bytes>, delivery: &mut Delivery) -> Result<(), End> {
    let reply = match event {
        Event::Connected { .. } | Event::Refused(_) => return Err(End::Violation(Violation::Unexpected)),
        Event::Message(head) => return claimed(slot, |claim| delivery.begin(head, claim)),
        Event::Payload(piece) => {
            for part in piece.chunks(PRINT_BYTES) {
                delivery.payload(part);
                tick(slot, false)?;
                if slot.stopping() {
                    return Err(End::Stopped);
                }
            }
            return Ok(());
        }
        Event::MessageEnd => {
            slot.counters.messages_received.add(1);
            return claimed(slot, |claim| delivery.end(claim));
        }
        // Its topic name could forge a line.
        Event::Withheld => {
            slot.counters.messages_received.add(1);
            return Ok(());
        }
        Event::Published(identifier) => (identifier, Reply::Published),
        Event::Subscribed(identifier, granted) => {
            slot.link.lock().subscriptions.resubscribed(identifier, granted);
            (identifier, Reply::Subscribed(granted))
        }
        Event::Unsubscribed(identifier) => (identifier, Reply::Unsubscribed),
    };
    let waits = slot.link.lock().conclude(reply.0, reply.1);
    if waits {
        slot.done.release();
    }
    Ok(())
}

/// Runs a step of a delivery that may need the right to print; why it could not be had ends the connection.
fn claimed(
    slot: &'static Slot,
    step: impl FnOnce(&mut dyn FnMut() -> Option<Output>) -> Option<()>,
) -> Result<(), End> {
    let mut end = End::Closed;
    let mut claim = || match claim_output(slot) {
        Ok(output) => Some(output),
        Err(why) => {
            end = why;
            None
        }
    };
    step(&mut claim).ok_or(end)
}

/// Waits for the right to print without neglecting the keep alive. The broker's silence is not judged meanwhile: what
/// it has sent waits unread.
fn claim_output(slot: &'static Slot) -> Result<Output, End> {
    loop {
        let deadline = slot.link.lock().session.deadline();
        let wait = deadline.map_or(OUTPUT_CHECK_MS, |deadline| now().until(deadline)).clamp(1, OUTPUT_CHECK_MS);
        if let Some(output) = Output::claim_for(slot.index, wait as u32, is_urgent(slot)) {
            return Ok(output);
        }
        if slot.stopping() {
            return Err(End::Stopped);
        }
        tick(slot, false)?;
    }
}

/// Whether a command waits for this link's task: then a line of another link that the network starves is in its way.
fn is_urgent(slot: &Slot) -> bool {
    slot.stopping() || slot.link.lock().is_awaited()
}

/// Ends a connection that stood, tells whom it concerns, and gives the socket back.
fn close(slot: &'static Slot, connection: Connection, end: End) {
    match end {
        _ if slot.stopping() => {}
        End::SocketClosed => slot.channel.close(),
        _ => slot.channel.abort(),
    }
    // Whoever is sending fails now and gives way.
    let sending = loop {
        if let Some(sending) = slot.claim_sending(now().after(SILENCE_MS)) {
            break sending;
        }
    };
    drop(connection);
    drop(sending);
    let waits = slot.link.lock().connection_lost();
    if slot.stopping() {
        return;
    }
    report::connection_lost(slot.index, end_text(end));
    if waits {
        slot.done.release();
    }
    let mut output = loop {
        if let Some(output) = Output::claim_for(slot.index, OUTPUT_CHECK_MS as u32, is_urgent(slot)) {
            break output;
        }
        // Another link may print for longer than CLEAN waits.
        if slot.stopping() {
            return;
        }
    };
    answer::disconnected(&mut output, slot.index);
}

const fn end_text(end: End) -> &'static str {
    match end {
        End::Stopped => "ended by CLEAN",
        End::Closed => "closed by the peer or the network",
        End::SocketClosed => "WebSocket closed by the server",
        End::Framing(violation) => websocket::text(violation),
        End::Violation(violation) => violation_text(violation),
        End::Silence(Lost::NoPingResponse) => "no PINGRESP",
        End::Silence(Lost::StalledPacket) => "a packet stalled",
    }
}

const fn violation_text(violation: Violation) -> &'static str {
    match violation {
        Violation::Header => "packet type or flags",
        Violation::Length => "remaining length",
        Violation::Unexpected => "packet out of turn",
        Violation::Topic => "topic name",
        Violation::Value => "packet identifier or return code",
        Violation::TooManyUnreleased => "too many unreleased QoS 2 messages",
        Violation::NoMemory => "no memory for a topic name",
    }
}
