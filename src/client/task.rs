//! The link's own task: connects, reads, keeps alive, reconnects (AT contract §5).
//!
//! CONN starts it; it is over when the first connection failed, when a connection was lost that shall not be made
//! again, or when CLEAN asks for it. It never waits without a bound, and it never polls but while lwIP connects.

use super::delivery::Delivery;
use super::output::Output;
use super::{Slot, report, slots};
use crate::at::answer::{self, Endpoint};
use crate::at::code::Code;
use crate::bytes::Buffer;
use crate::link::Reply;
use crate::mqtt::backoff;
use crate::mqtt::decoder::Violation;
use crate::mqtt::session::{Event, LONGEST_CONTROL, Lost, Resend, SILENCE_MS};
use crate::net::tcp::{self, Attempt};
use crate::net::{Failure, Stage};
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;
use crate::sdk::log;
use crate::sdk::socket::{self, Interest, Socket};
use crate::sdk::task::Body;
use crate::time::Instant;

/// The task's stack in bytes, as the vendor's own MQTT client has it.
pub const STACK_BYTES: u32 = 8192;

/// How long CONN waits, after its time, for the line that belongs to a connection made in the last moment.
pub const PRINT_GRACE_MS: u32 = 5_000;

/// Bytes received at once. The buffer lies on the task's stack, more than once while a connection is made.
const RECEIVE_BYTES: usize = 512;

/// Payload bytes printed between two looks at the keep alive: a slow port must not make the shortest one late.
const PRINT_BYTES: usize = 256;

/// How often a task that waits for the rest of a message looks whether a command waits for the port, in milliseconds.
const OPEN_LINE_CHECK_MS: u32 = 500;

/// The longest wait for the right to print before the keep alive is looked at again, in milliseconds.
const OUTPUT_CHECK_MS: u64 = 1_000;

/// How often an attempt looks whether it is to be given up, in milliseconds: as in [`tcp`], nothing but the task itself
/// can end a connection that does not stand yet.
const GIVE_UP_CHECK_MS: u32 = 200;

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
    Violation(Violation),
    Silence(Lost),
}

/// A connection and what of its input is not used yet.
struct Connection {
    socket: Socket,
    buffer: [u8; RECEIVE_BYTES],
    start: usize,
    end: usize,
}

