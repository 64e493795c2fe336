//! What this build was asked to be: `build_options.rs` reads the options, docs/options.md tells what each is for.
//!
//! Modules, rows of the command table and C entry points come and go by the cfgs `tls`, `websocket`, `additions`,
//! `certificate_command` (both `tls` and `additions`) and `argv_line`, `argv_raw` or `argv_decoded` (where parameters are
//! read from); inside functions these constants decide.

mod chosen {
    include!(concat!(env!("OUT_DIR"), "/options.rs"));
}

/// How many links there are: LinkID 0 to one less.
pub const LINKS: usize = chosen::LINKS;

/// Bytes of the arena that all links share.
pub const ARENA_BYTES: usize = chosen::ARENA_BYTES;

/// Bytes of stack that a link's task has; over TLS it has more.
pub const TASK_STACK: u32 = chosen::TASK_STACK;

/// The priority of a link's task, below the AT server's.
pub const TASK_PRIORITY: u32 = chosen::TASK_PRIORITY;

/// Whether an error prints its code.
pub const ERROR_LINES: bool = chosen::ERROR_LINES;

/// Whether there is TLS.
pub const TLS: bool = chosen::TLS;

/// Whether there is WebSocket.
pub const WEBSOCKET: bool = chosen::WEBSOCKET;

/// Whether there are the commands and lines that neither the vendor's nor Espressif's documents have.
pub const ADDITIONS: bool = chosen::ADDITIONS;

/// This library's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// All of the above and what follows the SDK's configuration, in words: `LINKS=1 … TLS=y … IPV6=n`.
pub const BUILT_WITH: &str = chosen::BUILT_WITH;

/// The SDK whose headers this build was made with.
pub const BUILT_FOR: &str = chosen::BUILT_FOR;

/// Whether this build has what a transport with these layers needs.
pub const fn has(tls: bool, websocket: bool) -> bool {
    (TLS || !tls) && (WEBSOCKET || !websocket)
}
