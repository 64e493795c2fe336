//! The instruction set: one row for each encoding that the decoder accepts and the disassembler shows.
//!
//! Encodings are those that GNU binutils has for `ck804ef`, and the accumulator group (`hi`, `lo`) of the CPUs with
//! DSP 1.0. Where two rows fit an encoding the first is meant. Not here: the packed arithmetic of DSP 2.0 beyond the
//! multiplications below, coprocessors, `ldex`/`stex`.

use crate::operand::Operand::{self, *};
use crate::operation::{
    Access, Binary, Carry, Compare, Condition, Conditional, Field, Float, FloatCompare, HiLo, JumpTarget, Long,
    Multiple, Op, Rounding, System, Unary,
};

/// The length of an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 16 bits
    Half,
    /// 32 bits
    Word,
}

impl Size {
    /// In bytes.
    pub const fn bytes(self) -> u8 {
        match self {
            Self::Half => 2,
            Self::Word => 4,
        }
    }
}

/// One encoding.
#[derive(Debug)]
pub struct Row {
    /// As assemblers write it.
    pub mnemonic: &'static str,
    /// Its length.
    pub size: Size,
    /// The bits that no operand takes.
    pub bits: u32,
    /// In the order in which they are written.
    pub operands: &'static [Operand],
    /// What it does.
    pub op: Op,
}

impl Row {
    /// The bits that tell this encoding from others.
    pub fn mask(&self) -> u32 {
        let all = if self.size == Size::Half { 0xffff } else { u32::MAX };
        self.operands.iter().fold(all, |mask, operand| mask & !operand.mask())
    }

    /// Whether these bits are this encoding.
    pub fn fits(&self, word: u32) -> bool {
        word & self.mask() == self.bits
    }
}

const fn half(mnemonic: &'static str, bits: u32, operands: &'static [Operand], op: Op) -> Row {
    Row { mnemonic, size: Size::Half, bits, operands, op }
}

const fn word(mnemonic: &'static str, bits: u32, operands: &'static [Operand], op: Op) -> Row {
    Row { mnemonic, size: Size::Word, bits, operands, op }
}

// Fields of the long encodings, by their bits.
const B4_0: u32 = 0x1f;
const B9_5: u32 = 0x3e0;
const B20_16: u32 = 0x1f_0000;
const B25_21: u32 = 0x3e0_0000;
const B11_0: u32 = 0xfff;
const B15_0: u32 = 0xffff;
const B17_0: u32 = 0x3_ffff;

// Fields of the short encodings: three registers of eight, two of sixteen.
const LOW_Z: u32 = 0xe0;
const LOW_X: u32 = 0x700;
const LOW_Y: u32 = 0x1c;
const H_Z: u32 = 0x3c0;
const H_X: u32 = 0x3c;
const SPLIT7: u32 = 0x31f;
const SPLIT8: u32 = 0x71f;

// Fields of the floating-point unit.
const F_Z: u32 = 0xf;
const F_X: u32 = 0xf_0000;
const F_Y: u32 = 0x1e0_0000;
const F_OFFSET: u32 = 0x1e0_00f0;

// The usual forms.
const ZXY: &[Operand] = &[Z(B4_0), X(B20_16), Y(B25_21)];
const ZXI: &[Operand] = &[Z(B4_0), X(B20_16), Immediate(B25_21, 0, 0)];
const ZXO: &[Operand] = &[Z(B4_0), X(B20_16), Immediate(B25_21, 0, 1)];
const ZX_: &[Operand] = &[Z(B4_0), X(B20_16)];
const XY: &[Operand] = &[X(B20_16), Y(B25_21)];
const UP_XI: &[Operand] = &[Z(B25_21), X(B20_16), Immediate(B4_0, 0, 0)];
const ZXI12: &[Operand] = &[Z(B25_21), X(B20_16), Immediate(B11_0, 0, 0)];
const ZXO12: &[Operand] = &[Z(B25_21), X(B20_16), Immediate(B11_0, 0, 1)];
const XI16: &[Operand] = &[X(B20_16), Immediate(B15_0, 0, 0)];
const XO16: &[Operand] = &[X(B20_16), Immediate(B15_0, 0, 1)];
const BRANCH_X: &[Operand] = &[X(B20_16), Displacement(B15_0)];
const INDEXED: &[Operand] = &[Z(B4_0), BaseIndex(B20_16, B25_21, B9_5)];
const H_ZX_Y: &[Operand] = &[ZX(H_Z), Y(H_X)];
const H_Z_X: &[Operand] = &[Z(H_Z), X(H_X)];
const H_X_Y: &[Operand] = &[X(H_X), Y(H_Z)];
const LOW_ZXI: &[Operand] = &[Z(LOW_Z), X(LOW_X), Immediate(0x1f, 0, 0)];
const FZXY: &[Operand] = &[FloatZ(F_Z), FloatX(F_X), FloatY(F_Y)];
const FZX: &[Operand] = &[FloatZ(F_Z), FloatX(F_X)];
const FXY: &[Operand] = &[FloatX(F_X), FloatY(F_Y)];
const FX: &[Operand] = &[FloatX(F_X)];
const F_BASE_OFFSET: &[Operand] = &[FloatZ(F_Z), BaseOffset(B20_16, F_OFFSET, 2)];
const F_BASE_INDEX: &[Operand] = &[FloatZ(F_Z), BaseIndexNumber(B20_16, B25_21, 0x60)];

