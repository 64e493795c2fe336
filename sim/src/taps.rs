//! What the board tells those who watch it: `wm_sdk/host/tap.h`, with the captured packets and the trace behind it.
//!
//! A watcher is told in the board's own threads, some of them inside its locks: it neither waits nor calls the board.
//! A restart of the board executes this program anew, which inherits the open files and finds in its environment which
//! they are. What happened to them meanwhile does not end the board.
#![expect(unsafe_code, reason = "the board is C")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, IntoRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::OnceLock;

use crate::capture::Capture;
use crate::trace::{self, Serial};

/// Set for a program that a restart executes: the descriptors of both files, empty for one that had ended, and where the
/// trace was.
const RESTARTED: &str = "W800_SIM_RESTARTED";

static CAPTURE: OnceLock<Capture> = OnceLock::new();

/// `enum tap_serial`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "C makes them")]
enum What {
    Received,
    Printed,
}

#[repr(C)]
struct Taps {
    frame: Option<extern "C" fn(bool, *const c_void, usize)>,
    fault: Option<extern "C" fn(bool, *const c_char, *const c_void, usize)>,
    serial: Option<extern "C" fn(What, *const c_void, usize)>,
    heap: Option<extern "C" fn(usize)>,
    restart: Option<extern "C" fn()>,
}

unsafe extern "C" {
    fn tap_set(taps: *const Taps);
    fn tap_keep_over_exec(file: c_int);
}

/// What a program leaves to the one that a restart executes.
#[derive(Default)]
struct Left {
    pcap: Option<File>,
    html: Option<(File, String)>,
}

impl Left {
    /// To be called once, by the only thread there is.
    fn take() -> Option<Self> {
        let text = std::env::var(RESTARTED).ok()?;
        // SAFETY: as the caller says.
        unsafe { std::env::remove_var(RESTARTED) };
        let mut words = text.splitn(3, ';');
        let (pcap, html, place) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            pcap: inherited("--pcap", pcap),
            html: inherited("--trace", html).map(|file| (file, place.to_owned())),
        })
    }

    /// Just before the exec.
    fn give(self) {
        let (html, place) = self.html.unzip();
        let text = format!("{};{};{}", inheritable(self.pcap), inheritable(html), place.unwrap_or_default());
        // SAFETY: the board does the same for its port at this moment; nobody else looks at the environment once it runs.
        unsafe { std::env::set_var(RESTARTED, text) };
    }
}

/// A file that can still be found, or is none of a folder.
fn inherited(option: &str, descriptor: &str) -> Option<File> {
    let descriptor = descriptor.parse::<u16>().ok()?;
    // SAFETY: the program before left it open for this one, and nobody else knows of it.
    let file = unsafe { File::from_raw_fd(c_int::from(descriptor)) };
    match file.metadata() {
        Err(error) => eprintln!("w800-sim: {option} ends here: {error}"),
        Ok(about) if about.is_file() && about.nlink() == 0 => {
            eprintln!("w800-sim: {option} ends here: the file was removed")
        }
        Ok(_) => return Some(file),
    }
    None
}

fn inheritable(file: Option<File>) -> String {
    let Some(descriptor) = file.map(File::into_raw_fd) else { return String::new() };
    // SAFETY: it only changes a flag of this file.
    unsafe { tap_keep_over_exec(descriptor) };
    descriptor.to_string()
}

fn cannot_write(option: &str, path: &Path, error: &io::Error) -> String {
    format!("{option}: cannot write {}: {error}", path.display())
}

/// Opens the files and begins to watch. Before the board starts.
///
/// # Errors
/// A file that cannot be written.
pub fn watch(pcap: Option<&Path>, html: Option<&Path>, heap_bytes: usize) -> Result<(), String> {
    match Left::take() {
        Some(left) => go_on(left, heap_bytes),
        None => create(pcap, html, heap_bytes)?,
    }
    let taps = Taps {
        frame: (pcap.is_some() || html.is_some()).then_some(frame),
        fault: html.is_some().then_some(fault),
        serial: html.is_some().then_some(serial),
        heap: html.is_some().then_some(heap),
        restart: (pcap.is_some() || html.is_some()).then_some(restart),
    };
    // SAFETY: the taps are copied, and there is no other thread yet.
    unsafe { tap_set(&raw const taps) };
    Ok(())
}

fn create(pcap: Option<&Path>, html: Option<&Path>, heap_bytes: usize) -> Result<(), String> {
    if let Some(path) = pcap {
        let capture = Capture::create(path).map_err(|error| cannot_write("--pcap", path, &error))?;
        let _ = CAPTURE.set(capture);
    }
    if let Some(path) = html {
        trace::create(path, heap_bytes).map_err(|error| cannot_write("--trace", path, &error))?;
    }
    Ok(())
}

fn go_on(left: Left, heap_bytes: usize) {
    let _ = CAPTURE.set(Capture::go_on(left.pcap));
    if let Some((file, place)) = left.html
        && let Err(error) = trace::go_on(file, &place, heap_bytes)
    {
        eprintln!("w800-sim: --trace ends here: {error}");
    }
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
        capture.frame(to_board, bytes);
    }
    trace::frame(to_board, bytes);
}

extern "C" fn fault(to_board: bool, what: *const c_char, bytes: *const c_void, length: usize) {
    // SAFETY: the radio gives one of its own words, and a frame.
    let (what, bytes) = unsafe { (CStr::from_ptr(what), slice(bytes, length)) };
    trace::fault(to_board, &what.to_string_lossy(), bytes);
}

extern "C" fn serial(what: What, bytes: *const c_void, length: usize) {
    // SAFETY: the port gives what it has.
    let bytes = unsafe { slice(bytes, length) };
    trace::serial(match what {
        What::Received => Serial::Received(bytes),
        What::Printed => Serial::Printed(bytes),
    });
}

extern "C" fn heap(used: usize) {
    trace::heap(used);
}

extern "C" fn restart() {
    Left { pcap: CAPTURE.get().and_then(Capture::leave), html: trace::leave() }.give();
}
