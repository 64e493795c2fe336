//! Generates the Rust view of the SDK's C API (`bindings.rs` in `OUT_DIR`) with bindgen.
//!
//! Headers: those of the SDK checkout that `WM_IOT_SDK_PATH` names, else `wm_sdk/include`.
//! An SDK's headers need the `wmsdk_config.h` of a project: the file or folder named by
//! `WM_IOT_SDK_CONFIG`, else one found under the SDK's `build` folder, else
//! `wm_sdk/sdk_default_config`. Mbed TLS comes with the SDK; without one it is the source that
//! `scripts/setup/mbedtls.sh` brings. `W800_SIM_CONFIG` names a folder whose configuration headers are
//! taken before those of `wm_sdk/include`: the virtual board's variants.
//!
//! Cfgs for the crate: `lwip_ipv6` (addresses carry their family), `have_time_date`
//! (Mbed TLS checks certificate dates), and those of the build options ([`build_options`]), whose
//! values it writes to `options.rs` in `OUT_DIR`.

mod build_options;

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const WRAPPER: &str = "src/sdk/wrapper.h";
const OWN_INCLUDE: &str = "wm_sdk/include";
const DEFAULT_CONFIG: &str = "wm_sdk/sdk_default_config";
const MBEDTLS_SCRIPT: &str = "scripts/setup/mbedtls.sh";
/// What the SDK's build makes of a project's Kconfig options.
const CONFIG_HEADER: &str = "wmsdk_config.h";
/// The constant of the wrapper header that the priority of a link's task must stay below.
const AT_PRIORITY: &str = "W800_AT_TASK_PRIORITY";
const NEWLIB: &str = "/usr/include/newlib";
const OLDEST_CLANG: u32 = 19;

/// `components/posix` is left out: its names shadow the C library's.
const SDK_INCLUDES: &[&str] = &[
    "wm_atcmd/include",
    "wm_common/include",
    "wm_event/include",
    "wm_heap/include",
    "wm_log/include",
    "wm_nvs/include",
    "wm_system/include",
    "freertos/include",
    "freertos/port/w80x/include",
    "xt804/include",
    "xt804/include/csi_core",
    "lwip/src/include",
    "lwip/port",
    "mbedtls/port",
    "mbedtls/src/include",
];

/// The SDK's own configuration of Mbed TLS, and ours, have the same name.
const MBEDTLS_CONFIG: &str = "-DMBEDTLS_CONFIG_FILE=\"wm_mbedtls_config.h\"";

const FUNCTIONS: &[&str] = &[
    "wm_atcmd_(print_raw_data|enter_passthrough|exit_passthrough)",
    "wm_os_internal_task_(create|del|id)",
    "wm_os_internal_sem_(create|acquire_ms|release)",
    "wm_os_internal_mutex_(create|acquire|release)",
    "wm_os_internal_(time_delay_ms|get_time_ms|set_critical|release_critical)",
    "wm_os_internal_timer_(create_ms|start|stop)",
    "wm_heap_get_free_size",
    "wm_log_printf",
    "wm_system_reboot",
    "lwip_(getaddrinfo|freeaddrinfo|socket_thread_(init|cleanup))",
    "tcpip_callback",
    "dns_gethostbyname",
    "ip4_route",
    "ip(4)?addr_ntoa_r",
    "wm_nvs_(open|close|set_blob|get_blob|get_info|del_key)",
    "mbedtls_version_get_number",
    "mbedtls_sha(1|256)",
    "mbedtls_entropy_(init|free|func)",
    "mbedtls_ctr_drbg_(init|free|seed|random)",
    "mbedtls_x509_crt_(init|free|parse)",
    "mbedtls_pk_(init|free|parse_key|check_pair)",
    "mbedtls_ssl_(init|free|setup|set_bio|set_hostname|handshake|read|write|close_notify|get_verify_result)",
    "mbedtls_ssl_((get|set)_session|session_(init|free))",
    "mbedtls_ssl_config_(init|free|defaults)",
    "mbedtls_ssl_conf_(authmode|verify|ca_chain|own_cert|rng|alpn_protocols|max_frag_len)",
];

