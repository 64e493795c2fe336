//! The link's own task: connects, reads, keeps alive, reconnects (AT contract §5).
//!
//! CONN starts it; it is over when the first connection failed, when a connection was lost that shall not be made
//! again, or when CLEAN asks for it. It never waits without a bound, and it never polls but while lwIP connects.

use super::connection::{Connection, connect};
use super::end::End;
use super::output::{self, Output};
use super::queries::{endpoint, print_of};
use super::sending::{Patience, SendGuard, SendRight, flush};
use super::{LinkRuntime, report, runtimes};
use crate::net::channel::Open;
use crate::net::security::Resumption;
use crate::options::{ADDITIONS, TASK_STACK};
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;
use crate::sdk::socket::{self, Broken};
use crate::sdk::task::Body;
use w800_mqtt_core::at::answer;
use w800_mqtt_core::link::Reply;
use w800_mqtt_core::link::config::Transport;
use w800_mqtt_core::link::delivery::{self, Printer};
use w800_mqtt_core::mqtt::backoff::Backoff;
use w800_mqtt_core::mqtt::decoder::Violation;
use w800_mqtt_core::mqtt::session::{Event, LONGEST_CONTROL, Loss, Lost, Resend, SILENCE_MS};
use w800_mqtt_core::report::{Failure, Report, Stage};
use w800_mqtt_core::time::Instant;

/// What the handshake of TLS needs of a stack besides, in bytes.
const TLS_STACK: u32 = 2048;

/// The task's stack in bytes.
pub const fn stack_bytes(transport: Transport) -> u32 {
    if transport.tls { TASK_STACK.saturating_add(TLS_STACK) } else { TASK_STACK }
}

/// How long CONN waits, after its time, for the line that belongs to a connection made in the last moment.
pub const PRINT_GRACE_MS: u32 = 5_000;

/// Payload bytes printed between two looks at the clock: a slow port must not make the shortest keep alive late.
const PRINT_BYTES: usize = 256;

/// How much time may pass between two looks at the keep alive, in milliseconds.
const TICK_MS: u64 = 20;

/// How often a task that waits for the rest of a message looks whether a command waits for the port, in milliseconds.
const OPEN_LINE_CHECK_MS: u32 = 500;

/// How often a task that waits for the right to send looks whether CLEAN has come, in milliseconds.
const SENDING_CHECK_MS: u64 = 1_000;

/// How often a task that holds lines back looks whether the answer before them has been printed, in milliseconds.
const HELD_LINE_CHECK_MS: u32 = 10;

/// The longest wait for the right to print before the keep alive is looked at again, in milliseconds.
const OUTPUT_CHECK_MS: u64 = 1_000;

/// How long a broken message may go on being filled, in milliseconds: commands must be answered.
const FILL_MS: u64 = 5_000;

/// The same where CLEAN waits for it.
const HURRIED_FILL_MS: u64 = 1_000;

/// The message that is coming in on a link.
type Delivery = delivery::Delivery<Output, Bytes>;

/// The task of a link.
#[derive(Debug)]
pub struct LinkTask;

impl Body for LinkTask {
    fn run(index: usize) {
        if let Some(runtime) = runtimes().get(index) {
            if socket::welcome_this_task() {
                run_link(runtime);
                socket::forget_this_task();
            } else {
                let failure = Failure::no_memory(Stage::Tcp);
                report::failed(runtime.index, Report::no_connection(failure));
                first_failed(runtime, failure);
            }
            runtime.ended.release();
        }
    }
}

