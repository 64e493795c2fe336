//! The SDK's operating system by FreeRTOS's rules: who may run, semaphores, mutexes that inherit priority, critical
//! sections. What it is like to execute a task is not known here.
//!
//! A task that has to wait makes its call again when what it waits for may be there: a higher one may have been quicker.

use crate::fault::Fault;

/// Which task.
pub type TaskId = usize;

/// A violation of what must hold, in words.
pub type Broken = String;

/// The operating system's priority of the AT server's tasks, and of the main task.
pub const AT_PRIORITY: u32 = 7;

/// That of lwIP's task.
pub const NETWORK_PRIORITY: u32 = 11;

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Time alone.
    Time,
    /// Nothing: it is between looking at a semaphore and sleeping.
    Gap,
    /// A semaphore that has been released more often than so.
    Semaphore(usize, u64),
    /// A mutex.
    Mutex(usize),
    /// Bytes that the host types.
    Typed,
    /// A line for the server.
    Line,
    /// A callback for lwIP's task.
    Callback,
    /// Something that a poll of sockets looks for: the list's address and length.
    Sockets(u32, u32),
}

/// Whether a task may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It may.
    Ready,
    /// Not before this.
    Waiting(On),
}

/// What the operating system knows of a task.
#[derive(Clone, Debug)]
pub struct Task {
    /// As it was created.
    pub name: String,
    /// Its own priority.
    pub priority: u32,
    /// Whether it may run.
    pub state: State,
    /// When the call that it is in is over, as a time of the world's; no end without one.
    pub deadline: Option<u64>,
    /// Its call waits already: asked once more it need not set the deadline.
    pub in_call: bool,
}

#[derive(Clone, Debug, Default)]
struct Semaphore {
    count: u32,
    releases: u64,
}

#[derive(Clone, Debug, Default)]
struct Mutex {
    holder: Option<TaskId>,
}

/// Handles are addresses of no memory.
const SEMAPHORES: u32 = 0x6100_0000;
const MUTEXES: u32 = 0x6200_0000;
const TASKS: u32 = 0x6300_0000;
const STEP: u32 = 16;

fn handle(base: u32, index: usize) -> u32 {
    base.wrapping_add(u32::try_from(index).unwrap_or(u32::MAX).wrapping_mul(STEP))
}

fn index(base: u32, handle: u32) -> Option<usize> {
    let offset = handle.checked_sub(base).filter(|offset| offset.is_multiple_of(STEP))?;
    usize::try_from(offset / STEP).ok()
}

/// What a call of the system's comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// It is done, or will not be.
    Done(bool),
    /// The task waits.
    Wait(On),
}

/// The system.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// By their numbers; gone ones are empty.
    pub tasks: Vec<Option<Task>>,
    /// Who runs.
    pub current: TaskId,
    /// How deep the running task is in critical sections.
    pub critical: u32,
    semaphores: Vec<Semaphore>,
    mutexes: Vec<Mutex>,
    fault: Fault,
    /// Who is between looking at a semaphore and sleeping, where wake-ups can be lost.
    about_to_sleep: Vec<(TaskId, usize)>,
}

/// The right to print and a link's right to send, by the order in which the library creates its semaphores.
const PRINTING: usize = 0;
const SENDING: [usize; 2] = [5, 9];

impl Kernel {
    /// A system without tasks, with a fault put in.
    pub fn new(fault: Fault) -> Self {
        Self { fault, ..Self::default() }
    }

    /// A task.
    pub fn task(&self, id: TaskId) -> Result<&Task, Broken> {
        self.tasks.get(id).and_then(Option::as_ref).ok_or_else(|| format!("there is no task {id}"))
    }

    /// A task, to change.
    pub fn task_mut(&mut self, id: TaskId) -> Result<&mut Task, Broken> {
        self.tasks.get_mut(id).and_then(Option::as_mut).ok_or_else(|| format!("there is no task {id}"))
    }

    /// The living tasks.
    pub fn living(&self) -> impl Iterator<Item = (TaskId, &Task)> {
        self.tasks.iter().enumerate().filter_map(|(id, task)| Some((id, task.as_ref()?)))
    }

