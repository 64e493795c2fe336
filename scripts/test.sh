#!/usr/bin/env bash
# Installs what is missing and runs every test, for the host and for the chip. A part that fails does not stop the rest.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# More than there are processors: most serial tests wait most of the time. The chip's code is interpreted and waits less.
WORKERS=${W800_TEST_WORKERS:-6}
CHIP_WORKERS=${W800_TEST_WORKERS:-4}
# shellcheck source=scripts/parts.sh
source scripts/parts.sh

c_files() {
    find host include src scripts sim wm_sdk -name '*.[ch]' -print0
}

check_c_format() {
    local tool
    tool=$(command -v clang-format-19 || command -v clang-format) || return 1
    c_files | xargs -0 -r "$tool" --dry-run --Werror
}

# A machine that others load too can stand still longer than a test waits, so a test that failed runs once more, and the
# summary names it. A line that broke is a board that died: that fails at once.
again=(-raR --reruns 1 --rerun-except SerialException)

# serial <workers> <pytest options>...
serial() {
    local workers=$1
    shift
    "$python" -m pytest -q -n "$workers" --dist worksteal -p no:cacheprovider "${again[@]}" scripts/serial --argv "$@"
}

# A workspace of its own: its tests compile for the chip.
processor() {
    (cd xt804 && cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings && cargo test --workspace)
}

# What computes runs beside what mostly waits, and gives way to it: some of that measures times.
computing() {
    renice -n 10 -p "$BASHPID" >/dev/null
    part "Rust tests, host and archive for the chip" cargo test --workspace --no-fail-fast
    part "the simulated processor" processor
}

scripts/setup.sh all || exit
python=$(scripts/setup/python.sh)/bin/python || exit
export PYTHONDONTWRITEBYTECODE=1

part "Rust formatting" cargo fmt --all --check
part "C formatting" check_c_format
part "clippy" cargo clippy --workspace --all-targets -- -D warnings
part "static analysis of the C" scripts/analyze.sh
# Before anything else wants it: a test that has to build it first would wait too long.
part "image for the chip" scripts/build-image.sh
computing >"$logs/computing" 2>&1 &
computing_job=$!
part "tests of the scripts" "$python" -m pytest -q -n "$WORKERS" -p no:cacheprovider scripts/tests
part "serial tests" serial "$WORKERS" decoded
# What other kinds of AT servers could spoil; the rest never meets the server.
for kind in raw strict; do
    part "serial tests of lines, $kind server" serial "$WORKERS" "$kind" -m server
done
part "serial tests on the code for the chip" serial "$CHIP_WORKERS" decoded --cpu xt804
wait "$computing_job"
(($? < 128)) || echo "FAILED  the parts that compute were ended" >>"$logs/summary"
cat "$logs/computing"
part "component of the SDK's build" "$python" -m pytest -q -p no:cacheprovider scripts/component

print_summary
