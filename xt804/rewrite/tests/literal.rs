//! Each rewriting by itself: assembly as LLVM writes it, and what becomes of it, to the letter.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs)]

use xt804_rewrite::rewrite;

/// What becomes of the lines of a function, blanks for tabs.
fn body(lines: &[&str]) -> Vec<String> {
    let label = |line: &str| line.ends_with(':');
    let written =
        |line: &&str| if label(line) { (*line).to_owned() } else { format!("\t{}", line.replacen(' ', "\t", 1)) };
    let text: Vec<String> = lines.iter().map(written).collect();
    let file = format!("\t.type\tg,@function\n\t.type\tf,@function\nf:\n{}\n\t.size\tf, .-f\n", text.join("\n"));
    let rewritten = rewrite(&file).text;
    let inside = rewritten.split_once("\nf:\n").unwrap().1.split_once("\t.size").unwrap().0.to_owned();
    inside.lines().map(|line| line.trim_start().replacen('\t', " ", 1)).filter(|line| !line.is_empty()).collect()
}

#[track_caller]
fn check(before: &[&str], after: &[&str]) {
    assert_eq!(body(before), after);
}

#[track_caller]
fn stays(lines: &[&str]) {
    check(lines, lines);
}

#[test]
fn lengths_are_left_to_the_assembler() {
    check(
        &["cmpnei32 a0, 3", "bt32 .LBB0_1", "ld16.w a1, (a0, 4)", "st32.b l4, (l0, 0)", ".LBB0_1:", "br32 .LBB0_1"],
        &["cmpnei r0, 3", "bt .LBB0_1", "ld.w r1, (r0, 4)", "st.b r8, (r4, 0)", ".LBB0_1:", "br .LBB0_1"],
    );
    check(&["ldr32.w t2, (lr, l9 << 2)", "mul.u32 a0, a1, a2"], &["ldr.w r18, (r15, r17 << 2)", "mul.u32 r0, r1, r2"]);
    check(&["or16 a0, t0", "or32 a0, a0, t0", "or32 a1, a0, t0"], &["or r0, r12", "or r0, r12", "or r1, r0, r12"]);
}

#[test]
fn calls_within_the_file_are_near() {
    check(&["jsri32 [.LCPI0_0]", ".p2align 2, 0x0", ".LCPI0_0:", ".long g"], &["bsr g"]);
}

#[test]
fn calls_of_the_firmware_may_be_far() {
    check(&["jsri32 [.LCPI0_0]", ".p2align 2, 0x0", ".LCPI0_0:", ".long memcpy"], &["jsri memcpy"]);
}

#[test]
fn literals_go_to_the_assemblers_pools() {
    let code = ["lrw a0, [.LCPI0_0]", "lrw32 l4, [.LCPI0_1]"];
    let pool = [".p2align 2, 0x0", ".LCPI0_0:", ".long g", ".LCPI0_1:", ".long RUNTIMES+4"];
    check(&[&code[..], &pool[..]].concat(), &["lrw r0, g", "lrw r8, RUNTIMES+4"]);
}

#[test]
fn numbers_of_two_halves() {
    for (halves, shorter) in [
        (("a0, 65535", "a0, a0, 65535"), vec!["bmaski r0, 32"]),
        (("t2, 255", "t2, t2, 65535"), vec!["bmaski r18, 24"]),
        (("a1, 65535", "a1, a1, 65471"), vec!["movi r1, 64", "not r1, r1"]),
        (("a1, 255", "a1, a1, 0"), vec!["movi r1, 255", "lsli r1, r1, 16"]),
        (("a1, 5", "a1, a1, 24587"), vec!["lrw r1, 352267"]),
        (("t0, 65535", "t0, t0, 65471"), vec!["lrw r12, 4294967231"]),
    ] {
        check(&[&format!("movih32 {}", halves.0), &format!("ori32 {}", halves.1)], &shorter);
    }
    // Another register, and one that is reached in between.
    check(&["movih32 a0, 65535", "ori32 a1, a0, 65535"], &["movih r0, 65535", "ori r1, r0, 65535"]);
    check(
        &["movih32 a0, 65535", ".LBB0_1:", "ori32 a0, a0, 65535"],
        &["movih r0, 65535", ".LBB0_1:", "ori r0, r0, 65535"],
    );
}

#[test]
fn a_bit_is_not_masked() {
    check(&["mvc32 a0", ".loc 1 2 3", "andi32 a0, a0, 1"], &["mvc r0", ".loc 1 2 3"]);
    check(&["mvcv16 l0", "andi32 l0, l0, 1", "andi32 l0, l0, 1"], &["mvcv r4"]);
    // Another mask, another register, another value.
    check(&["mvc32 a0", "andi32 a0, a0, 2"], &["mvc r0", "andi r0, r0, 2"]);
    check(&["mvc32 a0", "andi32 a1, a0, 1"], &["mvc r0", "andi r1, r0, 1"]);
    check(&["mvc32 a0", "ld16.w a0, (a1, 0)", "andi32 a0, a0, 1"], &["mvc r0", "ld.w r0, (r1, 0)", "andi r0, r0, 1"]);
    check(&["mvc32 a0", ".LBB0_1:", "andi32 a0, a0, 1"], &["mvc r0", ".LBB0_1:", "andi r0, r0, 1"]);
}

