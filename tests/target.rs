//! The archive for the chip, as `scripts/build-target.sh` builds and links it: right CPU and ABI, the command
//! table, nothing undefined but what the firmware has, nothing exported but this library's own, and its size.
//!
//! Never skipped: where the tools are missing the tests fail; `scripts/setup.sh target` brings them.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget, SectionIndex};

const EM_CSKY: u16 = 252;
/// ABI v2 and the bits of ck804ef, as the SDK's own archives have them.
const FLAGS: u32 = 0x2100_2009;
const ROW: u64 = 12;
const TABLE: &str = ".wm_at_table";
/// What the linker takes in the place of a function of the SDK's.
const WRAPPED: &str = "__wrap_wm_atcmd_dev_register";

/// All of the default build: MQTT, the port between line and server, TLS, WebSocket, AT+MQTTCERT, statistics and the hook.
const FLASH_BUDGET: u64 = 72 * 1024;
/// Static RAM beside the arena: a link's state, the line that was typed, the lines that wait.
const RAM_BUDGET: u64 = 7 * 512;

type Elf<'data> = object::read::elf::ElfFile32<'data>;

struct Built {
    archive: PathBuf,
    /// text, rodata, data, bss: bytes that stay after `--gc-sections`.
    total: [u64; 4],
    members: Vec<Vec<u8>>,
    linked: Vec<u8>,
}

