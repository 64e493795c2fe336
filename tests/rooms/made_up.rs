//! The checks on small trees that were made up for them.

use std::collections::BTreeMap;

use crate::graph::{Import, circles};
use crate::modules::Tree;
use crate::{c_tree, rust_tree, table};

const LIBRARY: Tree<'static> = Tree { path: "src", library: "library" };
const PROGRAM: Tree<'static> = Tree { path: "tool/src", library: "tool" };

fn files(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn imports(texts: &[(&str, &str)]) -> Vec<Import> {
    rust_tree::imports(&[LIBRARY], &files(texts)).expect("a tree that can be read")
}

/// Imports as `file:line file`.
fn short(imports: &[Import]) -> Vec<String> {
    imports.iter().map(|import| format!("{}:{} {}", import.from, import.line, import.to)).collect()
}

const ROOMS: &str = "
## Which room may use which

| room | where | may use | never |
|---|---|---|---|
| `low` | `src/low.rs` | nothing | know of `high` |
| `high` | `src/high`, `src/top.rs` | `low` | |
| `tool` | `tool/src` | `high` | |

| not | a | row | `x` |
";

#[test]
fn a_circle_is_told_file_by_file_with_its_lines() {
    let imports = imports(&[
        ("src/lib.rs", "mod a;\nmod b;\nmod c;"),
        ("src/a.rs", "use crate::b::B;\npub struct A(B);"),
        ("src/b.rs", "\nuse super::c;\npub struct B;\nfn f() { c::g(); }"),
        ("src/c.rs", "pub fn g() -> usize {\n    size_of::<crate::a::A>()\n}"),
    ]);
    let told = "a circle of 3:\n  \
                src/a.rs:1 imports crate::b::B of src/b.rs\n  \
                src/b.rs:4 imports c::g of src/c.rs\n  \
                src/c.rs:2 imports crate::a::A of src/a.rs";
    assert_eq!(circles(&imports, |file| file), [told]);
}

#[test]
fn circles_beside_each_other_are_all_told() {
    let mutual =
        |from: &str, to: &str| Import { from: from.to_owned(), line: 1, what: String::new(), to: to.to_owned() };
    let imports = [mutual("a", "b"), mutual("b", "a"), mutual("b", "c"), mutual("c", "d"), mutual("d", "c")];
    assert_eq!(circles(&imports, |file| file).len(), 2);
    assert!(circles(&imports[2..4], |file| file).is_empty());
}

#[test]
fn what_is_for_tests_is_left_out() {
    let texts = [
        ("src/lib.rs", "mod a;\nmod b;\n#[cfg(all(test, unix))]\nmod helper;"),
        ("src/a.rs", "use crate::b::B;\npub struct A;\n#[cfg(test)]\nmod tests;"),
        ("src/a/tests.rs", "not Rust"),
        ("src/helper.rs", "use crate::a::A;"),
        (
            "src/b.rs",
            "pub struct B;\n#[cfg(test)]\nuse crate::a::A;\n#[cfg(test)]\nmod tests { use crate::a::A; }\n\
             impl B { #[cfg(test)] fn f(_: crate::a::A) {} }",
        ),
    ];
    assert_eq!(short(&imports(&texts)), ["src/a.rs:1 src/b.rs"]);
}

#[test]
fn what_is_not_for_tests_only_is_read() {
    let texts = [
        ("src/lib.rs", "#[cfg(not(test))]\nmod a;\n#[cfg(any(test, unix))]\nmod b;\nmod c;"),
        ("src/a.rs", "use crate::c::C;"),
        ("src/b.rs", "use crate::c::C;"),
        ("src/c.rs", "pub struct C;"),
    ];
    assert_eq!(short(&imports(&texts)), ["src/a.rs:1 src/c.rs", "src/b.rs:1 src/c.rs"]);
}

#[test]
fn a_name_is_followed_to_where_it_is_defined() {
    let texts = [
        ("src/lib.rs", "pub mod room;\nmod user;"),
        ("src/room/mod.rs", "mod deep;\nmod wide;\npub use self::deep::Deep as Renamed;\npub use wide::*;"),
        ("src/room/deep.rs", "pub enum Deep { One }"),
        ("src/room/wide.rs", "pub fn wide() {}\nuse super::deep;"),
        ("src/user.rs", "use crate::room::{self, Renamed};\nfn f() -> Renamed { room::wide(); Renamed::One }"),
    ];
    let found = imports(&texts);
    let expected = [
        "src/room/mod.rs:3 src/room/deep.rs",
        "src/room/mod.rs:4 src/room/wide.rs",
        "src/user.rs:1 src/room/deep.rs",
        "src/user.rs:2 src/room/wide.rs",
    ];
    assert_eq!(short(&found), expected);
    assert!(circles(&found, |file| file).is_empty());
}

#[test]
fn a_parent_that_defines_what_its_child_needs_and_uses_the_child_is_in_a_circle() {
    let parent = "mod child;\npub struct Shared;\npub fn f() { child::g(Shared) }";
    let child = "use super::Shared;\npub fn g(_: Shared) {}";
    let found = imports(&[("src/lib.rs", "pub mod room;"), ("src/room.rs", parent), ("src/room/child.rs", child)]);
    assert_eq!(circles(&found, |file| file).len(), 1);
    let parent = "mod child;\nmod shared;\npub use child::g;\npub use shared::Shared;";
    let shared = ("src/room/shared.rs", "pub struct Shared;");
    let texts = [("src/lib.rs", "pub mod room;"), ("src/room.rs", parent), ("src/room/child.rs", child), shared];
    assert!(circles(&imports(&texts), |file| file).is_empty());
}

#[test]
fn macros_attributes_and_inner_modules_are_read() {
    let texts = [
        ("src/lib.rs", "macro_rules! outer { () => { $crate::d::D } }\nmod a;\nmod b;\nmod c;\nmod d;"),
        ("src/a.rs", "fn f() { assert_eq!(1, crate::b::B, \"{}\", [super::c::C]); }\nfn g() { outer!(); }"),
        ("src/b.rs", "pub const B: u8 = 1;\n#[default(crate::c::C)]\nstruct X;"),
        ("src/c.rs", "pub const C: u8 = 2;\nmod inner { use super::super::d::D; }"),
        ("src/d.rs", "pub struct D;"),
    ];
    let expected = [
        "src/a.rs:1 src/b.rs",
        "src/a.rs:1 src/c.rs",
        "src/a.rs:2 src/lib.rs",
        "src/b.rs:2 src/c.rs",
        "src/c.rs:2 src/d.rs",
        "src/lib.rs:1 src/d.rs",
    ];
    assert_eq!(short(&imports(&texts)), expected);
}

#[test]
fn a_module_and_a_function_of_one_name_are_told_apart() {
    let texts = [
        ("src/lib.rs", "mod room;\nmod user;"),
        ("src/room/mod.rs", "pub mod heap;\nmod timeline;\npub use timeline::heap;"),
        ("src/room/heap.rs", "pub struct Curve;"),
        ("src/room/timeline.rs", "use super::heap::Curve;\npub fn heap(_: Curve) {}"),
        ("src/user.rs", "fn f() { crate::room::heap(todo!()) }"),
    ];
    let found = short(&imports(&texts));
    assert!(found.contains(&"src/user.rs:1 src/room/timeline.rs".to_owned()), "{found:?}");
    assert!(!found.contains(&"src/user.rs:1 src/room/heap.rs".to_owned()), "{found:?}");
    assert!(circles(&imports(&texts), |file| file).is_empty());
}

#[test]
fn every_file_that_options_choose_from_is_read() {
    let texts = [
        ("src/lib.rs", "#[cfg_attr(not(tls), path = \"without.rs\")]\nmod tls;\n#[path = \"far/away.rs\"]\nmod near;"),
        ("src/tls.rs", "pub struct Tls;"),
        ("src/without.rs", "use crate::near::Near;\npub struct Tls;"),
        ("src/far/away.rs", "pub struct Near(crate::tls::Tls);"),
    ];
    let expected =
        ["src/far/away.rs:1 src/tls.rs", "src/far/away.rs:1 src/without.rs", "src/without.rs:1 src/far/away.rs"];
    assert_eq!(short(&imports(&texts)), expected);
}

#[test]
fn a_file_that_no_module_names_is_refused() {
    let texts = files(&[("src/lib.rs", "mod a;"), ("src/a.rs", ""), ("src/forgotten.rs", "")]);
    assert_eq!(rust_tree::imports(&[LIBRARY], &texts), Err("src/forgotten.rs is in no module".to_owned()));
    let texts = files(&[("src/lib.rs", "mod a;")]);
    assert_eq!(
        rust_tree::imports(&[LIBRARY], &texts),
        Err("src/lib.rs: there is neither src/a.rs nor src/a/mod.rs".to_owned())
    );
}

#[test]
fn rooms_of_another_crate_count() {
    let texts = files(&[
        ("src/lib.rs", "pub mod high;\nmod low;\nmod top;"),
        ("src/high/mod.rs", "mod part;\npub use part::Part;\npub use crate::low::Low;"),
        ("src/high/part.rs", "use crate::low::Low;\npub struct Part(Low);"),
        ("src/low.rs", "pub struct Low;\nuse crate::high::Part;"),
        ("src/top.rs", "use crate::high::Part;"),
        ("tool/src/main.rs", "use library::high::{Low, Part};"),
    ]);
    let rooms = table::read(ROOMS).expect("a table");
    assert!(table::faults(&rooms).is_empty());
    let imports = rust_tree::imports(&[LIBRARY, PROGRAM], &texts).expect("two trees");
    let names: Vec<&str> = texts.keys().map(String::as_str).collect();
    let expected = [
        "`low` may not use `high`: src/low.rs:2 imports crate::high::Part of src/high/part.rs",
        "`tool` may not use `low`: tool/src/main.rs:1 imports library::high::Low of src/low.rs",
    ];
    assert_eq!(table::violations(&rooms, &["src", "tool/src"], &names, &imports), expected);
}

#[test]
fn a_file_without_a_room_and_a_room_without_a_file_are_found() {
    let rooms = table::read(ROOMS).expect("a table");
    let names = ["src/lib.rs", "src/low.rs", "src/lower.rs", "src/high/mod.rs"];
    let expected = ["src/lower.rs is in no room", "line 7: nothing is at src/top.rs"];
    assert_eq!(table::violations(&rooms, &["src"], &names, &[]), expected);
    let import = Import { from: names[1].to_owned(), line: 1, what: "crate::X".to_owned(), to: names[0].to_owned() };
    let expected = "`low` uses what is in no room: src/low.rs:1 imports crate::X of src/lib.rs";
    assert_eq!(table::violations(&rooms, &["src"], &names, &[import])[2], expected);
}

#[test]
fn a_table_that_contradicts_itself_is_refused() {
    let row = |name: &str, uses: &str| format!("| `{name}` | `src/{name}` | {uses} | |\n");
    let of = |rows: &[String]| {
        let head = "# Which room may use which\n| room | where | may use | never |\n|---|---|---|---|\n";
        table::faults(&table::read(&format!("{head}{}", rows.concat())).expect("a table"))
    };
    assert_eq!(of(&[row("a", "`b`"), row("b", "nothing")]), [""; 0]);
    assert_eq!(of(&[row("a", "`c`")]), ["line 4: there is no room `c`"]);
    assert_eq!(of(&[row("a", ""), row("a", "")]), ["line 5: there are two rooms `a`"]);
    assert!(of(&[row("a", "`b`"), row("b", "`a`")])[0].starts_with("the table allows a circle of 2:"));
    assert!(table::read("# Rooms\n| room |").is_err());
    assert!(table::read("# Which room may use which\n| room | may use | where | never |\n").is_err());
}

#[test]
fn a_file_of_c_and_its_header_are_one_unit() {
    let texts = files(&[
        ("c/a.c", "#include \"a.h\"\n#include \"net/b.h\"\n#include <stdio.h>"),
        ("c/a.h", "  # include \"lwip/sockets.h\""),
        ("c/net/b.c", "#include \"b.h\""),
        ("c/net/b.h", ""),
        ("c/tests/t.c", "#include \"a.h\""),
    ]);
    let imports = c_tree::imports(&texts);
    assert_eq!(short(&imports), ["c/a.c:1 c/a.h", "c/a.c:2 c/net/b.h", "c/net/b.c:1 c/net/b.h"]);
    assert!(circles(&imports, c_tree::unit).is_empty());
    let texts = files(&[("c/a.c", "#include \"b.h\""), ("c/a.h", ""), ("c/b.c", "\n#include \"a.h\""), ("c/b.h", "")]);
    let told = "a circle of 2:\n  c/a.c:1 imports \"b.h\" of c/b.h\n  c/b.c:2 imports \"a.h\" of c/a.h";
    assert_eq!(circles(&c_tree::imports(&texts), c_tree::unit), [told]);
}
