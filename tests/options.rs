//! The build options: what each does to the archive for the chip, and that no build goes on with a wrong one.
//!
//! A few builds prove them all, in a folder of their own: other tests run beside these and want the default build.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

#[path = "../build_options.rs"]
mod build_options;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use build_options::{Options, resolve};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol};

const AT_PRIORITY: u32 = 7;
const COMPONENT: &str = "#define CONFIG_COMPONENT_W800_MQTT_AT_ENABLED 1\n";
const ROW: u64 = 12;

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables.iter().map(|(name, value)| (format!("W800_MQTT_AT_{name}"), (*value).to_owned())).collect()
}

fn taken(variables: &[(&str, &str)], config: &str) -> Options {
    resolve(&environment(variables), config, AT_PRIORITY).unwrap()
}

fn has(options: &Options, constant: &str) -> bool {
    options.source.lines().any(|line| line == format!("pub const {constant};"))
}

#[test]
fn defaults() {
    let options = taken(&[], "");
    for constant in [
        "LINKS: usize = 1",
        "ARENA_BYTES: usize = 6144",
        "TASK_STACK: u32 = 8192",
        "TASK_PRIORITY: u32 = 6",
        "ERROR_LINES: bool = true",
        "TLS: bool = true",
        "WEBSOCKET: bool = true",
        "ADDITIONS: bool = true",
    ] {
        assert!(has(&options, constant), "{constant}\n{}", options.source);
    }
    assert_eq!(options.cfgs, ["argv_line", "error_lines", "tls", "websocket", "additions", "certificate_command"]);
    assert_eq!(
        options.words,
        "LINKS=1 ARENA_BYTES=6144 TASK_STACK=8192 TASK_PRIORITY=6 ARGV=line ERROR_LINES=y TLS=y WEBSOCKET=y ADDITIONS=y"
    );
    let possible: Vec<String> = build_options::possible_cfgs().collect();
    assert!(options.cfgs.iter().all(|cfg| possible.contains(cfg)));
}

#[test]
fn a_project_configures_and_the_environment_wins() {
    let config = format!(
        "{COMPONENT}#define CONFIG_W800_MQTT_AT_LINKS 3\n#define CONFIG_W800_MQTT_AT_ARENA_BYTES 2048\n\
         #define CONFIG_W800_MQTT_AT_ARGV_RAW 1\n#define CONFIG_W800_MQTT_AT_TLS 1\n\
         #define CONFIG_W800_MQTT_AT_PREBUILT \"\"\n"
    );
    let options = taken(&[("LINKS", "2"), ("WEBSOCKET", "y"), ("TASK_STACK", "")], &config);
    for constant in [
        "LINKS: usize = 2",
        "ARENA_BYTES: usize = 2048",
        "TASK_STACK: u32 = 8192",
        "TLS: bool = true",
        "WEBSOCKET: bool = true",
        "ADDITIONS: bool = false",
        "ERROR_LINES: bool = false",
    ] {
        assert!(has(&options, constant), "{constant}\n{}", options.source);
    }
    assert_eq!(options.cfgs, ["argv_raw", "tls", "websocket"]);
    assert_eq!(taken(&[("ARGV", "decoded")], &config).cfgs, ["argv_decoded", "tls"]);
}

#[test]
fn a_configuration_that_does_not_know_the_component_switches_nothing_off() {
    assert_eq!(taken(&[], "#define CONFIG_WM_ATCMD_ENABLE 1\n"), taken(&[], ""));
    assert_ne!(taken(&[], COMPONENT), taken(&[], ""));
}

