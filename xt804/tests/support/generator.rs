//! Random programs: functions of integers and floating point that compute the same everywhere.
//!
//! Every operation is total (wrapping, checked with a default, masked) and every loop is bounded, so that a function's
//! result depends on its arguments alone. Where not-a-number comes out, its bits are not looked at.

use std::fmt::Write;

use super::Numbers;

const INTEGERS: [&str; 10] = ["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "u128", "i128"];
const FLOATS: [&str; 2] = ["f32", "f64"];
const EDGES: [&str; 11] = ["0", "1", "2", "7", "31", "32", "100", "0x7f", "MAX", "MIN", "(MAX / 3)"];
const FLOAT_EDGES: [&str; 8] = ["0.0", "1.0", "-1.5", "0.1", "1e10", "3.4e38", "-2147483648.0", "0.333"];

/// The items of `count` functions `f0(a, b)`…, and a table of them named `PROGRAMS`.
pub fn programs(seed: u64, count: usize) -> String {
    let mut source = String::from("#![allow(warnings)]\ntype Program = fn(u64, u64) -> u64;\n");
    for number in 0..count {
        let numbers = Numbers((seed << 20 ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        source += &Function { numbers, number, locals: Vec::new(), calls: 0 }.write();
    }
    let names: Vec<String> = (0..count).map(|number| format!("f{number}")).collect();
    writeln!(source, "pub static PROGRAMS: [Program; {count}] = [{}];", names.join(", ")).unwrap();
    source
}

struct Function {
    numbers: Numbers,
    number: usize,
    /// Types of `v0`…
    locals: Vec<&'static str>,
    calls: usize,
}

impl Function {
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let index = self.numbers.below(from.len() as u64) as usize;
        from[index]
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.numbers.below(n) == 0
    }

    fn write(mut self) -> String {
        let mut body = String::new();
        let table: Vec<String> = (0..8).map(|_| format!("{:#x}", self.numbers.word())).collect();
        writeln!(body, "    let mut t: [u32; 8] = [{}];", table.join(", ")).unwrap();
        for local in 0..2 + self.numbers.below(4) {
            let kind = self.pick(&INTEGERS);
            let value = self.integer(kind, 2);
            writeln!(body, "    let mut v{local}: {kind} = {value};").unwrap();
            self.locals.push(kind);
        }
        for _ in 0..1 + self.numbers.below(4) {
            self.statement(&mut body, 1);
        }
        let result = self.integer("u64", 3);
        let sum = self
            .locals
            .iter()
            .enumerate()
            .fold(result, |sum, (local, _)| format!("({sum}.rotate_left(9) ^ (v{local} as u64))"));
        let inline = if self.one_in(3) { "" } else { "#[inline(never)]\n" };
        let number = self.number;
        format!("{inline}pub fn f{number}(a: u64, b: u64) -> u64 {{\n{body}    {sum} ^ (t[3] as u64)\n}}\n")
    }

    fn statement(&mut self, body: &mut String, depth: usize) {
        let indent = "    ".repeat(depth);
        match if depth > 2 { self.numbers.below(2) } else { self.numbers.below(6) } {
            0 => {
                let (place, value) = (self.integer("u32", 1), self.integer("u32", 2));
                writeln!(body, "{indent}t[(({place}) & 7) as usize] = {value};").unwrap();
            }
            2 => {
                let condition = self.condition(2);
                writeln!(body, "{indent}if {condition} {{").unwrap();
                self.statement(body, depth + 1);
                writeln!(body, "{indent}}} else {{").unwrap();
                self.statement(body, depth + 1);
                writeln!(body, "{indent}}}").unwrap();
            }
            3 => {
                let count = self.integer("u32", 1);
                writeln!(body, "{indent}for _ in 0..({count} & 7) {{").unwrap();
                self.statement(body, depth + 1);
                writeln!(body, "{indent}}}").unwrap();
            }
            4 => {
                let key = self.integer("u32", 2);
                writeln!(body, "{indent}match {key} & 7 {{").unwrap();
                for arm in ["0", "1 | 4", "2", "5", "_"] {
                    writeln!(body, "{indent}{arm} => {{").unwrap();
                    self.statement(body, depth + 1);
                    writeln!(body, "{indent}}}").unwrap();
                }
                writeln!(body, "{indent}}}").unwrap();
            }
            _ => {
                let local = self.numbers.below(self.locals.len() as u64) as usize;
                let kind = self.locals[local];
                let value = self.integer(kind, 3);
                writeln!(body, "{indent}v{local} = {value};").unwrap();
            }
        }
    }

    fn leaf(&mut self, kind: &str) -> String {
        let choice = self.numbers.below(3 + self.locals.len() as u64);
        match choice {
            0 => format!("(a as {kind})"),
            1 => format!("(b as {kind})"),
            2 => {
                let edge = self.pick(&EDGES);
                let edge = edge.replace("MAX", &format!("{kind}::MAX")).replace("MIN", &format!("{kind}::MIN"));
                format!("({edge} as {kind})")
            }
            local => format!("(v{} as {kind})", local - 3),
        }
    }

    fn integer(&mut self, kind: &str, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(kind);
        }
        let depth = depth - 1;
        match self.numbers.below(13) {
            0..3 => {
                let operation = self.pick(&["wrapping_add", "wrapping_sub", "wrapping_mul", "max", "min"]);
                let (x, y) = (self.integer(kind, depth), self.integer(kind, depth));
                format!("{x}.{operation}({y})")
            }
            3 => {
                let operation = self.pick(&["&", "|", "^"]);
                format!("({} {operation} {})", self.integer(kind, depth), self.integer(kind, depth))
            }
            4 => {
                let operation = self.pick(&["wrapping_shl", "wrapping_shr", "rotate_left", "rotate_right"]);
                let (x, y) = (self.integer(kind, depth), self.integer("u32", depth));
                format!("{x}.{operation}({y})")
            }
            5 => {
                let operation = self.pick(&["div", "rem", "add", "sub", "mul"]);
                let [x, y, z] = [0; 3].map(|_| self.integer(kind, depth));
                format!("{x}.checked_{operation}({y}).unwrap_or({z})")
            }
            6 => {
                let operation = self.pick(&["saturating_add", "saturating_sub", "saturating_mul"]);
                format!("{}.{operation}({})", self.integer(kind, depth), self.integer(kind, depth))
            }
            7 => {
                let operation = self.pick(&["leading_zeros", "trailing_zeros", "count_ones"]);
                format!("({}.{operation}() as {kind})", self.integer(kind, depth))
            }
            8 => {
                let operation = self.pick(&["swap_bytes", "reverse_bits", "wrapping_neg"]);
                format!("{}.{operation}()", self.integer(kind, depth))
            }
            9 => {
                let from = self.pick(&INTEGERS);
                format!("({} as {kind})", self.integer(from, depth))
            }
            10 => {
                let condition = self.condition(depth);
                format!("(if {condition} {{ {} }} else {{ {} }})", self.integer(kind, depth), self.integer(kind, depth))
            }
            11 => {
                let from = self.pick(&FLOATS);
                format!("({} as {kind})", self.float(from, depth))
            }
            _ => self.reading(kind, depth),
        }
    }

    /// Of the table, or of a function before this one.
    fn reading(&mut self, kind: &str, depth: usize) -> String {
        if self.number == 0 || self.calls > 0 || self.one_in(2) {
            return format!("(t[(({}) & 7) as usize] as {kind})", self.integer("u32", depth));
        }
        self.calls += 1;
        // Only near ones that call nothing far: the number of calls stays small.
        let callee = self.number - 1 - self.numbers.below(self.number.min(5) as u64) as usize;
        let callee = callee & !7;
        if callee == self.number {
            return self.leaf(kind);
        }
        format!("(f{callee}({}, {}) as {kind})", self.integer("u64", depth), self.integer("u64", depth))
    }

    fn float(&mut self, kind: &str, depth: usize) -> String {
        if depth == 0 {
            let edge = self.pick(&FLOAT_EDGES);
            let leaf = self.leaf("i32");
            return if self.one_in(2) { format!("({edge} as {kind})") } else { format!("({leaf} as {kind})") };
        }
        let depth = depth - 1;
        match self.numbers.below(6) {
            0..4 => {
                let operation = self.pick(&["+", "-", "*", "/"]);
                format!("({} {operation} {})", self.float(kind, depth), self.float(kind, depth))
            }
            4 => {
                let from = self.pick(&INTEGERS);
                format!("({} as {kind})", self.integer(from, depth))
            }
            _ => {
                let from = self.pick(&FLOATS);
                format!("({} as {kind})", self.float(from, depth))
            }
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        let operation = self.pick(&["<", "<=", "==", "!=", ">", ">="]);
        if self.one_in(4) {
            let kind = self.pick(&FLOATS);
            return format!("(({}) {operation} ({}))", self.float(kind, depth), self.float(kind, depth));
        }
        let kind = self.pick(&INTEGERS);
        format!("(({}) {operation} ({}))", self.integer(kind, depth), self.integer(kind, depth))
    }
}