/// The table.
pub static ROWS: &[Row] = &[
    // Arithmetic, 16 bits.
    half("addu", 0x6000, H_ZX_Y, Op::Binary(Binary::Add)),
    half("addc", 0x6001, H_ZX_Y, Op::Carry(Carry::Add)),
    half("subu", 0x6002, H_ZX_Y, Op::Binary(Binary::Subtract)),
    half("subc", 0x6003, H_ZX_Y, Op::Carry(Carry::Subtract)),
    half("addi", 0x2000, &[ZX(LOW_X), Immediate(0xff, 0, 1)], Op::BinaryImmediate(Binary::Add)),
    half("subi", 0x2800, &[ZX(LOW_X), Immediate(0xff, 0, 1)], Op::BinaryImmediate(Binary::Subtract)),
    half("addu", 0x5800, &[Z(LOW_Z), X(LOW_X), Y(LOW_Y)], Op::Binary(Binary::Add)),
    half("subu", 0x5801, &[Z(LOW_Z), X(LOW_X), Y(LOW_Y)], Op::Binary(Binary::Subtract)),
    half("addi", 0x5802, &[Z(LOW_Z), X(LOW_X), Immediate(LOW_Y, 0, 1)], Op::BinaryImmediate(Binary::Add)),
    half("subi", 0x5803, &[Z(LOW_Z), X(LOW_X), Immediate(LOW_Y, 0, 1)], Op::BinaryImmediate(Binary::Subtract)),
    half("addi", 0x1800, &[Z(LOW_X), SpX, Immediate(0xff, 2, 0)], Op::BinaryImmediate(Binary::Add)),
    half("addi", 0x1400, &[SpZ, SpX, Immediate(SPLIT7, 2, 0)], Op::BinaryImmediate(Binary::Add)),
    half("subi", 0x1420, &[SpZ, SpX, Immediate(SPLIT7, 2, 0)], Op::BinaryImmediate(Binary::Subtract)),
    half("mult", 0x7c00, H_ZX_Y, Op::Binary(Binary::Multiply)),
    half("mulsh", 0x7c01, H_ZX_Y, Op::Binary(Binary::MultiplyHalf)),
    // Logic and shifts, 16 bits.
    half("and", 0x6800, H_ZX_Y, Op::Binary(Binary::And)),
    half("andn", 0x6801, H_ZX_Y, Op::Binary(Binary::AndNot)),
    half("or", 0x6c00, H_ZX_Y, Op::Binary(Binary::Or)),
    half("xor", 0x6c01, H_ZX_Y, Op::Binary(Binary::Xor)),
    half("nor", 0x6c02, H_ZX_Y, Op::Binary(Binary::Nor)),
    half("lsl", 0x7000, H_ZX_Y, Op::Binary(Binary::ShiftLeft)),
    half("lsr", 0x7001, H_ZX_Y, Op::Binary(Binary::ShiftRight)),
    half("asr", 0x7002, H_ZX_Y, Op::Binary(Binary::ShiftArithmetic)),
    half("rotl", 0x7003, H_ZX_Y, Op::Binary(Binary::Rotate)),
    half("lsli", 0x4000, LOW_ZXI, Op::BinaryImmediate(Binary::ShiftLeft)),
    half("lsri", 0x4800, LOW_ZXI, Op::BinaryImmediate(Binary::ShiftRight)),
    half("asri", 0x5000, LOW_ZXI, Op::BinaryImmediate(Binary::ShiftArithmetic)),
    half("bclri", 0x3880, &[ZX(LOW_X), Immediate(0x1f, 0, 0)], Op::BinaryImmediate(Binary::ClearBit)),
    half("bseti", 0x38a0, &[ZX(LOW_X), Immediate(0x1f, 0, 0)], Op::BinaryImmediate(Binary::SetBit)),
    // Moves and extensions, 16 bits.
    half("mov", 0x6c03, H_Z_X, Op::Unary(Unary::Move)),
    half("zextb", 0x7400, H_Z_X, Op::Unary(Unary::ZeroExtendByte)),
    half("zexth", 0x7401, H_Z_X, Op::Unary(Unary::ZeroExtendHalf)),
    half("sextb", 0x7402, H_Z_X, Op::Unary(Unary::SignExtendByte)),
    half("sexth", 0x7403, H_Z_X, Op::Unary(Unary::SignExtendHalf)),
    half("revb", 0x7802, H_Z_X, Op::Unary(Unary::ReverseBytes)),
    half("revh", 0x7803, H_Z_X, Op::Unary(Unary::ReverseHalves)),
    half("movi", 0x3000, &[Z(LOW_X), Immediate(0xff, 0, 0)], Op::Move),
    half("mvcv", 0x6403, &[Z(H_Z)], Op::Conditional(Conditional::ReadInverted)),
    // Comparisons, 16 bits.
    half("cmphs", 0x6400, H_X_Y, Op::Compare(Compare::HigherOrSame)),
    half("cmplt", 0x6401, H_X_Y, Op::Compare(Compare::LessThan)),
    half("cmpne", 0x6402, H_X_Y, Op::Compare(Compare::NotEqual)),
    half("tst", 0x6802, H_X_Y, Op::Compare(Compare::Test)),
    half("tstnbz", 0x6803, &[X(H_X)], Op::CompareImmediate(Compare::TestNoByteZero)),
    half("cmphsi", 0x3800, &[X(LOW_X), Immediate(0x1f, 0, 1)], Op::CompareImmediate(Compare::HigherOrSame)),
    half("cmplti", 0x3820, &[X(LOW_X), Immediate(0x1f, 0, 1)], Op::CompareImmediate(Compare::LessThan)),
    half("cmpnei", 0x3840, &[X(LOW_X), Immediate(0x1f, 0, 0)], Op::CompareImmediate(Compare::NotEqual)),
    half("btsti", 0x38c0, &[X(LOW_X), Immediate(0x1f, 0, 0)], Op::CompareImmediate(Compare::TestBit)),
    // Jumps, 16 bits.
    half("bkpt", 0x0000, &[], Op::System(System::Breakpoint)),
    half("br", 0x0400, &[Displacement(0x3ff)], Op::Jump(JumpTarget::Displacement)),
    half("bt", 0x0800, &[Displacement(0x3ff)], Op::Branch(Condition::True)),
    half("bf", 0x0c00, &[Displacement(0x3ff)], Op::Branch(Condition::False)),
    half("rts", 0x783c, &[Link], Op::Jump(JumpTarget::Register)),
    half("jmp", 0x7800, &[X(H_X)], Op::Jump(JumpTarget::Register)),
    half("jsr", 0x7bc1, &[X(H_X)], Op::Call(JumpTarget::Register)),
    // Memory, 16 bits.
    half("lrw", 0x1000, &[Z(LOW_Z), Pool(SPLIT7)], Op::LoadPool),
    half("lrw", 0x0000, &[Z(LOW_Z), PoolFar(SPLIT7)], Op::LoadPool),
    half("ld.b", 0x8000, &[Z(LOW_Z), BaseOffset(LOW_X, 0x1f, 0)], Op::Load(Access::Byte)),
    half("ld.h", 0x8800, &[Z(LOW_Z), BaseOffset(LOW_X, 0x1f, 1)], Op::Load(Access::Half)),
    half("ld.w", 0x9000, &[Z(LOW_Z), BaseOffset(LOW_X, 0x1f, 2)], Op::Load(Access::Word)),
    half("ld.w", 0x9800, &[Z(LOW_Z), StackOffset(SPLIT8)], Op::Load(Access::Word)),
    half("st.b", 0xa000, &[Z(LOW_Z), BaseOffset(LOW_X, 0x1f, 0)], Op::Store(Access::Byte)),
    half("st.h", 0xa800, &[Z(LOW_Z), BaseOffset(LOW_X, 0x1f, 1)], Op::Store(Access::Half)),
    half("st.w", 0xb000, &[Z(LOW_Z), BaseOffset(LOW_X, 0x1f, 2)], Op::Store(Access::Word)),
    half("st.w", 0xb800, &[Z(LOW_Z), StackOffset(SPLIT8)], Op::Store(Access::Word)),
    half("push", 0x14c0, &[PushList(0x1f)], Op::Multiple(Multiple::Push)),
    half("pop", 0x1480, &[PushList(0x1f)], Op::Multiple(Multiple::Pop)),
    half("nie", 0x1460, &[], Op::Privileged),
    half("nir", 0x1461, &[], Op::Privileged),
    half("ipush", 0x1462, &[], Op::Multiple(Multiple::InterruptPush)),
    half("ipop", 0x1463, &[], Op::Multiple(Multiple::InterruptPop)),
    // Arithmetic, 32 bits.
    word("addu", 0xc400_0020, ZXY, Op::Binary(Binary::Add)),
    word("addc", 0xc400_0040, ZXY, Op::Carry(Carry::Add)),
    word("subu", 0xc400_0080, ZXY, Op::Binary(Binary::Subtract)),
    word("subc", 0xc400_0100, ZXY, Op::Carry(Carry::Subtract)),
    word("abs", 0xc400_0200, ZX_, Op::Unary(Unary::Absolute)),
    word("addi", 0xe400_0000, ZXO12, Op::BinaryImmediate(Binary::Add)),
    word("subi", 0xe400_1000, ZXO12, Op::BinaryImmediate(Binary::Subtract)),
    word("addi", 0xcc1c_0000, &[Z(B25_21), DataX, Immediate(B17_0, 0, 1)], Op::BinaryImmediate(Binary::Add)),
    word("ixh", 0xc400_0820, ZXY, Op::Binary(Binary::IndexHalf)),
    word("ixw", 0xc400_0840, ZXY, Op::Binary(Binary::IndexWord)),
    word("ixd", 0xc400_0880, ZXY, Op::Binary(Binary::IndexDouble)),
    word("mult", 0xc400_8420, ZXY, Op::Binary(Binary::Multiply)),
    word("mulsh", 0xc400_9020, ZXY, Op::Binary(Binary::MultiplyHalf)),
    word("divu", 0xc400_8020, ZXY, Op::Binary(Binary::DivideUnsigned)),
    word("divs", 0xc400_8040, ZXY, Op::Binary(Binary::DivideSigned)),
    word("decgt", 0xc400_1020, ZXI, Op::Carry(Carry::DecrementGreater)),
    word("declt", 0xc400_1040, ZXI, Op::Carry(Carry::DecrementLess)),
    word("decne", 0xc400_1080, ZXI, Op::Carry(Carry::DecrementNotZero)),
    // Logic and shifts, 32 bits.
    word("and", 0xc400_2020, ZXY, Op::Binary(Binary::And)),
    word("andn", 0xc400_2040, ZXY, Op::Binary(Binary::AndNot)),
    word("or", 0xc400_2420, ZXY, Op::Binary(Binary::Or)),
    word("xor", 0xc400_2440, ZXY, Op::Binary(Binary::Xor)),
    word("nor", 0xc400_2480, ZXY, Op::Binary(Binary::Nor)),
    word("andi", 0xe400_2000, ZXI12, Op::BinaryImmediate(Binary::And)),
    word("andni", 0xe400_3000, ZXI12, Op::BinaryImmediate(Binary::AndNot)),
    word("xori", 0xe400_4000, ZXI12, Op::BinaryImmediate(Binary::Xor)),
    word("ori", 0xec00_0000, &[Z(B25_21), X(B20_16), Immediate(B15_0, 0, 0)], Op::BinaryImmediate(Binary::Or)),
    word("lsl", 0xc400_4020, ZXY, Op::Binary(Binary::ShiftLeft)),
    word("lsr", 0xc400_4040, ZXY, Op::Binary(Binary::ShiftRight)),
    word("asr", 0xc400_4080, ZXY, Op::Binary(Binary::ShiftArithmetic)),
    word("rotl", 0xc400_4100, ZXY, Op::Binary(Binary::Rotate)),
    word("lsli", 0xc400_4820, ZXI, Op::BinaryImmediate(Binary::ShiftLeft)),
    word("lsri", 0xc400_4840, ZXI, Op::BinaryImmediate(Binary::ShiftRight)),
    word("asri", 0xc400_4880, ZXI, Op::BinaryImmediate(Binary::ShiftArithmetic)),
    word("rotli", 0xc400_4900, ZXI, Op::BinaryImmediate(Binary::Rotate)),
    word("lslc", 0xc400_4c20, ZXO, Op::Carry(Carry::ShiftLeft)),
    word("lsrc", 0xc400_4c40, ZXO, Op::Carry(Carry::ShiftRight)),
    word("asrc", 0xc400_4c80, ZXO, Op::Carry(Carry::ShiftArithmetic)),
    word("xsr", 0xc400_4d00, ZXO, Op::Carry(Carry::ShiftThrough)),
    word("bclri", 0xc400_2820, ZXI, Op::BinaryImmediate(Binary::ClearBit)),
    word("bseti", 0xc400_2840, ZXI, Op::BinaryImmediate(Binary::SetBit)),
    // Moves, extensions and bit operations, 32 bits.
    word("movi", 0xea00_0000, &[Z(B20_16), Immediate(B15_0, 0, 0)], Op::Move),
    word("movih", 0xea20_0000, &[Z(B20_16), Immediate(B15_0, 0, 0)], Op::MoveHigh),
    word("bmaski", 0xc400_5020, &[Z(B4_0), Ones(B25_21)], Op::Move),
    word("grs", 0xcc0c_0000, &[Z(B25_21), Displacement(B17_0)], Op::MoveAddress),
    word("bgenr", 0xc400_5040, ZX_, Op::Unary(Unary::GenerateBit)),
    word("brev", 0xc400_6200, ZX_, Op::Unary(Unary::ReverseBits)),
    word("revb", 0xc400_6080, ZX_, Op::Unary(Unary::ReverseBytes)),
    word("revh", 0xc400_6100, ZX_, Op::Unary(Unary::ReverseHalves)),
    word("ff0", 0xc400_7c20, ZX_, Op::Unary(Unary::FindZero)),
    word("ff1", 0xc400_7c40, ZX_, Op::Unary(Unary::FindOne)),
    word("xtrb0", 0xc400_7020, ZX_, Op::Carry(Carry::ExtractByte(24))),
    word("xtrb1", 0xc400_7040, ZX_, Op::Carry(Carry::ExtractByte(16))),
    word("xtrb2", 0xc400_7080, ZX_, Op::Carry(Carry::ExtractByte(8))),
    word("xtrb3", 0xc400_7100, ZX_, Op::Carry(Carry::ExtractByte(0))),
    word("zextb", 0xc400_54e0, ZX_, Op::Unary(Unary::ZeroExtendByte)),
    word("zexth", 0xc400_55e0, ZX_, Op::Unary(Unary::ZeroExtendHalf)),
    word("sextb", 0xc400_58e0, ZX_, Op::Unary(Unary::SignExtendByte)),
    word("sexth", 0xc400_59e0, ZX_, Op::Unary(Unary::SignExtendHalf)),
    word("zext", 0xc400_5400, &[Z(B4_0), X(B20_16), Msb(B9_5), Immediate(B25_21, 0, 0)], Op::Field(Field::ZeroExtend)),
    word("sext", 0xc400_5800, &[Z(B4_0), X(B20_16), Msb(B9_5), Immediate(B25_21, 0, 0)], Op::Field(Field::SignExtend)),
    word("ins", 0xc400_5c00, &[Z(B25_21), X(B20_16), SizeLsb(B9_5, B4_0)], Op::Field(Field::Insert)),
    // The condition bit, 32 bits.
    word("cmphs", 0xc400_0420, XY, Op::Compare(Compare::HigherOrSame)),
    word("cmplt", 0xc400_0440, XY, Op::Compare(Compare::LessThan)),
    word("cmpne", 0xc400_0480, XY, Op::Compare(Compare::NotEqual)),
    word("tst", 0xc400_2080, XY, Op::Compare(Compare::Test)),
    word("tstnbz", 0xc400_2100, &[X(B20_16)], Op::CompareImmediate(Compare::TestNoByteZero)),
    word("btsti", 0xc400_2880, &[X(B20_16), Immediate(B25_21, 0, 0)], Op::CompareImmediate(Compare::TestBit)),
    word("cmphsi", 0xeb00_0000, XO16, Op::CompareImmediate(Compare::HigherOrSame)),
    word("cmplti", 0xeb20_0000, XO16, Op::CompareImmediate(Compare::LessThan)),
    word("cmpnei", 0xeb40_0000, XI16, Op::CompareImmediate(Compare::NotEqual)),
    word("mvc", 0xc400_0500, &[Z(B4_0)], Op::Conditional(Conditional::Read)),
    word("mvcv", 0xc400_0600, &[Z(B4_0)], Op::Conditional(Conditional::ReadInverted)),
    word("incf", 0xc400_0c20, UP_XI, Op::Conditional(Conditional::IncrementIf(false))),
    word("inct", 0xc400_0c40, UP_XI, Op::Conditional(Conditional::IncrementIf(true))),
    word("decf", 0xc400_0c80, UP_XI, Op::Conditional(Conditional::DecrementIf(false))),
    word("dect", 0xc400_0d00, UP_XI, Op::Conditional(Conditional::DecrementIf(true))),
    word("clrf", 0xc400_2c20, &[Z(B25_21)], Op::Conditional(Conditional::ClearIf(false))),
    word("clrt", 0xc400_2c40, &[Z(B25_21)], Op::Conditional(Conditional::ClearIf(true))),
    // Jumps, 32 bits.
    word("br", 0xe800_0000, &[Displacement(B15_0)], Op::Jump(JumpTarget::Displacement)),
    word("bnezad", 0xe820_0000, BRANCH_X, Op::Branch(Condition::NotZeroAfterDecrement)),
    word("bf", 0xe840_0000, &[Displacement(B15_0)], Op::Branch(Condition::False)),
    word("bt", 0xe860_0000, &[Displacement(B15_0)], Op::Branch(Condition::True)),
    word("bez", 0xe900_0000, BRANCH_X, Op::Branch(Condition::Zero)),
    word("bnez", 0xe920_0000, BRANCH_X, Op::Branch(Condition::NotZero)),
    word("bhz", 0xe940_0000, BRANCH_X, Op::Branch(Condition::Higher)),
    word("blsz", 0xe960_0000, BRANCH_X, Op::Branch(Condition::LowerOrSame)),
    word("blz", 0xe980_0000, BRANCH_X, Op::Branch(Condition::Lower)),
    word("bhsz", 0xe9a0_0000, BRANCH_X, Op::Branch(Condition::HigherOrSame)),
    word("bsr", 0xe000_0000, &[Displacement(0x3ff_ffff)], Op::Call(JumpTarget::Displacement)),
    word("rts", 0xe8cf_0000, &[Link], Op::Jump(JumpTarget::Register)),
    word("jmp", 0xe8c0_0000, &[X(B20_16)], Op::Jump(JumpTarget::Register)),
    word("jsr", 0xe8e0_0000, &[X(B20_16)], Op::Call(JumpTarget::Register)),
    word("jmpi", 0xeac0_0000, &[PoolTarget(B15_0)], Op::Jump(JumpTarget::Pool)),
    word("jsri", 0xeae0_0000, &[PoolTarget(B15_0)], Op::Call(JumpTarget::Pool)),
    // Memory, 32 bits.
    word("lrw", 0xea80_0000, &[Z(B20_16), Pool(B15_0)], Op::LoadPool),
    word("ld.b", 0xd800_0000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 0)], Op::Load(Access::Byte)),
    word("ld.h", 0xd800_1000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 1)], Op::Load(Access::Half)),
    word("ld.w", 0xd800_2000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 2)], Op::Load(Access::Word)),
    word("ld.bs", 0xd800_4000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 0)], Op::Load(Access::SignedByte)),
    word("ld.hs", 0xd800_5000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 1)], Op::Load(Access::SignedHalf)),
    word("st.b", 0xdc00_0000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 0)], Op::Store(Access::Byte)),
    word("st.h", 0xdc00_1000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 1)], Op::Store(Access::Half)),
    word("st.w", 0xdc00_2000, &[Z(B25_21), BaseOffset(B20_16, B11_0, 2)], Op::Store(Access::Word)),
    word("ldr.b", 0xd000_0000, INDEXED, Op::LoadIndexed(Access::Byte)),
    word("ldr.h", 0xd000_0400, INDEXED, Op::LoadIndexed(Access::Half)),
    word("ldr.w", 0xd000_0800, INDEXED, Op::LoadIndexed(Access::Word)),
    word("ldr.bs", 0xd000_1000, INDEXED, Op::LoadIndexed(Access::SignedByte)),
    word("ldr.hs", 0xd000_1400, INDEXED, Op::LoadIndexed(Access::SignedHalf)),
    word("str.b", 0xd400_0000, INDEXED, Op::StoreIndexed(Access::Byte)),
    word("str.h", 0xd400_0400, INDEXED, Op::StoreIndexed(Access::Half)),
    word("str.w", 0xd400_0800, INDEXED, Op::StoreIndexed(Access::Word)),
    word("ldm", 0xd000_1c20, &[List(B25_21 | B4_0), Base(B20_16)], Op::Multiple(Multiple::Load)),
    word("stm", 0xd400_1c20, &[List(B25_21 | B4_0), Base(B20_16)], Op::Multiple(Multiple::Store)),
    word("push", 0xebe0_0000, &[PushList(0x1ff)], Op::Multiple(Multiple::Push)),
    word("pop", 0xebc0_0000, &[PushList(0x1ff)], Op::Multiple(Multiple::Pop)),
    word("lrs.b", 0xcc00_0000, &[Z(B25_21), DataOffset(B17_0, 0)], Op::Load(Access::Byte)),
    word("lrs.h", 0xcc04_0000, &[Z(B25_21), DataOffset(B17_0, 1)], Op::Load(Access::Half)),
    word("lrs.w", 0xcc08_0000, &[Z(B25_21), DataOffset(B17_0, 2)], Op::Load(Access::Word)),
    word("srs.b", 0xcc10_0000, &[Z(B25_21), DataOffset(B17_0, 0)], Op::Store(Access::Byte)),
    word("srs.h", 0xcc14_0000, &[Z(B25_21), DataOffset(B17_0, 1)], Op::Store(Access::Half)),
    word("srs.w", 0xcc18_0000, &[Z(B25_21), DataOffset(B17_0, 2)], Op::Store(Access::Word)),
    // Products of 64 bits.
    word("mulu", 0xc400_8820, XY, Op::HiLo(HiLo::MultiplyUnsigned)),
    word("mulua", 0xc400_8840, XY, Op::HiLo(HiLo::AddUnsigned)),
    word("mulus", 0xc400_8880, XY, Op::HiLo(HiLo::SubtractUnsigned)),
    word("muls", 0xc400_8c20, XY, Op::HiLo(HiLo::MultiplySigned)),
    word("mulsa", 0xc400_8c40, XY, Op::HiLo(HiLo::AddSigned)),
    word("mulss", 0xc400_8c80, XY, Op::HiLo(HiLo::SubtractSigned)),
    word("mfhi", 0xc400_9c20, &[Z(B4_0)], Op::HiLo(HiLo::FromHi)),
    word("mthi", 0xc400_9c40, &[X(B20_16)], Op::HiLo(HiLo::ToHi)),
    word("mflo", 0xc400_9c80, &[Z(B4_0)], Op::HiLo(HiLo::FromLo)),
    word("mtlo", 0xc400_9d00, &[X(B20_16)], Op::HiLo(HiLo::ToLo)),
    word("mul.u32", 0xf800_8000, ZXY, Op::Long(Long::MultiplyUnsigned)),
    word("mul.s32", 0xf800_8200, ZXY, Op::Long(Long::MultiplySigned)),
    word("mula.u32", 0xf800_8080, ZXY, Op::Long(Long::AddUnsigned)),
    word("mula.s32", 0xf800_8280, ZXY, Op::Long(Long::AddSigned)),
    word("mula.32.l", 0xf800_8440, ZXY, Op::Long(Long::AddLow)),
    word("mulall.s16.s", 0xf800_81a0, ZXY, Op::Long(Long::AddHalfSaturated)),
    word("divul", 0xf800_e260, ZXY, Op::Long(Long::DivideUnsigned)),
    word("divsl", 0xf800_e2e0, ZXY, Op::Long(Long::DivideSigned)),
    // The processor itself.
    word("sync", 0xc000_0420, &[], Op::System(System::Hint)),
    word("sync", 0xc000_0420, &[Immediate(B25_21, 0, 0)], Op::System(System::Hint)),
    word("idly", 0xc000_1c20, &[Immediate(B25_21, 0, 1)], Op::System(System::Hint)),
    word("trap", 0xc000_2020, &[Immediate(0xc00, 0, 0)], Op::System(System::Trap)),
    word("psrclr", 0xc000_7020, &[StatusBits(B25_21)], Op::System(System::ClearStatus)),
    word("psrset", 0xc000_7420, &[StatusBits(B25_21)], Op::System(System::SetStatus)),
    word("mfcr", 0xc000_6020, &[Z(B4_0), Control(B25_21 | B20_16)], Op::System(System::ReadControl)),
    word("mtcr", 0xc000_6420, &[X(B20_16), Control(B25_21 | B4_0)], Op::System(System::WriteControl)),
    word("sce", 0xc000_1820, &[Immediate(0x1e0_0000, 0, 0)], Op::Privileged),
    word("rte", 0xc000_4020, &[], Op::Privileged),
    word("rfi", 0xc000_4420, &[], Op::Privileged),
    word("stop", 0xc000_4820, &[], Op::Privileged),
    word("wait", 0xc000_4c20, &[], Op::Privileged),
    word("doze", 0xc000_5020, &[], Op::Privileged),
    // The floating-point unit, single precision.
    word("fadds", 0xf400_0000, FZXY, Op::Float(Float::Add)),
    word("fsubs", 0xf400_0020, FZXY, Op::Float(Float::Subtract)),
    word("fmovs", 0xf400_0080, FZX, Op::Float(Float::Move)),
    word("fabss", 0xf400_00c0, FZX, Op::Float(Float::Absolute)),
    word("fnegs", 0xf400_00e0, FZX, Op::Float(Float::Negate)),
    word("fcmpzhss", 0xf400_0100, FX, Op::FloatCompare(FloatCompare::ZeroHigherOrSame)),
    word("fcmpzlss", 0xf400_0120, FX, Op::FloatCompare(FloatCompare::ZeroLowerOrSame)),
    word("fcmpznes", 0xf400_0140, FX, Op::FloatCompare(FloatCompare::ZeroNotEqual)),
    word("fcmpzuos", 0xf400_0160, FX, Op::FloatCompare(FloatCompare::ZeroUnordered)),
    word("fcmphss", 0xf400_0180, FXY, Op::FloatCompare(FloatCompare::HigherOrSame)),
    word("fcmplts", 0xf400_01a0, FXY, Op::FloatCompare(FloatCompare::LessThan)),
    word("fcmpnes", 0xf400_01c0, FXY, Op::FloatCompare(FloatCompare::NotEqual)),
    word("fcmpuos", 0xf400_01e0, FXY, Op::FloatCompare(FloatCompare::Unordered)),
    word("fmuls", 0xf400_0200, FZXY, Op::Float(Float::Multiply)),
    word("fnmuls", 0xf400_0220, FZXY, Op::Float(Float::NegateMultiply)),
    word("fmacs", 0xf400_0280, FZXY, Op::Float(Float::MultiplyAdd)),
    word("fmscs", 0xf400_02a0, FZXY, Op::Float(Float::MultiplySubtract)),
    word("fnmacs", 0xf400_02c0, FZXY, Op::Float(Float::NegateMultiplyAdd)),
    word("fnmscs", 0xf400_02e0, FZXY, Op::Float(Float::NegateMultiplySubtract)),
    word("fdivs", 0xf400_0300, FZXY, Op::Float(Float::Divide)),
    word("frecips", 0xf400_0320, FZX, Op::Float(Float::Reciprocal)),
    word("fsqrts", 0xf400_0340, FZX, Op::Float(Float::SquareRoot)),
    word("fstosi.rn", 0xf400_1800, FZX, Op::Float(Float::ToSigned(Rounding::Nearest))),
    word("fstosi.rz", 0xf400_1820, FZX, Op::Float(Float::ToSigned(Rounding::Zero))),
    word("fstosi.rpi", 0xf400_1840, FZX, Op::Float(Float::ToSigned(Rounding::Up))),
    word("fstosi.rni", 0xf400_1860, FZX, Op::Float(Float::ToSigned(Rounding::Down))),
    word("fstoui.rn", 0xf400_1880, FZX, Op::Float(Float::ToUnsigned(Rounding::Nearest))),
    word("fstoui.rz", 0xf400_18a0, FZX, Op::Float(Float::ToUnsigned(Rounding::Zero))),
    word("fstoui.rpi", 0xf400_18c0, FZX, Op::Float(Float::ToUnsigned(Rounding::Up))),
    word("fstoui.rni", 0xf400_18e0, FZX, Op::Float(Float::ToUnsigned(Rounding::Down))),
    word("fsitos", 0xf400_1a00, FZX, Op::Float(Float::FromSigned)),
    word("fuitos", 0xf400_1a20, FZX, Op::Float(Float::FromUnsigned)),
    word("fmfvrl", 0xf400_1b20, &[Z(B4_0), FloatX(F_X)], Op::FloatToGeneral),
    word("fmtvrl", 0xf400_1b60, &[FloatZ(F_Z), X(B20_16)], Op::FloatFromGeneral),
    word("fmovis", 0xf400_1c00, &[FloatZ(F_Z), SmallFloat(0x1ff_00f0)], Op::FloatMove),
    word("flds", 0xf400_2000, F_BASE_OFFSET, Op::FloatLoad),
    word("fsts", 0xf400_2400, F_BASE_OFFSET, Op::FloatStore),
    word("fldrs", 0xf400_2800, F_BASE_INDEX, Op::FloatLoadIndexed),
    word("fstrs", 0xf400_2c00, F_BASE_INDEX, Op::FloatStoreIndexed),
    word("fldms", 0xf400_3000, &[FloatList(F_Y | F_Z), Base(B20_16)], Op::Multiple(Multiple::FloatLoad)),
    word("fstms", 0xf400_3400, &[FloatList(F_Y | F_Z), Base(B20_16)], Op::Multiple(Multiple::FloatStore)),
    word("flrws", 0xf400_3800, &[FloatZ(F_Z), PoolFloat(F_OFFSET)], Op::FloatLoadPool),
];
