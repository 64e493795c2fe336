//! Who may use whom, held to by the text of the code: no circle between files, and between rooms only what the table in
//! `docs/architecture.md` allows. A crate that uses another uses its rooms.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod c_tree;
mod graph;
mod made_up;
mod modules;
mod rust_tree;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use modules::Tree;

/// Every crate's source with its library's name.
const RUST_TREES: &[Tree<'static>] = &[
    Tree { path: "src", library: "w800_mqtt_at" },
    Tree { path: "core/src", library: "w800_mqtt_core" },
    Tree { path: "sim/src", library: "w800_sim" },
    Tree { path: "explore/src", library: "w800_explore" },
    Tree { path: "xt804/src", library: "xt804" },
    Tree { path: "wm_sdk/surface/src", library: "sdk_surface" },
];
/// The virtual board in C.
const C_TREE: &str = "wm_sdk/host";
const TABLE: &str = "docs/architecture.md";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The texts below a folder by their paths in the repository.
fn read(folder: &str, endings: &[&str], to: &mut BTreeMap<String, String>) {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    for entry in entries {
        let entry = entry.expect("an entry of a folder");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&path, endings, to);
        } else if endings.iter().any(|ending| path.ends_with(ending)) {
            let text = fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            to.insert(path, text);
        }
    }
}

fn rust_files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    RUST_TREES.iter().for_each(|tree| read(tree.path, &[".rs"], &mut files));
    files
}

fn c_files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    read(C_TREE, &[".c", ".h"], &mut files);
    files.retain(|path, _| !c_tree::is_test(path));
    files
}

fn rust_imports() -> Vec<graph::Import> {
    rust_tree::imports(RUST_TREES, &rust_files()).unwrap_or_else(|trouble| panic!("{trouble}"))
}

#[track_caller]
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn no_file_of_rust_needs_itself_by_way_of_others() {
    assert_none(&graph::circles(&rust_imports(), |file| file));
}

#[test]
fn no_unit_of_c_needs_itself_by_way_of_others() {
    assert_none(&graph::circles(&c_tree::imports(&c_files()), c_tree::unit));
}

#[test]
fn rooms_use_what_the_table_allows() {
    let rooms = table::read(&fs::read_to_string(root().join(TABLE)).expect(TABLE));
    let rooms = rooms.unwrap_or_else(|trouble| panic!("{TABLE}: {trouble}"));
    let (rust, c) = (rust_files(), c_files());
    let files: Vec<&str> = rust.keys().chain(c.keys()).map(String::as_str).collect();
    let trees: Vec<&str> = RUST_TREES.iter().map(|tree| tree.path).chain([C_TREE]).collect();
    let imports = [rust_imports(), c_tree::imports(&c)].concat();
    let mut found = table::faults(&rooms);
    found.extend(table::violations(&rooms, &trees, &files, &imports));
    assert_none(&found.iter().map(|fault| format!("{TABLE}: {fault}")).collect::<Vec<_>>());
}
