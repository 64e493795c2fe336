//! The command line.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, Parser, ValueEnum};

use crate::{board, xt804};

/// A virtual W800 with the MQTT AT commands on its serial port.
#[derive(Debug, Parser)]
#[command(name = "w800-sim", version)]
pub struct Options {
    /// Where the serial port is: a pseudo-terminal, whose path is printed as `PTY <path>`, or standard input and output
    #[arg(long, value_enum, default_value_t = Uart::Pty)]
    uart: Uart,

    /// Also make this symbolic link to the pseudo-terminal
    #[arg(long, value_name = "PATH")]
    pty_link: Option<PathBuf>,

    /// Pace the port like a line of that many bits per second; without it bytes go as fast as they can
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(300..=4_000_000))]
    baud: Option<u32>,

    /// Lose what comes while the port is behind, as a line without flow control; without it the line stands still then
    #[arg(long, requires = "baud")]
    overrun: bool,

    /// How the AT server hands parameters to commands; the library's answers are the same behind each
    #[arg(long, value_enum, default_value_t = board::ArgvStyle::Decoded)]
    argv: board::ArgvStyle,

    /// What the board reaches, without any privileges; no other machine can reach the board
    #[arg(long, value_enum, default_value_t = Net::Closed)]
    net: Net,

    /// Whether the board has joined its Wi-Fi when it says "ready"
    #[arg(long, value_enum, default_value_t = Switch::On)]
    wifi: Switch,

    /// How long an address takes after AT+CWJAP has answered: `WIFI GOT IP` comes that much later
    #[arg(long, value_name = "MS", default_value_t = 0)]
    dhcp_delay: u32,

    /// A host name and its IPv4 address, 127.0.0.1 or 10.0.2.2 for this machine (may be repeated). NAME=IP@500ms is
    /// answered that much later, NAME=drop never
    #[arg(long, value_name = "NAME=IP")]
    hosts: Vec<String>,

    /// A time server on this UDP port of the host's loopback; without it the virtual network tells the host's time
    #[arg(long, value_name = "PORT")]
    time_server: Option<u16>,

    /// The board's heap in bytes: 102400 if not given, or what a whole image leaves of the chip's RAM
    #[arg(long, value_name = "BYTES")]
    heap: Option<usize>,

    /// Let the n-th allocation fail, and as many in all as COUNT says (1); AT+SYSHEAPFAIL does it while the board runs
    #[arg(long, value_name = "N[,COUNT]", value_parser = parse_heap_failing)]
    heap_fail: Option<board::HeapFailing>,

    /// The real-time clock at boot: never set, the host's time, or seconds since 1970
    #[arg(long, value_name = "unset|host|SECONDS", value_parser = parse_rtc, default_value = "unset")]
    rtc: Rtc,

    /// Where the board's millisecond counter starts (it wraps at 4294967296)
    #[arg(long, value_name = "MS", default_value_t = 0)]
    uptime: u32,

    /// Let tasks pause and equals take turns where tasks unlock, at places that this seed chooses; without it only where
    /// they must
    #[arg(long, value_name = "SEED", value_parser = clap::value_parser!(u32).range(1..))]
    preempt: Option<u32>,

    /// The board's non-volatile storage, made when missing; without it, it lasts until the board ends (AT+RST keeps it)
    #[arg(long, value_name = "FILE")]
    nvs: Option<PathBuf>,

    /// Certificates the firmware trusts (PEM), as a product links them in
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// The firmware's own certificate, with any intermediates after it (PEM)
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// CA certificates that the product's C code sets when it starts (PEM or DER)
    #[arg(long, value_name = "FILE")]
    set_ca: Option<PathBuf>,

    /// A certificate that the product's C code sets (PEM or DER)
    #[arg(long, value_name = "FILE")]
    set_cert: Option<PathBuf>,

    /// A key that the product's C code sets (PEM or DER)
    #[arg(long, value_name = "FILE")]
    set_key: Option<PathBuf>,

    /// What runs the library: this machine natively, or a simulated XT804 core its code for the chip
    #[arg(long, value_enum, default_value_t = Cpu::Native)]
    cpu: Cpu,

    /// What the simulated core runs (scripts/build-image.sh builds it)
    #[arg(long, value_name = "ELF", required_if_eq("cpu", "xt804"))]
    image: Option<PathBuf>,

    /// At the end write folded stacks of what the simulated core has executed, for a flame graph
    #[arg(long, value_name = "FILE", requires = "image")]
    profile: Option<PathBuf>,

    /// The firmware's log on standard error
    #[arg(long, value_enum, default_value_t = Log::Warn)]
    log: Log,

    /// Write all packets of the virtual network, both ways, as pcap. Without TLS they hold passwords and messages in clear;
    /// the file grows as long as the board runs
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,

    /// Add the secrets of each TLS connection to this file, as an NSS key log, with which Wireshark reads the packets
    #[arg(long, value_name = "FILE")]
    pub keylog: Option<PathBuf>,

    /// Write a timeline of serial lines, MQTT packets, TLS, TCP and the heap, as a page for a browser. Passwords and keys
    /// are left out, messages are shortened; of a long session the first and the last 10000 events are kept
    #[arg(long, value_name = "FILE.html")]
    pub trace: Option<PathBuf>,

    /// Print the heap's figures on standard error at the end, as one line of JSON, and the simulated core's as another
    #[arg(long, env = "W800_SIM_REPORT")]
    pub report: bool,

    #[command(flatten, next_help_heading = "A bad network")]
    faults: Faults,
}