    /// A new task.
    pub fn add(&mut self, name: &str, priority: u32) -> TaskId {
        let task = Task { name: name.to_owned(), priority, state: State::Ready, deadline: None, in_call: false };
        self.tasks.push(Some(task));
        self.tasks.len().saturating_sub(1)
    }

    /// A task's handle.
    pub fn task_handle(id: TaskId) -> u32 {
        handle(TASKS, id)
    }

    /// Ends a task by its handle, 0 for the running one, and tells which.
    pub fn delete(&mut self, handle: u32) -> Result<TaskId, Broken> {
        let id = if handle == 0 { self.current } else { index(TASKS, handle).unwrap_or(usize::MAX) };
        self.task(id)?;
        if self.mutexes.iter().any(|mutex| mutex.holder == Some(id)) {
            return Err("a task is deleted that holds a mutex".to_owned());
        }
        if let Some(place) = self.tasks.get_mut(id) {
            *place = None;
        }
        Ok(id)
    }

    /// A task's priority with what those lend it that wait for its mutexes.
    pub fn effective(&self, id: TaskId) -> u32 {
        let own = self.task(id).map_or(0, |task| task.priority);
        let lent = self.living().filter(|(other, task)| *other != id && self.waits_for(task, id));
        lent.map(|(_, task)| task.priority).fold(own, u32::max)
    }

    fn waits_for(&self, task: &Task, holder: TaskId) -> bool {
        let State::Waiting(On::Mutex(mutex)) = task.state else { return false };
        self.mutexes.get(mutex).is_some_and(|mutex| mutex.holder == Some(holder))
    }

    /// Ends the gaps of tasks when nobody else may run. Whether there was one.
    pub fn end_gaps(&mut self) -> bool {
        let in_gap = self.tasks.iter_mut().flatten().filter(|task| task.state == State::Waiting(On::Gap));
        in_gap.map(|task| task.state = State::Ready).count() > 0
    }

    /// Who runs next: the running task unless a higher one may run, or it gives way to one that is as high.
    pub fn choose(&self, give_way: bool) -> Option<TaskId> {
        let ready = |id: &TaskId| self.task(*id).is_ok_and(|task| task.state == State::Ready);
        let count = self.tasks.len();
        // From the running one on, or from the one behind it on: the first of the highest.
        let from = self.current.wrapping_add(usize::from(give_way));
        let order = (from..from.saturating_add(count)).filter_map(|id| id.checked_rem(count)).filter(ready);
        order.fold(None, |best: Option<TaskId>, id| match best {
            Some(best) if self.effective(best) >= self.effective(id) => Some(best),
            _ => Some(id),
        })
    }

    /// Whether what a task waits for may be there, as far as this system knows.
    pub fn may_have(&self, on: On) -> bool {
        match on {
            On::Semaphore(id, seen) => {
                self.semaphores.get(id).is_some_and(|semaphore| semaphore.count > 0 && semaphore.releases > seen)
            }
            On::Mutex(id) => self.mutexes.get(id).is_some_and(|mutex| mutex.holder.is_none()),
            _ => false,
        }
    }

    /// A new semaphore's handle.
    pub fn create_semaphore(&mut self, count: u32) -> u32 {
        self.semaphores.push(Semaphore { count, releases: 1 });
        handle(SEMAPHORES, self.semaphores.len().saturating_sub(1))
    }

    /// A new mutex's handle.
    pub fn create_mutex(&mut self) -> u32 {
        self.mutexes.push(Mutex::default());
        handle(MUTEXES, self.mutexes.len().saturating_sub(1))
    }

    fn semaphore(&mut self, handle: u32) -> Result<(usize, &mut Semaphore), Broken> {
        let index = index(SEMAPHORES, handle).unwrap_or(usize::MAX);
        let found = self.semaphores.get_mut(index).ok_or_else(|| format!("{handle:#010x} is no semaphore"))?;
        Ok((index, found))
    }