/// Socket functions: the name in Rust, and the names that lwIP's headers may give it. With
/// `LWIP_COMPAT_SOCKETS` 2, as in the SDK, a macro makes the symbol itself `socket`. On the chip that
/// symbol is called; on a host it would be the system's, and there it is always `lwip_socket`.
const SOCKETS: &[(&str, &[&str])] = &[
    ("lwip_socket", &["socket"]),
    ("lwip_connect", &["connect"]),
    ("lwip_send", &["send"]),
    ("lwip_recv", &["recv"]),
    ("lwip_poll", &["poll"]),
    ("lwip_shutdown", &["shutdown"]),
    ("lwip_close", &["close", "closesocket"]),
    ("lwip_setsockopt", &["setsockopt"]),
    ("lwip_getsockopt", &["getsockopt"]),
    ("lwip_ioctl", &["ioctl", "ioctlsocket"]),
];

const TYPES: &[&str] = &[
    "wm_at_type_e",
    "wm_at_result_e",
    "wm_atcmd_item(_t)?",
    "wm_atcmd_exit_passthrough_reason_e",
    "wm_atcmd_tx_passthrough(_exit_notify)?",
    "wm_atcmd_dev_type_e",
    "wm_dev_ops(_t)?",
    "wm_os_(task|sem|timer|status)_t",
    "wm_os_timer_callback",
    "wm_log_level_t",
    "sockaddr(_in|_in6|_storage)?",
    "addrinfo",
    "pollfd",
    "linger",
    "ip_addr_t",
    "ip4_addr_t",
    "ip6_addr_t",
    "err_t",
    "err_enum_t",
    "lwip_ip_addr_type",
    "wm_nvs_(handle|open_mode|type)_t",
    "mbedtls_x509_(crt|sequence|buf)",
];

/// Contexts of Mbed TLS of which only size and alignment matter here.
const OPAQUE: &[&str] = &[
    "mbedtls_ssl_(context|config|session)",
    "mbedtls_(entropy|ctr_drbg|pk)_context",
    "mbedtls_(md|pk)_info_t",
    "netif",
    "mbedtls_x509_(crl|crt_profile)",
];

const CONSTANTS: &[&str] = &[
    "W800_.*",
    "WM_ERR_(SUCCESS|FAILED|TIMEOUT)",
    "WM_OS_WAIT_TIME_MAX",
    "(AF|PF)_(UNSPEC|INET|INET6)",
    "SOCK_STREAM",
    "IPPROTO_(IP|TCP)",
    "SOL_SOCKET",
    "SO_(KEEPALIVE|ERROR|LINGER|RCVTIMEO|SNDTIMEO|RCVBUF)",
    "TCP_(NODELAY|KEEPIDLE|KEEPINTVL|KEEPCNT)",
    "POLL(IN|OUT|ERR|HUP|NVAL)",
    "MSG_(DONTWAIT|MORE|PEEK)",
    "SHUT_(RD|WR|RDWR)",
    "AI_(NUMERICHOST|NUMERICSERV|ADDRCONFIG)",
    "EAI_(NONAME|FAIL|MEMORY|FAMILY|SERVICE)",
    "LWIP_DNS_ADDRTYPE_(IPV4|IPV6|IPV4_IPV6|IPV6_IPV4)",
    "WM_NVS_(ERR_OK|ERR_NOT_FOUND|ERR_NOT_INIT|ERR_NO_SPACE|OP_READ_ONLY|OP_READ_WRITE)",
    "MBEDTLS_VERSION_NUMBER",
    "MBEDTLS_ERR_SSL_(WANT_READ|WANT_WRITE|FATAL_ALERT_MESSAGE|CONN_EOF|PEER_CLOSE_NOTIFY|ALLOC_FAILED)",
    "MBEDTLS_ERR_SSL_(RECEIVED_NEW_SESSION_TICKET|UNEXPECTED_RECORD)",
    "MBEDTLS_ERR_NET_(CONN_RESET|SEND_FAILED|RECV_FAILED)",
    "MBEDTLS_SSL_(IS_CLIENT|TRANSPORT_STREAM|PRESET_DEFAULT|VERIFY_(NONE|REQUIRED)|(IN|OUT)_CONTENT_LEN)",
    "MBEDTLS_SSL_MAX_FRAG_LEN_(NONE|512|1024|2048|4096)",
    "MBEDTLS_X509_BADCERT_(EXPIRED|FUTURE|CN_MISMATCH|NOT_TRUSTED|BAD_MD|BAD_PK|BAD_KEY|OTHER)",
    "MBEDTLS_X509_SAN_IP_ADDRESS",
    "MBEDTLS_ASN1_TAG_VALUE_MASK",
];

