//! One core with its tasks, and everything around it, in one thread: the loop that decides who executes next and for how
//! long.
//!
//! Time is counted in instructions of a core of 240 MHz. What a seed decides: how many instructions are executed before
//! another task of the same priority has its turn, and when bytes arrive from the host and from the network. All else
//! follows from the rules, so that a seed always gives the same run.

use std::collections::VecDeque;

use xt804::arena::Arena;
use xt804::context::Context;
use xt804::link::{RAM, RAM_SIZE};
use xt804::machine::{Call, Machine, Stop};

use crate::fault::Fault;
use crate::kernel::{AT_PRIORITY, Broken, Kernel, On, State, TaskId};
use crate::network::Network;
use crate::numbers::Numbers;
use crate::serial::Uart;

/// Instructions of a millisecond.
pub const PER_MS: u64 = 240_000;
/// What a call of the host's takes, about.
const CALL_COST: u64 = 120;
/// The address that the library is given as the product's hook.
pub const HOOK: u32 = 0xf100_0000;
/// No run is longer.
const LONGEST: u64 = 200_000_000;
/// The instructions of a critical section, at most.
const LONGEST_CRITICAL: u64 = 100_000;

/// How a run is to be.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Decides what the rules leave open.
    pub seed: u64,
    /// What is wrong with the operating system.
    pub fault: Fault,
    /// Show these instructions, by their number in the run.
    pub trace: Option<std::ops::Range<u64>>,
    /// The run is cut off behind so many instructions.
    pub limit: Option<u64>,
}

/// A call's words: four in registers, the others on the stack.
pub type Words = [u32; 8];

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done: `r0`, and `r1` above it.
    Done(u64),
    /// The task waits, this long at most, and makes the call again.
    Wait(On, Option<u32>),
}

/// What a function answers.
pub type Outcome = Result<Answer, Broken>;
/// A function: whether its time is over comes last.
pub type Function = fn(&mut World, &Words, bool) -> Outcome;

/// A function that the library calls.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// As the library knows it.
    pub name: &'static str,
    /// Serves it.
    pub function: Function,
}

/// What a task is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is the library's.
    Library,
    /// It registers the serial line and the hook, and is over.
    Main,
    /// It asks for input, at this place.
    Receiving(u32),
    /// It waits for what the server has for it.
    Idle,
    /// It runs a command, whose parameters are in these blocks.
    Running([u32; 2]),
    /// It is lwIP's and waits for a callback.
    NetworkIdle,
    /// It is lwIP's and runs one.
    Network,
    /// It prints the end of an answer, from this block.
    Printing(u32),
}

/// The server.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// What the library has registered: sends, receives.
    pub functions: Option<[u32; 2]>,
    /// A line for the task that runs commands.
    pub line: Option<Vec<u8>>,
    /// For lwIP's task: a function and its argument.
    pub callbacks: VecDeque<(u32, u32)>,
    pub(crate) receiving: usize,
    pub(crate) processing: usize,
    pub(crate) input: Vec<u8>,
    pub(crate) commands: Vec<(Vec<u8>, u32)>,
}

/// A task's side of the machine.
#[derive(Debug)]
pub struct Thread {
    /// Registers and stack.
    pub context: Context,
    /// What it is for.
    pub role: Role,
    /// The call of the guest's that it is in.
    pub call: Option<Call>,
}

/// Everything.
#[derive(Debug)]
pub struct World {
    /// The core.
    pub machine: Machine,
    /// Who has which part of the memory.
    pub arena: Arena,
    /// Blocks of the heap that the library has.
    pub blocks: usize,
    /// The operating system.
    pub kernel: Kernel,
    /// By the system's numbers.
    pub threads: Vec<Option<Thread>>,
    /// Sockets and broker.
    pub network: Network,
    /// The serial line.
    pub uart: Uart,
    /// The AT server.
    pub server: Server,
    /// The time.
    pub now: u64,
    /// Instructions that were executed.
    pub executed: u64,
    /// How long the product's hook takes.
    pub hook_ms: u32,
    /// For what the guest asks of chance.
    pub numbers: Numbers,
    schedule: Numbers,
    rows: Vec<Row>,
    options: Options,
    /// Instructions until the running task gives way to its equals.
    slice: u64,
    give_way: bool,
    in_critical: u64,
    /// Of all switches.
    fingerprint: u64,
}

