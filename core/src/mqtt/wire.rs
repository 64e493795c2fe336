//! What every packet made here needs: the remaining length field, parts put one after the other, why there is none.
//!
//! `mqttrs` encodes CONNECT, whose flags are the delicate part. The packets with one filter or one packet identifier
//! are written here: `mqttrs` keeps room for five filters of 256 bytes in each request, 1.3 KiB of a task's stack.

/// Why a packet could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotMade {
    /// No memory for it.
    NoMemory,
    /// It does not fit its packet type.
    TooLong,
    /// As much is in flight as there may be.
    Full,
}

/// The remaining length field and how many of its bytes count (MQTT 3.1.1 §2.2.3). `value` is at most 268,435,455.
pub(super) fn remaining_length(mut value: usize) -> ([u8; 4], usize) {
    let mut field = [0; 4];
    let mut used = 0_usize;
    for byte in &mut field {
        let low = (value & 0x7F) as u8;
        value >>= 7;
        used = used.saturating_add(1);
        *byte = if value > 0 { low | 0x80 } else { low };
        if value == 0 {
            break;
        }
    }
    (field, used)
}

/// Writes `parts` to the front of `into`: how many bytes, or `None` when they do not fit.
pub(super) fn write(into: &mut [u8], parts: &[&[u8]]) -> Option<usize> {
    let mut end = 0_usize;
    for part in parts {
        let start = end;
        end = start.checked_add(part.len())?;
        into.get_mut(start..end)?.copy_from_slice(part);
    }
    Some(end)
}