/// C macros that become cfgs of the crate; with `usage_texts`, `=?` prints how a command is written.
const PROBES: &[(&str, &str)] = &[
    ("W800_HAVE_LWIP_IPV6", "lwip_ipv6"),
    ("W800_HAVE_TIME_DATE", "have_time_date"),
    ("W800_HAVE_USAGE_TEXTS", "usage_texts"),
];

/// What follows the SDK's configuration, as `AT+MQTTVER?` names it, and its cfg.
const FOLLOWING: &[(&str, &str)] = &[("IPV6", "lwip_ipv6"), ("DATES", "have_time_date"), ("USAGE", "usage_texts")];

/// The SDK's surface as it was recorded.
const SDK_RECORD: &str = "linker/sdk-surface.txt";

/// Also run by `wm_sdk/surface`, over headers of its choice.
pub fn main() {
    if let Err(error) = run() {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<()> {
    declare_inputs();
    link_unit_tests()?;
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let libclang = find_libclang()?;
    let csky = env::var("CARGO_CFG_TARGET_ARCH")? == "csky";
    let sdk = env::var_os("WM_IOT_SDK_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    let args = clang_args(&root, &libclang, csky, sdk.as_deref())?;

    let probes = Probes::default();
    let builder = bindgen::Builder::default()
        .header(root.join(WRAPPER).to_string_lossy())
        .clang_args(args)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
        .parse_callbacks(Box::new(probes.clone()))
        .parse_callbacks(Box::new(SocketNames { csky }))
        .use_core()
        .ctypes_prefix("core::ffi")
        .rust_edition(bindgen::RustEdition::Edition2024)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .generate_comments(false)
        .formatter(bindgen::Formatter::Prettyplease);
    let builder = FUNCTIONS.iter().fold(builder, |b, f| b.allowlist_function(f));
    // The system's own headers are in sight only where neither holds, and there lwIP's are not renamed.
    let renamed = csky || sdk.is_some();
    let builder = SOCKETS.iter().fold(builder, |b, (name, others)| {
        let b = b.allowlist_function(name);
        others.iter().filter(|_| renamed).fold(b, |b, other| b.allowlist_function(other))
    });
    let builder = TYPES.iter().fold(builder, |b, t| b.allowlist_type(t));
    let builder = OPAQUE.iter().fold(builder, |b, t| b.allowlist_type(t).opaque_type(t));
    let builder = CONSTANTS.iter().fold(builder, |b, c| b.allowlist_var(c));
    let bindings = builder.generate()?;
    bindings.write_to_file(PathBuf::from(env::var("OUT_DIR")?).join("bindings.rs"))?;
    probes.emit();
    write_options(&root, sdk.as_deref(), &probes)
}

/// Takes the build options from the environment and from the configuration that the headers were read with.
fn write_options(root: &Path, sdk: Option<&Path>, probes: &Probes) -> Result<()> {
    let at_priority = probes.at_priority()?;
    let config = project_config(root, sdk)?.join(CONFIG_HEADER);
    println!("cargo::rerun-if-changed={}", config.display());
    let environment: BTreeMap<String, String> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut options = build_options::resolve(&environment, &fs::read_to_string(config)?, at_priority)?;
    for (name, cfg) in FOLLOWING {
        options.say(name, if probes.have(cfg) { "y" } else { "n" });
    }
    options.source += &format!("pub const BUILT_WITH: &str = {:?};\n", options.words);
    options.source += &format!("pub const BUILT_FOR: &str = {:?};\n", sdk_name(root, sdk));
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("options.rs"), options.source)?;
    for cfg in options.cfgs {
        println!("cargo::rustc-cfg={cfg}");
        println!("cargo::metadata={cfg}=y");
    }
    Ok(())
}

/// Which SDK the headers are of, for `AT+MQTTVER?`: the commit of a checkout, or a copy's version; without an SDK, the one
/// that `wm_sdk` declares.
fn sdk_name(root: &Path, sdk: Option<&Path>) -> String {
    let name = match sdk {
        Some(sdk) => checkout(sdk).or_else(|| released(sdk)),
        None => recorded(root),
    };
    name.unwrap_or_else(|| "an SDK of unknown version".to_owned())
}

/// The first line of the record ends with what it was taken from.
fn recorded(root: &Path) -> Option<String> {
    let record = root.join(SDK_RECORD);
    println!("cargo::rerun-if-changed={}", record.display());
    let text = fs::read_to_string(record).ok()?;
    let (_, origin) = text.lines().next()?.rsplit_once(": ")?;
    Some(origin.trim_end_matches('.').to_owned())
}

/// The SDK keeps its version as the default of a Kconfig symbol, in a file of that name.
fn released(sdk: &Path) -> Option<String> {
    let file = sdk.join("version");
    println!("cargo::rerun-if-changed={}", file.display());
    let text = fs::read_to_string(file).ok()?;
    let version = text.lines().find_map(|line| line.trim().strip_prefix("default \"")?.strip_suffix('"'))?;
    Some(format!("WM IoT SDK {version}"))
}

/// Not of another repository that the SDK lies in.
fn checkout(sdk: &Path) -> Option<String> {
    let head = sdk.join(".git/logs/HEAD");
    if head.is_file() {
        println!("cargo::rerun-if-changed={}", head.display());
    }
    let git = |arguments: &[&str]| -> Option<String> {
        let said = Command::new("git").arg("-C").arg(sdk).args(arguments).stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8(said.stdout).ok()?;
        said.status.success().then(|| text.trim().to_owned())
    };
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?).canonicalize().ok()?;
    if top != sdk.canonicalize().ok()? {
        return None;
    }
    git(&["log", "-1", "--abbrev=7", "--format=WM IoT SDK, commit %h of %cs"])
}

/// The folder of the `wmsdk_config.h` that a project was configured with. Without an SDK a named one has the build
/// options alone: the headers here have a configuration of their own.
fn project_config(root: &Path, sdk: Option<&Path>) -> Result<PathBuf> {
    if let Some(named) = named_config()? {
        return Ok(named);
    }
    if let Some(sdk) = sdk {
        return Ok(found_config(root, sdk));
    }
    let variant = own_variant(root).filter(|folder| folder.join(CONFIG_HEADER).is_file());
    Ok(variant.unwrap_or_else(|| root.join(OWN_INCLUDE)))
}

fn declare_inputs() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={WRAPPER}");
    for variable in ["WM_IOT_SDK_PATH", "WM_IOT_SDK_CONFIG", "W800_SIM_CONFIG", "LIBCLANG_PATH", "W800_NEWLIB"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build_options.rs");
    for variable in build_options::variables() {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let options = build_options::possible_cfgs();
    for cfg in PROBES.iter().map(|(_, cfg)| (*cfg).to_owned()).chain(options) {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
    }
}

/// The probed macros that the headers turned out to define, and the priority of the AT server's task.
#[derive(Clone, Debug, Default)]
struct Probes {
    cfgs: Arc<Mutex<Vec<&'static str>>>,
    at_priority: Arc<Mutex<Option<u32>>>,
}

impl bindgen::callbacks::ParseCallbacks for Probes {
    fn int_macro(&self, name: &str, _value: i64) -> Option<bindgen::callbacks::IntKind> {
        if let Some((_, cfg)) = PROBES.iter().find(|(macro_name, _)| *macro_name == name) {
            self.cfgs.lock().ok()?.push(cfg);
        }
        None
    }

    fn enum_variant_behavior(
        &self,
        _enum: Option<&str>,
        name: &str,
        value: bindgen::callbacks::EnumVariantValue,
    ) -> Option<bindgen::callbacks::EnumVariantCustomBehavior> {
        if name == AT_PRIORITY {
            *self.at_priority.lock().ok()? = match value {
                bindgen::callbacks::EnumVariantValue::Signed(value) => u32::try_from(value).ok(),
                bindgen::callbacks::EnumVariantValue::Unsigned(value) => u32::try_from(value).ok(),
                bindgen::callbacks::EnumVariantValue::Boolean(_) => None,
            };
        }
        None
    }
}

impl Probes {
    fn have(&self, cfg: &str) -> bool {
        self.cfgs.lock().is_ok_and(|found| found.contains(&cfg))
    }

    fn emit(&self) {
        for cfg in self.cfgs.lock().iter().flat_map(|found| found.iter()) {
            println!("cargo::rustc-cfg={cfg}");
        }
    }

    fn at_priority(&self) -> Result<u32> {
        let found = self.at_priority.lock().ok().and_then(|found| *found);
        Ok(found.ok_or_else(|| format!("{WRAPPER} does not name {AT_PRIORITY}"))?)
    }
}

/// Gives the socket functions one name in Rust.
#[derive(Debug)]
struct SocketNames {
    csky: bool,
}

fn socket_name(name: &str) -> Option<String> {
    SOCKETS.iter().find(|(_, others)| others.contains(&name)).map(|(rust, _)| (*rust).into())
}

impl bindgen::callbacks::ParseCallbacks for SocketNames {
    fn item_name(&self, item: bindgen::callbacks::ItemInfo) -> Option<String> {
        matches!(item.kind, bindgen::callbacks::ItemKind::Function).then(|| socket_name(item.name)).flatten()
    }

    fn generated_link_name_override(&self, item: bindgen::callbacks::ItemInfo<'_>) -> Option<String> {
        let name = socket_name(item.name)?;
        Some(if self.csky { item.name.into() } else { name })
    }
}

/// The folder of a libclang that knows C-SKY; bindgen finds it through `LIBCLANG_PATH`.
#[expect(unsafe_code, reason = "bindgen takes the folder by environment variable only")]
fn find_libclang() -> Result<PathBuf> {
    if let Some(path) = env::var_os("LIBCLANG_PATH") {
        let path = PathBuf::from(path);
        return Ok(if path.is_file() { parent(&path) } else { path });
    }
    let newest = fs::read_dir("/usr/lib")?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version: u32 = name.strip_prefix("llvm-")?.parse().ok()?;
            let lib = entry.path().join("lib");
            (version >= OLDEST_CLANG && has_libclang(&lib)).then_some((version, lib))
        })
        .max();
    let (_, lib) = newest.ok_or_else(|| {
        format!(
            "no libclang {OLDEST_CLANG} or newer under /usr/lib/llvm-*: install Debian's \
             libclang-{OLDEST_CLANG}-dev (scripts/setup.sh does), or name the folder of \
             libclang.so in LIBCLANG_PATH"
        )
    })?;
    // SAFETY: a build script has one thread until it starts another, and this one has not.
    unsafe { env::set_var("LIBCLANG_PATH", &lib) };
    Ok(lib)
}