#[test]
fn what_is_wrong_is_named_with_its_value_and_range() {
    let list = "W800_MQTT_AT_LINKS, W800_MQTT_AT_ARENA_BYTES, W800_MQTT_AT_TASK_STACK, W800_MQTT_AT_TASK_PRIORITY, \
                W800_MQTT_AT_ARGV, W800_MQTT_AT_ERROR_LINES, W800_MQTT_AT_TLS, W800_MQTT_AT_WEBSOCKET, \
                W800_MQTT_AT_ADDITIONS";
    let unknown = format!("W800_MQTT_AT_LINK: there is no such option; there are {list}");
    for (name, value, sentence) in [
        ("LINKS", "0", "W800_MQTT_AT_LINKS=0: must be a number from 1 to 4"),
        ("LINKS", "5", "W800_MQTT_AT_LINKS=5: must be a number from 1 to 4"),
        ("LINKS", "two", "W800_MQTT_AT_LINKS=two: must be a number from 1 to 4"),
        ("ARENA_BYTES", "1023", "W800_MQTT_AT_ARENA_BYTES=1023: must be a number from 1024 to 65536"),
        ("TASK_STACK", "99999", "W800_MQTT_AT_TASK_STACK=99999: must be a number from 6144 to 32768"),
        ("TASK_PRIORITY", "7", "W800_MQTT_AT_TASK_PRIORITY=7: must be a number from 1 to 6, below the AT server's 7"),
        ("ARGV", "RAW", "W800_MQTT_AT_ARGV=RAW: must be one of line, raw, decoded"),
        ("TLS", "yes", "W800_MQTT_AT_TLS=yes: must be y or n"),
        ("LINK", "2", &unknown),
    ] {
        assert_eq!(resolve(&environment(&[(name, value)]), "", AT_PRIORITY).unwrap_err(), sentence);
    }
    for (line, sentence) in [
        ("LINKS 9", "CONFIG_W800_MQTT_AT_LINKS=9: must be a number from 1 to 4"),
        ("TLS y", "CONFIG_W800_MQTT_AT_TLS=y: must be 1 or not defined"),
        (
            "ARGV_RAW 1\n#define CONFIG_W800_MQTT_AT_ARGV_DECODED 1",
            "CONFIG_W800_MQTT_AT_ARGV_DECODED=1: must be the only one of its choice",
        ),
    ] {
        let config = format!("#define CONFIG_W800_MQTT_AT_{line}\n");
        assert_eq!(resolve(&BTreeMap::new(), &config, AT_PRIORITY).unwrap_err(), sentence);
    }
}

/// What a build came to.
struct Built {
    /// text, rodata, data, bss.
    total: [u64; 4],
    /// Symbols of the firmware that the archive needs.
    needs: BTreeSet<String>,
    /// Functions that C code may call.
    offers: BTreeSet<String>,
    /// Sizes of statics by the last word of their names.
    statics: BTreeMap<String, u64>,
    /// Everything that stays when the archive is linked.
    linked: Vec<String>,
    rows: u64,
    flash: Vec<u8>,
}

struct Builds {
    default: Built,
    two_links: Built,
    lean: Built,
    websocket_alone: Built,
    documents_alone: Built,
    compiled: Built,
}

static BUILDS: LazyLock<Builds> = LazyLock::new(|| Builds {
    two_links: build(&[("LINKS", "2"), ("ARENA_BYTES", "4096"), ("TASK_STACK", "6144"), ("TASK_PRIORITY", "3")]),
    lean: build(&[("TLS", "n"), ("WEBSOCKET", "n"), ("ADDITIONS", "n"), ("ERROR_LINES", "n"), ("ARGV", "decoded")]),
    websocket_alone: build(&[("TLS", "n")]),
    documents_alone: build(&[("ADDITIONS", "n"), ("WEBSOCKET", "n"), ("ARGV", "raw")]),
    compiled: build(&[("REWRITE", "n"), ("PANIC_PLACES", "n")]),
    default: build(&[]),
});

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(options: &[(&str, &str)]) -> Output {
    let mut command = Command::new(root().join("scripts/build-target.sh"));
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").envs(environment(options));
    // That of tests/configurations.rs, which runs before: the core library is there.
    command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("configurations"));
    command.output().expect("scripts/build-target.sh starts")
}

