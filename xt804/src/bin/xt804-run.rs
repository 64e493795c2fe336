//! Runs one function of a linked program and tells what it took.
//!
//! The program may call `probe_write(bytes, size)`, which prints; any other function that it lacks ends the run.

use std::fs::{self, File};
use std::io::{self, Write};
use std::process::ExitCode;

use xt804::context::Context;
use xt804::fault::{Fault, FaultKind};
use xt804::image::Image;
use xt804::link::{RAM, RAM_SIZE};
use xt804::machine::{Call, Machine, Stop};

const USAGE: &str = "\
usage: xt804-run [options] <program.elf> <function> [argument...]
  --budget <n>      stop after so many instructions
  --stack <bytes>   the stack's size (default 16384), at the end of RAM
  --profile <file>  write folded stacks, for a flame graph
  --list            show the function's instructions instead of running it
Arguments are numbers, 0x... for hexadecimal. The function's result and the counters go to standard error.
";

#[derive(Default)]
struct Options {
    budget: Option<u64>,
    stack: Option<u32>,
    profile: Option<String>,
    list: bool,
    rest: Vec<String>,
}

fn main() -> ExitCode {
    let outcome = options(std::env::args().skip(1)).and_then(|options| start(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xt804-run: {message}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(USAGE);
        match word.as_str() {
            "--budget" => options.budget = Some(number(&value()?)?),
            "--stack" => options.stack = Some(narrow(&value()?)?),
            "--profile" => options.profile = Some(value()?),
            "--list" => options.list = true,
            _ if word.starts_with('-') => return Err(USAGE.to_owned()),
            _ => options.rest.push(word),
        }
    }
    Ok(options)
}

fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| format!("{text}: {error}"))
}

fn narrow(text: &str) -> Result<u32, String> {
    number(text)?.try_into().map_err(|_| format!("{text} has more than 32 bits"))
}

fn start(options: &Options) -> Result<(), String> {
    let [program, function, arguments @ ..] = options.rest.as_slice() else { return Err(USAGE.to_owned()) };
    let bytes = fs::read(program).map_err(|error| format!("{program}: {error}"))?;
    let mut machine = Machine::default();
    machine.load(Image::parse(&bytes)?).map_err(|kind| kind.to_string())?;
    let entry = machine.symbols().address(function).ok_or(format!("{program} has no {function}"))?;
    if options.list {
        list(&machine, entry);
        return Ok(());
    }
    let arguments = arguments.iter().map(|argument| narrow(argument)).collect::<Result<Vec<u32>, String>>()?;
    run(&mut machine, entry, &arguments, options)
}

fn list(machine: &Machine, entry: u32) {
    let here = machine.symbols().name(entry);
    let mut address = entry;
    while machine.symbols().function(address).is_some_and(|(name, _)| name == here) {
        let long = machine.memory().code(address).is_some_and(|first| first >= 0xc000);
        println!("{address:08x}: {}", machine.show(address).unwrap_or_else(|| "?".to_owned()));
        address = address.wrapping_add(if long { 4 } else { 2 });
    }
}

fn run(machine: &mut Machine, entry: u32, arguments: &[u32], options: &Options) -> Result<(), String> {
    let top = RAM.wrapping_add(u32::try_from(RAM_SIZE).unwrap_or(0));
    let mut context = Context::new("main", top.wrapping_sub(options.stack.unwrap_or(0x4000)), top);
    if options.profile.is_some() {
        context.start_profile();
    }
    let call = machine.begin_call(&mut context, entry, arguments).map_err(|fault| fault.to_string())?;
    let outcome = serve(machine, &mut context, call, options.budget.unwrap_or(u64::MAX));
    let counters = context.counters;
    eprintln!(
        "{} instructions, {} calls, {} loads, {} stores, {} bytes of stack",
        counters.instructions,
        counters.calls,
        counters.loads,
        counters.stores,
        context.stack.high_water()
    );
    if let (Some(path), Some(profile)) = (&options.profile, context.profile()) {
        let written = File::create(path).and_then(|file| profile.write_folded("main", machine.symbols(), file));
        written.map_err(|error| format!("{path}: {error}"))?;
    }
    let result = outcome.map_err(|fault| fault.to_string())?;
    eprintln!("result {result:#x}");
    Ok(())
}

fn serve(machine: &mut Machine, context: &mut Context, call: Call, budget: u64) -> Result<u64, Box<Fault>> {
    loop {
        match machine.run(context, budget.saturating_sub(context.counters.instructions)) {
            Stop::Returned => return Ok(machine.end_call(context, call)),
            Stop::Fault(fault) => return Err(fault),
            Stop::Budget => return Err(Box::new(machine.fault(context, FaultKind::Budget))),
            Stop::HostCall(number) => {
                host(machine, context, number)?;
                context.return_from_host();
            }
        }
    }
}

fn host(machine: &Machine, context: &Context, number: usize) -> Result<(), Box<Fault>> {
    let name = machine.symbols().import(number).unwrap_or_default();
    if name != "probe_write" {
        return Err(Box::new(machine.fault(context, FaultKind::Missing(name.to_owned()))));
    }
    let bytes = machine.memory().bytes(context.get(0), context.get(1));
    let bytes = bytes.map_err(|kind| Box::new(machine.fault(context, kind)))?;
    // A closed pipe is the reader's wish.
    let _ = io::stdout().write_all(bytes);
    Ok(())
}
