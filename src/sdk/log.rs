//! The SDK's log. What is logged names reasons and numbers, never a password, a key or a payload.

use super::bindings;

/// Bytes of one log line at most; the rest is cut.
const LONGEST: usize = 120;

/// Logs a warning made of `parts`.
pub fn warn(parts: &[&str]) {
    line(bindings::WM_LOG_LEVEL_WARN, parts);
}

/// Logs an error made of `parts`.
pub fn error(parts: &[&str]) {
    line(bindings::WM_LOG_LEVEL_ERROR, parts);
}

fn line(level: bindings::wm_log_level_t, parts: &[&str]) {
    let mut text = [0_u8; LONGEST];
    // The last byte stays 0.
    let room = text.iter_mut().take(LONGEST.saturating_sub(1));
    for (to, from) in room.zip(parts.iter().flat_map(|part| part.bytes()).filter(|byte| *byte != 0)) {
        *to = from;
    }
    // SAFETY: tag, format and text are NUL-terminated and outlive the call; the format takes one string.
    unsafe { bindings::wm_log_printf(level, c"mqtt".as_ptr(), c"[mqtt] %s\r\n".as_ptr(), text.as_ptr()) };
}
