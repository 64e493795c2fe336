//! The board with a simulated processor on a small program of its own: commands are found in the image, and whatever a
//! program on a chip must not do ends the board with an explanation.
//!
//! Never skipped: without the C-SKY tools the tests fail; `scripts/setup.sh target` brings them.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use xt804::link::Link;

const FAULT_STATUS: i32 = 70;

const PROGRAM: &str = r#"
    .macro command name
    .section .rodata
name_\name: .asciz "AT+\name"
    .section .wm_at_table, "a"
    .long name_\name, do_\name, 0
    .text
    .global do_\name
    .type do_\name, @function
do_\name:
    .endm
    .macro end name
    .size do_\name, . - do_\name
    .endm

    .section .rodata
text: .ascii "said by the guest\r\n"
    .section .wm_at_table, "a"
    .global table
table:

    command SAY
    push r15
    lrw r0, text
    movi r1, 19
    jsri wm_atcmd_print_raw_data
    movi r0, 0
    pop r15
    end SAY

    command ECHO
    push r4, r15
    ld.w r4, (r2, 0)
    mov r0, r4
    jsri strlen
    mov r1, r0
    mov r0, r4
    jsri wm_atcmd_print_raw_data
    movi r0, 0
    pop r4, r15
    end ECHO

    command LOAD
    movi r0, 0
    ld.w r0, (r0, 0)
    rts
    end LOAD

    command CODE
    lrw r0, text
    st.w r0, (r0, 0)
    rts
    end CODE

    command STACK
    subi r14, r14, 256
    br do_STACK
    end STACK

    command PAST
    push r15
    movi r0, 8
    jsri malloc
    movi r1, 0
    st.b r1, (r0, 8)
    jsri free
    pop r15
    end PAST

    command TWICE
    push r4, r15
    movi r0, 8
    jsri malloc
    mov r4, r0
    jsri free
    mov r0, r4
    jsri free
    pop r4, r15
    end TWICE

    command LOST
    push r4, r15
    movi r0, 64
    jsri malloc
    mov r4, r0
    jsri mbedtls_pk_init
    mov r0, r4
    jsri free
    pop r4, r15
    end LOST

    command HANDLE
    push r15
    movi r0, 1
    jsri wm_os_internal_sem_release
    pop r15
    end HANDLE
"#;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn tool(name: &str) -> PathBuf {
    let script = "source scripts/setup/common.sh && csky_prefix";
    let output = Command::new("bash").args(["-c", script]).current_dir(repository()).output().unwrap();
    let prefix = String::from_utf8(output.stdout).unwrap();
    assert!(!prefix.trim().is_empty(), "no C-SKY tools: scripts/setup.sh target brings them");
    PathBuf::from(format!("{}{name}", prefix.trim()))
}

static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| program("xt804", PROGRAM, "table"));

/// Assembles and links a program; `root` is what must be in it.
fn program(name: &str, source: &str, root: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [text, object, image] = ["s", "o", "elf"].map(|kind| folder.join(format!("{name}.{kind}")));
    fs::write(&text, source).unwrap();
    let mut assemble = Command::new(tool("as"));
    let status = assemble.args(["-mcpu=ck804ef", "-mhard-float", "-o"]).arg(&object).arg(&text).status().unwrap();
    assert!(status.success());
    Link { ld: &tool("ld"), inputs: &[object], roots: &[root], output: &image }.run().unwrap();
    image
}

/// The board with the program, after one line on its port.
fn run(line: &str, options: &[&str]) -> Output {
    let mut board = Command::new(env!("CARGO_BIN_EXE_w800-sim"))
        .args(["--uart", "stdio", "--wifi", "off", "--cpu", "xt804", "--image"])
        .arg(&*IMAGE)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(board.stdin.take().unwrap(), "{line}\r").unwrap();
    board.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn commands_of_the_image_and_of_the_board_are_known() {
    assert!(text(&run("AT+SAY", &[]).stdout).contains("said by the guest\r\n\r\nOK\r\n"));
    assert!(text(&run("AT+ECHO=\"as given\"", &[]).stdout).contains("as given\r\nOK\r\n"));
    assert!(text(&run("AT+GMR", &[]).stdout).contains("virtual W800"));
}

#[test]
fn commands_of_the_native_library_are_not() {
    assert!(text(&run("AT+MQTTUSERCFG?", &[]).stdout).contains("CMD FORMAT ERR"));
}

#[test]
fn what_goes_wrong_ends_the_board_with_the_place() {
    for (command, reason) in [
        ("LOAD", "4 bytes at 0x00000000, outside the map in \"ld.w"),
        ("CODE", "bytes written to code"),
        ("STACK", "below its end"),
        ("PAST", "was written past its end"),
        ("TWICE", "is freed and is no block"),
        ("LOST", "mbedtls_pk_context at 0x"),
        ("HANDLE", "0x00000001 is no Semaphore"),
    ] {
        let output = run(&format!("AT+{command}"), &[]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(FAULT_STATUS), "{command}: {told}");
        assert!(told.contains("at proc: ") && told.contains(reason), "{command}: {told}");
        assert!(told.contains(&format!("do_{command}+0x")), "{command}: {told}");
    }
}

#[test]
fn the_report_counts_and_the_profile_tells_where() {
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join("xt804.folded");
    let output = run("AT+SAY", &["--report", "--profile", profile.to_str().unwrap()]);
    let told = text(&output.stderr);
    let line = told.lines().find(|line| line.starts_with(r#"{"cpu":"xt804""#)).expect("a line of the processor's");
    assert!(line.contains(r#""instructions":6,"tasks":[{"name":"at proc""#), "{line}");
    assert!(line.contains(r#""stack":8192,"high_water":4}"#), "{line}");
    assert_eq!(fs::read_to_string(profile).unwrap(), "at proc;do_SAY 6\n");
}

#[test]
fn an_image_is_asked_for_and_looked_at() {
    let without = Command::new(env!("CARGO_BIN_EXE_w800-sim")).args(["--cpu", "xt804"]).output().unwrap();
    assert!(text(&without.stderr).contains("--image"));
    let wrong = ["--cpu", "xt804", "--image", env!("CARGO_BIN_EXE_w800-sim")];
    let wrong = Command::new(env!("CARGO_BIN_EXE_w800-sim")).args(wrong).output().unwrap();
    assert!(!wrong.status.success() && text(&wrong.stderr).contains("w800-sim: "), "{}", text(&wrong.stderr));
}

/// What makes an image a whole one is that it has lwIP's interface.
#[test]
fn static_data_of_a_whole_image_fits_the_chips_ram() {
    let source =
        "    .text\n    .global interface_start\ninterface_start:\n    .long large\n    .comm large, 300000, 4\n";
    let image = program("xt804_large", source, "interface_start");
    let board =
        Command::new(env!("CARGO_BIN_EXE_w800-sim")).args(["--cpu", "xt804", "--image"]).arg(image).output().unwrap();
    assert!(!board.status.success());
    assert!(text(&board.stderr).contains("300000 bytes of static data in 294912 of RAM"), "{}", text(&board.stderr));
}
