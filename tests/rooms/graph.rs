//! Who imports whom, and the circles in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

/// One file needs another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The file that imports.
    pub from: String,
    /// The line in it.
    pub line: usize,
    /// What it names there.
    pub what: String,
    /// The file that defines that.
    pub to: String,
}

impl fmt::Display for Import {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{} imports {} of {}", self.from, self.line, self.what, self.to)
    }
}

type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Import>>;

/// The circles between files, a text for each. `unit` names what a file is part of: what is within one is no circle.
pub fn circles(imports: &[Import], unit: impl Fn(&str) -> &str) -> Vec<String> {
    let mut edges = Edges::new();
    for import in imports {
        let (from, to) = (unit(&import.from), unit(&import.to));
        if from != to {
            edges.entry(from).or_default().entry(to).or_insert(import);
        }
    }
    let mut found = Vec::new();
    let mut told = BTreeSet::new();
    for start in edges.keys() {
        if told.contains(start) {
            continue;
        }
        if let Some(circle) = shortest_circle(&edges, start) {
            told.extend(circle.iter().map(|import| unit(&import.from)));
            let lines: String = circle.iter().map(|import| format!("\n  {import}")).collect();
            found.push(format!("a circle of {}:{lines}", circle.len()));
        }
    }
    found
}

/// The imports that lead from a unit back to it, in their order.
fn shortest_circle<'a>(edges: &Edges<'a>, start: &'a str) -> Option<Vec<&'a Import>> {
    let mut came_by: BTreeMap<&str, (&str, &Import)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for (to, import) in edges.get(at).into_iter().flatten() {
            if came_by.contains_key(to) {
                continue;
            }
            came_by.insert(to, (at, import));
            if *to == start {
                return Some(way_back(&came_by, start));
            }
            queue.push_back(to);
        }
    }
    None
}

fn way_back<'a>(came_by: &BTreeMap<&str, (&'a str, &'a Import)>, start: &str) -> Vec<&'a Import> {
    let mut circle = Vec::new();
    let mut at = start;
    while let Some((before, import)) = came_by.get(at) {
        circle.push(*import);
        at = before;
        if at == start {
            break;
        }
    }
    circle.reverse();
    circle
}
