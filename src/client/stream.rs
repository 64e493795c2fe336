//! A message at QoS 0 that goes to the network as it is typed (AT contract §3, "PUBRAW length").
//!
//! It needs no memory for the message: one piece at a time is taken from the port and sent, and the next is taken when the
//! network has room for it. The right to send is held from the first piece to the last, for nothing may come between them.
//! If the connection is lost meanwhile, the rest is taken and dropped; if the host gives up, the packet cannot be ended
//! any more, and the connection is.

use super::LinkRuntime;
use super::answer::end_prompt;
use super::output::Output;
use super::port::{DataPhase, EndedEarly};
use super::sending::{SendGuard, SendRight};
use crate::sdk::clock::now;
use crate::sdk::heap::Bytes;
use w800_mqtt_core::at::{Code, answer};
use w800_mqtt_core::bytes::Buffer;
use w800_mqtt_core::mqtt::publication::publish_header;
use w800_mqtt_core::mqtt::session::SILENCE_MS;

/// Bytes that are taken from the port at once.
const PIECE_BYTES: usize = 1024;

/// The longest topic (§3 of the contract), and what else a packet has before its payload.
const HEADER_BYTES: usize = 128 + 7;

/// Takes a payload of `length` bytes from the host and sends it as it comes.
///
/// # Errors
/// Before the prompt: 0x604c when a packet cannot carry so much, 0x6005 without memory for a piece, 0x6051 without a
/// connection. The result is what came after the prompt: 0x600c when the connection was lost, 0x604d when the host gave
/// up.
pub fn publish(
    runtime: &'static LinkRuntime,
    topic: &[u8],
    length: usize,
    retain: bool,
    prompted: &mut Option<Output>,
) -> Result<Result<(), Code>, Code> {
    let mut header = [0; HEADER_BYTES];
    let header_length =
        publish_header(topic, length, retain, &mut header).map_err(|_| Code::PublishLengthValueIsWrong)?;
    let header = header.get(..header_length).unwrap_or_default();
    let mut piece = Bytes::allocate(PIECE_BYTES).ok_or(Code::MallocFailed)?;
    let right = SendRight::claim(runtime, now().after(SILENCE_MS)).ok_or(Code::ClientPublishFailed)?;
    let mut sending = Some(right.on_established()?);
    let output = prompted.insert(Output::claim());
    let mut phase = DataPhase::begin(length);
    answer::prompt(output);
    let mut begun = false;
    let taken = send_all(runtime, &mut sending, header, &mut phase, piece.as_mut(), &mut begun);
    drop(phase);
    let sent = sending.is_some();
    if taken.is_err() && begun {
        runtime.break_connection();
    }
    drop(sending);
    super::output::await_answer();
    end_prompt(prompted);
    Ok(match taken {
        Err(EndedEarly) => Err(Code::RecvLengthIsWrong),
        Ok(()) if sent => {
            runtime.counters.messages_sent.add(1);
            Ok(())
        }
        Ok(()) => Err(Code::ClientPublishFailed),
    })
}

/// Sends `header` and the payload after it, when the first of it has come: then it has `begun`. `sending` is given up where
/// the connection is of no use any more; the rest of the payload is taken all the same.
fn send_all(
    runtime: &LinkRuntime,
    sending: &mut Option<SendGuard>,
    header: &[u8],
    phase: &mut DataPhase,
    piece: &mut [u8],
    begun: &mut bool,
) -> Result<(), EndedEarly> {
    loop {
        let count = phase.receive(piece)?;
        if count == 0 {
            return Ok(());
        }
        let payload = piece.get(..count).unwrap_or_default();
        if !core::mem::replace(begun, true) {
            send(runtime, sending, header);
        }
        send(runtime, sending, payload);
    }
}

fn send(runtime: &LinkRuntime, sending: &mut Option<SendGuard>, bytes: &[u8]) {
    runtime.link.lock().session.sent_unconfirmed(now());
    let broken = sending.as_ref().is_some_and(|guard| guard.send(bytes, now().after(SILENCE_MS)).is_err());
    if broken {
        *sending = None;
    }
}
