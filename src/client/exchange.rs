//! From the AT task to the broker and back: send a packet, wait for its answer.

use super::Slot;
use crate::sdk::clock::{left_ms, now};
use crate::sdk::heap::Bytes;
use w800_mqtt_core::at::code::Code;
use w800_mqtt_core::link::Reply;
use w800_mqtt_core::link::state::Action;
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
pub fn publish(slot: &'static Slot, mut publication: Publication<Bytes>, timeout_ms: u32) -> Result<(), Code> {
    let deadline = now().after(u64::from(timeout_ms));
    let failed = Code::ClientPublishFailed;
    slot.done.drain();
    let sending = slot.claim_sending(deadline).ok_or(failed)?;
    let begun = {
        let mut link = slot.link.lock();
        link.permit(Action::Use)?;
        let Ok(begun) = link.session.publish(&mut publication, now()) else {
            drop(link);
            drop(sending);
            slot.flush();
            return Err(failed);
        };
        if let Begun::Send(identifier) | Begun::Wait(identifier) = begun {
            link.await_answer(identifier, true);
        }
        begun
    };
    let waits = matches!(begun, Begun::Wait(_));
    let sent = !waits && sending.send(publication.packet(), deadline).is_ok();
    let kept = begun != Begun::Unconfirmed;
    if let Begun::Send(identifier) | Begun::Wait(identifier) = begun {
        slot.link.lock().session.sent(identifier, publication, sent, now());
    }
    if sent || kept {
        slot.counters.messages_sent.add(1);
    }
    if !sent && !waits {
        slot.break_connection();
    }
    drop(sending);
    slot.flush();
    match (kept, sent) {
        (false, true) => Ok(()),
        (false, false) => Err(failed),
        _ if wait(slot, deadline) == Some(Reply::Published) => Ok(()),
        _ => Err(failed),
    }
}

/// Sends a request that `encode` makes (its packet identifier and length) and waits for the broker's answer until
/// `deadline`; `None` when none came.
///
/// # Errors
/// 0x6051 without a connection.
pub fn request(
    slot: &'static Slot,
    deadline: Instant,
    encode: impl FnOnce(&mut Session<Bytes>, &mut [u8; LONGEST_CONTROL]) -> Result<(PacketIdentifier, usize), NotMade>,
) -> Result<Option<Reply>, Code> {
    slot.done.drain();
    let Some(sending) = slot.claim_sending(deadline) else { return Ok(None) };
    let mut packet = [0; LONGEST_CONTROL];
    let length = {
        let mut link = slot.link.lock();
        link.permit(Action::Use)?;
        let Ok((identifier, length)) = encode(&mut link.session, &mut packet) else { return Ok(None) };
        link.await_answer(identifier, false);
        length
    };
    let sent = sending.send(packet.get(..length).unwrap_or_default(), deadline).is_ok();
    if !sent {
        slot.break_connection();
    }
    drop(sending);
    slot.flush();
    Ok(wait(slot, deadline))
}

/// Waits for the reply to the command that waits on this link; `None` when none came until `deadline`.
pub fn wait(slot: &Slot, deadline: Instant) -> Option<Reply> {
    let mut signalled = false;
    let mut reply = None;
    // A signal without a reply belongs to an older command.
    while reply.is_none() {
        signalled = slot.done.acquire(left_ms(deadline));
        reply = slot.link.lock().reply(!signalled);
        if !signalled {
            break;
        }
    }
    if reply == Some(Reply::Connected) && !signalled {
        // The link's task prints +MQTTCONNECTED before it signals.
        slot.done.acquire(super::task::PRINT_GRACE_MS);
    }
    reply
}