fn build(options: &[(&str, &str)]) -> Built {
    let output = run(options);
    assert!(output.status.success(), "{options:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let total: Vec<u64> =
        text.lines().last().unwrap().split_whitespace().skip(1).map(|number| number.parse().unwrap()).collect();
    examine(&PathBuf::from(text.lines().next().unwrap()), total.try_into().expect("four numbers"))
}

fn examine(archive: &Path, total: [u64; 4]) -> Built {
    let (mut needs, mut offers) = (BTreeSet::new(), BTreeSet::new());
    let bytes = std::fs::read(archive).unwrap();
    for member in ArchiveFile::parse(&*bytes).unwrap().members() {
        // A member of its own alignment.
        let member = member.unwrap().data(&*bytes).unwrap().to_vec();
        let elf = object::File::parse(&*member).unwrap();
        for symbol in elf.symbols() {
            let names = if symbol.is_undefined() { &mut needs } else { &mut offers };
            if symbol.is_global() {
                names.insert(symbol.name().unwrap().to_owned());
            }
        }
    }
    let linked = std::fs::read(archive.with_file_name("w800_mqtt_at.elf")).unwrap();
    let elf = object::File::parse(&*linked).unwrap();
    let statics = elf.symbols().filter(|symbol| symbol.size() > 0).filter_map(|symbol| {
        let name = symbol.name().ok()?;
        let word = name.rsplit(|letter: char| !letter.is_ascii_uppercase() && letter != '_').next()?;
        Some((word.to_owned(), symbol.size()))
    });
    let section = |name| elf.section_by_name(name).map_or(&[][..], |section| section.data().unwrap());
    Built {
        total,
        needs: needs.difference(&offers).cloned().collect(),
        offers,
        statics: statics.collect(),
        linked: elf.symbols().filter_map(|symbol| symbol.name().ok().map(str::to_owned)).collect(),
        rows: section(".wm_at_table").len() as u64 / ROW,
        flash: [section(".text"), section(".rodata")].concat(),
    }
}

impl Built {
    fn flash_bytes(&self) -> u64 {
        let [text, rodata, ..] = self.total;
        text + rodata
    }

    fn ram_bytes(&self) -> u64 {
        let [.., data, bss] = self.total;
        data + bss
    }

    /// Whether a function stays whose mangled name has this in it.
    fn keeps(&self, function: &str) -> bool {
        self.linked.iter().any(|name| name.contains(function))
    }

    fn needs_any(&self, prefix: &str) -> bool {
        self.needs.iter().any(|name| name.starts_with(prefix))
    }

    fn holds(&self, text: &str) -> bool {
        self.flash.windows(text.len()).any(|window| window == text.as_bytes())
    }

    fn size(&self, name: &str) -> u64 {
        *self.statics.get(name).unwrap_or_else(|| panic!("no static {name} in {:?}", self.statics.keys()))
    }
}

#[test]
fn a_wrong_value_stops_the_build() {
    LazyLock::force(&BUILDS);
    for (option, sentence) in [
        (("LINKS", "5"), "error: W800_MQTT_AT_LINKS=5: must be a number from 1 to 4"),
        (
            ("TASK_PRIORITY", "7"),
            "error: W800_MQTT_AT_TASK_PRIORITY=7: must be a number from 1 to 6, below the AT server's 7",
        ),
        (("REWRITE", "off"), "error: W800_MQTT_AT_REWRITE=off: must be y or n"),
        (("PANIC_PLACES", "0"), "error: W800_MQTT_AT_PANIC_PLACES=0: must be y or n"),
    ] {
        let output = run(&[option]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(sentence), "{said}");
    }
}

#[test]
fn a_link_more_is_ram_alone() {
    let Builds { default, two_links, .. } = &*BUILDS;
    for name in ["RUNTIMES", "LOOKUPS", "REPORTS", "GIVEN"] {
        assert_eq!(two_links.size(name), 2 * default.size(name), "{name}");
    }
    assert!(two_links.flash_bytes() < default.flash_bytes() + 256);
    // Of RAM a link takes its rows, and the arena of this build is smaller by 2 KiB.
    let row = default.size("RUNTIMES") + default.size("LOOKUPS") + default.size("REPORTS") + default.size("GIVEN");
    assert!((two_links.ram_bytes() + 2048 - default.ram_bytes()).abs_diff(row) < 64);
}

#[test]
fn the_arena_has_the_bytes_it_was_given() {
    let Builds { default, two_links, .. } = &*BUILDS;
    assert_eq!((default.size("ARENA"), two_links.size("ARENA")), (6144, 4096));
}

#[test]
fn without_tls_and_websocket_nothing_of_mbedtls_is_needed() {
    let Builds { default, lean, .. } = &*BUILDS;
    for prefix in ["mbedtls_", "wm_nvs_", "mqtt_client_tls_", "time"] {
        assert!(default.needs_any(prefix), "{prefix}");
        assert!(!lean.needs_any(prefix), "{prefix}: {:?}", lean.needs);
    }
    assert!(!lean.statics.contains_key("GIVEN"));
    assert!(lean.flash_bytes() + 18 * 1024 < default.flash_bytes());
}

#[test]
fn credentials_come_and_go_with_tls() {
    let credentials = ["w800_mqtt_at_set_credential", "w800_mqtt_at_no_credential"];
    for (build, tls) in [(&BUILDS.default, true), (&BUILDS.documents_alone, true), (&BUILDS.websocket_alone, false)] {
        for name in credentials {
            assert_eq!(build.offers.contains(name), tls, "{name}");
        }
        assert_eq!(build.needs_any("mbedtls_x509_"), tls);
        assert_eq!(build.needs_any("mbedtls_ssl_"), tls);
    }
}

#[test]
fn websocket_needs_random_numbers_and_a_digest() {
    let Builds { websocket_alone, documents_alone, .. } = &*BUILDS;
    let mbedtls = websocket_alone.needs.iter().filter(|name| name.starts_with("mbedtls_"));
    assert!(mbedtls.clone().count() > 0);
    for name in mbedtls {
        let known = ["mbedtls_ctr_drbg_", "mbedtls_entropy_", "mbedtls_sha1"];
        assert!(known.iter().any(|prefix| name.starts_with(prefix)), "{name}");
    }
    assert!(websocket_alone.holds("Sec-WebSocket-Key") && !documents_alone.holds("Sec-WebSocket-Key"));
    assert!(!documents_alone.needs_any("mbedtls_sha1"));
}

#[test]
fn additions_are_rows_and_lines() {
    let Builds { default, lean, websocket_alone, documents_alone, .. } = &*BUILDS;
    assert_eq!((default.rows, websocket_alone.rows, documents_alone.rows, lean.rows), (19, 18, 16, 16));
    assert!(!websocket_alone.holds("AT+MQTTCERT"), "there is nothing to store without TLS");
    for text in ["AT+MQTTERR", "AT+MQTTVER", "AT+MQTTCERT", "+MQTTINCOMPLETE"] {
        assert!(default.holds(text) && !documents_alone.holds(text), "{text}");
    }
    assert!(!documents_alone.needs_any("wm_nvs_"), "what was stored once must not come back unseen");
}

#[test]
fn rewritten_code_is_shorter() {
    let Builds { default, compiled, .. } = &*BUILDS;
    assert!(default.flash_bytes() + 8 * 1024 < compiled.flash_bytes());
    assert_eq!((&default.needs, &default.offers), (&compiled.needs, &compiled.offers));
}

#[test]
fn places_of_panics() {
    assert!(BUILDS.default.holds(".rs") && !BUILDS.compiled.holds(".rs"));
}

#[test]
fn error_lines() {
    assert!(BUILDS.default.holds("ERR CODE:"));
    assert!(!BUILDS.lean.holds("ERR CODE:"));
}

/// Parameters come from the line, which then passes through the library, or from the server's `argv`.
#[test]
fn one_way_of_parameters_and_data() {
    let Builds { default, lean: decoded, documents_alone: raw, .. } = &*BUILDS;
    for (build, line) in [(default, true), (raw, false), (decoded, false)] {
        for name in ["__wrap_wm_atcmd_dev_register", "w800_mqtt_at_dev_register"] {
            assert_eq!(build.offers.contains(name), line, "{name}");
        }
        assert_eq!(build.keeps("6client4port"), line);
        assert_eq!(build.statics.contains_key("LINE"), line);
        for name in ["wm_atcmd_enter_passthrough", "wm_atcmd_exit_passthrough"] {
            assert_eq!(build.needs_any(name), !line, "{name}");
        }
        assert_eq!(build.needs_any("__real_wm_atcmd_dev_register"), line);
    }
    assert!(default.flash_bytes() > raw.flash_bytes() && default.ram_bytes() > raw.ram_bytes());
}
