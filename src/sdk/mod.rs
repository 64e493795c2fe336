//! The SDK, made safe: the only room with `unsafe` in it.
//!
//! Each module wraps one thing of the SDK's C API so that it cannot be misused from outside: memory ([`heap`]),
//! tasks ([`task`]), locks and semaphores ([`sync`]), shared words ([`word`]), what is set up [`once`], time ([`clock`]), sockets and names ([`socket`],
//! [`dns`]), TLS (`tls`, `x509`, `credentials`), digests and random numbers (`digest`, `random`), what outlives
//! a loss of power (`storage`), the device that carries the AT server's line ([`device`]) and who
//! listens to what is printed on it ([`hook`]), the log ([`log`]).
//!
//! Never here: MQTT, or what a command means.
#![allow(unsafe_code)]
// Types of constants follow the headers, which differ.
#![allow(clippy::unnecessary_cast)]

#[cfg(any(target_arch = "csky", test))]
pub mod atomics;
pub mod bindings;
#[cfg(any(tls, websocket))]
mod block;
pub mod clock;
#[cfg(tls)]
pub mod credentials;
pub mod device;
#[cfg(any(tls, websocket))]
pub mod digest;
pub mod dns;
pub mod heap;
pub mod hook;
#[cfg(argv_line)]
pub mod lend;
pub mod log;
pub mod once;
#[cfg(target_os = "none")]
mod panic;
#[cfg(not(argv_line))]
pub mod passthrough;
#[cfg(any(tls, websocket))]
pub mod random;
pub mod socket;
#[cfg(tls)]
pub mod storage;
pub mod sync;
pub mod task;
#[cfg(tls)]
pub mod tls;
pub mod word;
#[cfg(tls)]
pub mod x509;
