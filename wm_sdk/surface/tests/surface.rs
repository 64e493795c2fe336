//! `wm_sdk/include` against the recorded facts of the real SDK, and whether a wrong declaration is found out.
#![allow(clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sdk_surface::bindings::{self, Folder};
use sdk_surface::compare::{self, ALLOWED, Difference};
use sdk_surface::facts::Kind;
use sdk_surface::record::{self, Surface};

fn own(before: Option<&Path>) -> Surface {
    record::own(before).unwrap()
}

fn recorded() -> String {
    fs::read_to_string(bindings::root().join(record::PLACE)).unwrap()
}

#[test]
fn our_headers_say_what_the_sdk_says() {
    let sdk = record::read(&recorded()).unwrap();
    let own = own(None);
    let differences = compare::differences(&own, &sdk);
    let wrong: Vec<&Difference> = differences.iter().filter(|difference| difference.reason().is_none()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (kind, least) in [(Kind::Constant, 150), (Kind::Field, 70), (Kind::Function, 80), (Kind::Structure, 25)] {
        assert!(compare::agreed(&own, &sdk, &differences, kind) >= least, "{kind}");
    }
    for (kind, pattern, _) in ALLOWED {
        let used = |one: &Difference| one.kind == *kind && compare::matches(pattern, &one.name);
        assert!(differences.iter().any(used), "allowed and not needed: {kind} {pattern}");
    }
}

#[test]
fn the_list_is_as_it_is_written() {
    let text = recorded();
    assert_eq!(record::write(&record::read(&text).unwrap(), record::origin(&text).unwrap()), text);
}

struct Mistake {
    header: &'static str,
    there: &'static str,
    instead: &'static str,
    named: &'static [(Kind, &'static str)],
}

const MISTAKES: &[Mistake] = &[
    Mistake {
        header: "wm_osal.h",
        there: "0xffffffffUL",
        instead: "0x7fffffffUL",
        named: &[(Kind::Constant, "WM_OS_WAIT_TIME_MAX")],
    },
    Mistake {
        header: "wm_osal.h",
        there: "name, void (*entry)(void *param)",
        instead: "name, void (*entry)(int param)",
        named: &[(Kind::Function, "wm_os_internal_task_create")],
    },
    Mistake {
        header: "wm_nvs.h",
        there: "const void *blob, size_t blob_len",
        instead: "const void *blob, uint16_t blob_len",
        named: &[(Kind::Function, "wm_nvs_set_blob")],
    },
    Mistake {
        header: "wm_nvs.h",
        there: "int wm_nvs_close",
        instead: "void wm_nvs_close",
        named: &[(Kind::Function, "wm_nvs_close")],
    },
    Mistake {
        header: "wm_nvs.h",
        there: "WM_NVS_OP_READ_WRITE = 1",
        instead: "WM_NVS_OP_READ_WRITE = 2",
        named: &[(Kind::Constant, "WM_NVS_OP_READ_WRITE"), (Kind::Constant, "WM_NVS_OP_MAX")],
    },
    Mistake {
        header: "wm_atcmd.h",
        there: "    wm_atcmd_act cmd_handle;\n#if",
        instead: "    void *reserved;\n    wm_atcmd_act cmd_handle;\n#if",
        named: &[
            (Kind::Field, "wm_atcmd_item.reserved"),
            (Kind::Field, "wm_atcmd_item.cmd_handle"),
            (Kind::Field, "wm_atcmd_item.cmd_usg"),
            (Kind::Structure, "wm_atcmd_item"),
        ],
    },
    Mistake {
        header: "wm_utils.h",
        there: "void wm_system_reboot(void);",
        instead: "",
        named: &[(Kind::Function, "wm_system_reboot")],
    },
];

#[test]
fn each_wrong_declaration_is_named() {
    let (before, mut headers) = (Folder::new().unwrap(), BTreeMap::new());
    for Mistake { header, there, instead, .. } in MISTAKES {
        let place = bindings::root().join("wm_sdk/include").join(header);
        let text = headers.entry(*header).or_insert_with(|| fs::read_to_string(place).unwrap());
        assert_eq!(text.matches(there).count(), 1, "{header}: {there}");
        *text = text.replace(there, instead);
    }
    for (header, text) in &headers {
        fs::write(before.path().join(header), text).unwrap();
    }
    let sdk = record::read(&recorded()).unwrap();
    let mut named: Vec<(Kind, String)> = compare::differences(&own(Some(before.path())), &sdk)
        .into_iter()
        .filter(|difference| difference.reason().is_none())
        .map(|difference| (difference.kind, difference.name))
        .collect();
    let mut expected: Vec<(Kind, String)> =
        MISTAKES.iter().flat_map(|mistake| mistake.named).map(|(kind, name)| (*kind, (*name).to_owned())).collect();
    named.sort();
    expected.sort();
    assert_eq!(named, expected);
}
