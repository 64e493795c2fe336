//! C for the chip: lwIP, Mbed TLS and the functions they need, compiled by `scripts/setup/csky-c.sh`, execute on the
//! simulated core and pass their own tests.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use support::{Numbers, folder, root, run, tool};
use xt804::context::Context;
use xt804::fault::{Fault, FaultKind};
use xt804::image::Image;
use xt804::link::{FLASH, FLASH_SIZE, Link, RAM};
use xt804::machine::{Host, Machine};

/// More than the chip's: nothing is given back here.
const RAM_SIZE: usize = 64 << 20;
const STACK: u32 = 32 << 10;

/// Mbed TLS's own tests of what a handshake is made of; each takes whether to print.
const SELF_TESTS: [&str; 9] = [
    "mbedtls_aes_self_test",
    "mbedtls_base64_self_test",
    "mbedtls_ctr_drbg_self_test",
    "mbedtls_ecp_self_test",
    "mbedtls_gcm_self_test",
    "mbedtls_mpi_self_test",
    "mbedtls_rsa_self_test",
    "mbedtls_sha256_self_test",
    "mbedtls_sha512_self_test",
];

const OTHERS: [&str; 7] =
    ["ipaddr_addr", "lwip_standard_chksum", "snprintf", "gmtime", "__udivdi3", "__muldi3", "__ram_free_start"];

static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| {
    let archives = run(&mut Command::new(root().join("scripts/setup/csky-c.sh")));
    let archives = Path::new(archives.trim());
    let inputs = ["lwip", "mbedtls", "chip"].map(|name| archives.join(format!("lib{name}.a")));
    let output = folder("c_code").join("c_code.elf");
    let roots = [SELF_TESTS.as_slice(), &OTHERS].concat();
    Link { ld: &tool("ld"), inputs: &inputs, roots: &roots, output: &output }.run().unwrap();
    output
});

/// The heap, and random numbers.
struct Board {
    free: u32,
    numbers: Numbers,
}

impl Host for Board {
    fn call(&mut self, machine: &mut Machine, context: &mut Context, number: usize) -> Result<(), Box<Fault>> {
        let name = machine.symbols().import(number).unwrap_or_default().to_owned();
        match name.as_str() {
            "wm_os_internal_calloc_tracing" => {
                let bytes = context.get(0) * context.get(1);
                context.set(0, self.free);
                self.free = (self.free + bytes).next_multiple_of(8);
            }
            "wm_heap_caps_free" => {}
            "board_random" => {
                let bytes = machine.memory_mut().bytes_mut(context.get(0), context.get(1)).unwrap();
                bytes.fill_with(|| self.numbers.word() as u8);
            }
            _ => return Err(Box::new(machine.fault(context, FaultKind::Missing(name)))),
        }
        Ok(())
    }
}

struct Chip {
    machine: Machine,
    context: Context,
    board: Board,
}

impl Chip {
    fn new() -> Self {
        let mut machine = Machine::new((FLASH, FLASH_SIZE), (RAM, RAM_SIZE));
        machine.load(Image::parse(&fs::read(&*IMAGE).unwrap()).unwrap()).unwrap();
        let top = RAM + RAM_SIZE as u32;
        let context = Context::new("main", top - STACK, top);
        let free = machine.symbols().address("__ram_free_start").unwrap();
        Self { machine, context, board: Board { free, numbers: Numbers(1) } }
    }

    fn call(&mut self, name: &str, arguments: &[u32]) -> u64 {
        let entry = self.machine.symbols().address(name).unwrap();
        let outcome = self.machine.call(&mut self.context, entry, arguments, &mut self.board);
        outcome.unwrap_or_else(|fault| panic!("{name}: {fault}"))
    }

    fn call_word(&mut self, name: &str, arguments: &[u32]) -> u32 {
        self.call(name, arguments) as u32
    }

