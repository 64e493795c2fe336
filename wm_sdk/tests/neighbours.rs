//! The table in docs/board-commands.md is that of `neighbour_table.h`. `W800_UPDATE_DOCS=1` writes it.
#![allow(missing_docs, clippy::expect_used, reason = "tests may stop at an error")]

use std::fs;
use std::path::Path;
use std::process::Command;

const BEGIN: &str = "| command | is | does |\n|---|---|---|\n";

fn rows() -> String {
    let host = Path::new(env!("CARGO_MANIFEST_DIR")).join("host");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("neighbour_rows");
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-I"])
        .args([&host, &host.join("tests/neighbour_rows.c")])
        .arg("-o")
        .arg(&program)
        .status()
        .expect("a C compiler named cc is installed");
    assert!(compiled.success(), "the table does not compile");
    let printed = Command::new(&program).output().expect("it was just compiled").stdout;
    String::from_utf8(printed).expect("the table is UTF-8")
}

#[test]
fn the_page_has_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/board-commands.md");
    let text = fs::read_to_string(&page).expect("the page is there");
    let (before, rest) = text.split_once(BEGIN).expect("the page has the table's head");
    let end = rest.find("\n\n").map_or(rest.len(), |end| end.saturating_add(1));
    let fresh = format!("{before}{BEGIN}{}{}", rows(), rest.get(end..).unwrap_or_default());
    if std::env::var_os("W800_UPDATE_DOCS").is_some() {
        fs::write(&page, &fresh).expect("the page can be written");
    }
    assert_eq!(fs::read_to_string(&page).expect("the page is there"), fresh, "W800_UPDATE_DOCS=1 writes the page");
}
