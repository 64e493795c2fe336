//! From the AT task to the broker and back: send a packet, wait for its answer.

use super::LinkRuntime;
use super::sending::SendRight;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::Reply;
use w800_mqtt_core::mqtt::identifier::PacketIdentifier;
use w800_mqtt_core::mqtt::publication::Publication;
use w800_mqtt_core::mqtt::session::{Begun, LONGEST_CONTROL, NotMade, Session};
use w800_mqtt_core::time::Instant;

/// Publishes, and waits until the message is written (QoS 0), acknowledged (QoS 1) or complete (QoS 2), at most
/// `timeout_ms` milliseconds.
///
/// A publication that is not confirmed in time stays in flight: it goes on being sent until the broker has confirmed
/// it or CLEAN drops it.
///
/// # Errors
/// 0x6051 without a connection, 0x600c when it is not confirmed in time or as much is in flight as there may be.
pub fn publish(
    runtime: &'static LinkRuntime,
    mut publication: Publication<Bytes>,
    timeout_ms: u32,
) -> Result<(), Code> {
    let deadline = now().after(u64::from(timeout_ms));
    let failed = Code::ClientPublishFailed;
    runtime.done.drain();
    let sending = SendRight::claim(runtime, deadline).ok_or(failed)?.on_established()?;
    let begun = {
        let mut link = runtime.link.lock();
        let begun = link.session.publish(&mut publication, now()).map_err(|_| failed)?;
        if let Begun::Send(identifier) | Begun::Wait(identifier) = begun {
            link.await_answer(identifier, true);
        }
        begun
    };
    let waits = matches!(begun, Begun::Wait(_));
    let sent = !waits && sending.send(publication.packet(), deadline).is_ok();
    let kept = begun != Begun::Unconfirmed;
    if let Begun::Send(identifier) | Begun::Wait(identifier) = begun {
        runtime.link.lock().session.sent(identifier, publication, sent, now());
    }
    drop(sending);
    if sent || kept {
        runtime.counters.messages_sent.add(1);
    }
    match (kept, sent) {
        (false, true) => Ok(()),
        (false, false) => Err(failed),
        _ if wait(runtime, deadline) == Some(Reply::Published) => Ok(()),
        _ => Err(failed),
    }
}

/// A request's packet identifier and length.
pub type Made = Result<(PacketIdentifier, usize), NotMade>;

/// Sends a request that `encode` makes (its packet identifier and length) and waits for the broker's answer until
/// `deadline`; `None` when none came.
///
/// # Errors
/// 0x6051 without a connection.
pub fn request(
    runtime: &'static LinkRuntime,
    deadline: Instant,
    encode: &dyn Fn(&mut Session<Bytes>, &mut [u8; LONGEST_CONTROL]) -> Made,
) -> Result<Option<Reply>, Code> {
    runtime.done.drain();
    let Some(right) = SendRight::claim(runtime, deadline) else { return Ok(None) };
    let sending = right.on_established()?;
    let mut packet = [0; LONGEST_CONTROL];
    let length = {
        let mut link = runtime.link.lock();
        let Ok((identifier, length)) = encode(&mut link.session, &mut packet) else { return Ok(None) };
        link.await_answer(identifier, false);
        length
    };
    // Where it fails, the end of the connection is the answer.
    let _ = sending.send(packet.get(..length).unwrap_or_default(), deadline);
    drop(sending);
    Ok(wait(runtime, deadline))
}

/// Waits for the reply to the command that waits on this link; `None` when none came until `deadline`.
pub fn wait(runtime: &LinkRuntime, deadline: Instant) -> Option<Reply> {
    let mut signalled = false;
    let mut reply = None;
    // A signal without a reply belongs to an older command.
    while reply.is_none() {
        signalled = runtime.done.acquire(left_ms(deadline));
        reply = runtime.link.lock().reply(!signalled);
        if !signalled {
            break;
        }
    }
    if reply == Some(Reply::Connected) && !signalled {
        // The link's task prints +MQTTCONNECTED before it signals.
        runtime.done.acquire(super::task::PRINT_GRACE_MS);
    }
    reply
}
