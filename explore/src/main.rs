//! `w800-explore`: runs schedules and tells which of them violate something; shows one of them.

use std::process::ExitCode;

use w800_explore::fault::Fault;
use w800_explore::run::{Chip, Found, Outcome, explore};
use w800_explore::scenario::{Scenario, all};
use w800_explore::world::Options;

const USAGE: &str = "\
usage: w800-explore --image <elf> [options]
  --image <elf>            the library for two links: W800_MQTT_AT_LINKS=2 scripts/build-image.sh
  --schedules <n>          how many (default 3000), from --from <seed> (default 0) on
  --threads <n>            on how many threads (default 2)
  --scenario <name>        only this one
  --fault <name>           with a fault in the operating system: missing-lock, swapped-order, lost-wake-up
  --schedule <seed>        this one schedule, with what host and chip say
  --trace <from>..<to>     with --schedule: show these instructions and the switches between them
  --limit <n>              cut runs off behind so many instructions
The exit status is 1 when a schedule violates something.
";

#[derive(Default)]
struct Wanted {
    image: Option<String>,
    schedules: u64,
    from: u64,
    threads: usize,
    scenario: Option<String>,
    schedule: Option<u64>,
    options: Options,
}

fn main() -> ExitCode {
    match wanted(std::env::args().skip(1)).and_then(|wanted| start(&wanted)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("w800-explore: {message}");
            ExitCode::from(2)
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn wanted(mut words: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted { schedules: 3_000, threads: 2, ..Wanted::default() };
    while let Some(word) = words.next() {
        let value = words.next().ok_or(USAGE)?;
        match word.as_str() {
            "--image" => wanted.image = Some(value),
            "--schedules" => wanted.schedules = number(&value)?,
            "--from" => wanted.from = number(&value)?,
            "--threads" => wanted.threads = usize::try_from(number(&value)?).unwrap_or(1),
            "--scenario" => wanted.scenario = Some(value),
            "--schedule" => wanted.schedule = Some(number(&value)?),
            "--limit" => wanted.options.limit = Some(number(&value)?),
            "--fault" => {
                let known = Fault::ALL.iter().find(|(name, _)| *name == value);
                wanted.options.fault = known.ok_or(USAGE)?.1;
            }
            "--trace" => {
                let (from, to) = value.split_once("..").ok_or(USAGE)?;
                wanted.options.trace = Some(number(from)?..number(to)?);
            }
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok(wanted)
}

fn start(wanted: &Wanted) -> Result<bool, String> {
    let path = wanted.image.as_ref().ok_or(USAGE)?;
    let image = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let mut scenarios = all();
    if let Some(seed) = wanted.schedule {
        let chosen = chosen(&scenarios, seed, wanted.scenario.as_deref()).ok_or(USAGE)?;
        let outcome = Chip::new(&image)?.run(chosen, &Options { seed, ..wanted.options.clone() })?;
        outcome.log.iter().for_each(|line| println!("{line}"));
        show(chosen.name, seed, &outcome);
        return Ok(outcome.broken.is_none());
    }
    scenarios.retain(|scenario| wanted.scenario.as_deref().is_none_or(|name| name == scenario.name));
    let seeds = wanted.from..wanted.from.saturating_add(wanted.schedules);
    let explored = explore(&image, &scenarios, seeds, &wanted.options, wanted.threads, false)?;
    for Found { scenario, seed, outcome } in &explored.found {
        show(scenario, *seed, outcome);
    }
    let (schedules, executed, found) = (explored.schedules, explored.executed, explored.found.len());
    println!("{schedules} schedules, {executed} instructions, {found} violate something");
    Ok(explored.found.is_empty())
}

/// A seed belongs to a scenario unless one is named.
fn chosen<'a>(scenarios: &'a [Scenario], seed: u64, name: Option<&str>) -> Option<&'a Scenario> {
    let place = usize::try_from(seed).ok()?.checked_rem(scenarios.len())?;
    match name {
        Some(name) => scenarios.iter().find(|scenario| scenario.name == name),
        None => scenarios.get(place),
    }
}

fn show(scenario: &str, seed: u64, outcome: &Outcome) {
    let said = outcome.broken.as_deref().unwrap_or("nothing is violated");
    println!("{scenario}, --schedule {seed}: {said} ({} instructions, {} ms)", outcome.executed, outcome.milliseconds);
}