const SAVE: [&str; 3] = ["subi16 sp, sp, 8", "st16.w l0, (sp, 4)", "st32.w lr, (sp, 0)"];
const RESTORE: [&str; 4] = ["ld32.w lr, (sp, 0)", "ld16.w l0, (sp, 4)", "addi16 sp, sp, 8", "rts16"];

#[test]
fn registers_are_pushed_and_popped() {
    check(
        &[&SAVE[..], &["subi16 sp, sp, 12", "mov16 l0, a0", "addi16 sp, sp, 12"], &RESTORE[..]].concat(),
        &["push r4, r15", "subi r14, r14, 12", "mov r4, r0", "addi r14, r14, 12", "pop r4, r15"],
    );
}

#[test]
fn where_they_are_kept_is_told() {
    let told = [".cfi_def_cfa_offset 8", ".loc 1 2 3", ".cfi_offset l0, -4", ".cfi_offset lr, -8"];
    check(
        &[&SAVE[..1], &told[..1], &SAVE[1..], &told[1..], &RESTORE[..]].concat(),
        &[
            "push r4, r15",
            ".cfi_def_cfa_offset 8",
            ".loc 1 2 3",
            ".cfi_offset 15, -4",
            ".cfi_offset 4, -8",
            "pop r4, r15",
        ],
    );
}

#[test]
fn all_that_can_be_saved() {
    let names = ["l0", "l1", "l2", "l3", "l4", "l5", "l6", "l7", "l8", "l9", "lr"];
    let slots = || names.iter().zip((0..).step_by(4));
    let stores: Vec<String> = slots().map(|(name, offset)| format!("st32.w {name}, (sp, {offset})")).collect();
    let loads: Vec<String> = slots().map(|(name, offset)| format!("ld32.w {name}, (sp, {offset})")).collect();
    let mut lines = vec!["subi16 sp, sp, 44"];
    lines.extend(stores.iter().map(String::as_str));
    lines.extend(loads.iter().map(String::as_str));
    lines.extend(["addi16 sp, sp, 44", "rts16"]);
    check(&lines, &["push r4-r11, r15, r16-r17", "pop r4-r11, r15, r16-r17"]);
}

#[test]
fn a_function_that_calls_nothing_returns_by_pop_too() {
    check(
        &["subi16 sp, sp, 4", "st16.w l0, (sp, 0)", "mov16 l0, a0", "ld16.w l0, (sp, 0)", "addi16 sp, sp, 4", "rts16"],
        &["push r4", "mov r4, r0", "pop r4"],
    );
}

#[test]
fn registers_that_short_instructions_name_come_first() {
    let save = ["subi16 sp, sp, 8", "st16.w l0, (sp, 4)", "st32.w l8, (sp, 0)"];
    let restore = ["ld32.w l8, (sp, 0)", "ld16.w l0, (sp, 4)", "addi16 sp, sp, 8", "rts16"];
    check(
        &[&save[..], &["ld32.w l8, (l8, 4)", "mov32 l0, t2"], &restore[..]].concat(),
        &["push r4-r5", "ld.w r4, (r4, 4)", "mov r5, r18", "pop r4-r5"],
    );
}

#[test]
fn a_jump_to_a_return_is_one() {
    let with_jump = ["br32 .LBB0_1", "nop", ".LBB0_1:"];
    check(
        &[&SAVE[..], &with_jump[..], &RESTORE[..]].concat(),
        &["push r4, r15", "pop r4, r15", "nop", ".LBB0_1:", "pop r4, r15"],
    );
}

#[test]
fn frames_of_another_make_stay() {
    let plain = |lines: &[&str]| body(lines).iter().any(|line| line.starts_with("push") || line.starts_with("pop"));
    // A word more than is stored, a register that is loaded from elsewhere, a return that is reached half-way, a frame
    // without an end, and a register that is used but not saved.
    assert!(!plain(
        &[&["subi16 sp, sp, 12"], &SAVE[1..], &["ld32.w lr, (sp, 0)", "addi16 sp, sp, 12", "rts16"]].concat()
    ));
    assert!(!plain(&[&SAVE[..], &["ld32.w lr, (sp, 4)"], &RESTORE[1..]].concat()));
    assert!(!plain(&[&SAVE[..], &RESTORE[..1], &[".LBB0_1:"], &RESTORE[1..]].concat()));
    assert!(!plain(&[&SAVE[..], &["rts16"]].concat()));
    assert!(!plain(&[&SAVE[..], &["mov16 l1, a0"], &RESTORE[..]].concat()));
}

#[test]
fn line_tables_are_kept() {
    stays(&[".loc 1 2 3", ".Ltmp3:", ".loc 1 4 5 is_stmt 0"]);
    let files = "\t.file\t1 \"core/core\" \"src/slice/mod.rs\"\n";
    assert_eq!(rewrite(files).text, "\t.file\t1 \"core/core/src/slice/mod.rs\"\n");
    let text = "\t.ascii\t\"push\"\n.Lstr:\n\t.long\t.LBB0_1\n";
    assert_eq!(rewrite(text).text, text);
}
