//! Into the guest and out of it: a context for each task that enters, and the loop that serves its calls.

use std::cell::OnceCell;
use std::ffi::{CStr, c_char};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use xt804::context::Context;
use xt804::fault::Fault;
use xt804::machine::{Call, Machine, Stop};

use super::call::{Row, Trouble, Words, low};
use super::core::Core;

/// Instructions between two looks at whether a higher task is ready: about the time between two ticks on the chip.
const BURST: u64 = 20_000;
/// What `wm_task_config.h` gives the AT server's task, which runs the handlers.
const AT_STACK_BYTES: u32 = 8192;
/// What the board's server gives its task that receives; what the vendor's gives is not known.
const RECEIVING_STACK_BYTES: u32 = 2048;
/// What `wm_task_config.h` gives the others that call the library: the main task and lwIP's.
const OTHER_STACK_BYTES: u32 = 4096;
/// The program's exit status when the guest cannot go on.
const FAULT_STATUS: i32 = 70;

struct Guest {
    core: Mutex<Core>,
    rows: Vec<&'static Row>,
}

static GUEST: OnceLock<Guest> = OnceLock::new();

#[expect(unsafe_code, reason = "the board is C")]
unsafe extern "C" {
    safe fn kernel_checkpoint();
    safe fn wm_os_internal_get_task_name() -> *const c_char;
}

/// Takes a loaded machine into service, with the host's functions in the order of their numbers.
pub fn install(machine: Machine, rows: Vec<&'static Row>, profile: bool) -> Result<(), String> {
    let start = machine.symbols().address("__ram_free_start").ok_or("the image does not tell where its data ends")?;
    let core = Core::new(machine, start, profile);
    GUEST.set(Guest { core: Mutex::new(core), rows }).map_err(|_| "a program is loaded already".to_owned())
}

fn guest() -> &'static Guest {
    match GUEST.get() {
        Some(guest) => guest,
        None => end("no program is loaded"),
    }
}

/// The machine, for a moment: never while the board's functions are called.
pub fn core() -> MutexGuard<'static, Core> {
    guest().core.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end(message: &str) -> ! {
    eprintln!("w800-sim: {message}");
    std::process::exit(FAULT_STATUS)
}

/// The calling thread's context, given back when the thread ends.
struct Slot(usize);

impl Drop for Slot {
    fn drop(&mut self) {
        core().end_context(self.0);
    }
}

thread_local! {
    static SLOT: OnceCell<Slot> = const { OnceCell::new() };
}

/// Makes a context for a task to come; `None` where its stack finds no room.
pub fn prepare(name: &str, stack: u32) -> Option<usize> {
    or_end(core().begin_context(name, stack))
}

/// Takes a context back that no task has entered.
pub fn forget(slot: usize) {
    core().end_context(slot);
}

/// Gives the calling thread a context. A thread that calls the guest without one gets one by its task's name.
pub fn enter_thread(slot: usize) {
    SLOT.with(|cell| cell.set(Slot(slot)).unwrap_or_else(|_| end("a task is entered twice")));
}

fn slot() -> usize {
    if SLOT.with(|cell| cell.get().is_none()) {
        let name = task_name();
        let stack = stack_bytes(&name);
        match prepare(&name, stack) {
            Some(slot) => enter_thread(slot),
            None => end(&format!("no room in RAM for the {stack} bytes of stack of task \"{name}\"")),
        }
    }
    SLOT.with(|cell| cell.get().map_or(usize::MAX, |slot| slot.0))
}

fn or_end<R>(outcome: Result<R, Trouble>) -> R {
    outcome.unwrap_or_else(|trouble| end(&trouble.to_string()))
}

/// Where the calling task has a word of its own.
pub fn task_word() -> Result<u32, Trouble> {
    let slot = slot();
    core().task_word(slot)
}

fn stack_bytes(task: &str) -> u32 {
    match task {
        "at proc" => AT_STACK_BYTES,
        "at recv" => RECEIVING_STACK_BYTES,
        _ => OTHER_STACK_BYTES,
    }
}

/// The calling task's.
pub fn task_name() -> String {
    // SAFETY: the kernel gives a text that lives as long as the calling task.
    #[expect(unsafe_code, reason = "the board is C")]
    let name = unsafe { CStr::from_ptr(wm_os_internal_get_task_name()) };
    name.to_string_lossy().into_owned()
}

/// Calls a function of the guest's on the calling task's context and serves what it asks for.
///
/// While it serves, the task may be deleted: nothing here may then be left to drop.
pub fn call(function: u32, arguments: &[u32]) -> u64 {
    let slot = slot();
    let call = match begin(slot, function, arguments) {
        Ok(call) => call,
        Err(trouble) => fail(slot, trouble),
    };
    loop {
        match burst(slot) {
            Stop::Budget => kernel_checkpoint(),
            Stop::HostCall(number) => serve(slot, number),
            Stop::Fault(fault) => stop_at(&fault),
            Stop::Returned => break,
        }
    }
    match core().parts(slot) {
        Ok((machine, context)) => machine.end_call(context, call),
        Err(trouble) => end(&trouble.to_string()),
    }
}

/// As [`call`], for functions that return an `int`.
pub fn call_int(function: u32, arguments: &[u32]) -> i32 {
    low(call(function, arguments)).cast_signed()
}

fn begin(slot: usize, function: u32, arguments: &[u32]) -> Result<Call, Trouble> {
    let mut core = core();
    let (machine, context) = core.parts(slot)?;
    machine.begin_call(context, function, arguments).map_err(|fault| Trouble::Memory(fault.kind))
}

fn burst(slot: usize) -> Stop {
    match core().parts(slot) {
        Ok((machine, context)) => machine.run(context, BURST),
        Err(trouble) => end(&trouble.to_string()),
    }
}

fn serve(slot: usize, number: usize) {
    let outcome = match guest().rows.get(number) {
        Some(row) => arguments(slot, row).and_then(row.thunk),
        None => Err(Trouble::Misuse(format!("there is no host function {number}"))),
    };
    if let Err(trouble) = outcome.and_then(|result| resume(slot, result)) {
        fail(slot, trouble);
    }
}

fn arguments(slot: usize, row: &Row) -> Result<Words, Trouble> {
    core().words(slot, row.arguments)
}

fn resume(slot: usize, result: u64) -> Result<(), Trouble> {
    let mut core = core();
    let (_, context) = core.parts(slot)?;
    context.set_pair(0, result);
    context.return_from_host();
    Ok(())
}

/// Tells what is wrong in the calling task, and by which calls it came there, and ends the program.
fn fail(slot: usize, trouble: Trouble) -> ! {
    let mut core = core();
    let fault = match core.parts(slot) {
        Ok((machine, context)) => describe(machine, context, &trouble),
        Err(lost) => format!("{trouble} ({lost})"),
    };
    drop(core);
    end(&fault)
}

fn describe(machine: &Machine, context: &Context, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Memory(kind) => machine.fault(context, kind.clone()).to_string(),
        Trouble::Misuse(text) => {
            let frames = machine.backtrace(context).iter().map(|frame| format!("\n    at {frame}")).collect::<String>();
            format!("{}: {text}{frames}", context.name)
        }
    }
}

fn stop_at(fault: &Fault) -> ! {
    end(&fault.to_string())
}

/// The outcome of what the host does by itself for the guest; trouble ends the program.
pub fn or_fail<R>(outcome: Result<R, Trouble>) -> R {
    outcome.unwrap_or_else(|trouble| fail(slot(), trouble))
}
