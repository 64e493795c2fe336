//! Integers of every width, at their edges.

use core::fmt::{self, Write};
use core::hint::black_box;

const EDGES: [u64; 14] = [
    0,
    1,
    2,
    3,
    0x7f,
    0x80,
    0xff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x0123_4567_89ab_cdef,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

macro_rules! pairs {
    ($out:ident, $type:ty) => {
        for a in EDGES.map(|edge| black_box(edge as $type)) {
            for b in EDGES.map(|edge| black_box(edge as $type)) {
                writeln!(
                    $out,
                    "{} {a} {b}: {} {} {} {:?} {:?} {:?} {:?} {:?} {} {}",
                    stringify!($type),
                    a.wrapping_add(b),
                    a.wrapping_sub(b),
                    a.wrapping_mul(b),
                    a.checked_add(b),
                    a.checked_sub(b),
                    a.checked_mul(b),
                    a.checked_div(b),
                    a.checked_rem(b),
                    a.saturating_sub(b),
                    a < b,
                )?;
            }
        }
    };
}

macro_rules! bits {
    ($out:ident, $type:ty) => {
        for a in EDGES.map(|edge| black_box(edge as $type)) {
            for n in [0, 1, 7, 8, 15, 31, 32, 33, 63].map(black_box) {
                writeln!(
                    $out,
                    "{} {a} by {n}: {:x} {:x} {:x} {:x} {:?} {:?}",
                    stringify!($type),
                    a.wrapping_shl(n),
                    a.wrapping_shr(n),
                    a.rotate_left(n),
                    a.rotate_right(n),
                    a.checked_shl(n),
                    a.checked_shr(n),
                )?;
            }
            writeln!(
                $out,
                "{} {a}: {} {} {} {:x} {:x} {:x}",
                stringify!($type),
                a.leading_zeros(),
                a.trailing_zeros(),
                a.count_ones(),
                a.swap_bytes(),
                a.reverse_bits(),
                !a,
            )?;
        }
    };
}

pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    pairs!(out, u32);
    pairs!(out, i32);
    pairs!(out, u64);
    pairs!(out, i64);
    pairs!(out, u128);
    pairs!(out, i128);
    pairs!(out, u16);
    pairs!(out, i8);
    bits!(out, u8);
    bits!(out, i16);
    bits!(out, u32);
    bits!(out, i32);
    bits!(out, u64);
    bits!(out, i64);
    bits!(out, u128);
    isqrt(out)
}

fn isqrt(out: &mut dyn Write) -> fmt::Result {
    for edge in EDGES.map(black_box) {
        writeln!(out, "roots {edge}: {} {} {:?}", edge.isqrt(), (edge as u32).isqrt(), edge.checked_ilog2())?;
        writeln!(out, "powers {edge}: {} {:?}", edge.wrapping_pow(3), (edge as i32).checked_pow(2))?;
        writeln!(out, "absolute {edge}: {} {}", (edge as i64).unsigned_abs(), (edge as i32).signum())?;
    }
    Ok(())
}
