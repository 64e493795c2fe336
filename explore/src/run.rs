//! A scenario under one schedule, and under many.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xt804::image::Image;
use xt804::link::{FLASH, FLASH_SIZE, RAM, RAM_SIZE};
use xt804::machine::Machine;

use crate::calls;
use crate::host::Ends;
use crate::scenario::Scenario;
use crate::world::{Options, World};

/// A machine that is used again and again: what it has found out about the code stays.
#[derive(Debug)]
pub struct Chip {
    machine: Option<Machine>,
    image: Vec<u8>,
    ram: Vec<u8>,
}

/// No run has more turns of tasks and events.
const MOST_TURNS: u32 = 3_000_000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was violated, if anything was.
    pub broken: Option<String>,
    /// Instructions executed.
    pub executed: u64,
    /// Virtual milliseconds.
    pub milliseconds: u64,
    /// Equal for equal runs.
    pub fingerprint: u64,
    /// What was typed and said.
    pub log: Vec<String>,
}

impl Chip {
    /// A chip with a program.
    pub fn new(image: &[u8]) -> Result<Self, String> {
        let mut chip = Self { machine: None, image: image.to_vec(), ram: Vec::new() };
        let machine = chip.load()?;
        let size = u32::try_from(RAM_SIZE).unwrap_or(0);
        chip.ram = machine.memory().bytes(RAM, size).map_err(|kind| kind.to_string())?.to_vec();
        chip.machine = Some(machine);
        Ok(chip)
    }

    fn load(&self) -> Result<Machine, String> {
        let mut machine = Machine::new((FLASH, FLASH_SIZE), (RAM, RAM_SIZE));
        machine.load(Image::parse(&self.image)?).map_err(|kind| kind.to_string())?;
        Ok(machine)
    }

    /// Runs a scenario.
    pub fn run(&mut self, scenario: &Scenario, options: &Options) -> Result<Outcome, String> {
        let machine = match self.machine.take() {
            Some(machine) => machine,
            None => self.load()?,
        };
        let rows = machine.symbols().imports().iter().map(|name| calls::find(name)).collect();
        let mut world = World::new(machine, &self.ram, rows, options.clone())?;
        world.hook_ms = scenario.hook_ms;
        let mut ends = Ends::new(scenario, options.seed);
        let broken = play(&mut world, &mut ends).err();
        let outcome = Outcome {
            broken,
            executed: world.executed,
            milliseconds: world.milliseconds(),
            fingerprint: world.fingerprint(),
            log: ends.log().to_vec(),
        };
        self.machine = Some(world.machine);
        Ok(outcome)
    }
}

fn play(world: &mut World, ends: &mut Ends) -> Result<(), String> {
    for _ in 0..MOST_TURNS {
        ends.act(world)?;
        if ends.is_over() {
            return Ok(());
        }
        ends.note_blocks(world);
        if !world.turn(ends.next_event())? {
            return Err(format!("a deadlock: {}", world.kernel.describe()));
        }
    }
    Err(format!("the run does not end: {}", world.kernel.describe()))
}

/// A schedule under which something was violated.
#[derive(Clone, Debug)]
pub struct Found {
    /// The scenario's name.
    pub scenario: &'static str,
    /// The schedule.
    pub seed: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What many runs have come to.
#[derive(Clone, Debug, Default)]
pub struct Explored {
    /// How many schedules were run.
    pub schedules: u64,
    /// Instructions in all of them.
    pub executed: u64,
    /// Those that violated something.
    pub found: Vec<Found>,
}

/// Runs schedules `seeds`, one scenario after another in turns, on as many threads; ends at the first violation where
/// that is all that is wanted.
pub fn explore(
    image: &[u8],
    scenarios: &[Scenario],
    seeds: std::ops::Range<u64>,
    template: &Options,
    threads: usize,
    first_only: bool,
) -> Result<Explored, String> {
    let (next, stop, result) = (AtomicU64::new(seeds.start), AtomicBool::new(false), Mutex::new(Explored::default()));
    let work = || -> Result<(), String> {
        let mut chip = Chip::new(image)?;
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let place = usize::try_from(seed).unwrap_or(0).checked_rem(scenarios.len());
            let (true, Some(scenario)) = (seeds.contains(&seed), place.and_then(|place| scenarios.get(place))) else {
                break;
            };
            let outcome = chip.run(scenario, &Options { seed, ..template.clone() })?;
            let mut result = result.lock().map_err(|error| error.to_string())?;
            result.schedules = result.schedules.saturating_add(1);
            result.executed = result.executed.saturating_add(outcome.executed);
            if outcome.broken.is_some() {
                stop.fetch_or(first_only, Ordering::Relaxed);
                result.found.push(Found { scenario: scenario.name, seed, outcome });
            }
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "a worker has ended".to_owned())?)
    })?;
    let mut explored = result.into_inner().map_err(|error| error.to_string())?;
    explored.found.sort_by_key(|found| found.seed);
    Ok(explored)
}