fn has_libclang(lib: &Path) -> bool {
    fs::read_dir(lib).is_ok_and(|mut entries| {
        entries.any(|entry| {
            entry.is_ok_and(|e| {
                let name = e.file_name();
                let name = name.to_string_lossy();
                name.starts_with("libclang.so") || name.starts_with("libclang-")
            })
        })
    })
}

fn clang_args(root: &Path, libclang: &Path, csky: bool, sdk: Option<&Path>) -> Result<Vec<String>> {
    let mut args = if csky { csky_args() } else { vec![format!("--target={}", env::var("TARGET")?)] };
    if csky || sdk.is_some() {
        args.extend(newlib_args(libclang)?);
    }
    match sdk {
        Some(sdk) => args.extend(sdk_args(root, sdk, csky)?),
        None => args.extend(own_args(root)?),
    }
    args.push(MBEDTLS_CONFIG.into());
    Ok(args)
}

/// As `csky-elfabiv2-gcc -mcpu=ck804ef -mhard-float` sees types: `char` is unsigned.
fn csky_args() -> Vec<String> {
    ["--target=csky-unknown-elf", "-mcpu=ck804ef", "-mhard-float", "-funsigned-char"].map(String::from).to_vec()
}

/// newlib's headers, in place of the vendor toolchain's and of the host's C library.
fn newlib_args(libclang: &Path) -> Result<Vec<String>> {
    let newlib = env::var("W800_NEWLIB").unwrap_or_else(|_| NEWLIB.into());
    println!("cargo::rerun-if-changed={newlib}/newlib.h");
    if !Path::new(&newlib).join("stdio.h").is_file() {
        return Err(format!(
            "no C library headers in {newlib}: install Debian's libnewlib-dev \
             (scripts/setup.sh does), or name newlib's include folder in W800_NEWLIB"
        )
        .into());
    }
    let resource = resource_headers(libclang)?;
    Ok(vec![
        "-nostdinc".into(),
        format!("-isystem{}", resource.display()),
        format!("-isystem{newlib}"),
        "-D__IEEE_LITTLE_ENDIAN".into(),
    ])
}