impl World {
    /// A chip that has just been switched on, with memory as it was loaded and a row for each of its imports.
    pub fn new(mut machine: Machine, ram: &[u8], rows: Vec<Row>, options: Options) -> Result<Self, Broken> {
        machine.memory_mut().write(RAM, ram).map_err(|kind| kind.to_string())?;
        let free =
            machine.symbols().address("__ram_free_start").ok_or("the image does not tell where its data ends")?;
        let mut schedule = Numbers::new(options.seed);
        let pace = [0, 1_200, 20_833].get(usize::try_from(schedule.below(3)).unwrap_or(0)).copied().unwrap_or(0);
        let end = RAM.saturating_add(u32::try_from(RAM_SIZE).unwrap_or(0));
        let mut world = Self {
            arena: Arena::new(free, end),
            blocks: 0,
            kernel: Kernel::new(options.fault),
            threads: Vec::new(),
            network: Network::new(options.seed),
            uart: Uart::new(pace),
            server: Server::default(),
            now: 0,
            executed: 0,
            hook_ms: 0,
            numbers: Numbers::new(options.seed ^ 0x0072_6e64),
            schedule,
            rows,
            options,
            slice: 0,
            give_way: false,
            in_critical: 0,
            fingerprint: 0xcbf2_9ce4_8422_2325,
            machine,
        };
        world.server_starts()?;
        Ok(world)
    }

    /// The time in milliseconds, as the guest sees it.
    pub fn milliseconds(&self) -> u64 {
        self.now / PER_MS
    }

    /// A number that two runs have in common when all their switches were the same.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// A new task with a stack, which begins nothing yet.
    pub fn add_task(&mut self, name: &str, priority: u32, stack: u32, role: Role) -> Result<TaskId, Broken> {
        let guard = self.arena.take(stack).ok_or_else(|| format!("the RAM has no {stack} bytes for a stack"))?;
        let context = Context::new(name, guard, guard.saturating_add(stack));
        self.threads.push(Some(Thread { context, role, call: None }));
        Ok(self.kernel.add(name, priority))
    }

    /// Makes a task enter a function of the guest's.
    pub fn enter(&mut self, task: TaskId, function: u32, arguments: &[u32]) -> Result<(), Broken> {
        let thread = self.threads.get_mut(task).and_then(Option::as_mut).ok_or("a task without registers")?;
        let call = self.machine.begin_call(&mut thread.context, function, arguments);
        thread.call = Some(call.map_err(|fault| fault.to_string())?);
        Ok(())
    }

    /// Forgets a task's registers and gives its stack back.
    pub fn end_task(&mut self, task: TaskId) {
        if let Some(thread) = self.threads.get_mut(task).and_then(Option::take) {
            self.arena.give_back(thread.context.stack.guard);
        }
    }

    /// What a task is for.
    pub fn role(&mut self, task: TaskId) -> Result<&mut Role, Broken> {
        let thread = self.threads.get_mut(task).and_then(Option::as_mut);
        thread.map(|thread| &mut thread.role).ok_or_else(|| "a task without registers".to_owned())
    }

    /// A function of the guest's.
    pub fn function(&self, name: &str) -> Result<u32, Broken> {
        self.machine.symbols().address(name).ok_or_else(|| format!("the image has no {name}"))
    }

    /// One turn: what is due comes, and whoever is to run does so for a while. What the host does next comes at `host`,
    /// when the turn ends at the latest. Whether there was anything to do.
    pub fn turn(&mut self, host: Option<u64>) -> Result<bool, Broken> {
        if self.kernel.critical == 0 {
            self.uart.deliver(self.now);
            self.network.deliver(self.now)?;
            self.wake();
        }
        let next = if self.kernel.critical > 0 { Some(self.kernel.current) } else { self.kernel.choose(self.give_way) };
        self.give_way = false;
        let Some(next) = next else { return Ok(self.kernel.end_gaps() || self.sleep(host)) };
        if next != self.kernel.current || self.slice == 0 {
            self.switch_to(next);
        }
        match self.role(next)? {
            Role::Idle => return self.server_goes_on().map(|()| true),
            Role::NetworkIdle => return self.network_goes_on().map(|()| true),
            _ => {}
        }
        let event = self.next_event().into_iter().chain(host).min().filter(|_| self.kernel.critical == 0);
        let until = event.map_or(u64::MAX, |at| at.saturating_sub(self.now)).max(1);
        self.execute(self.slice.min(until))?;
        if self.executed > self.options.limit.unwrap_or(LONGEST) {
            return Err(format!("the run is cut off; {}", self.kernel.describe()));
        }
        Ok(true)
    }