fn run_link(runtime: &'static LinkRuntime) {
    let mut resumption = Resumption::default();
    let mut connection = match begin(runtime, true, &mut resumption) {
        Ok(connection) => connection,
        Err(failure) => return first_failed(runtime, failure),
    };
    let mut backoff = Backoff::new();
    loop {
        let mut delivery = Delivery::new(runtime.index);
        let begin = now();
        let end = serve(runtime, &mut connection, &mut delivery);
        let stood_ms = begin.until(now());
        let reconnects = runtime.link.lock().reconnects();
        resumption = if reconnects { runtime.channel.resumption() } else { Resumption::default() };
        close(runtime, connection, end, &mut delivery);
        if runtime.stopping() || !reconnects {
            return;
        }
        let pause_ms = backoff.stood(stood_ms, random(runtime));
        match reconnect(runtime, &mut resumption, &mut backoff, pause_ms) {
            Some(next) => connection = next,
            None => return,
        }
    }
}

/// Connects and makes the connection the link's. A failure is reported.
fn begin(runtime: &'static LinkRuntime, first: bool, resumption: &mut Resumption) -> Result<Connection, Failure> {
    let begun = connect(runtime, resumption).and_then(|(connection, session_present)| {
        established(runtime, connection.open(), first, session_present).map(|()| connection)
    });
    begun.inspect_err(|failure| report::failed(runtime.index, Report::no_connection(*failure)))
}

fn first_failed(runtime: &LinkRuntime, failure: Failure) {
    let waits = {
        let mut link = runtime.link.lock();
        link.connection_failed();
        link.conclude_connection(Reply::NotConnected(failure.code))
    };
    if waits {
        runtime.done.release();
    }
}

/// Tries again with growing pauses, `pause_ms` before the first attempt, until there is a connection or CLEAN asks to stop.
fn reconnect(
    runtime: &'static LinkRuntime,
    resumption: &mut Resumption,
    backoff: &mut Backoff,
    mut pause_ms: u32,
) -> Option<Connection> {
    while !runtime.stopping() {
        let wake = &runtime.lookup().ok()?.wake;
        // A lookup that was answered at once has left its signal. CLEAN asks first and signals then.
        wake.drain();
        if runtime.stopping() {
            return None;
        }
        wake.acquire(pause_ms);
        if runtime.stopping() {
            return None;
        }
        if let Ok(connection) = begin(runtime, false, resumption) {
            return Some(connection);
        }
        pause_ms = backoff.failed(random(runtime));
    }
    None
}