    /// Takes a semaphore, or waits for it unless the time is `over`.
    pub fn acquire(&mut self, handle: u32, over: bool) -> Result<Got, Broken> {
        let (id, current) = (self.semaphore(handle)?.0, self.current);
        if self.fault == Fault::MissingLock && SENDING.contains(&id) {
            return Ok(Got::Done(true));
        }
        let has_looked = self.about_to_sleep.contains(&(current, id));
        let looks = self.fault != Fault::LostWakeUp || !has_looked;
        let (_, semaphore) = self.semaphore(handle)?;
        let releases = semaphore.releases;
        if semaphore.count > 0 && looks {
            semaphore.count = semaphore.count.saturating_sub(1);
            return Ok(Got::Done(true));
        }
        if over {
            self.about_to_sleep.retain(|(task, _)| *task != current);
            return Ok(Got::Done(false));
        }
        if self.fault != Fault::LostWakeUp {
            return Ok(Got::Wait(On::Semaphore(id, 0)));
        }
        // Put in on purpose: between the look and the sleep another task may release it, and nobody wakes this one.
        self.about_to_sleep.retain(|(task, _)| *task != current);
        if has_looked {
            return Ok(Got::Wait(On::Semaphore(id, releases)));
        }
        self.about_to_sleep.push((current, id));
        Ok(Got::Wait(On::Gap))
    }

    /// Put in on purpose: a link's task that has the right to print wants its right to send before it gives that up.
    fn lacks_second(&self, id: usize) -> Option<On> {
        let link = self.task(self.current).ok()?.name.strip_prefix("mqtt ")?.parse::<usize>().ok()?;
        let sending = *SENDING.get(link)?;
        let taken = self.semaphores.get(sending)?.count == 0;
        (self.fault == Fault::SwappedOrder && id == PRINTING && taken).then_some(On::Semaphore(sending, 0))
    }

    /// Releases a semaphore.
    pub fn release(&mut self, handle: u32) -> Result<Got, Broken> {
        let (id, _) = self.semaphore(handle)?;
        if let Some(on) = self.lacks_second(id) {
            return Ok(Got::Wait(on));
        }
        let (_, semaphore) = self.semaphore(handle)?;
        semaphore.count = semaphore.count.saturating_add(1);
        semaphore.releases = semaphore.releases.saturating_add(1);
        Ok(Got::Done(true))
    }

    fn mutex(&mut self, handle: u32) -> Result<(usize, &mut Mutex), Broken> {
        let index = index(MUTEXES, handle).unwrap_or(usize::MAX);
        let found = self.mutexes.get_mut(index).ok_or_else(|| format!("{handle:#010x} is no mutex"))?;
        Ok((index, found))
    }

    /// Locks a mutex, or waits for it unless the time is `over`.
    pub fn lock(&mut self, handle: u32, over: bool) -> Result<Got, Broken> {
        let current = self.current;
        let (id, mutex) = self.mutex(handle)?;
        match mutex.holder {
            None => {
                mutex.holder = Some(current);
                Ok(Got::Done(true))
            }
            Some(holder) if holder == current => Err("a task locks a mutex that it holds".to_owned()),
            Some(_) if over => Ok(Got::Done(false)),
            Some(_) => Ok(Got::Wait(On::Mutex(id))),
        }
    }

    /// Unlocks it.
    pub fn unlock(&mut self, handle: u32) -> Result<(), Broken> {
        let current = self.current;
        let (_, mutex) = self.mutex(handle)?;
        if mutex.holder != Some(current) {
            return Err("a task unlocks a mutex that it does not hold".to_owned());
        }
        mutex.holder = None;
        Ok(())
    }

    /// Enters a critical section, or leaves one.
    pub fn critical(&mut self, enter: bool) -> Result<(), Broken> {
        let left = if enter { self.critical.checked_add(1) } else { self.critical.checked_sub(1) };
        self.critical = left.ok_or("a critical section is left that was not entered")?;
        Ok(())
    }

    /// What each task does, for whoever reads that they do nothing.
    pub fn describe(&self) -> String {
        let tasks = self.living().map(|(_, task)| format!("{} {:?}", task.name, task.state));
        tasks.collect::<Vec<String>>().join(", ")
    }
}