/// libclang's own `stddef.h` and friends: `<lib>/clang/<version>/include`.
fn resource_headers(libclang: &Path) -> Result<PathBuf> {
    let up = parent(libclang);
    [libclang.to_path_buf(), up.join("lib")]
        .iter()
        .filter_map(|lib| fs::read_dir(lib.join("clang")).ok())
        .flat_map(|versions| versions.flatten())
        .map(|version| version.path().join("include"))
        .filter(|include| include.join("stddef.h").is_file())
        .max()
        .ok_or_else(|| format!("no clang headers beside {}", libclang.display()).into())
}

fn own_args(root: &Path) -> Result<Vec<String>> {
    let include = root.join(OWN_INCLUDE);
    let own: Vec<PathBuf> = own_variant(root).into_iter().chain([include]).collect();
    for folder in &own {
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    let mut args: Vec<String> = own.iter().map(|folder| format!("-I{}", folder.display())).collect();
    args.push(format!("-isystem{}", mbedtls_source(root)?.join("include").display()));
    Ok(args)
}

/// The folder whose headers come before `wm_sdk/include`.
fn own_variant(root: &Path) -> Option<PathBuf> {
    env::var_os("W800_SIM_CONFIG").filter(|path| !path.is_empty()).map(|path| root.join(path))
}

/// The folder of Mbed TLS's source, which the script fetches where it is missing.
fn mbedtls_source(root: &Path) -> Result<PathBuf> {
    let script = root.join(MBEDTLS_SCRIPT);
    println!("cargo::rerun-if-changed={}", script.display());
    let output = Command::new("bash").arg(&script).stderr(Stdio::inherit()).output()?;
    let printed = String::from_utf8(output.stdout)?;
    let folder = printed.lines().last().filter(|_| output.status.success());
    Ok(folder.ok_or_else(|| format!("{} failed", script.display()))?.into())
}

fn sdk_args(root: &Path, sdk: &Path, csky: bool) -> Result<Vec<String>> {
    let components = sdk.join("components");
    if !components.join("wm_atcmd/include/wm_atcmd.h").is_file() {
        return Err(format!(
            "WM_IOT_SDK_PATH={} is no WM IoT SDK: components/wm_atcmd/include/wm_atcmd.h is missing",
            sdk.display()
        )
        .into());
    }
    let mut args = if csky { vec![] } else { host_args()? };
    args.push(format!("-I{}", sdk_config(root, sdk)?.display()));
    args.extend(SDK_INCLUDES.iter().map(|dir| format!("-I{}", components.join(dir).display())));
    // The SDK's diagnostics are its own affair.
    args.push("-w".into());
    Ok(args)
}

/// Off the chip, the headers of intrinsics in C-SKY assembly are empty files, and `ssize_t`
/// comes from the C library.
fn host_args() -> Result<Vec<String>> {
    let empty = PathBuf::from(env::var("OUT_DIR")?).join("off_chip");
    fs::create_dir_all(&empty)?;
    for header in ["core_804.h", "csi_gcc.h"] {
        fs::write(empty.join(header), "")?;
    }
    Ok(vec![
        format!("-I{}", empty.display()),
        "-DSSIZE_MAX=__PTRDIFF_MAX__".into(),
        "-DLWIP_NO_UNISTD_H=1".into(),
        "-Wno-implicit-function-declaration".into(),
    ])
}

/// Unit tests are a program of their own on a PC: the virtual board's AT server finds its commands by this table's ends.
fn link_unit_tests() -> Result<()> {
    if env::var("CARGO_CFG_TARGET_OS")? != "none" && env::var("CARGO_PKG_NAME")? == "w800-mqtt-at" {
        println!("cargo::rustc-link-arg=-Wl,-T,{}/wm_sdk/host/at_table.ld", env::var("CARGO_MANIFEST_DIR")?);
        println!("cargo::rustc-link-arg=-Wl,--wrap=wm_atcmd_dev_register");
    }
    Ok(())
}

/// The folder of the `wmsdk_config.h` to read the SDK's headers with.
fn sdk_config(root: &Path, sdk: &Path) -> Result<PathBuf> {
    let config = project_config(root, Some(sdk))?;
    if config == root.join(DEFAULT_CONFIG) {
        println!(
            "cargo::warning=no wmsdk_config.h of a project found, the SDK's defaults with IPv6 are taken; \
             name your project's build/config folder in WM_IOT_SDK_CONFIG"
        );
    }
    Ok(config)
}

/// The folder that `WM_IOT_SDK_CONFIG` names, itself or by the file in it.
fn named_config() -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os("WM_IOT_SDK_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let dir = if named.is_file() { parent(&named) } else { named };
    if dir.join(CONFIG_HEADER).is_file() {
        Ok(Some(dir))
    } else {
        Err(format!("WM_IOT_SDK_CONFIG: no {CONFIG_HEADER} in {}", dir.display()).into())
    }
}

/// The folder that a project was configured in, else that of the SDK's defaults.
fn found_config(root: &Path, sdk: &Path) -> PathBuf {
    find_config(&sdk.join("build"), 3).unwrap_or_else(|| root.join(DEFAULT_CONFIG))
}

fn find_config(dir: &Path, depth: u32) -> Option<PathBuf> {
    if dir.join(CONFIG_HEADER).is_file() {
        return Some(dir.to_path_buf());
    }
    let mut below: Vec<PathBuf> = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path()).collect();
    below.sort();
    let depth = depth.checked_sub(1)?;
    below.iter().filter(|path| path.is_dir()).find_map(|path| find_config(path, depth))
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_path_buf()
}
