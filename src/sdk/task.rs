//! SDK tasks, and how much of their stacks they have used.

use super::bindings;
use super::heap;
use super::sync::Critical;
use crate::options::{LINKS, TASK_PRIORITY};
use core::ffi::{CStr, c_void};
use core::ptr::{NonNull, with_exposed_provenance_mut};

/// What a task runs.
pub trait Body {
    /// The task's whole life. It must not return; the trampoline parks it if it does.
    fn run(index: usize);
}

/// A running or parked task. Dropping the handle leaks the task: end it with [`Task::delete`].
#[derive(Debug)]
pub struct Task {
    handle: NonNull<c_void>,
    index: usize,
}

// SAFETY: a task handle is only a name; the SDK's calls take it from any task.
unsafe impl Send for Task {}

impl Task {
    /// Starts `B::run(index)` below the AT server's priority, with a stack of `stack_bytes` bytes; `None` when the SDK
    /// has no memory for it. One task of an index at a time.
    pub fn spawn<B: Body>(name: &'static CStr, index: usize, stack_bytes: u32) -> Option<Self> {
        if stack_bytes as usize > heap::available() {
            return None;
        }
        if let Some(stack) = STACKS.get(index) {
            stack.with(|stack| stack.size = stack_bytes);
        }
        let mut handle = core::ptr::null_mut();
        // SAFETY: `handle` is a valid place for the result, the name is static, and the entry takes any parameter.
        let status = unsafe {
            bindings::wm_os_internal_task_create(
                &mut handle,
                name.as_ptr(),
                Some(trampoline::<B>),
                core::ptr::without_provenance_mut(index),
                stack_bytes,
                TASK_PRIORITY,
                0,
            )
        };
        let handle = NonNull::new(handle).filter(|_| status == bindings::WM_OS_STATUS_SUCCESS)?;
        Some(Self { handle, index })
    }

    /// Ends the task and gives its stack back. It must be parked: holding no lock and owning nothing.
    pub fn delete(self) {
        if let Some(stack) = STACKS.get(self.index) {
            let Mark { peak, .. } = measure(stack);
            stack.with(|stack| (stack.peak, stack.painted) = (peak, None));
        }
        // SAFETY: the handle is that of a task which `spawn` made and nobody has deleted, since this takes it.
        let _ = unsafe { bindings::wm_os_internal_task_del(self.handle.as_ptr().cast()) };
    }
}

/// Which task something is done in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskId(usize);

/// The calling task.
pub fn current() -> TaskId {
    // SAFETY: no requirements.
    TaskId(unsafe { bindings::wm_os_internal_task_id() }.addr())
}

extern "C" fn trampoline<B: Body>(index: *mut c_void) {
    if let Some(stack) = STACKS.get(index.addr()) {
        let painted = paint(stack.with(|stack| stack.size as usize));
        stack.with(|stack| stack.painted = painted);
    }
    run::<B>(index.addr());
    loop {
        super::clock::delay_ms(60_000);
    }
}

/// Keeps the task's own frame below the painted stack's upper end.
#[inline(never)]
fn run<B: Body>(index: usize) {
    B::run(index);
}

/// What unused stack is filled with: a byte that neither a small number nor an address has.
const PAINT: u8 = 0xC3;

/// Bytes at a stack's upper end that are in use at most when the task begins.
const ABOVE: usize = 128;

/// Bytes below those that are not painted: what painting itself uses.
const BELOW: usize = 256;

/// Bytes at its lower end that are not painted either: where exactly it ends is the SDK's affair.
const SPARE: usize = 256;

/// A stack's size and its high-water mark, in bytes.
#[derive(Debug, Default, Clone, Copy)]
pub struct Mark {
    /// Of the last task.
    pub size: u32,
    /// The most that was ever used.
    pub peak: u32,
}

struct Stack {
    size: u32,
    /// Of the tasks before.
    peak: u32,
    /// What is painted, while the task runs.
    painted: Option<Painted>,
}

#[derive(Clone, Copy)]
struct Painted {
    lowest: *const u8,
    length: usize,
}

// SAFETY: the bytes are only looked at, in critical sections, and the task does not end in one.
unsafe impl Send for Painted {}

