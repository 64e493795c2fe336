#!/usr/bin/env bash
# Runs a tenth of the serial tests on a board whose C has the address and undefined-behaviour sanitizers.
#
#   scripts/sanitize.sh [pytest options]    others than the tenth that its number chooses: --share 3/10, or -k words
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh host
scripts/setup.sh test
export W800_SIM_SANITIZE=1 PYTHONDONTWRITEBYTECODE=1
cargo build --quiet -p w800-sim --target-dir target/sanitized
# What a stopped board still holds is no leak: it is a chip whose power is cut.
# Freed memory is kept from use for a while only: more of it than test_soak lets a board grow would fail there.
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:quarantine_size_mb=2 UBSAN_OPTIONS=print_stacktrace=1
export W800_SIM=$PWD/target/sanitized/debug/w800-sim
exec "$(scripts/setup/python.sh)/bin/python" -m pytest -q -p no:cacheprovider scripts/serial \
    -n "${W800_TEST_WORKERS:-4}" --share 1/10 "$@"
