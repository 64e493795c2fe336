//! The machine around the instructions: faults that say where, calls in both directions, several tasks, accounts.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::fs;
use std::path::PathBuf;

use support::{assemble, folder, tool};
use xt804::context::Context;
use xt804::fault::{Fault, FaultKind};
use xt804::image::Image;
use xt804::link::{Link, RAM, RAM_SIZE, undefined};
use xt804::machine::{Host, Machine, Stop};

const STACK: u32 = 0x400;
const TOP: u32 = RAM + RAM_SIZE as u32;

/// Functions in assembly; what they lack is the host's.
fn program(name: &str, source: &str, roots: &[&str]) -> Machine {
    let folder = folder(name);
    let typed: String = roots.iter().map(|root| format!(".global {root}\n.type {root}, @function\n")).collect();
    let inputs = [assemble(&folder, name, "ck804ef", &format!("{typed}.text\n{source}\n"))];
    let output = folder.join("program.elf");
    Link { ld: &tool("ld"), inputs: &inputs, roots, output: &output }.run().unwrap();
    let mut machine = Machine::default();
    machine.load(Image::parse(&fs::read(output).unwrap()).unwrap()).unwrap();
    machine
}

fn task(number: u32) -> Context {
    let top = TOP - number * STACK;
    Context::new(&format!("task {number}"), top - STACK, top)
}

struct Nobody;

impl Host for Nobody {
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>> {
        let name = machine.symbols().imports().get(number).unwrap().clone();
        Err(Box::new(machine.fault(context, FaultKind::Missing(name))))
    }
}

fn fails(machine: &mut Machine, function: &str, arguments: &[u32]) -> Box<Fault> {
    let entry = machine.symbols().address(function).unwrap();
    machine.call(&mut task(0), entry, arguments, &mut Nobody).unwrap_err()
}

const FAULTY: &str = "
outer:  subi r14, r14, 4
        st.w r15, (r14, 0)
        bsr inner
        ld.w r15, (r14, 0)
        addi r14, r14, 4
        rts
.size outer, . - outer
inner:  ld.w r0, (r0, 0)
        rts
.size inner, . - inner
unknown: .short 0xffff, 0x1234
.size unknown, . - unknown
write:  st.b r0, (r0, 0)
        rts
.size write, . - write
dive:   subi r14, r14, 508
        br dive
.size dive, . - dive
away:   jmp r0
.size away, . - away
half:   st.h r0, (r0, 0)
        rts
.size half, . - half
stop:   wait
.size stop, . - stop
";

fn faulty(name: &str) -> Machine {
    program(name, FAULTY, &["outer", "inner", "unknown", "write", "dive", "away", "half", "stop"])
}

#[test]
fn a_fault_tells_what_where_and_by_which_calls() {
    let mut machine = faulty("backtrace");
    let fault = fails(&mut machine, "outer", &[0x1000_0000]);
    assert_eq!(fault.kind, FaultKind::Unmapped { address: 0x1000_0000, bytes: 4 });
    assert_eq!(fault.instruction.as_deref(), Some("ld.w r0, (r0, 0x0)"));
    let names: Vec<_> = fault.backtrace.iter().map(|frame| frame.symbol.clone().unwrap()).collect();
    assert_eq!(names, [("inner".to_owned(), 0), ("outer".to_owned(), 6)]);
    let text = fault.to_string();
    assert!(text.starts_with("task 0: 4 bytes at 0x10000000, outside the map in \"ld.w r0, (r0, 0x0)\"\n    at 0x08"));
    assert!(text.ends_with(" outer+0x6"), "{text}");
}

#[test]
fn unknown_encodings_stop_with_their_bytes() {
    let fault = fails(&mut faulty("unknown"), "unknown", &[]);
    assert_eq!(fault.kind, FaultKind::UnknownEncoding { first: 0xffff, second: Some(0x1234) });
    assert!(fault.to_string().contains("unknown encoding ffff 1234\n    at 0x"), "{fault}");
    assert!(fault.to_string().ends_with(" unknown+0x0"), "{fault}");
}

