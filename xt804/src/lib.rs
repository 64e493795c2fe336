//! Executes C-SKY v2 code as WinnerMicro's XT804 core (CK804EF) does.
//!
//! From the bits outwards:
//!
//! - [`table`] has a row for every encoding, made of [`operand`]s and an [`operation`];
//! - `decode` finds an [`instruction`] by it, [`disassemble`] writes by it;
//! - `execute` is what operations do to a [`context`] (registers, stack, counters: one for each task) and to
//!   [`memory`];
//! - `block` prepares straight runs of instructions, `cache` keeps what was prepared;
//! - [`machine`] runs a context and stops it at calls to the host's functions and at [`fault`]s;
//! - [`arena`] is for hosts that give out the memory behind the static data;
//! - [`link`] makes an [`image`] of archives, [`profile`] tells where instructions went.
//!
//! Encodings are those of GNU binutils, the meaning of instructions is that of T-Head's manuals. What neither says is
//! refused: an unknown encoding, a misaligned access, memory outside the map or a store to code stops the task. There
//! is no time and no chance in here: the same image and the same host give the same run.

pub mod arena;
mod block;
mod cache;
pub mod context;
mod decode;
pub mod disassemble;
mod execute;
pub mod fault;
pub mod image;
pub mod instruction;
pub mod link;
pub mod machine;
pub mod memory;
pub mod operand;
pub mod operation;
pub mod profile;
pub mod table;
