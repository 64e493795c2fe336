#!/usr/bin/env bash
# Lets libFuzzer look for inputs that break a promise of the pure part (fuzz/src/lib.rs lists the targets).
#
#   scripts/fuzz.sh [target] [seconds]     one target, or all in turn; 20 s each if nothing is said
#   scripts/fuzz.sh --merge [target]       fuzz/corpus gets few inputs that reach what all known ones do
#   scripts/fuzz.sh --coverage             lines of core/src that the checked-in corpora reach, room by room
#
# What it finds is in fuzz/libfuzzer/artifacts, and is printed. Inputs that reach new code are kept outside the repository
# until --merge: fuzz/corpus has those that matter. Needs Rust's llvm-tools for --coverage, else cargo-fuzz, which is built when missing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/setup/common.sh

CARGO_FUZZ_VERSION=0.13.2
LEAST_PERCENT=95

cargo_fuzz() {
    local place
    place=$(cache_dir)/cargo-fuzz-$CARGO_FUZZ_VERSION
    if [[ ! -x $place/bin/cargo-fuzz ]]; then
        say "cargo-fuzz: building $CARGO_FUZZ_VERSION, which takes some minutes"
        local work
        work=$(cache_temp)
        cargo install --quiet --locked --root "$work" --version "$CARGO_FUZZ_VERSION" cargo-fuzz
        cache_commit "$work" "cargo-fuzz-$CARGO_FUZZ_VERSION"
    fi
    printf '%s\n' "$place/bin/cargo-fuzz"
}

targets() { sed -n 's/^    Target { name: "\([a-z]*\)".*/\1/p' fuzz/src/lib.rs; }

# Where it goes on: what was learnt of a target before.
learnt() {
    local place
    place=$(cache_dir)/fuzz/$1
    mkdir -p "$place"
    printf '%s\n' "$place"
}

# libfuzzer <target> <folder of inputs or option of libFuzzer>...
libfuzzer() {
    local target=$1
    shift
    # Without sanitizers it needs no nightly compiler; safe Rust checks its bounds by itself.
    "$tool" fuzz run --fuzz-dir fuzz/libfuzzer --target-dir target/fuzz --sanitizer none "$target" \
        -- -max_len=4096 -timeout=10 "$@"
}

# fuzz <target> <seconds>
fuzz() {
    say "fuzz: $1 for $2 s"
    libfuzzer "$1" -max_total_time="$2" -print_final_stats=1 "$(learnt "$1")" "fuzz/corpus/$1"
}

# merge <target>
merge() {
    local merged
    merged=$(mktemp -d)
    say "fuzz: merging the inputs of $1"
    libfuzzer "$1" -set_cover_merge=1 "$merged" "fuzz/corpus/$1" "$(learnt "$1")"
    rm -r "fuzz/corpus/$1"
    mkdir "fuzz/corpus/$1"
    mv "$merged"/* "fuzz/corpus/$1"
    rmdir "$merged"
}

# The program of that name beside the compiler's own LLVM.
llvm_tool() {
    local tool
    tool=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/$1
    [[ -x $tool ]] || die "no $1: rustup component add llvm-tools"
    printf '%s\n' "$tool"
}

coverage() {
    local folder cov profdata
    local -a program
    cov=$(llvm_tool llvm-cov)
    profdata=$(llvm_tool llvm-profdata)
    folder=$(mktemp -d)
    # shellcheck disable=SC2064 # its name is known now
    trap "rm -rf '$folder'" EXIT
    export RUSTFLAGS=-Cinstrument-coverage W800_FUZZ_MS=0 LLVM_PROFILE_FILE=$folder/%p-%m.profraw
    mapfile -t program < <(cargo test --quiet --target-dir target/coverage -p w800-mqtt-fuzz --test corpora --no-run \
        --message-format=json | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p')
    "${program[0]}" --quiet >/dev/null
    "$profdata" merge --sparse -o "$folder/all" "$folder"/*.profraw
    "$cov" export --summary-only --instr-profile "$folder/all" "${program[0]}" core/src |
        "$(scripts/setup/python.sh)/bin/python" scripts/tests/coverage.py "$LEAST_PERCENT"
}

if [[ ${1-} == --coverage ]]; then
    coverage
    exit
fi
act=fuzz
if [[ ${1-} == --merge ]]; then
    act=merge
    shift
fi
chosen=("${1-}")
[[ -n ${chosen[0]} ]] || mapfile -t chosen < <(targets)
tool=$(cargo_fuzz)
for target in "${chosen[@]}"; do
    "$act" "$target" "${2-20}"
done
