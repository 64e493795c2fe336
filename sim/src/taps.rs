//! What the board tells those who watch it: `wm_sdk/host/tap.h`, with the captured packets and the trace behind it.
//!
//! A watcher is told in the board's own threads, some of them inside its locks: it neither waits nor calls the board.
//! A restart of the board executes this program anew, which finds in its environment where the files were left.
#![expect(unsafe_code, reason = "the board is C")]

use std::error::Error;
use std::ffi::c_void;
use std::path::Path;
use std::sync::OnceLock;

use crate::capture::Capture;
use crate::trace::{self, Serial};

/// Set for a program that a restart executes.
const RESTARTED: &str = "W800_SIM_RESTARTED";

static CAPTURE: OnceLock<Capture> = OnceLock::new();

/// `enum tap_serial`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "C makes them")]
enum What {
    Line,
    LineDropped,
    DataComes,
    DataTaken,
    DataEnd,
    Printed,
}

#[repr(C)]
struct Taps {
    frame: Option<extern "C" fn(bool, *const c_void, usize)>,
    serial: Option<extern "C" fn(What, *const c_void, usize)>,
    heap: Option<extern "C" fn(usize)>,
    restart: Option<extern "C" fn()>,
}

unsafe extern "C" {
    fn tap_set(taps: *const Taps);
}

/// Opens the files and begins to watch. Before the board starts.
///
/// # Errors
/// A file that cannot be written.
pub fn watch(pcap: Option<&Path>, html: Option<&Path>, heap_bytes: usize) -> Result<(), Box<dyn Error>> {
    let left = std::env::var(RESTARTED).ok();
    // SAFETY: this program has one thread until the board starts.
    unsafe { std::env::remove_var(RESTARTED) };
    if let Some(path) = pcap {
        let capture = if left.is_some() { Capture::go_on(path) } else { Capture::create(path) };
        let capture = capture.map_err(|error| format!("--pcap: cannot write {}: {error}", path.display()))?;
        let _ = CAPTURE.set(capture);
    }
    if let Some(path) = html {
        trace::open(path, left.as_deref(), heap_bytes)
            .map_err(|error| format!("--trace: cannot write {}: {error}", path.display()))?;
    }
    let taps = Taps {
        frame: (pcap.is_some() || html.is_some()).then_some(frame),
        serial: html.is_some().then_some(serial),
        heap: html.is_some().then_some(heap),
        restart: (pcap.is_some() || html.is_some()).then_some(restart),
    };
    // SAFETY: the taps are copied, and there is no other thread yet.
    unsafe { tap_set(&raw const taps) };
    Ok(())
}

/// # Safety
/// `bytes` is NULL or valid for `length` until the board goes on.
unsafe fn slice<'a>(bytes: *const c_void, length: usize) -> &'a [u8] {
    if bytes.is_null() {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(bytes.cast(), length) }
}

extern "C" fn frame(to_board: bool, bytes: *const c_void, length: usize) {
    // SAFETY: the radio gives a frame.
    let bytes = unsafe { slice(bytes, length) };
    if let Some(capture) = CAPTURE.get() {
        capture.frame(bytes);
    }
    trace::frame(to_board, bytes);
}

extern "C" fn serial(what: What, bytes: *const c_void, length: usize) {
    // SAFETY: the AT server and the port give what they have, or NULL.
    let bytes = unsafe { slice(bytes, length) };
    trace::serial(match what {
        What::Line => Serial::Line(bytes),
        What::LineDropped => Serial::LineDropped(bytes),
        What::DataComes => Serial::DataComes,
        What::DataTaken => Serial::DataTaken(bytes),
        What::DataEnd => Serial::DataEnd,
        What::Printed => Serial::Printed(bytes),
    });
}

extern "C" fn heap(used: usize) {
    trace::heap(used);
}

extern "C" fn restart() {
    let left = trace::leave().unwrap_or_default();
    // SAFETY: the board does the same for its port at this moment; nobody else looks at the environment once it runs.
    unsafe { std::env::set_var(RESTARTED, left) };
}
