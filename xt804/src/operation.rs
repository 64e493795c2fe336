//! What an instruction does, apart from the registers and numbers it does it with.
//!
//! The classes follow the instruction set's own grouping; each has one module that executes it, named there.

/// An operation, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// No operation yet: what decoding begins with.
    Undecoded,
    /// `rz = f(rx, ry)`
    Binary(Binary),
    /// `rz = f(rx, immediate)`
    BinaryImmediate(Binary),
    /// `rz = f(rx)`
    Unary(Unary),
    /// The condition bit becomes `f(rx, ry)`.
    Compare(Compare),
    /// The condition bit becomes `f(rx, immediate)`.
    CompareImmediate(Compare),
    /// Both `rz` and the condition bit change.
    Carry(Carry),
    /// `rz` changes as the condition bit says.
    Conditional(Conditional),
    /// `rz = immediate`
    Move,
    /// `rz = immediate << 16`
    MoveHigh,
    /// `rz = pc + displacement`
    MoveAddress,
    /// Bits `immediate..=ry` of a register.
    Field(Field),
    /// `rz = [rx + immediate]`
    Load(Access),
    /// `[rx + immediate] = rz`
    Store(Access),
    /// `rz = [rx + (ry << immediate)]`
    LoadIndexed(Access),
    /// `[rx + (ry << immediate)] = rz`
    StoreIndexed(Access),
    /// `rz = [(pc + immediate) & !3]`
    LoadPool,
    /// Several words at once.
    Multiple(Multiple),
    /// To `pc + displacement`, if.
    Branch(Condition),
    /// To `pc + displacement`, to `rx`, or to what the pool holds.
    Jump(JumpTarget),
    /// The same, with the return address in `r15`.
    Call(JumpTarget),
    /// Products into `hi` and `lo`.
    HiLo(HiLo),
    /// Products and quotients of 64 bits in a pair of registers.
    Long(Long),
    /// The processor status register, traps, hints.
    System(System),
    /// Single precision: `fz = f(fx, fy, fz)`.
    Float(Float),
    /// Single precision: the condition bit becomes `f(fx, fy)`.
    FloatCompare(FloatCompare),
    /// `fz = [rx + immediate]`
    FloatLoad,
    /// `[rx + immediate] = fz`
    FloatStore,
    /// `fz = [rx + (ry << immediate)]`
    FloatLoadIndexed,
    /// `[rx + (ry << immediate)] = fz`
    FloatStoreIndexed,
    /// `fz = [(pc + immediate) & !3]`
    FloatLoadPool,
    /// `fz = immediate`, as bits
    FloatMove,
    /// `rz = fx`, as bits
    FloatToGeneral,
    /// `fz = rx`, as bits
    FloatFromGeneral,
    /// Decoded and shown, but nothing an application's task contains: stops with the name.
    Privileged,
}

/// Two operands, one result, no flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Binary {
    Add,
    Subtract,
    And,
    AndNot,
    Or,
    Xor,
    Nor,
    ShiftLeft,
    ShiftRight,
    ShiftArithmetic,
    Rotate,
    Multiply,
    MultiplyHalf,
    DivideUnsigned,
    DivideSigned,
    IndexHalf,
    IndexWord,
    IndexDouble,
    ClearBit,
    SetBit,
}

/// One operand, one result, no flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Unary {
    Move,
    Absolute,
    ZeroExtendByte,
    ZeroExtendHalf,
    SignExtendByte,
    SignExtendHalf,
    ReverseBytes,
    ReverseHalves,
    ReverseBits,
    FindZero,
    FindOne,
    GenerateBit,
}

/// What sets the condition bit and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Compare {
    HigherOrSame,
    LessThan,
    NotEqual,
    Test,
    TestNoByteZero,
    TestBit,
}

/// What sets the condition bit beside its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Carry {
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    ShiftArithmetic,
    ShiftThrough,
    DecrementGreater,
    DecrementLess,
    DecrementNotZero,
    ExtractByte(u8),
}

/// What reads the condition bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Conditional {
    IncrementIf(bool),
    DecrementIf(bool),
    ClearIf(bool),
    Read,
    ReadInverted,
}

/// Bit fields: `msb` in `ry`'s place, `lsb` as the immediate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Field {
    ZeroExtend,
    SignExtend,
    Insert,
}

/// How much memory an access touches, and what fills the rest of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Access {
    Byte,
    Half,
    Word,
    SignedByte,
    SignedHalf,
}

impl Access {
    /// How many bytes it touches.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Byte | Self::SignedByte => 1,
            Self::Half | Self::SignedHalf => 2,
            Self::Word => 4,
        }
    }
}

/// Several registers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Multiple {
    Load,
    Store,
    FloatLoad,
    FloatStore,
    Push,
    Pop,
    InterruptPush,
    InterruptPop,
}

/// When a branch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Condition {
    True,
    False,
    Zero,
    NotZero,
    Higher,
    LowerOrSame,
    Lower,
    HigherOrSame,
    /// Counts `rx` down first.
    NotZeroAfterDecrement,
}

/// Where a jump finds its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum JumpTarget {
    Displacement,
    Register,
    Pool,
}

/// The accumulator of 64 bits that `hi` and `lo` are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum HiLo {
    MultiplyUnsigned,
    AddUnsigned,
    SubtractUnsigned,
    MultiplySigned,
    AddSigned,
    SubtractSigned,
    FromHi,
    ToHi,
    FromLo,
    ToLo,
}

/// `rz` and the register after it as one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Long {
    MultiplyUnsigned,
    MultiplySigned,
    AddUnsigned,
    AddSigned,
    AddLow,
    AddHalfSaturated,
    DivideUnsigned,
    DivideSigned,
}

/// What concerns the processor itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum System {
    Breakpoint,
    Trap,
    SetStatus,
    ClearStatus,
    ReadControl,
    WriteControl,
    /// Orders memory or time: nothing to do here.
    Hint,
}

/// Single-precision arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Float {
    Add,
    Subtract,
    Move,
    Absolute,
    Negate,
    Multiply,
    NegateMultiply,
    /// `fx * fy + fz`, rounded twice: a chain, not a fused operation.
    MultiplyAdd,
    MultiplySubtract,
    NegateMultiplyAdd,
    NegateMultiplySubtract,
    Divide,
    Reciprocal,
    SquareRoot,
    ToSigned(Rounding),
    ToUnsigned(Rounding),
    FromSigned,
    FromUnsigned,
}

/// Rounding modes of the conversions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum Rounding {
    Nearest,
    Zero,
    Up,
    Down,
}

/// Single-precision comparisons; those with `Zero` have no `fy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the manual names them")]
pub enum FloatCompare {
    HigherOrSame,
    LessThan,
    NotEqual,
    Unordered,
    ZeroHigherOrSame,
    ZeroLowerOrSame,
    ZeroNotEqual,
    ZeroUnordered,
}
