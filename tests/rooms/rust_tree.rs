//! The imports of Rust: every path in a crate's modules, followed through `use` and `pub use` to the file that defines
//! what it names.
//!
//! A path that ends at a module is no import of its own: what is taken from the module is named by other paths. Methods
//! are not seen, since their paths are not written.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::Import;
use crate::modules::{self, Form, Meaning, Mention, Program, Tree};

/// The imports of all trees, whose files are in `files` (texts by paths).
pub fn imports(trees: &[Tree<'_>], files: &BTreeMap<String, String>) -> Result<Vec<Import>, String> {
    modules::read(trees, files).map(|program| program.imports())
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Module(usize),
    /// Something that this module defines.
    In(usize),
}

/// The names that are being looked up, each in its module.
type Steps = BTreeSet<(usize, String, Step)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Name,
    Glob,
}

/// Takes a step, unless it is being taken already: a name that leads to itself leads nowhere.
fn guarded(
    steps: &mut Steps,
    (module, name, step): (usize, &str, Step),
    look: impl FnOnce(&mut Steps) -> Vec<Found>,
) -> Vec<Found> {
    let key = (module, name.to_owned(), step);
    if !steps.insert(key.clone()) {
        return Vec::new();
    }
    let found = look(steps);
    steps.remove(&key);
    found
}

impl Program<'_> {
    /// One import for each pair of files: the first in the text.
    fn imports(&self) -> Vec<Import> {
        let mut imports: BTreeMap<(&str, &str), Import> = BTreeMap::new();
        for (number, module) in self.modules.iter().enumerate() {
            for mention in &module.mentions {
                for found in self.targets(number, mention) {
                    let to = self.modules[found].file.as_str();
                    let (from, line, what) = (module.file.clone(), mention.line, mention.segments.join("::"));
                    let import = Import { from, line, what, to: to.to_owned() };
                    let entry = imports.entry((&module.file, to)).or_insert_with(|| import.clone());
                    if line < entry.line {
                        *entry = import;
                    }
                }
            }
        }
        imports.into_values().filter(|import| import.from != import.to).collect()
    }

    /// The modules that define what a path names.
    fn targets(&self, module: usize, mention: &Mention) -> Vec<usize> {
        let mut found = self.resolve(module, &mention.segments, &mut Steps::new());
        let mut around = self.modules[module].parent;
        while let Some(module) = around.filter(|_| mention.form == Form::Macro && found.is_empty()) {
            found = self.resolve(module, &mention.segments, &mut Steps::new());
            around = self.modules[module].parent;
        }
        let defining = found.into_iter().filter_map(|found| match found {
            Found::In(module) => Some(module),
            Found::Module(module) => (mention.form == Form::Glob && self.modules[module].defines).then_some(module),
        });
        defining.collect()
    }

    fn resolve(&self, module: usize, segments: &[String], steps: &mut Steps) -> Vec<Found> {
        let Some((first, rest)) = segments.split_first() else { return Vec::new() };
        let mut found = self.first(module, first, steps);
        for segment in rest {
            // A name before `::` is a module's or a type's; there cannot be both.
            if found.iter().any(|found| matches!(found, Found::Module(_))) {
                found.retain(|found| matches!(found, Found::Module(_)));
            }
            found = found.into_iter().flat_map(|found| self.next(found, segment, steps)).collect();
        }
        found
    }

    fn first(&self, module: usize, name: &str, steps: &mut Steps) -> Vec<Found> {
        match name {
            "crate" => vec![Found::Module(self.root(module))],
            "self" => vec![Found::Module(module)],
            "super" => self.modules[module].parent.map(Found::Module).into_iter().collect(),
            name => {
                let found = self.look_up(module, name, steps);
                if found.is_empty() {
                    return self.libraries.get(name).map(|root| Found::Module(*root)).into_iter().collect();
                }
                found
            }
        }
    }

    fn next(&self, found: Found, name: &str, steps: &mut Steps) -> Vec<Found> {
        let Found::Module(module) = found else { return vec![found] };
        if matches!(name, "self" | "super") {
            return self.first(module, name, steps);
        }
        let found = self.look_up(module, name, steps);
        // The text does not show what macros and included files define.
        if found.is_empty() { vec![Found::In(module)] } else { found }
    }

    /// What a name stands for in a module, by itself or by `use …::*`.
    fn look_up(&self, number: usize, name: &str, steps: &mut Steps) -> Vec<Found> {
        let module = &self.modules[number];
        let mut found = Vec::new();
        for meaning in module.names.get(name).into_iter().flatten() {
            match meaning {
                Meaning::Module(child) => found.push(Found::Module(*child)),
                Meaning::Item => found.push(Found::In(number)),
                Meaning::Import(path) => {
                    found.extend(guarded(steps, (number, name, Step::Name), |steps| self.resolve(number, path, steps)));
                }
            }
        }
        // A module and what comes by `*` may have the same name.
        if !found.iter().any(|found| matches!(found, Found::In(_))) {
            found.extend(guarded(steps, (number, name, Step::Glob), |steps| self.look_up_globs(number, name, steps)));
        }
        found
    }

    fn look_up_globs(&self, number: usize, name: &str, steps: &mut Steps) -> Vec<Found> {
        let mut found = Vec::new();
        for path in &self.modules[number].globs {
            for source in self.resolve(number, path, steps) {
                if let Found::Module(module) = source {
                    found.extend(self.look_up(module, name, steps));
                }
            }
        }
        found
    }

    fn root(&self, module: usize) -> usize {
        self.modules[module].parent.map_or(module, |parent| self.root(parent))
    }
}