static STACKS: [Critical<Stack>; LINKS] = [const { Critical::new(Stack { size: 0, peak: 0, painted: None }) }; LINKS];

/// The high-water mark of the tasks of `index`.
pub fn stack(index: usize) -> Mark {
    STACKS.get(index).map_or(Mark::default(), measure)
}

/// Paints what lies below the caller, on whose stack of `size` bytes it runs, and has not been used yet.
#[inline(never)]
fn paint(size: usize) -> Option<Painted> {
    let here = 0_u8;
    let length = size.checked_sub(ABOVE + BELOW + SPARE)?;
    let here = (&raw const here).expose_provenance();
    let lowest = with_exposed_provenance_mut::<u8>(here.wrapping_sub(BELOW).wrapping_sub(length));
    // SAFETY: the task has just begun, on a stack of `size` bytes of which `ABOVE` are above `here`; nothing of value
    // is below `BELOW`, and an interrupt that comes meanwhile has left again before this goes on.
    // A pointer made of a number may be anyone's: no compiler can leave this out.
    unsafe { lowest.write_bytes(PAINT, length) };
    Some(Painted { lowest, length })
}

/// Bytes of a stack that are looked at in one critical section.
const LOOK_BYTES: usize = 64;

/// The high-water mark of a stack and of those before it. The task may end meanwhile, so that each look finds out anew
/// whether there still is a stack to look at.
fn measure(stack: &Critical<Stack>) -> Mark {
    let mut untouched = 0_usize;
    loop {
        let more = stack.with(|stack| stack.untouched(untouched));
        untouched = untouched.saturating_add(more);
        if more < LOOK_BYTES {
            break;
        }
    }
    stack.with(|stack| {
        let unused = if untouched == 0 { 0 } else { untouched.saturating_add(SPARE) };
        let used = if stack.painted.is_some() { stack.size.saturating_sub(unused as u32) } else { 0 };
        Mark { size: stack.size, peak: stack.peak.max(used) }
    })
}

impl Stack {
    /// How many of the next bytes from the `from`th on are as they were painted.
    fn untouched(&self, from: usize) -> usize {
        let Some(Painted { lowest, length }) = self.painted else { return 0 };
        let look = from..from.saturating_add(LOOK_BYTES).min(length);
        // SAFETY: the stack exists while it is noted here. The task may be writing to it: each byte is read for itself.
        look.take_while(|&at| unsafe { lowest.add(at).read_volatile() } == PAINT).count()
    }
}

/// Unit tests that need a task of the virtual board's.
#[cfg(test)]
pub mod testing {
    use super::super::bindings;
    use core::ffi::c_void;
    use std::boxed::Box;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::mpsc;

    type Boxed = Box<dyn FnOnce() + Send>;

    const STACK_BYTES: u32 = 4096;

    extern "C" fn entry(parameter: *mut c_void) {
        // SAFETY: `on_task` has given this box away to this one call.
        let body = unsafe { Box::from_raw(parameter.cast::<Boxed>()) };
        body();
        // SAFETY: a task ends itself with the name of none. It owns nothing any more.
        let _ = unsafe { bindings::wm_os_internal_task_del(core::ptr::null_mut()) };
    }

    /// Runs `body` in a task and waits for its end; its panic is the caller's.
    pub fn on_task(body: impl FnOnce() + Send + 'static) {
        let (end, ended) = mpsc::channel();
        let boxed: Boxed = Box::new(move || {
            let _ = end.send(catch_unwind(AssertUnwindSafe(body)));
        });
        let mut handle = core::ptr::null_mut();
        let parameter = Box::into_raw(Box::new(boxed)).cast();
        // SAFETY: `handle` is a place for the result, the name is static, and the entry takes the box.
        let status = unsafe {
            bindings::wm_os_internal_task_create(
                &mut handle,
                c"test".as_ptr(),
                Some(entry),
                parameter,
                STACK_BYTES,
                crate::options::TASK_PRIORITY,
                0,
            )
        };
        assert_eq!(status, bindings::WM_OS_STATUS_SUCCESS);
        if let Err(panic) = ended.recv().expect("the task sends its end") {
            resume_unwind(panic);
        }
    }
}
