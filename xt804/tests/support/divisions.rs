//! Divisions that are only reached where the divisor is not zero: in loops, and in several branches.

type Division = fn(u32, u32, u32) -> u32;

pub static DIVISIONS: [Division; 3] = [quotient_in_a_loop, remainder_in_a_loop, in_every_branch];

/// The quotient is the same in every round: it is what comes out of the loop first.
fn quotient_in_a_loop(a: u32, y: u32, rounds: u32) -> u32 {
    let mut value = a;
    for round in 0..rounds {
        value = a.checked_div(y).unwrap_or(value ^ round);
    }
    value
}

fn remainder_in_a_loop(a: u32, y: u32, rounds: u32) -> u32 {
    let mut value = a.cast_signed();
    for _ in 0..rounds {
        if value & 4 == 0 {
            value ^= a.cast_signed().checked_rem(y.cast_signed()).unwrap_or(3);
        }
        value = value.wrapping_mul(7) ^ 1;
    }
    value.cast_unsigned()
}

fn in_every_branch(a: u32, y: u32, branch: u32) -> u32 {
    match branch {
        0 => a.checked_div(y).map_or(5, |quotient| quotient ^ 77),
        1 => a.checked_div(y).map_or(9, |quotient| quotient.wrapping_mul(a)),
        2 => a.checked_div(y).unwrap_or(11),
        _ => 3,
    }
}
