//! The imports of C: `#include "…"` between the files of one tree, tests left out.

use std::collections::BTreeMap;

use crate::graph::Import;

/// The includes of all files of C in `files` (texts by paths) that name another of them. A name that none of them has
/// is a header of the SDK's or of lwIP's.
pub fn imports(files: &BTreeMap<String, String>) -> Vec<Import> {
    let mut imports = Vec::new();
    for (from, text) in files.iter().filter(|(path, _)| !is_test(path)) {
        for (line, name) in (1..).zip(text.lines()).filter_map(|(line, text)| Some((line, included(text)?))) {
            let to = find(files, from, name);
            imports.extend(to.map(|to| Import { from: from.clone(), line, what: format!("{name:?}"), to }));
        }
    }
    imports
}

/// What a file and its header are parts of.
pub fn unit(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(unit, _)| unit)
}

pub fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests")
}

fn included(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix('#')?.trim_start().strip_prefix("include")?;
    rest.trim_start().strip_prefix('"')?.split('"').next()
}

/// Beside the file that includes it, or anywhere on the include path.
fn find(files: &BTreeMap<String, String>, from: &str, name: &str) -> Option<String> {
    let beside = from.rsplit_once('/').map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}"));
    if files.contains_key(&beside) {
        return Some(beside);
    }
    let ending = format!("/{name}");
    files.keys().find(|path| path.ends_with(&ending)).cloned()
}
