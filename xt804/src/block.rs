//! Straight runs of instructions, prepared once: a [`Step`] has one number for what an operation with its variant is, so
//! that one jump finds the code for it, and a block has the sums that the counters need.
//!
//! A block ends after a branch, and before an instruction that no step stands for. Those, and every instruction that
//! cannot be done as a step does it, are left to the interpreter of single instructions: it does them, or tells what is
//! wrong with them.

use crate::instruction::Instruction;
use crate::memory::Memory;
use crate::operand::{SP, low_byte};
use crate::operation::{
    Access, Binary, Carry, Compare, Condition, Conditional, Field, HiLo, JumpTarget, Long, Multiple, Op, Unary,
};

/// More instructions than a block has: what a budget does not cover whole is executed one by one.
const LONGEST: usize = 48;

/// The numbers of the steps, and the functions of the module `quick` that execute them. A row is a class of operations
/// with the type of its variants, the function, and the variants; each gets a name of its own.
macro_rules! for_each_step {
    ($macro:ident) => {
        $macro! {
            Binary(Binary) binary {
                Add Add, Subtract Subtract, And And, AndNot AndNot, Or Or, Xor Xor, Nor Nor, ShiftLeft ShiftLeft,
                ShiftRight ShiftRight, ShiftArithmetic ShiftArithmetic, Rotate Rotate, Multiply Multiply,
                MultiplyHalf MultiplyHalf, DivideUnsigned DivideUnsigned, DivideSigned DivideSigned,
                IndexHalf IndexHalf, IndexWord IndexWord, IndexDouble IndexDouble
            }
            BinaryImmediate(Binary) binary_immediate {
                AddNumber Add, SubtractNumber Subtract, AndNumber And, AndNotNumber AndNot, OrNumber Or, XorNumber Xor,
                ShiftLeftNumber ShiftLeft, ShiftRightNumber ShiftRight, ShiftArithmeticNumber ShiftArithmetic,
                RotateNumber Rotate, ClearBit ClearBit, SetBit SetBit
            }
            Unary(Unary) unary {
                Copy Move, Absolute Absolute, ZeroExtendByte ZeroExtendByte, ZeroExtendHalf ZeroExtendHalf,
                SignExtendByte SignExtendByte, SignExtendHalf SignExtendHalf, ReverseBytes ReverseBytes,
                ReverseHalves ReverseHalves, ReverseBits ReverseBits, FindZero FindZero, FindOne FindOne,
                GenerateBit GenerateBit
            }
            Compare(Compare) compare {
                HigherOrSame HigherOrSame, LessThan LessThan, NotEqual NotEqual, Test Test
            }
            CompareImmediate(Compare) compare_immediate {
                HigherOrSameNumber HigherOrSame, LessThanNumber LessThan, NotEqualNumber NotEqual, TestBit TestBit,
                TestNoByteZero TestNoByteZero
            }
            Carry(Carry) carry {
                AddCarry Add, SubtractCarry Subtract, ShiftLeftCarry ShiftLeft, ShiftRightCarry ShiftRight,
                ShiftArithmeticCarry ShiftArithmetic, ShiftThrough ShiftThrough, DecrementGreater DecrementGreater,
                DecrementLess DecrementLess, DecrementNotZero DecrementNotZero
            }
            Conditional(Conditional) conditional {
                IncrementIfTrue IncrementIf(true), IncrementIfFalse IncrementIf(false),
                DecrementIfTrue DecrementIf(true), DecrementIfFalse DecrementIf(false), ClearIfTrue ClearIf(true),
                ClearIfFalse ClearIf(false), ReadCondition Read, ReadInverted ReadInverted
            }
            Field(Field) field { ZeroExtend ZeroExtend, SignExtend SignExtend, Insert Insert }
            Load(Access) load {
                LoadByte Byte, LoadHalf Half, LoadWord Word, LoadSignedByte SignedByte, LoadSignedHalf SignedHalf
            }
            Store(Access) store { StoreByte Byte, StoreHalf Half, StoreWord Word }
            LoadIndexed(Access) load_indexed {
                LoadByteIndexed Byte, LoadHalfIndexed Half, LoadWordIndexed Word, LoadSignedByteIndexed SignedByte,
                LoadSignedHalfIndexed SignedHalf
            }
            StoreIndexed(Access) store_indexed {
                StoreByteIndexed Byte, StoreHalfIndexed Half, StoreWordIndexed Word
            }
            Multiple(Multiple) multiple { LoadSeveral Load, StoreSeveral Store, Push Push, Pop Pop }
            HiLo(HiLo) hi_lo {
                MultiplyUnsigned MultiplyUnsigned, AddUnsigned AddUnsigned, SubtractUnsigned SubtractUnsigned,
                MultiplySigned MultiplySigned, AddSigned AddSigned, SubtractSigned SubtractSigned, FromHi FromHi,
                ToHi ToHi, FromLo FromLo, ToLo ToLo
            }
            Long(Long) long {
                LongMultiplyUnsigned MultiplyUnsigned, LongMultiplySigned MultiplySigned, LongAddUnsigned AddUnsigned,
                LongAddSigned AddSigned, AddLow AddLow
            }
            Branch(Condition) branch {
                IfTrue True, IfFalse False, IfZero Zero, IfNotZero NotZero, IfHigher Higher,
                IfLowerOrSame LowerOrSame, IfLower Lower, IfHigherOrSame HigherOrSame,
                IfNotZeroAfterDecrement NotZeroAfterDecrement
            }
            Jump(JumpTarget) jump { GoTo Displacement, GoToRegister Register }
            Call(JumpTarget) call { CallTo Displacement, CallRegister Register }
        }
    };
}
pub(crate) use for_each_step;