    fn switch_to(&mut self, next: TaskId) {
        if self.options.trace.as_ref().is_some_and(|trace| trace.contains(&self.executed))
            && next != self.kernel.current
        {
            let name = self.kernel.task(next).map(|task| task.name.clone()).unwrap_or_default();
            eprintln!("{:>10} {:>8} ms --- {name}", self.executed, self.milliseconds());
        }
        self.kernel.current = next;
        self.slice = match self.schedule.below(4) {
            0 => PER_MS,
            _ => self.schedule.of_any_size(16),
        };
        self.slice = self.slice.max(1);
        let pc = self.threads.get(next).and_then(Option::as_ref).map_or(0, |thread| thread.context.pc);
        for word in [self.now, next as u64, u64::from(pc), self.uart.printed.len() as u64] {
            self.fingerprint = (self.fingerprint ^ word).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Time passes without an instruction. Whether there is anything that can still come.
    fn sleep(&mut self, host: Option<u64>) -> bool {
        let deadlines = self.kernel.living().filter_map(|(_, task)| task.deadline);
        let next = deadlines.chain(self.next_event()).chain(host).min();
        if let Some(next) = next {
            self.now = self.now.max(next);
        }
        next.is_some()
    }

    fn next_event(&self) -> Option<u64> {
        self.network.next_event(self.now).into_iter().chain(self.uart.next_event()).min()
    }

    /// Whoever waits for something that may be there now, or has waited long enough, may run.
    fn wake(&mut self) {
        for id in 0..self.kernel.tasks.len() {
            let Ok(task) = self.kernel.task(id) else { continue };
            let State::Waiting(on) = task.state else { continue };
            let over = task.deadline.is_some_and(|deadline| deadline <= self.now);
            let in_gap = on == On::Gap && self.schedule.once_in(8);
            if (over || in_gap || self.kernel.may_have(on) || self.has_come(on))
                && let Ok(task) = self.kernel.task_mut(id)
            {
                task.state = State::Ready;
            }
        }
    }

    fn has_come(&self, on: On) -> bool {
        match on {
            On::Typed => !self.uart.arrived.is_empty(),
            On::Line => self.server.line.is_some(),
            On::Callback => !self.server.callbacks.is_empty(),
            On::Sockets(list, count) => self.any_event(list, count),
            On::Gap | On::Time | On::Semaphore(..) | On::Mutex(_) => false,
        }
    }

    /// Executes the running task for at most so many instructions, and what it asks for.
    fn execute(&mut self, budget: u64) -> Result<(), Broken> {
        let traced = self.options.trace.as_ref().is_some_and(|trace| trace.contains(&self.executed));
        let budget = match &self.options.trace {
            Some(_) if traced => 1,
            Some(trace) if self.executed < trace.start => budget.min(trace.start.saturating_sub(self.executed)),
            _ => budget,
        };
        let current = self.kernel.current;
        let thread = self.threads.get_mut(current).and_then(Option::as_mut).ok_or("a task without registers")?;
        let before = thread.context.counters.instructions;
        let pc = thread.context.pc;
        let stop = self.machine.run(&mut thread.context, budget);
        let spent = thread.context.counters.instructions.saturating_sub(before);
        let at = thread.context.pc;
        if traced && spent > 0 {
            self.show(current, pc);
        }
        self.spend(spent)?;
        match stop {
            Stop::Budget => Ok(()),
            Stop::HostCall(number) => self.serve(number),
            Stop::Returned => self.returned(),
            Stop::Fault(_) if at == HOOK => self.serve_hook(),
            Stop::Fault(fault) => Err(fault.to_string()),
        }
    }

    fn spend(&mut self, instructions: u64) -> Result<(), Broken> {
        self.now = self.now.saturating_add(instructions);
        self.executed = self.executed.saturating_add(instructions);
        self.slice = self.slice.saturating_sub(instructions);
        self.give_way |= self.slice == 0;
        self.in_critical = if self.kernel.critical > 0 { self.in_critical.saturating_add(instructions) } else { 0 };
        if self.in_critical > LONGEST_CRITICAL {
            return Err("a critical section is not left".to_owned());
        }
        Ok(())
    }

    fn show(&self, task: TaskId, pc: u32) {
        let name = self.kernel.task(task).map_or("", |task| &task.name);
        let text = self.machine.show(pc).unwrap_or_default();
        eprintln!("{:>10} {name:8} {pc:08x} {text:32} {}", self.executed, self.machine.symbols().name(pc));
    }

    fn serve(&mut self, number: usize) -> Result<(), Broken> {
        let row = self.rows.get(number).copied().ok_or("an import without a number")?;
        let (words, over) = (self.words()?, self.call_is_over()?);
        let answer = (row.function)(self, &words, over).map_err(|broken| self.at_this_place(&broken))?;
        self.answer(answer)
    }

    fn serve_hook(&mut self) -> Result<(), Broken> {
        let over = self.call_is_over()?;
        let wait = Answer::Wait(On::Time, Some(self.hook_ms));
        self.answer(if over || self.hook_ms == 0 { Answer::Done(0) } else { wait })
    }

    fn call_is_over(&self) -> Result<bool, Broken> {
        let task = self.kernel.task(self.kernel.current)?;
        Ok(task.in_call && task.deadline.is_some_and(|deadline| deadline <= self.now))
    }

    fn answer(&mut self, answer: Answer) -> Result<(), Broken> {
        let (current, now) = (self.kernel.current, self.now);
        let in_critical = self.kernel.critical > 0;
        // The task that has ended itself answers nothing.
        let Ok(task) = self.kernel.task_mut(current) else { return Ok(()) };
        match answer {
            Answer::Done(value) => {
                (task.in_call, task.deadline) = (false, None);
                if let Some(thread) = self.threads.get_mut(current).and_then(Option::as_mut) {
                    thread.context.set_pair(0, value);
                    thread.context.return_from_host();
                }
                self.now = self.now.saturating_add(CALL_COST);
            }
            Answer::Wait(..) if in_critical => {
                return Err(self.at_this_place("a task waits in a critical section"));
            }
            Answer::Wait(on, milliseconds) => {
                if !task.in_call {
                    task.deadline = milliseconds.map(|ms| now.saturating_add(u64::from(ms).saturating_mul(PER_MS)));
                    task.in_call = true;
                }
                task.state = State::Waiting(on);
            }
        }
        Ok(())
    }

    fn words(&self) -> Result<Words, Broken> {
        let thread =
            self.threads.get(self.kernel.current).and_then(Option::as_ref).ok_or("a task without registers")?;
        let mut words = Words::default();
        for (number, word) in (0..).zip(&mut words) {
            // Beyond its arguments a call finds what happens to be on the stack, and at its upper end nothing.
            *word = self.machine.argument(&thread.context, number).unwrap_or(0);
        }
        Ok(words)
    }

    /// A violation with the place of the running task.
    fn at_this_place(&self, broken: &str) -> Broken {
        let Some(thread) = self.threads.get(self.kernel.current).and_then(Option::as_ref) else {
            return broken.to_owned();
        };
        let frames = self.machine.backtrace(&thread.context);
        let frames = frames.iter().map(|frame| format!("\n    at {frame}")).collect::<String>();
        format!("{}: {broken}{frames}", thread.context.name)
    }

    /// The running task has come back from what it had entered: the value, and what it is for says how it goes on.
    fn returned(&mut self) -> Result<(), Broken> {
        let current = self.kernel.current;
        let thread = self.threads.get_mut(current).and_then(Option::as_mut).ok_or("a task without registers")?;
        let call = thread.call.take().ok_or("a task returns from no call")?;
        let value = self.machine.end_call(&mut thread.context, call);
        self.server_returned(u32::try_from(value & u64::from(u32::MAX)).unwrap_or(0))
    }

    /// The main task's priority, for the server's tasks too.
    pub const PRIORITY: u32 = AT_PRIORITY;
}