/// What `wm_sdk/host/net/impair.h` does to frames between lwIP and the virtual network, in each direction and from the
/// start; `AT+SIMNET` changes it while the board runs. The board checks the values.
#[derive(Debug, Args)]
struct Faults {
    /// Lose so many of all frames
    #[arg(long, value_name = "PERCENT")]
    net_loss: Option<String>,

    /// Carry each frame for so long, give or take the jitter
    #[arg(long, value_name = "MS[,JITTER]")]
    net_delay: Option<String>,

    /// Let later frames overtake so many
    #[arg(long, value_name = "PERCENT")]
    net_reorder: Option<String>,

    /// Carry so many twice
    #[arg(long, value_name = "PERCENT")]
    net_dup: Option<String>,

    /// Carry no more than this in each direction
    #[arg(long, value_name = "BYTES/S")]
    net_rate: Option<String>,

    /// Lose all frames between two times, in seconds since the start, or behind so many bytes
    #[arg(long, value_name = "FROM,TO|after:BYTES")]
    net_cut: Option<String>,

    /// Where chance begins; with the same frames the same are lost
    #[arg(long, value_name = "N")]
    net_seed: Option<String>,
}

impl Faults {
    fn entries(self) -> Vec<String> {
        let Self { net_loss, net_delay, net_reorder, net_dup, net_rate, net_cut, net_seed } = self;
        [
            ("loss", net_loss),
            ("delay", net_delay),
            ("reorder", net_reorder),
            ("dup", net_dup),
            ("rate", net_rate),
            ("cut", net_cut),
            ("seed", net_seed),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", value?)))
        .collect()
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Uart {
    Pty,
    Stdio,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Cpu {
    Native,
    Xt804,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Net {
    /// This machine's 127.0.0.1, as 10.0.2.2, and the names given by --hosts; nothing else is there
    Closed,
    /// Also whatever this machine reaches, and the names its resolver knows
    Open,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    None,
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Debug, Clone, Copy)]
enum Rtc {
    Unset,
    Host,
    At(i64),
}

fn parse_rtc(text: &str) -> Result<Rtc, String> {
    match text {
        "unset" => Ok(Rtc::Unset),
        "host" => Ok(Rtc::Host),
        seconds => match seconds.parse() {
            Ok(seconds @ 0..) => Ok(Rtc::At(seconds)),
            _ => Err("neither `unset`, `host` nor seconds since 1970".to_owned()),
        },
    }
}

fn parse_heap_failing(text: &str) -> Result<board::HeapFailing, String> {
    let (nth, count) = text.split_once(',').unwrap_or((text, "1"));
    match (nth.parse(), count.parse()) {
        (Ok(nth @ 1..), Ok(count @ 1..)) => Ok(board::HeapFailing { nth, count }),
        _ => Err("neither N nor N,COUNT, each 1 or more".to_owned()),
    }
}

impl Rtc {
    fn seconds(self) -> Option<i64> {
        match self {
            Self::Unset => None,
            Self::Host => SystemTime::UNIX_EPOCH.elapsed().ok()?.as_secs().try_into().ok(),
            Self::At(seconds) => Some(seconds),
        }
    }
}

impl Options {
    /// As far as it is known before an image is loaded.
    pub fn heap_bytes(&self) -> usize {
        self.heap.unwrap_or(board::DEFAULT_HEAP_BYTES)
    }

    /// What the simulated core runs, if it is to run.
    pub fn program(&self) -> Option<xt804::Program> {
        let image = self.image.clone().filter(|_| self.cpu == Cpu::Xt804)?;
        Some(xt804::Program { image, profile: self.profile.clone() })
    }
}

impl From<Options> for board::Settings {
    fn from(options: Options) -> Self {
        let program = options.program();
        Self {
            stdio: matches!(options.uart, Uart::Stdio),
            pty_link: options.pty_link,
            baud: options.baud.unwrap_or(0),
            overrun: options.overrun,
            argv: options.argv,
            wifi: matches!(options.wifi, Switch::On),
            dhcp_delay_ms: options.dhcp_delay,
            net_open: matches!(options.net, Net::Open),
            hosts: options.hosts,
            faults: options.faults.entries(),
            time_server_port: options.time_server,
            heap_bytes: options.heap,
            heap_failing: options.heap_fail.unwrap_or_default(),
            rtc: options.rtc.seconds(),
            uptime_ms: options.uptime,
            preempt_seed: options.preempt.unwrap_or(0),
            log: match options.log {
                Log::None => board::LogLevel::None,
                Log::Error => board::LogLevel::Error,
                Log::Warn => board::LogLevel::Warn,
                Log::Info => board::LogLevel::Info,
                Log::Debug => board::LogLevel::Debug,
            },
            nvs: options.nvs,
            ca: options.ca,
            cert: options.cert,
            key: options.key,
            set: [options.set_ca, options.set_cert, options.set_key],
            program,
        }
    }
}
