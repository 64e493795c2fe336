//! What a register or memory holds, as a term over what it held before. Two terms that are the same are one number.
//!
//! The identities in [`Terms::operation`] are all that the proof knows of arithmetic: what a rewriting may rely on.

use std::collections::HashMap;

/// A term.
pub type Id = usize;

/// An operation and what it is applied to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Term {
    /// A number.
    Number(u32),
    /// Something that is itself: a symbol's address, a register at some point.
    Leaf(String),
    /// A function of terms, by its name.
    Operation(String, Vec<Id>),
}

/// Every term there is.
#[derive(Default)]
pub struct Terms {
    all: Vec<Term>,
    ids: HashMap<Term, Id>,
}

impl Terms {
    fn intern(&mut self, term: Term) -> Id {
        if let Some(id) = self.ids.get(&term) {
            return *id;
        }
        self.all.push(term.clone());
        self.ids.insert(term, self.all.len() - 1);
        self.all.len() - 1
    }

    pub fn get(&self, id: Id) -> &Term {
        &self.all[id]
    }

    pub fn number(&mut self, value: u32) -> Id {
        self.intern(Term::Number(value))
    }

    pub fn leaf(&mut self, name: impl Into<String>) -> Id {
        self.intern(Term::Leaf(name.into()))
    }

    pub fn as_number(&self, id: Id) -> Option<u32> {
        if let Term::Number(value) = self.get(id) { Some(*value) } else { None }
    }

    fn arguments(&self, id: Id, wanted: &str) -> Option<&[Id]> {
        match self.get(id) {
            Term::Operation(name, arguments) if name == wanted => Some(arguments),
            _ => None,
        }
    }

    /// A sum's other part and its number.
    pub fn split_sum(&self, id: Id) -> (Id, u32) {
        match self.arguments(id, "Add") {
            Some([base, number]) => self.as_number(*number).map_or((id, 0), |number| (*base, number)),
            _ => (id, 0),
        }
    }

    /// `a + number`
    pub fn add(&mut self, base: Id, number: u32) -> Id {
        let number = self.number(number);
        self.operation("Add", vec![base, number])
    }

    /// A condition's opposite.
    pub fn not(&mut self, condition: Id) -> Id {
        match (self.arguments(condition, "not"), self.as_number(condition)) {
            (Some([inner]), _) => *inner,
            (_, Some(number)) => self.number(number ^ 1),
            _ => self.intern(Term::Operation("not".into(), vec![condition])),
        }
    }

    /// The condition without `not`s, and whether there was an odd number of them.
    pub fn straight(&self, condition: Id) -> (Id, bool) {
        self.arguments(condition, "not").map_or((condition, false), |inner| (inner[0], true))
    }

    /// An operation, after what is known of it.
    pub fn operation(&mut self, name: &str, mut arguments: Vec<Id>) -> Id {
        let numbers: Vec<Option<u32>> = arguments.iter().map(|id| self.as_number(*id)).collect();
        if let [Some(a), Some(b)] = numbers.as_slice()
            && let Some(value) = fold(name, *a, *b)
        {
            return self.number(value);
        }
        let same = matches!(arguments.as_slice(), [a, b] if a == b);
        match (name, numbers.as_slice()) {
            ("Move", _) => return arguments[0],
            ("Subtract", [None, Some(by)]) => return self.add(arguments[0], by.wrapping_neg()),
            ("Add" | "And" | "Or" | "Xor" | "Nor" | "Multiply" | "NotEqual", [Some(_), None]) => {
                arguments.swap(0, 1);
                return self.operation(name, arguments);
            }
            ("Add" | "ShiftLeft", [None, Some(0)]) => return arguments[0],
            ("Add", [None, Some(by)]) => {
                let (base, more) = self.split_sum(arguments[0]);
                if base != arguments[0] {
                    return self.add(base, more.wrapping_add(*by));
                }
            }
            // What a condition is as a number has but one bit.
            ("And", [None, Some(1)]) if self.arguments(arguments[0], "bit").is_some() => return arguments[0],
            ("TestBit", [None, Some(0)]) => {
                if let Some(inner) = self.arguments(arguments[0], "bit") {
                    return inner[0];
                }
            }
            ("HigherOrSame", _) if same => return self.number(1),
            ("NotEqual", _) if same => return self.number(0),
            ("Add" | "And" | "Or" | "Xor" | "Nor" | "Multiply" | "NotEqual", [None, None]) => arguments.sort_unstable(),
            // Of two choices by one condition the outer one is made.
            ("choose", _) => {
                for place in [1, 2] {
                    if let Some(inner) =
                        self.arguments(arguments[place], "choose").filter(|inner| inner[0] == arguments[0])
                    {
                        arguments[place] = inner[place];
                    }
                }
            }
            ("with carry Add" | "carry of Add", [_, _, _]) => arguments[..2].sort_unstable(),
            _ => {}
        }
        self.intern(Term::Operation(name.into(), arguments))
    }

    /// A term in words, to a depth.
    pub fn show(&self, id: Id, depth: usize) -> String {
        match self.get(id) {
            Term::Number(value) => format!("{value:#x}"),
            Term::Leaf(name) => name.clone(),
            Term::Operation(name, _) if depth == 0 => format!("{name}(…)"),
            Term::Operation(name, arguments) => {
                let shown: Vec<String> = arguments.iter().map(|id| self.show(*id, depth - 1)).collect();
                format!("{name}({})", shown.join(", "))
            }
        }
    }
}

/// What is computed of two numbers.
fn fold(name: &str, a: u32, b: u32) -> Option<u32> {
    Some(match name {
        "Add" => a.wrapping_add(b),
        "Subtract" => a.wrapping_sub(b),
        "Or" => a | b,
        "Nor" => !(a | b),
        "And" => a & b,
        "ShiftLeft" => a.checked_shl(b).unwrap_or(0),
        _ => return None,
    })
}