/// A number that differs between devices (client identifier) and between attempts (time). It spreads reconnections;
/// nothing secret depends on it.
fn random(runtime: &LinkRuntime) -> u32 {
    let time = Instant::default().until(now()) as u32;
    let link = runtime.link.lock();
    let name = link.user().map_or(&[][..], |user| user.client_id.as_ref());
    let seeded = name.iter().fold(time ^ 0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    (seeded ^ (seeded >> 15)).wrapping_mul(0x2C1B_3C6D) >> 8
}

/// CONNACK has come: makes the connection the link's, resumes the session on it and tells the host.
#[inline(never)]
fn established(runtime: &'static LinkRuntime, open: Open, first: bool, session_present: bool) -> Result<(), Failure> {
    let failure = Failure::at(Stage::Connack);
    let right = SendRight::claim(runtime, now().after(SILENCE_MS)).ok_or(failure)?;
    let subscribe = {
        let mut link = runtime.link.lock();
        if first && !link.conclude_connection(Reply::Connected) {
            return Err(failure);
        }
        link.established();
        link.must_subscribe_again(session_present)
    };
    let sending = right.on(open);
    // Where it fails, the connection has ended.
    let _ = resume(runtime, &sending, subscribe);
    drop(sending);
    if !first {
        runtime.counters.reconnections.add(1);
    }
    if let Ok(mut output) = claim_output(runtime) {
        print_connected(runtime, &mut output);
    }
    if first {
        runtime.done.release();
    }
    Ok(())
}

#[inline(never)]
fn print_connected(runtime: &LinkRuntime, output: &mut Output) {
    print_of(output, runtime, &|link, sink| answer::connected(sink, runtime.index, &endpoint(link)));
}

/// Subscribes again where the broker has forgotten it, then sends again what is in flight.
fn resume(runtime: &LinkRuntime, sending: &SendGuard, subscribe: bool) -> Result<(), Broken> {
    let deadline = now().after(SILENCE_MS);
    if subscribe {
        subscribe_again(runtime, sending, deadline)?;
    }
    send_again(runtime, sending, deadline)
}

/// Sends again what of the publications in flight may be sent now.
fn send_again(runtime: &LinkRuntime, sending: &SendGuard, deadline: Instant) -> Result<(), Broken> {
    loop {
        let step = runtime.link.lock().session.resend(now());
        match step {
            Resend::Nothing => return Ok(()),
            Resend::Replies => sending.send_owed()?,
            Resend::Publish(identifier, publication) => {
                let sent = sending.send(publication.packet(), deadline);
                runtime.link.lock().session.sent(identifier, publication, sent.is_ok(), now());
                sent?;
            }
        }
    }
}

fn subscribe_again(runtime: &LinkRuntime, sending: &SendGuard, deadline: Instant) -> Result<(), Broken> {
    let mut packet = [0; LONGEST_CONTROL];
    let mut index = 0_usize;
    loop {
        // In a statement of its own: the lock must be free again when the packet is sent.
        let length = runtime.link.lock().resubscribe(index, &mut packet, now());
        let Some(subscription) = length.and_then(|length| packet.get(..length)) else { return Ok(()) };
        sending.send(subscription, deadline)?;
        index = index.saturating_add(1);
    }
}

/// Reads and reacts until the connection ends.
fn serve(runtime: &'static LinkRuntime, connection: &mut Connection, delivery: &mut Delivery) -> End {
    loop {
        if let Err(end) = step(runtime, connection, delivery) {
            let deadline = now().after(if runtime.stopping() { HURRIED_FILL_MS } else { FILL_MS });
            while left_ms(deadline) > 0 && delivery.fill() {}
            delivery.break_off(ADDITIONS);
            return named(runtime, end);
        }
    }
}

/// Who sends may have noticed the end first, and why.
fn named(runtime: &LinkRuntime, end: End) -> End {
    match end {
        End::Closed(_) if runtime.channel.is_ended_by_blocking() => End::Blocked,
        _ => end,
    }
}

/// With an open line nothing waits for the network but its next bytes.
const fn patience(delivery: &Delivery) -> Patience {
    if delivery.is_open() { Patience::PortInHand } else { Patience::UntilSilence }
}

fn step(runtime: &'static LinkRuntime, connection: &mut Connection, delivery: &mut Delivery) -> Result<(), End> {
    process(runtime, connection, delivery)?;
    tick(runtime, false, patience(delivery))?;
    let replied = connection.reply(patience(delivery))?;
    let resent = !delivery.is_open() && resend_due(runtime)?;
    let deadline = runtime.link.lock().session.deadline();
    // CLEAN may have come before there was a stream that it could end.
    if runtime.stopping() {
        return Err(End::Stopped);
    }
    let wait = deadline.map_or(u32::MAX, left_ms);
    let wait = if delivery.is_open() || !replied || !resent { wait.min(OPEN_LINE_CHECK_MS) } else { wait };
    let wait = if print_held(runtime, delivery)? { wait } else { wait.min(HELD_LINE_CHECK_MS) };
    if connection.is_closed() {
        return Err(End::WebSocketClosed);
    }
    let begin = now();
    let readable = connection.wait(wait);
    if delivery.waited(begin.until(now()), Output::is_wanted()) {
        return Err(End::Silence(Lost::StalledPacket));
    }
    if runtime.stopping() {
        return Err(End::Stopped);
    }
    let received = readable && connection.receive()?;
    if !received {
        tick(runtime, true, patience(delivery))?;
    }
    Ok(())
}

/// Prints the lines that are held, unless the answer that they wait for is still awaited: then `false`.
fn print_held(runtime: &LinkRuntime, delivery: &mut Delivery) -> Result<bool, End> {
    if !delivery.holds() {
        return Ok(true);
    }
    if output::is_answer_awaited() {
        return Ok(false);
    }
    delivery.print_held(&mut claim_output(runtime)?);
    Ok(true)
}

/// Lets the session look at the time, and sends what it owes.
fn tick(runtime: &LinkRuntime, idle: bool, patience: Patience) -> Result<(), End> {
    runtime.link.lock().session.tick(now(), idle).map_err(End::Silence)?;
    flush(runtime, patience);
    Ok(())
}

/// Acts on all input that is there.
fn process(runtime: &'static LinkRuntime, connection: &mut Connection, delivery: &mut Delivery) -> Result<(), End> {
    let mut input = connection.input();
    loop {
        let event = runtime.link.lock().session.receive(&mut input, now()).map_err(End::Violation)?;
        match event {
            Some(event) => act(runtime, event, delivery)?,
            None if input.is_empty() => break,
            None => send_owed_now(runtime, connection.open(), delivery)?,
        }
    }
    connection.use_up();
    flush(runtime, patience(delivery));
    Ok(())
}

/// Sends again what has become due of what is in flight: an acknowledgement has come, or time has passed. `false` when
/// another task is sending: it must be tried again.
fn resend_due(runtime: &'static LinkRuntime) -> Result<bool, End> {
    if !runtime.link.lock().session.has_resend(now()) {
        return Ok(true);
    }
    let Some(right) = SendRight::claim(runtime, now()) else { return Ok(false) };
    let sending = right.on_established().map_err(|_| End::Closed(Broken::Failed(0)))?;
    send_again(runtime, &sending, now().after(SILENCE_MS)).map(|()| true).map_err(End::Closed)
}

/// The queue of acknowledgements is full: reading pauses until they are sent. That may take as long as a host types a
/// message that is sent meanwhile; with an open line, no longer than a command may wait for it.
fn send_owed_now(runtime: &'static LinkRuntime, open: Open, delivery: &mut Delivery) -> Result<(), End> {
    let silence = now().after(SILENCE_MS);
    loop {
        let begin = now();
        let may_send = !delivery.is_open() || open.has_room(OPEN_LINE_CHECK_MS);
        if may_send && let Some(right) = SendRight::claim(runtime, begin.after(SENDING_CHECK_MS)) {
            return right.with(patience(delivery)).on(open).send_owed().map_err(End::Closed);
        }
        if runtime.stopping() {
            return Err(End::Stopped);
        }
        let starved = delivery.waited(begin.until(now()), Output::is_wanted());
        if starved || (!may_send && left_ms(silence) == 0) {
            return Err(End::Blocked);
        }
    }
}

fn act(runtime: &'static LinkRuntime, event: Event<'_, Bytes>, delivery: &mut Delivery) -> Result<(), End> {
    let (identifier, reply) = match event {
        Event::Connected { .. } | Event::Refused(_) => return Err(End::Violation(Violation::Unexpected)),
        Event::Message(head) => return delivery.begin(head, || claim_output(runtime)),
        Event::Payload(piece) => return print_payload(runtime, piece, delivery),
        Event::MessageEnd => {
            runtime.counters.messages_received.add(1);
            return delivery.end(output::is_answer_awaited(), || claim_output(runtime));
        }
        // Its topic name could forge a line.
        Event::Withheld => {
            runtime.counters.messages_received.add(1);
            report::failed(runtime.index, Report::message_withheld());
            return Ok(());
        }
        Event::Published(identifier) => (identifier, Reply::Published),
        Event::Subscribed(identifier, granted) => {
            let refused = runtime.link.lock().subscriptions.resubscribed(identifier, granted);
            if refused {
                report::failed(runtime.index, Report::subscription_refused());
            }
            (identifier, Reply::Subscribed(granted))
        }
        Event::Unsubscribed(identifier) => (identifier, Reply::Unsubscribed),
    };
    let waits = runtime.link.lock().conclude(identifier, reply);
    if waits {
        runtime.done.release();
    }
    Ok(())
}

fn print_payload(runtime: &LinkRuntime, piece: &[u8], delivery: &mut Delivery) -> Result<(), End> {
    // What is gathered is printed by nobody yet.
    if !delivery.is_open() {
        delivery.payload(piece);
        return Ok(());
    }
    let mut ticked = now();
    for part in piece.chunks(PRINT_BYTES) {
        delivery.payload(part);
        let now = now();
        if ticked.until(now) >= TICK_MS {
            ticked = now;
            tick(runtime, false, patience(delivery))?;
        }
        if runtime.stopping() {
            return Err(End::Stopped);
        }
    }
    Ok(())
}

/// Waits for the right to print without neglecting the keep alive. The broker's silence is not judged meanwhile: what
/// it has sent waits unread.
fn claim_output(runtime: &LinkRuntime) -> Result<Output, End> {
    Output::claim_for(runtime.index, 0, false).map_or_else(|| await_output(runtime), Ok)
}

#[cold]
#[inline(never)]
fn await_output(runtime: &LinkRuntime) -> Result<Output, End> {
    loop {
        let deadline = runtime.link.lock().session.deadline();
        let wait = deadline.map_or(OUTPUT_CHECK_MS, |deadline| now().until(deadline)).clamp(1, OUTPUT_CHECK_MS);
        if let Some(output) = Output::claim_for(runtime.index, wait as u32, is_urgent(runtime)) {
            return Ok(output);
        }
        if runtime.stopping() {
            return Err(End::Stopped);
        }
        tick(runtime, false, Patience::UntilSilence)?;
    }
}

/// Whether a command waits for this link's task: then a line of another link that the network starves is in its way.
fn is_urgent(runtime: &LinkRuntime) -> bool {
    runtime.stopping() || runtime.link.lock().is_awaited()
}

/// Ends a connection that stood, tells whom it concerns, and gives the socket back.
fn close(runtime: &'static LinkRuntime, connection: Connection, end: End, delivery: &mut Delivery) {
    let loss = loss(runtime, end);
    match end {
        _ if runtime.stopping() => {}
        End::WebSocketClosed => runtime.channel.close(),
        _ => runtime.break_connection(),
    }
    // Whoever is sending fails now and gives way.
    let right = loop {
        if let Some(right) = SendRight::claim(runtime, now().after(SILENCE_MS)) {
            break right;
        }
    };
    // Before the right goes on: who has it next must not find an established connection without a socket.
    let consequence = runtime.link.lock().connection_lost(loss, now());
    drop(connection);
    drop(right);
    if runtime.stopping() {
        return;
    }
    report::failed(runtime.index, Report::connection_lost(end.text()));
    if let Some(identifier) = consequence.dropped {
        report::failed(runtime.index, Report::publication_refused(identifier.get()));
    }
    if consequence.wakes {
        runtime.done.release();
    }
    print_end(runtime, delivery);
}

/// Whether the peer has closed the connection. Who sends may have noticed it first, and ended it for that.
fn loss(runtime: &LinkRuntime, end: End) -> Loss {
    match end {
        End::WebSocketClosed => Loss::PeerClosed,
        End::Closed(_) if runtime.channel.is_ended_by_peer() => Loss::PeerClosed,
        _ => Loss::Other,
    }
}

/// Prints the lines that are still held, and that the connection is lost.
fn print_end(runtime: &LinkRuntime, delivery: &mut Delivery) {
    loop {
        if let Some(mut output) = Output::claim_for(runtime.index, OUTPUT_CHECK_MS as u32, is_urgent(runtime)) {
            if delivery.print_held(&mut output) {
                output.end_line();
            }
            return answer::disconnected(&mut output, runtime.index);
        }
        // Another link may print for longer than CLEAN waits.
        if runtime.stopping() {
            return;
        }
    }
}
