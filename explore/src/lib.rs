//! Every order in which the tasks of the library can run, as far as time allows: its code for the chip, executed under a
//! scheduler that may switch at any instruction, with everything around it in this program.
//!
//! - [`world`] is the core with its tasks and the loop that decides who executes next;
//! - [`kernel`] has the operating system's rules, [`fault`] what can be put into it on purpose;
//! - [`calls`] serves what the library calls, [`server`] stands for the vendor's AT server;
//! - [`network`] carries bytes to the [`broker`], which reads and writes [`packet`]s; [`serial`] carries them to the host;
//! - [`scenario`] has what host and broker do, [`host`] does it and holds what comes back to what must be;
//! - [`run`] runs one schedule, or many.
//!
//! Nothing in here reads a clock or a random number of the computer's: a seed is a run.

pub mod broker;
pub mod calls;
pub mod fault;
pub mod host;
pub mod kernel;
pub mod network;
pub mod numbers;
pub mod packet;
pub mod run;
pub mod scenario;
pub mod serial;
pub mod server;
pub mod world;
