//! Floating point: single precision is the hardware's, double is the compiler's library.

use core::fmt::{self, Write};
use core::hint::black_box;

const SINGLES: [f32; 18] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    1.5,
    2.5,
    -2.5,
    3.25e-3,
    1.0e-20,
    1.0e20,
    16_777_216.0,
    2_147_483_600.0,
    4_294_967_300.0,
    f32::MAX,
    f32::MIN_POSITIVE,
    f32::INFINITY,
    f32::NAN,
];

const DOUBLES: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.5,
    0.1,
    core::f64::consts::E,
    1.0e-300,
    9_007_199_254_740_993.0,
    1.0e19,
    f64::MAX,
    f64::NEG_INFINITY,
    f64::NAN,
];

macro_rules! arithmetic {
    ($out:ident, $name:literal, $values:ident, $type:ty) => {
        for a in $values.map(black_box) {
            for b in $values.map(black_box) {
                // The sign of what is not a number is nowhere defined, nor which of two zeros is the greater.
                let show = |value: $type| if value.is_nan() { None } else { Some(value) };
                writeln!(
                    $out,
                    "{} {a:e} {b:e}: {:?} {:?} {:?} {:?} {:?} {} {} {} {:?}",
                    $name,
                    show(a + b),
                    show(a - b),
                    show(a * b),
                    show(a / b),
                    show(a % b),
                    a < b,
                    a >= b,
                    a != b,
                    a.partial_cmp(&b),
                )?;
                writeln!(
                    $out,
                    "{} {a:e} {b:e}: {:?} {:?} {:?}",
                    $name,
                    show(a * b + a),
                    a.max(b) + 0.0,
                    a.min(b) + 0.0
                )?;
            }
        }
    };
}

macro_rules! conversions {
    ($out:ident, $name:literal, $values:ident) => {
        for a in $values.map(black_box) {
            writeln!(
                $out,
                "{} {a:e}: {} {} {} {} {} {} {} {}",
                $name, a as i8, a as u8, a as i32, a as u32, a as i64, a as u64, a as i128, a as f32 as f64,
            )?;
            writeln!($out, "{} {a:e}: {a} {a:?} {a:.3} {a:10.1} {a:+} {:?}", $name, a.classify())?;
            writeln!($out, "{} {a:e}: {} {} {}", $name, a.is_sign_negative(), a.abs(), -a)?;
        }
    };
}

pub(crate) fn run(out: &mut dyn Write) -> fmt::Result {
    arithmetic!(out, "f32", SINGLES, f32);
    arithmetic!(out, "f64", DOUBLES, f64);
    conversions!(out, "f32", SINGLES);
    conversions!(out, "f64", DOUBLES);
    integers(out)?;
    text(out)
}

fn integers(out: &mut dyn Write) -> fmt::Result {
    for integer in [0_i64, 1, -1, 16_777_217, -16_777_219, 2_147_483_647, -2_147_483_648, i64::MAX].map(black_box) {
        writeln!(
            out,
            "from {integer}: {:?} {:?} {:?} {:?} {:?}",
            integer as f32, integer as f64, integer as i32 as f32, integer as u32 as f32, integer as u64 as f64,
        )?;
    }
    Ok(())
}

fn text(out: &mut dyn Write) -> fmt::Result {
    for text in ["0", "-1.5", "3.14159265358979", "1e38", "1e39", "1e-46", "nan", "inf", "1.", "x", "123456789.125"] {
        writeln!(out, "parsed {text}: {:?} {:?}", text.parse::<f32>(), text.parse::<f64>())?;
    }
    Ok(())
}