macro_rules! codes {
    ($($class:ident($kind:ident) $function:ident { $($code:ident $variant:ident $(($flag:literal))?),* })*) => {
        /// Which step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code {
            /// `rz` becomes a number that is known beforehand.
            Constant,
            /// `sp` less a number.
            LowerStack,
            $($(
                #[doc = concat!(stringify!($class), ", ", stringify!($variant))]
                $code,
            )*)*
        }

        fn plain(op: Op) -> Option<Code> {
            Some(match op {
                $($(Op::$class($kind::$variant $(($flag))?) => Code::$code,)*)*
                _ => return None,
            })
        }
    };
}
for_each_step!(codes);

/// An instruction prepared. Displacements in it are addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub code: Code,
    /// Its loads and stores.
    pub transfers: (u8, u8),
    pub what: Instruction,
}

/// A straight run of steps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// Its first step among all.
    pub first: u32,
    /// How many there are; none where an instruction begins that is no step.
    pub count: u32,
    /// The loads in it.
    pub loads: u32,
    /// The stores in it.
    pub stores: u32,
    /// The address after it.
    pub end: u32,
}

impl Block {
    /// The block that begins at `pc`; its steps are added to all others. `decode` has the instructions.
    pub fn build(
        pc: u32,
        memory: &Memory,
        steps: &mut Vec<Step>,
        mut decode: impl FnMut(u32) -> Option<Instruction>,
    ) -> Option<Self> {
        let mut block = Self { first: u32::try_from(steps.len()).ok()?, count: 0, loads: 0, stores: 0, end: pc };
        for _ in 0..LONGEST {
            let Some(what) = decode(block.end) else { break };
            let Some(step) = Step::of(what, block.end, memory) else { break };
            let (loads, stores) = step.transfers;
            block.count = block.count.wrapping_add(1);
            block.loads = block.loads.wrapping_add(u32::from(loads));
            block.stores = block.stores.wrapping_add(u32::from(stores));
            block.end = block.end.wrapping_add(u32::from(what.length));
            steps.push(step);
            if leaves(what.op) {
                break;
            }
        }
        Some(block)
    }
}

impl Step {
    /// In bytes.
    pub fn length(&self) -> u32 {
        u32::from(self.what.length)
    }

    fn of(what: Instruction, pc: u32, memory: &Memory) -> Option<Self> {
        let mut step = Self { code: code(what)?, transfers: transfers(what), what };
        step.what.immediate = match what.op {
            Op::MoveHigh => what.immediate << 16,
            Op::MoveAddress | Op::Branch(_) | Op::Jump(_) | Op::Call(_) => pc.wrapping_add(what.immediate),
            Op::LoadPool => memory.peek(pc.wrapping_add(what.immediate) & !3, Access::Word)?,
            Op::Multiple(Multiple::Push | Multiple::Pop) => listed(what.immediate),
            _ => what.immediate,
        };
        Some(step)
    }
}

/// What changes `sp` is looked at afterwards; what only raises it needs no look.
fn code(what: Instruction) -> Option<Code> {
    match what.op {
        Op::Multiple(Multiple::Push | Multiple::Pop) => plain(what.op),
        Op::BinaryImmediate(Binary::Subtract) if what.moves_stack => Some(Code::LowerStack),
        Op::BinaryImmediate(Binary::Add) if what.x == SP => plain(what.op),
        _ if what.moves_stack => None,
        Op::Move | Op::MoveHigh | Op::MoveAddress | Op::LoadPool => Some(Code::Constant),
        op => plain(op),
    }
}

/// Whether another instruction than the next may follow.
fn leaves(op: Op) -> bool {
    matches!(op, Op::Branch(_) | Op::Jump(_) | Op::Call(_) | Op::Multiple(Multiple::Pop))
}

/// The loads and stores of an instruction that is a step.
fn transfers(what: Instruction) -> (u8, u8) {
    let several = low_byte(what.immediate).wrapping_add(1);
    let pushed = low_byte(listed(what.immediate).count_ones());
    match what.op {
        Op::Load(_) | Op::LoadIndexed(_) | Op::LoadPool => (1, 0),
        Op::Store(_) | Op::StoreIndexed(_) => (0, 1),
        Op::Multiple(Multiple::Load) => (several, 0),
        Op::Multiple(Multiple::Store) => (0, several),
        Op::Multiple(Multiple::Pop) => (pushed, 0),
        Op::Multiple(Multiple::Push) => (0, pushed),
        _ => (0, 0),
    }
}

/// The registers that a list of `push` or `pop` names, one bit each: `r4`…, `r15`, `r16`…, `r28`.
pub(crate) fn listed(list: u32) -> u32 {
    let several = |count: u32| !(u32::MAX << (count & 31));
    several(list & 0xf) << 4 | (list & 0x10) << 11 | several(list >> 5 & 7) << 16 | (list & 0x100) << 20
}