static BUILT: LazyLock<Built> = LazyLock::new(build);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn build() -> Built {
    let output = Command::new(root().join("scripts/build-target.sh"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .output()
        .expect("scripts/build-target.sh starts");
    assert!(output.status.success(), "scripts/build-target.sh: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();

    let archive = PathBuf::from(text.lines().next().expect("the archive's path comes first"));
    let mut last = text.lines().last().unwrap().split_whitespace();
    assert_eq!(last.next(), Some("total"), "{text}");
    let total: Vec<u64> = last.map(|number| number.parse().unwrap()).collect();

    let bytes = std::fs::read(&archive).unwrap();
    let file = ArchiveFile::parse(&*bytes).unwrap();
    let members = file.members().map(|member| member.unwrap().data(&*bytes).unwrap().to_vec()).collect();
    let linked = std::fs::read(archive.with_file_name("w800_mqtt_at.elf")).unwrap();
    Built { archive, total: total.try_into().expect("four numbers"), members, linked }
}

fn members() -> impl Iterator<Item = Elf<'static>> {
    BUILT.members.iter().map(|bytes| Elf::parse(&**bytes).unwrap())
}

fn linked() -> Elf<'static> {
    Elf::parse(&*BUILT.linked).unwrap()
}

fn names(wanted: impl Fn(&object::read::elf::ElfSymbol32<'static, '_>) -> bool) -> BTreeSet<String> {
    members()
        .flat_map(|elf| {
            elf.symbols().filter(&wanted).map(|symbol| symbol.name().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

/// Global symbols that this archive defines.
fn defined() -> BTreeSet<String> {
    names(|symbol| symbol.is_global() && symbol.is_definition())
}

/// What the firmware must bring.
fn undefined() -> BTreeSet<String> {
    let defined = defined();
    names(|symbol| symbol.is_undefined()).into_iter().filter(|name| !defined.contains(name)).collect()
}

/// The rows of `linker/sdk-symbols.txt`, each with its alternatives.
fn listed() -> Vec<Vec<String>> {
    let list = std::fs::read_to_string(root().join("linker/sdk-symbols.txt")).unwrap();
    list.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split('|').map(str::to_owned).collect())
        .collect()
}

/// The NUL-terminated text at an offset of a section.
fn text_at(elf: &Elf<'static>, section: SectionIndex, offset: u64) -> String {
    let data = elf.section_by_index(section).unwrap().data().unwrap();
    let from = data.get(usize::try_from(offset).unwrap()..).unwrap();
    let end = from.iter().position(|byte| *byte == 0).expect("a NUL");
    String::from_utf8(from.get(..end).unwrap().to_vec()).unwrap()
}

/// The names of the table's rows, through the relocations that the firmware's linker will follow.
fn row_names() -> Vec<String> {
    let elf = members().find(|elf| elf.section_by_name(TABLE).is_some()).expect("a member has the table");
    let table = elf.section_by_name(TABLE).unwrap();
    let mut names: Vec<(u64, String)> = table
        .relocations()
        .filter(|(at, _)| at % ROW == 0)
        .map(|(at, relocation)| {
            let RelocationTarget::Symbol(index) = relocation.target() else { panic!("row at {at} points nowhere") };
            let symbol = elf.symbol_by_index(index).unwrap();
            let offset = symbol.address().checked_add_signed(relocation.addend()).unwrap();
            (at, text_at(&elf, symbol.section_index().expect("a name of our own"), offset))
        })
        .collect();
    names.sort();
    names.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn every_object_is_for_this_cpu_and_abi() {
    assert!(!BUILT.members.is_empty());
    for elf in members() {
        let header = elf.elf_header();
        assert_eq!(header.e_machine.get(elf.endian()), EM_CSKY);
        assert_eq!(header.e_flags.get(elf.endian()), FLAGS);
    }
}

#[test]
fn every_object_passes_floats_as_the_vendors_do() {
    let readelf = Command::new("readelf").arg("-A").arg(&BUILT.archive).output().expect("readelf of binutils");
    let attributes = String::from_utf8(readelf.stdout).unwrap();
    let count = |tag: &str, value: &str| {
        attributes.lines().filter(|line| line.contains(tag) && line.trim_end().ends_with(value)).count()
    };
    for (tag, value) in [
        ("Tag_CSKY_CPU_NAME", "\"ck804ef\""),
        ("Tag_CSKY_DSP_VERSION", "DSP 2.0"),
        ("Tag_CSKY_FPU_ABI", "Hard"),
        ("Tag_CSKY_FPU_HARDFP", "Single"),
    ] {
        assert_eq!(count(tag, value), BUILT.members.len(), "{tag} {value}\n{attributes}");
    }
}

#[test]
fn the_table_has_a_named_handler_in_every_row() {
    let elf = members().find(|elf| elf.section_by_name(TABLE).is_some()).expect("a member has the table");
    let table = elf.section_by_name(TABLE).unwrap();
    let names = row_names();
    assert_eq!(table.size(), ROW * names.len() as u64);
    assert!(names.iter().all(|name| name.starts_with("AT+MQTT")), "{names:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");

    let handlers = table.relocations().filter(|(at, _)| at % ROW == 4).count();
    assert_eq!(handlers, names.len());
}

#[test]
fn the_archive_needs_exactly_the_listed_symbols() {
    let (undefined, listed) = (undefined(), listed());
    let unlisted: Vec<_> =
        undefined.iter().filter(|name| !listed.iter().flatten().any(|known| known == *name)).collect();
    let unused: Vec<_> =
        listed.iter().filter(|row| !row.iter().any(|name| name.is_empty() || undefined.contains(name))).collect();
    assert!(unlisted.is_empty(), "add to linker/sdk-symbols.txt, if the firmware has them: {unlisted:?}");
    assert!(unused.is_empty(), "remove from linker/sdk-symbols.txt: {unused:?}");
}

#[test]
fn the_archive_defines_only_its_own_names() {
    let foreign: Vec<_> =
        defined().into_iter().filter(|name| !name.starts_with("w800_mqtt_at_") && name != WRAPPED).collect();
    assert!(foreign.is_empty(), "these can clash with the firmware's: {foreign:?}");
}

/// For this archive alone: linked whole beside another that has such functions, their names must not meet.
#[test]
fn atomics_are_supplied_here() {
    let local = names(|symbol| symbol.is_local() && symbol.is_definition());
    for size in [1, 2, 4] {
        for operation in
            ["load", "store", "exchange", "compare_exchange", "fetch_add", "fetch_sub", "fetch_and", "fetch_or"]
        {
            let name = format!("__atomic_{operation}_{size}");
            assert!(local.contains(&name), "{name}");
        }
    }
    assert!(!undefined().iter().any(|name| name.starts_with("__atomic_") || name.starts_with("__sync_")));
}

#[test]
fn the_linked_image_keeps_the_table() {
    let elf = linked();
    let address = |name: &str| elf.symbol_by_name(name).unwrap_or_else(|| panic!("{name}")).address();
    let bytes = address("wm_at_table_end") - address("wm_at_table_start");
    assert_eq!(bytes, ROW * row_names().len() as u64);

    let table = elf.section_by_name(TABLE).unwrap().data().unwrap();
    let words = table.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect::<Vec<_>>();
    assert!(words.chunks_exact(3).all(|row| matches!(row, [name, handler, _] if *name != 0 && *handler != 0)));
}

#[test]
fn firmware_without_certificates_links() {
    let elf = linked();
    let address = |name: &str| elf.symbol_by_name(name).unwrap_or_else(|| panic!("{name}")).address();
    let none = address("w800_mqtt_at_no_credential");
    assert_ne!(none, 0);
    for kind in ["ca", "cert", "key"] {
        assert_eq!(address(&format!("mqtt_client_tls_{kind}")), none);
    }
}

#[test]
fn flash_and_ram_stay_within_budget() {
    let [text, rodata, data, bss] = BUILT.total;
    assert!(text + rodata <= FLASH_BUDGET, "flash: {} of {FLASH_BUDGET} bytes", text + rodata);

    let elf = linked();
    let arena = elf
        .symbols()
        .find(|symbol| symbol.name().is_ok_and(|name| name.ends_with("5ARENA")))
        .expect("a static named ARENA")
        .size();
    assert!(data + bss <= arena + RAM_BUDGET, "RAM: {} bytes, of which the arena has {arena}", data + bss);
}