    /// Bytes in the chip's memory, with a NUL behind them.
    fn bytes(&mut self, bytes: &[u8]) -> u32 {
        let at = self.board.free;
        self.machine.memory_mut().write(at, &[bytes, b"\0"].concat()).unwrap();
        self.board.free = (at + bytes.len() as u32 + 1).next_multiple_of(8);
        at
    }

    fn print(&mut self, format: &str, arguments: &[u32]) -> String {
        let room = self.bytes(&[b'?'; 64]);
        let format = self.bytes(format.as_bytes());
        let length = self.call_word("snprintf", &[&[room, 64, format], arguments].concat());
        let text = self.machine.memory().c_string(room).unwrap();
        assert_eq!(text.len(), length as usize);
        String::from_utf8(text.to_vec()).unwrap()
    }
}

#[test]
fn mbed_tls_passes_its_tests() {
    let mut chip = Chip::new();
    for name in SELF_TESTS {
        let before = chip.context.counters.instructions;
        assert_eq!(chip.call_word(name, &[0]), 0, "{name}");
        println!("{name}: {} instructions", chip.context.counters.instructions - before);
    }
}

#[test]
fn lwip_reads_addresses_and_adds_up() {
    let mut chip = Chip::new();
    let text = chip.bytes(b"10.0.2.15");
    assert_eq!(chip.call_word("ipaddr_addr", &[text]), u32::from_le_bytes([10, 0, 2, 15]));
    let packet: Vec<u8> = (0..=250).collect();
    for start in 0..4_u32 {
        let words = packet.get(start as usize..).unwrap();
        let weights = [1, 256].into_iter().cycle();
        let sum: u32 = words.iter().zip(weights).map(|(byte, weight)| u32::from(*byte) * weight).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        let at = chip.bytes(&packet) + start;
        assert_eq!(chip.call_word("lwip_standard_chksum", &[at, words.len() as u32]), folded, "from {start}");
    }
}

#[test]
fn numbers_of_64_bits() {
    let mut chip = Chip::new();
    let mut numbers = Numbers(1);
    for _ in 0..20_000 {
        let (one, other) = (numbers.next() >> numbers.below(64), numbers.next() >> numbers.below(64));
        let words = [one as u32, (one >> 32) as u32, other as u32, (other >> 32) as u32];
        assert_eq!(chip.call("__muldi3", &words), one.wrapping_mul(other), "{one:#x} * {other:#x}");
        if let Some(quotient) = one.checked_div(other) {
            assert_eq!(chip.call("__udivdi3", &words), quotient, "{one:#x} / {other:#x}");
        }
    }
}

#[test]
fn texts_are_printed_as_anywhere() {
    let mut chip = Chip::new();
    let name = chip.bytes(b"name");
    assert_eq!(chip.print("%s=%d%%", &[name, -5_i32 as u32]), "name=-5%");
    assert_eq!(chip.print("[%6s|%-6s|%.2s]", &[name; 3]), "[  name|name  |na]");
    assert_eq!(chip.print("%02X%02x %5u %lu", &[0xa, 0xb, 42, u32::MAX]), "0A0b    42 4294967295");
    assert_eq!(chip.print("%c %.3d", &[u32::from(b'x'), 7]), "x 007");
}

#[test]
fn times_become_dates() {
    let mut chip = Chip::new();
    // Second, minute, hour, day, month from 0, year from 1900.
    let cases: [(u32, [u32; 6]); 4] = [
        (0, [0, 0, 0, 1, 0, 70]),
        (951_827_696, [56, 34, 12, 29, 1, 100]),
        (1_796_000_000, [20, 53, 0, 30, 10, 126]),
        (4_107_542_399, [59, 59, 23, 28, 1, 200]),
    ];
    for (time, expected) in cases {
        let at = chip.bytes(&u64::from(time).to_le_bytes());
        let date = chip.call_word("gmtime", &[at]);
        let words: Vec<u32> = chip.machine.memory().bytes(date, 24).unwrap().chunks(4).map(word).collect();
        assert_eq!(words, expected, "{time}");
    }
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().unwrap())
}
