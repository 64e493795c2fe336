//! What was executed, for people and programs.

use super::guest::core;

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
