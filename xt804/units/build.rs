//! The build options of the rooms: their defaults, by the library's own table.

#[path = "../../build_options.rs"]
#[allow(dead_code, reason = "the library's build takes more of it")]
mod build_options;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::{env, fs};

/// The cfg of `CONFIG_WM_ATCMD_USAGE_ENABLE`, on by default.
const USAGE_TEXTS: &str = "usage_texts";

/// As the SDK has it.
const AT_PRIORITY: u32 = 7;

fn main() {
    println!("cargo::rerun-if-changed=../../build_options.rs");
    let options = build_options::resolve(&BTreeMap::new(), "", AT_PRIORITY).expect("the defaults are right");
    let folder = PathBuf::from(env::var("OUT_DIR").expect("set by cargo"));
    fs::write(folder.join("options.rs"), options.source).expect("cargo's folder can be written");
    for cfg in options.cfgs.into_iter().chain([USAGE_TEXTS.to_owned()]) {
        println!("cargo::rustc-cfg={cfg}");
    }
    for cfg in build_options::possible_cfgs().chain([USAGE_TEXTS.to_owned()]) {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
    }
}
