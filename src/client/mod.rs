//! The two tasks of a link: what a command does in the AT server's task, and the link's own task.
//!
//! * [`actions`] runs one command: parse, ask the link's state, act, answer.
//! * [`answer`] is what a command answers; `job` is what is done with data.
//! * [`queries`] prints the rows of the query forms.
//! * `data_phase` takes the bytes after a `>` prompt, and does with them what their command wants.
//! * [`exchange`] sends a packet from the AT task and waits for the broker's answer.
//! * [`task`] is the link's task: it reads, keeps alive, reconnects; [`connection`] is how it connects.
//! * [`sending`] is the right to send, and what must be sent before it goes on to another task.
//! * `stream` sends a message while it is typed.
//! * [`end`] is why a connection ended.
//! * `runtime` is what the two tasks of a link share.
//! * [`statistics`] tells C what a link has done; [`counters`] count it.
//! * [`report`] remembers why something failed.
//! * `port` stands between the serial line and the AT server; an image without it has `passthrough` for its data phases.
//! * [`output`] keeps lines and answers from mixing.
//!
//! Rights are held as long as something takes, in this order: the port ([`output::Output`]), a link's sending side
//! ([`sending::SendRight`]). Locks ([`crate::sdk::sync`]) are held for a step that waits for nothing: a link's
//! ([`LinkRuntime::link`]), those in its channel. No task holds two of those at once, and none while it prints, sends or
//! waits.
#![forbid(unsafe_code)]

pub mod actions;
pub mod answer;
mod connection;
mod counters;
#[cfg(argv_line)]
pub mod data_phase;
mod end;
pub mod exchange;
mod job;
pub mod output;
#[cfg(not(argv_line))]
pub mod passthrough;
#[cfg(argv_line)]
pub mod port;
pub mod queries;
pub mod report;
mod runtime;
pub mod sending;
pub mod statistics;
#[cfg(argv_line)]
mod stream;
pub mod task;

pub use runtime::{LinkRuntime, prepare, runtimes};