#[test]
fn memory_is_guarded() {
    let mut machine = faulty("memory");
    let mut kind = |function: &str, argument| fails(&mut machine, function, &[argument]).kind.clone();
    assert_eq!(kind("inner", RAM + 2), FaultKind::Misaligned { address: RAM + 2, bytes: 4 });
    assert_eq!(kind("half", RAM + 1), FaultKind::Misaligned { address: RAM + 1, bytes: 2 });
    assert_eq!(kind("inner", TOP), FaultKind::Unmapped { address: TOP, bytes: 4 });
    assert_eq!(kind("inner", 0), FaultKind::Unmapped { address: 0, bytes: 4 });
    assert_eq!(kind("inner", 0xffff_fffc), FaultKind::Unmapped { address: 0xffff_fffc, bytes: 4 });
    assert_eq!(kind("write", RAM - 1), FaultKind::Unmapped { address: RAM - 1, bytes: 1 });
    assert_eq!(kind("write", 0x0800_0004), FaultKind::WritesCode { address: 0x0800_0004, bytes: 1 });
    assert_eq!(kind("away", RAM), FaultKind::NoCode);
    assert_eq!(kind("away", 0xf000_1000), FaultKind::NoCode);
    assert_eq!(kind("stop", 0), FaultKind::Privileged);
}

#[test]
fn a_stack_ends_at_its_guard() {
    let fault = fails(&mut faulty("dive"), "dive", &[]);
    assert_eq!(fault.kind, FaultKind::StackOverflow { sp: TOP - 3 * 508, guard: TOP - STACK });
}

/// `sum(n)` asks the host for `term(i, 2, 3, 4, 5, 6)` n times; the host asks `twice` of the guest.
const CALLS: &str = "
sum:    push r4-r6, r15
        subi r14, r14, 8
        mov  r4, r0
        movi r5, 0
1:      bez  r4, 2f
        mov  r0, r4
        movi r1, 2
        movi r2, 3
        movi r3, 4
        movi r6, 5
        st.w r6, (r14, 0)
        movi r6, 6
        st.w r6, (r14, 4)
        jsri term
        addu r5, r0
        subi r4, r4, 1
        br   1b
2:      mov  r0, r5
        addi r14, r14, 8
        pop  r4-r6, r15
.size sum, . - sum
twice:  lsli r0, r0, 1
        rts
.size twice, . - twice
sixth:  ld.w r0, (r14, 4)
        rts
.size sixth, . - sixth
";

fn calls(name: &str) -> Machine {
    program(name, CALLS, &["sum", "twice", "sixth"])
}

#[derive(Default)]
struct Terms(Vec<u32>);

impl Host for Terms {
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>> {
        assert_eq!(machine.symbols().imports().get(number).unwrap(), "term");
        let arguments: Vec<u32> = (0..6).map(|place| machine.argument(context, place).unwrap()).collect();
        assert_eq!(arguments.get(1..).unwrap(), [2, 3, 4, 5, 6]);
        let term = *arguments.first().unwrap();
        self.0.push(term);
        let twice = machine.symbols().address("twice").unwrap();
        let result = machine.call(context, twice, &[term], &mut Nobody)?;
        context.set(0, u32::try_from(result & 0xffff_ffff).unwrap());
        Ok(())
    }
}

#[test]
fn host_and_guest_call_each_other() {
    let mut machine = calls("calls");
    assert_eq!(machine.symbols().imports(), ["term"]);
    let (mut context, mut terms) = (task(0), Terms::default());
    let sum = machine.symbols().address("sum").unwrap();
    let before = (context.pc, context.sp());
    let result = machine.call(&mut context, sum, &[3], &mut terms).unwrap();
    assert_eq!((result & 0xffff_ffff, terms.0), (12, vec![3, 2, 1]));
    assert_eq!((context.pc, context.sp()), before);
    // sum, and three times term and twice.
    assert_eq!(context.counters.calls, 7);
    assert_eq!((context.counters.loads, context.counters.stores), (3 + 4, 4 + 6));
    assert_eq!(context.stack.high_water(), 24);
}

