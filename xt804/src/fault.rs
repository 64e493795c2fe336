//! Why the guest cannot go on, told so that it can be found: what, where, and by which calls it came there.

use std::fmt;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No row of the table has this encoding.
    UnknownEncoding {
        /// The half-word at the address.
        first: u16,
        /// The one after it, where there is one.
        second: Option<u16>,
    },
    /// A jump to what is no code.
    NoCode,
    /// An address that the access's size does not divide.
    Misaligned {
        /// The address.
        address: u32,
        /// The size.
        bytes: u32,
    },
    /// Memory that the map does not have.
    Unmapped {
        /// The address.
        address: u32,
        /// The size of the access.
        bytes: u32,
    },
    /// A store to flash.
    WritesCode {
        /// The address.
        address: u32,
        /// The size of the access.
        bytes: u32,
    },
    /// The stack pointer went below the guard.
    StackOverflow {
        /// The stack pointer.
        sp: u32,
        /// The lowest address that belongs to the stack.
        guard: u32,
    },
    /// A division by zero. LLVM may bring one in: it takes a division out of a loop, before the test for zero, as if it
    /// could not trap (`-Cllvm-args=-disable-machine-licm` keeps it from that).
    DivideByZero,
    /// `rotl` by 32 to 63: T-Head's simulator leaves zero, LLVM's code counts on the remainder by 32.
    Rotation {
        /// The count, as six bits.
        count: u32,
    },
    /// `bkpt`: compiled code has it where execution cannot come, such as after a panic.
    Breakpoint,
    /// `trap`
    Trap(u8),
    /// An instruction of the operating system's or the debugger's.
    Privileged,
    /// The budget is spent.
    Budget,
    /// A function that the host does not have, or does not let this task call.
    Missing(String),
}

impl fmt::Display for FaultKind {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::UnknownEncoding { first, second: Some(second) } => {
                write!(to, "unknown encoding {first:04x} {second:04x}")
            }
            Self::UnknownEncoding { first, second: None } => write!(to, "unknown encoding {first:04x}"),
            Self::NoCode => write!(to, "no code here"),
            Self::Misaligned { address, bytes } => write!(to, "{bytes} bytes at {address:#010x}, not aligned"),
            Self::Unmapped { address, bytes } => write!(to, "{bytes} bytes at {address:#010x}, outside the map"),
            Self::WritesCode { address, bytes } => write!(to, "{bytes} bytes written to code at {address:#010x}"),
            Self::StackOverflow { sp, guard } => write!(to, "stack at {sp:#010x}, below its end {guard:#010x}"),
            Self::Rotation { count } => write!(to, "rotation by {count}, of which no two sources say the same"),
            Self::DivideByZero => write!(to, "division by zero"),
            Self::Breakpoint => write!(to, "bkpt"),
            Self::Trap(number) => write!(to, "trap {number}"),
            Self::Budget => write!(to, "the budget is spent"),
            Self::Missing(name) => write!(to, "the host has no {name}"),
            Self::Privileged => write!(to, "not an application's instruction"),
        }
    }
}

/// One step of a backtrace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The instruction: the one that failed, or the call.
    pub address: u32,
    /// The function and the distance from its begin, where it has a name.
    pub symbol: Option<(String, u32)>,
}

impl fmt::Display for Frame {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{:#010x}", self.address)?;
        match &self.symbol {
            Some((name, offset)) => write!(to, " {name}+{offset:#x}"),
            None => Ok(()),
        }
    }
}

/// A failure with its surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// The task it happened in.
    pub task: String,
    /// The instruction, where it can be shown.
    pub instruction: Option<String>,
    /// From where it happened, outwards.
    pub backtrace: Vec<Frame>,
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        write!(to, "{}: {}", self.task, self.kind)?;
        if let Some(instruction) = &self.instruction {
            write!(to, " in \"{instruction}\"")?;
        }
        self.backtrace.iter().try_for_each(|frame| write!(to, "\n    at {frame}"))
    }
}

impl std::error::Error for Fault {}
