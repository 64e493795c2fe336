//! The board's other processor: runs the library as it was compiled for the chip.
//!
//! The library's archive, linked into an image, is executed by the `xt804` crate; [`program`] loads it. What it calls is
//! the board's C code, natively: [`imports`] has a row for every function, the modules named in it translate arguments
//! and check every address. Below these, each using only what is named after it:
//!
//! | module | what it is |
//! |---|---|
//! | [`contexts`] | the host's structures of Mbed TLS behind the guest's contexts |
//! | [`heap`] | the guest's blocks, charged to the board's heap |
//! | [`memory`] | what host functions see of the guest's memory |
//! | [`guest`] | enters the guest, one context for each task, and ends the program at a fault |
//! | [`core`] | the machine with its tasks, and who has which part of its memory |
//! | [`handles`] | the host's pointers as the guest sees them |
//! | [`layout`] | structures as they look on the chip |
//! | [`call`] | a call's words and its outcome |
//!
//! [`report`] tells at the end what was executed.
//!
//! Only a task that has the board's one CPU executes the guest. No borrow of the machine outlives a burst of
//! instructions, so a host function may block, call back, or be left for good when its task is deleted.

mod at;
mod call;
mod contexts;
mod core;
mod crypto;
mod device;
mod guest;
mod handles;
mod heap;
mod imports;
mod layout;
mod libc;
mod memory;
mod nvs;
mod osal;
mod program;
mod queue;
mod radio;
mod report;
mod sockets;
mod tls;

pub use at::{load_credentials, set_credential, statistics};
pub use device::register_uart;
pub use program::{Program, finish, load};
pub use radio::Stack;
pub use report::figures;
