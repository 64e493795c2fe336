//! What was executed, for people and programs.

use std::ffi::{CString, c_char};
use std::fmt::Write;
use std::ptr;
use std::sync::{Mutex, PoisonError};

use super::guest::core;

/// The rows of the last call, for as long as the board prints them.
static ROWS: Mutex<Option<CString>> = Mutex::new(None);

/// Rows for `AT+SYSCPU?`; null after beginning the marks of the stacks anew.
pub extern "C" fn figures(begin_anew: bool) -> *const c_char {
    if begin_anew {
        core().forget_stacks();
        return ptr::null();
    }
    let mut rows = String::new();
    for (name, task) in core().figures() {
        let counters = task.counters;
        let _ = write!(
            rows,
            "+SYSCPU:\"{name}\",{},{},{},{},{}\r\n",
            counters.instructions, counters.calls, counters.loads, counters.stores, task.high_water
        );
    }
    let mut kept = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    kept.insert(CString::new(rows).unwrap_or_default()).as_ptr()
}

/// One line: all instructions, and each task's with its stack. Tasks of one name are added up; a stack's high-water
/// mark is that of the library's own frames, not of what it calls.
pub fn json() -> String {
    let core = core();
    let figures = core.figures();
    let total: u64 = figures.values().map(|task| task.counters.instructions).sum();
    let tasks: Vec<String> = figures
        .iter()
        .map(|(name, task)| {
            let counters = task.counters;
            format!(
                r#"{{"name":"{name}","instructions":{},"calls":{},"loads":{},"stores":{},"stack":{},"high_water":{}}}"#,
                counters.instructions, counters.calls, counters.loads, counters.stores, task.stack, task.high_water
            )
        })
        .collect();
    format!(r#"{{"cpu":"xt804","instructions":{total},"tasks":[{}]}}"#, tasks.join(","))
}

/// Folded stacks, the task's name first: a line for each stack and the instructions in it.
pub fn folded() -> Vec<u8> {
    core().folded()
}
