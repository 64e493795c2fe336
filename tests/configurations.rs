//! The archive for the chip under the SDK's options that change what it is made of: IPv6, certificates' dates, usage
//! texts. Four of the eight combinations have every pair of values; `tests/target.rs` builds one of them, the default.
//!
//! With `WM_IOT_SDK_PATH` the headers are that SDK's.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection, ObjectSymbol};

type Elf<'data> = object::read::elf::ElfFile32<'data>;

struct Configuration {
    ipv6: bool,
    dates: bool,
    usage: bool,
    /// Rows without a place for a usage text, as the SDK's documentation has them; its headers do not.
    short_rows: bool,
}

const CONFIGURATIONS: &[Configuration] = &[
    Configuration { ipv6: false, dates: false, usage: false, short_rows: true },
    Configuration { ipv6: true, dates: false, usage: true, short_rows: false },
    Configuration { ipv6: true, dates: true, usage: false, short_rows: false },
];

const COMMANDS: usize = 19;
const USAGE: &[u8] = b"AT+MQTTCLEAN=<LinkID>";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sdk() -> Option<PathBuf> {
    std::env::var_os("WM_IOT_SDK_PATH").filter(|path| !path.is_empty()).map(PathBuf::from)
}

impl Configuration {
    fn name(&self) -> String {
        let flag = |name: &str, on: bool| format!("{name} {}", if on { "on" } else { "off" });
        [flag("IPv6", self.ipv6), flag("dates", self.dates), flag("usage", self.usage)].join(", ")
    }

    /// Headers that come before all others: they include the next of their name, and change what differs.
    fn write(&self, folder: &Path) {
        let mut config = match sdk() {
            Some(_) => fs::read_to_string(root().join("wm_sdk/sdk_default_config/wmsdk_config.h")).unwrap(),
            None => "#include_next <wmsdk_config.h>\n".to_owned(),
        };
        config += "\n#undef CONFIG_LWIP_ENABLE_IPV6\n";
        let switches = [
            (self.ipv6, "#define CONFIG_LWIP_ENABLE_IPV6 1\n"),
            (!self.usage, "#undef CONFIG_WM_ATCMD_USAGE_ENABLE\n"),
            (self.short_rows, "#define W800_ATCMD_ROWS_AS_DOCUMENTED\n"),
        ];
        config.extend(switches.iter().filter(|(on, _)| *on).map(|(_, line)| *line));
        let tls = if self.dates { "" } else { "#undef MBEDTLS_HAVE_TIME_DATE\n" };
        fs::write(folder.join("wmsdk_config.h"), config).unwrap();
        fs::write(folder.join("wm_mbedtls_config.h"), format!("#include_next <wm_mbedtls_config.h>\n{tls}")).unwrap();
    }

    fn build(&self) -> Built {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = scratch.join("configuration");
        fs::create_dir_all(&folder).unwrap();
        self.write(&folder);
        let variable = if sdk().is_some() { "WM_IOT_SDK_CONFIG" } else { "W800_SIM_CONFIG" };
        let output = Command::new(root().join("scripts/build-target.sh"))
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("CARGO_TARGET_DIR", scratch.join("configurations"))
            .env(variable, &folder)
            .output()
            .expect("scripts/build-target.sh starts");
        assert!(output.status.success(), "{}: {}", self.name(), String::from_utf8_lossy(&output.stderr));
        let archive =
            PathBuf::from(String::from_utf8(output.stdout).unwrap().lines().next().expect("the archive's path"));
        Built { needs: undefined(&archive), image: fs::read(archive.with_file_name("w800_mqtt_at.elf")).unwrap() }
    }
}

struct Built {
    needs: BTreeSet<String>,
    image: Vec<u8>,
}

/// What no member of the archive has.
fn undefined(archive: &Path) -> BTreeSet<String> {
    let bytes = fs::read(archive).unwrap();
    let file = ArchiveFile::parse(&*bytes).unwrap();
    // A copy of each: in an archive they lie at odd places.
    let members = file.members().map(|member| member.unwrap().data(&*bytes).unwrap().to_vec());
    members
        .flat_map(|member| {
            let elf = Elf::parse(&*member).unwrap();
            let missing = elf.symbols().filter(|symbol| symbol.is_undefined());
            missing.map(|symbol| symbol.name().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect()
}

/// The bytes at an address of the image, to the end of their section.
fn at<'data>(elf: &Elf<'data>, address: u64) -> &'data [u8] {
    let holds = |section: &object::read::elf::ElfSection32<'data, '_>| {
        (section.address()..section.address() + section.size()).contains(&address) && section.address() != 0
    };
    let section = elf.sections().find(holds).expect("an address of the image");
    section.data().unwrap().get(usize::try_from(address - section.address()).unwrap()..).unwrap()
}

fn check_table(elf: &Elf<'_>, row_bytes: usize) {
    let address = |name: &str| elf.symbol_by_name(name).expect("an end of the table").address();
    let (start, end) = (address("wm_at_table_start"), address("wm_at_table_end"));
    let bytes = usize::try_from(end - start).unwrap();
    assert_eq!(bytes, COMMANDS * row_bytes);
    for row in at(elf, start).get(..bytes).unwrap().chunks_exact(row_bytes) {
        let words: Vec<u32> = row.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        let [name, handler, usage @ ..] = words.as_slice() else { panic!("a row of {row_bytes} bytes") };
        assert!(at(elf, u64::from(*name)).starts_with(b"AT+MQTT"));
        assert_ne!(*handler, 0);
        assert!(usage.iter().all(|word| *word == 0), "the server would print it on its own");
    }
}

#[test]
fn each_configuration_is_built_as_it_says() {
    for configuration in CONFIGURATIONS {
        let name = configuration.name();
        let built = configuration.build();
        let needs = |symbol: &str| built.needs.contains(symbol);
        assert_eq!(needs("ipaddr_ntoa_r"), configuration.ipv6, "{name}");
        assert_eq!(needs("ip4addr_ntoa_r"), !configuration.ipv6, "{name}");
        assert_eq!(needs("time"), configuration.dates, "{name}");

        let elf = Elf::parse(&*built.image).unwrap();
        check_table(&elf, if configuration.short_rows && sdk().is_none() { 8 } else { 12 });
        let has_usage = built.image.windows(USAGE.len()).any(|bytes| bytes == USAGE);
        assert_eq!(has_usage, configuration.usage, "{name}");
    }
}