fn live(slot: &'static Slot) {
    let mut connection = match connect(slot, true) {
        Ok(connection) => connection,
        Err(failure) => return first_failed(slot, failure),
    };
    loop {
        let end = serve(slot, &mut connection);
        close(slot, connection, end);
        if slot.stopping() || !slot.link.lock().reconnects() {
            return;
        }
        match reconnect(slot) {
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
        link.conclude_connection(Reply::NotConnected(Code::ClientStartFailed))
    };
    if waits {
        slot.done.release();
    }
}

/// Tries again with growing pauses until there is a connection or CLEAN asks to stop.
fn reconnect(slot: &'static Slot) -> Option<Connection> {
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
        match connect(slot, false) {
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

/// One attempt: name, TCP, CONNECT, CONNACK; then everything that a session resumes with.
fn connect(slot: &'static Slot, first: bool) -> Result<Connection, Failure> {
    let mqtt = Failure::at(Stage::Connack);
    let (host, port, timeout_ms) = {
        let link = slot.link.lock();
        let target = link.target().ok_or(mqtt)?;
        (Bytes::copy_of(target.host.as_ref()).ok_or(mqtt)?, target.port, target.timeout_ms)
    };
    let deadline = now().after(u64::from(timeout_ms));
    let given_up = || slot.stopping();
    let lookup = slot.lookup().map_err(|_| Failure::at(Stage::Dns))?;
    let attempt = Attempt { deadline, lookup, given_up: &given_up };
    let socket = tcp::connect(host.as_ref(), port, &attempt)?;
    drop(host);
    let mut connection = Connection { socket, buffer: [0; RECEIVE_BYTES], start: 0, end: 0 };
    send_connect(slot, &connection, deadline)?;
    let session_present = await_connack(slot, &mut connection, deadline)?;
    established(slot, &connection, first, session_present)?;
    Ok(connection)
}

fn send_connect(slot: &Slot, connection: &Connection, deadline: Instant) -> Result<(), Failure> {
    let failure = Failure::at(Stage::Connack);
    let made = slot.link.lock().connect_packet(now());
    let (packet, length) = made.map_err(|_| failure)?;
    let bytes = packet.as_ref().get(..length).ok_or(failure)?;
    connection.socket.stream().send_all(bytes, deadline).map_err(|broken| Failure { detail: broken.0, ..failure })
}

fn await_connack(slot: &Slot, connection: &mut Connection, deadline: Instant) -> Result<bool, Failure> {
    let failure = Failure::at(Stage::Connack);
    loop {
        let left = left_ms(deadline);
        if left == 0 || slot.stopping() {
            return Err(failure);
        }
        if !connection.socket.wait(Interest::Readable, left.min(GIVE_UP_CHECK_MS)) {
            continue;
        }
        connection.end = connection.socket.receive(&mut connection.buffer).map_err(|_| failure)?;
        let mut input = connection.buffer.get(..connection.end).unwrap_or_default();
        let event = slot.link.lock().session.receive(&mut input, now());
        connection.start = connection.end.saturating_sub(input.len());
        match event {
            Ok(None) => {}
            Ok(Some(Event::Connected { session_present })) => return Ok(session_present),
            Ok(Some(Event::Refused(code))) => return Err(Failure { detail: i32::from(code), ..failure }),
            Ok(Some(_)) => return Err(failure),
            Err(violation) => {
                log::warn(&["broker broke the protocol: ", violation_text(violation)]);
                return Err(failure);
            }
        }
    }
}

/// Makes the connection the link's, resumes the session on it and tells the host.
fn established(
    slot: &'static Slot,
    connection: &Connection,
    first: bool,
    session_present: bool,
) -> Result<(), Failure> {
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
    sending.set_stream(Some(connection.socket.stream()));
    // Half a packet may be out: nothing may follow it.
    if resume(slot, &sending, subscribe).is_err() {
        connection.socket.stream().abort();
    }
    drop(sending);
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
    let wait = if delivery.is_open() { wait.min(OPEN_LINE_CHECK_MS) } else { wait };
    let readable = connection.socket.wait(Interest::Readable, wait);
    if !readable && delivery.is_starved() {
        return Err(End::Silence(Lost::StalledPacket));
    }
    if slot.stopping() {
        return Err(End::Stopped);
    }
    if readable {
        connection.end = connection.socket.receive(&mut connection.buffer).map_err(|_| End::Closed)?;
        connection.start = 0;
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
    let mut input = connection.buffer.get(connection.start..connection.end).unwrap_or_default();
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
        Event::MessageEnd => return claimed(slot, |claim| delivery.end(claim)),
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
        if let Some(output) = Output::claim_within(wait as u32) {
            return Ok(output);
        }
        if slot.stopping() {
            return Err(End::Stopped);
        }
        tick(slot, false)?;
    }
}

/// Ends a connection that stood, tells whom it concerns, and gives the socket back.
fn close(slot: &'static Slot, connection: Connection, end: End) {
    if !slot.stopping() {
        connection.socket.stream().abort();
    }
    // Whoever is sending fails now and gives way.
    while slot.claim_sending(now().after(SILENCE_MS)).map(|sending| sending.set_stream(None)).is_none() {}
    drop(connection);
    let waits = slot.link.lock().connection_lost();
    if slot.stopping() {
        return;
    }
    report::connection_lost(slot.index, end_text(end));
    if waits {
        slot.done.release();
    }
    let mut output = Output::claim();
    answer::disconnected(&mut output, slot.index);
}

const fn end_text(end: End) -> &'static str {
    match end {
        End::Stopped => "ended by CLEAN",
        End::Closed => "closed by the peer or the network",
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