#[test]
fn arguments_beyond_the_fourth_are_on_the_stack() {
    let mut machine = calls("arguments");
    let sixth = machine.symbols().address("sixth").unwrap();
    let result = machine.call(&mut task(0), sixth, &[1, 2, 3, 4, 5, 66], &mut Nobody).unwrap();
    assert_eq!(result & 0xffff_ffff, 66);
}

#[test]
fn tasks_take_turns_over_one_memory() {
    let mut machine = calls("tasks");
    let sum = machine.symbols().address("sum").unwrap();
    let mut tasks: Vec<Context> = (0..3).map(task).collect();
    let begun: Vec<_> =
        tasks.iter_mut().zip(5..).map(|(task, n)| machine.begin_call(task, sum, &[n]).unwrap()).collect();
    let mut running = [true; 3];
    while running.contains(&true) {
        for (task, running) in tasks.iter_mut().zip(&mut running).filter(|(_, running)| **running) {
            match machine.run(task, 3) {
                Stop::Budget => {}
                Stop::Returned => *running = false,
                Stop::HostCall(_) => task.return_from_host(),
                Stop::Fault(fault) => panic!("{fault}"),
            }
        }
    }
    let sums: Vec<u64> =
        tasks.iter_mut().zip(begun).map(|(task, call)| machine.end_call(task, call) & 0xffff_ffff).collect();
    // The host's answer is what was asked: 5 + 4 + 3 + 2 + 1, and so on.
    assert_eq!(sums, [15, 21, 28]);
}

#[test]
fn a_budget_ends_a_run_exactly() {
    let mut machine = calls("budget");
    let sum = machine.symbols().address("sum").unwrap();
    let mut context = task(0);
    let _call = machine.begin_call(&mut context, sum, &[1]).unwrap();
    assert!(matches!(machine.run(&mut context, 5), Stop::Budget));
    assert_eq!(context.counters.instructions, 5);
    assert_eq!(machine.show(context.pc).as_deref(), Some("mov r0, r4"));
}

#[test]
fn a_profile_is_of_every_instruction() {
    let mut machine = calls("profile");
    let sum = machine.symbols().address("sum").unwrap();
    let mut context = task(0);
    context.start_profile();
    machine.call(&mut context, sum, &[2], &mut Terms::default()).unwrap();
    let (total, mut folded) = (context.counters.instructions, Vec::new());
    context.profile().unwrap().write_folded("task", machine.symbols(), &mut folded).unwrap();
    let folded = String::from_utf8(folded).unwrap();
    assert_eq!(folded, format!("task;sum {}\ntask;sum;term;twice 4\n", total - 4));
}

#[test]
fn the_host_reaches_only_what_is_there() {
    let mut machine = Machine::default();
    let memory = machine.memory_mut();
    memory.write(RAM, b"text\0more").unwrap();
    assert_eq!(memory.c_string(RAM).unwrap(), b"text");
    assert_eq!(memory.bytes(RAM + 5, 4).unwrap(), b"more");
    assert_eq!(memory.bytes(0, 0).unwrap(), b"");
    assert_eq!(memory.write(TOP - 1, b"xy"), Err(FaultKind::Unmapped { address: TOP - 1, bytes: 2 }));
    assert_eq!(memory.write(0x0800_0000, b"x"), Err(FaultKind::WritesCode { address: 0x0800_0000, bytes: 1 }));
    memory.write(TOP - 2, b"xy").unwrap();
    assert_eq!(memory.c_string(TOP - 2), Err(FaultKind::Unmapped { address: TOP - 2, bytes: 1 }));
    assert!(memory.bytes(TOP - 2, u32::MAX).is_err());
}

#[test]
fn what_archives_lack_is_known() {
    let folder = folder("undefined");
    let source = ".text\n.global have\nhave: jsri lack_b\njsri lack_a\n.long have\n";
    let inputs: [PathBuf; 1] = [assemble(&folder, "object", "ck804ef", source)];
    let names: Vec<String> = undefined(&inputs).unwrap().into_iter().collect();
    assert_eq!(names, ["lack_a", "lack_b"]);
}

#[test]
fn only_programs_for_this_chip_are_read() {
    assert!(Image::parse(b"no ELF file").is_err());
    let host = fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(Image::parse(&host).is_err());
}
