//! The crate that rustc's `#[test]` refers to, as far as unit tests need it. It prints of a test what the real one
//! prints with `--nocapture --test-threads=1`; a panic is the end.
#![no_std]
#![allow(missing_docs, reason = "names and meanings are those of the real crate")]

use std::{print, println};

/// A function that is a test.
pub struct TestDescAndFn {
    pub desc: TestDesc,
    pub testfn: TestFn,
}

/// What is known of it.
pub struct TestDesc {
    pub name: TestName,
    pub ignore: bool,
    pub ignore_message: Option<&'static str>,
    pub source_file: &'static str,
    pub start_line: usize,
    pub start_col: usize,
    pub end_line: usize,
    pub end_col: usize,
    pub should_panic: ShouldPanic,
    pub compile_fail: bool,
    pub no_run: bool,
    pub test_type: TestType,
}

pub enum TestName {
    StaticTestName(&'static str),
}

pub enum TestFn {
    StaticTestFn(fn() -> Result<(), &'static str>),
}

pub use TestFn::StaticTestFn;
pub use TestName::StaticTestName;

#[derive(PartialEq, Eq)]
pub enum ShouldPanic {
    No,
    Yes,
    YesWithMessage(&'static str),
}

pub enum TestType {
    UnitTest,
    IntegrationTest,
    Unknown,
}

/// What a test may return.
pub trait Outcome {
    fn result(self) -> Result<(), &'static str>;
}

impl Outcome for () {
    fn result(self) -> Result<(), &'static str> {
        Ok(())
    }
}

pub fn assert_test_result<T: Outcome>(outcome: T) -> Result<(), &'static str> {
    outcome.result()
}

/// Runs the tests that the host asks for, one after the other.
pub fn test_main_static_abort(tests: &[&TestDescAndFn]) {
    while let Some(test) = tests.get(std::_next(tests.len())) {
        let TestName::StaticTestName(name) = test.desc.name;
        assert!(!test.desc.ignore && test.desc.should_panic == ShouldPanic::No, "{name}: not possible here");
        print!("test {name} ... ");
        let TestFn::StaticTestFn(run) = test.testfn;
        match run() {
            Ok(()) => println!("ok"),
            Err(error) => panic!("{error}"),
        }
    }
}
