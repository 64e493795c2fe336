//! What is known of the board at a moment, and the one trace that it goes to.

use std::collections::HashMap;
use std::ffi::c_int;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::connection::Connection;
use super::event::{Event, Way, quote};
use super::file::TraceFile;
use super::heap::Curve;
use super::serial::{Port, Serial};
use super::tcp::{self, Watch};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// What the codes mean, as the reference has it.
const CODES: &str = include_str!("../../../docs/error-codes.json");

static TRACE: OnceLock<(Clock, Mutex<Trace>)> = OnceLock::new();

/// Microseconds since the trace began, over restarts.
#[derive(Debug)]
struct Clock {
    began: Duration,
    before: Duration,
    since: Instant,
}

impl Clock {
    fn new(began: Option<Duration>) -> Self {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let began = began.unwrap_or(now);
        Self { began, before: now.saturating_sub(began), since: Instant::now() }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.before.saturating_add(self.since.elapsed()).as_micros()).unwrap_or(u64::MAX)
    }
}

/// All that is known of the board at a moment.
#[derive(Debug)]
pub struct Trace {
    file: TraceFile,
    port: Port,
    wire: Watch,
    heap: Curve,
    connections: HashMap<c_int, Connection>,
    /// Which socket a connection of Mbed TLS uses, by its address.
    sockets: HashMap<usize, c_int>,
}

/// Begins a trace.
///
/// # Errors
/// The file cannot be written.
pub fn create(path: &Path, heap_bytes: usize) -> io::Result<()> {
    let clock = Clock::new(None);
    let file = TraceFile::create(path, &page(&clock))?;
    start(clock, file, Curve::new(heap_bytes));
    Ok(())
}

/// Goes on with one that [`leave`] has left.
///
/// # Errors
/// The file cannot be read, or `left` is of something else.
pub fn go_on(file: File, left: &str, heap_bytes: usize) -> io::Result<()> {
    let (began, left) = left.split_once(',').unwrap_or_default();
    let (file, others) = TraceFile::go_on(file, left)?;
    let mut heap = Curve::new(heap_bytes);
    others.iter().filter(|line| line.starts_with("{\"heap\"")).for_each(|line| heap.go_on(line));
    start(Clock::new(began.parse().ok().map(Duration::from_micros)), file, heap);
    Ok(())
}

fn start(clock: Clock, file: TraceFile, heap: Curve) {
    let trace = Trace {
        file,
        port: Port::default(),
        wire: Watch::default(),
        heap,
        connections: HashMap::new(),
        sockets: HashMap::new(),
    };
    let _ = TRACE.set((clock, Mutex::new(trace)));
}

/// The page up to where the events begin.
fn page(clock: &Clock) -> String {
    let options: Vec<String> = std::env::args().skip(1).map(|option| quote(&option)).collect();
    let about = format!(
        r#"{{"version":{},"began":{},"options":[{}]}}"#,
        quote(env!("CARGO_PKG_VERSION")),
        clock.began.as_millis(),
        options.join(",")
    );
    let codes = CODES.replace('<', "\\u003c");
    PAGE.replace("/*style*/", STYLE)
        .replace("/*script*/", SCRIPT)
        .replace("/*about*/", &about)
        .replace("/*codes*/", &codes)
}

/// Microseconds since the trace began; 0 without one.
pub fn now() -> u64 {
    TRACE.get().map_or(0, |(clock, _)| clock.now())
}

pub fn with<R>(run: impl FnOnce(&mut Trace) -> R) -> Option<R> {
    let (_, trace) = TRACE.get()?;
    Some(run(&mut trace.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// A frame on the virtual wire.
pub fn frame(to_board: bool, bytes: &[u8]) {
    let (at, way) = (now(), if to_board { Way::In } else { Way::Out });
    with(|trace| {
        if let Some(event) = trace.wire.frame(at, way, bytes) {
            trace.tell(event);
        }
    });
}

/// What a bad network did to a frame instead of carrying it once and in its order.
pub fn fault(to_board: bool, what: &str, bytes: &[u8]) {
    let (at, way) = (now(), if to_board { Way::In } else { Way::Out });
    with(|trace| trace.tell(tcp::fault(at, way, what, bytes)));
}

/// Something on the serial port.
pub fn serial(what: Serial<'_>) {
    let at = now();
    with(|trace| trace.port.take(at, what, &mut |event| trace.file.add(event.json())));
}

/// So much of the heap is in use.
pub fn heap(used: usize) {
    let at = now();
    with(|trace| trace.heap.add(at, used));
}

/// Completes the file.
pub fn close() {
    with(|trace| {
        let heap = trace.last_words();
        trace.file.close(&[heap]);
    });
}

/// Completes the file; what [`go_on`] needs, if the file still took something.
pub fn leave() -> Option<(File, String)> {
    let (clock, _) = TRACE.get()?;
    let (file, left) = with(|trace| {
        let heap = trace.last_words();
        trace.file.leave(&[heap])
    })??;
    Some((file, format!("{},{left}", clock.began.as_micros())))
}

impl Trace {
    pub fn tell(&mut self, event: Event) {
        self.file.add(event.json());
    }

    fn last_words(&mut self) -> String {
        self.port.end_data(&mut |event| self.file.add(event.json()));
        self.heap.json()
    }

    /// Bytes that Mbed TLS moves.
    pub fn records(&mut self, at: u64, socket: c_int, ssl: usize, way: Way, bytes: &[u8]) {
        self.sockets.insert(ssl, socket);
        let connection = self.connections.entry(socket).or_default();
        connection.records(at, way, bytes, &mut |event| self.file.add(event.json()));
    }

    /// Bytes that the library moves, on the socket itself.
    pub fn plain(&mut self, at: u64, socket: c_int, way: Way, bytes: &[u8]) {
        let connection = self.connections.entry(socket).or_default();
        connection.plain(at, way, bytes, &mut |event| self.file.add(event.json()));
    }

    /// The same through Mbed TLS.
    pub fn decrypted(&mut self, at: u64, ssl: usize, way: Way, bytes: &[u8]) {
        if let Some(socket) = self.sockets.get(&ssl) {
            self.plain(at, *socket, way, bytes);
        }
    }

    pub fn handshake_done(&mut self, at: u64, ssl: usize, suite_name: impl FnOnce(u16) -> String) {
        let connection = self.sockets.get(&ssl).and_then(|socket| self.connections.get(socket));
        if let Some(event) = connection.map(|connection| connection.handshake_done(at, suite_name)) {
            self.tell(event);
        }
    }

    pub fn closed(&mut self, socket: c_int) {
        self.connections.remove(&socket);
        self.sockets.retain(|_, used| *used != socket);
    }
}
