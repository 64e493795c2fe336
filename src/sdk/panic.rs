//! The last resort: a panic is a defect of this library. It is logged with file and line, and the chip is reset.

use super::{bindings, clock, log};
use core::panic::PanicInfo;
use w800_mqtt_core::digits::{DECIMAL_MAX, decimal_text};

/// How long the log gets to leave the chip, in milliseconds.
const LOG_DRAIN_MS: u32 = 100;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (file, line) = info.location().map_or(("?", 0), |location| (location.file(), location.line()));
    log::error(&["panic at ", file, ":", decimal_text(line, &mut [0; DECIMAL_MAX])]);
    clock::delay_ms(LOG_DRAIN_MS);
    // SAFETY: no requirements.
    unsafe { bindings::wm_system_reboot() };
    loop {
        clock::delay_ms(LOG_DRAIN_MS);
    }
}
