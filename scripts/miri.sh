#!/usr/bin/env bash
# Lets miri interpret the unit tests of the pure part: it ends at the first undefined behaviour, and at a leak.
#
#   scripts/miri.sh [options of the test program]    the name of a test, say
#
# No test is left out. Those that take long do a hundredth of their work here (`share_under_miri` in core/src), and the walk
# through all exchanges of client and broker (core/src/mqtt/tests/exchanges.rs) has fewer messages and losses.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/setup/common.sh

cargo +nightly miri --version >/dev/null 2>&1 ||
    die "no miri: rustup toolchain install nightly --profile minimal --component miri --component rust-src"

exec cargo +nightly miri test -p w800-mqtt-core --lib --target-dir target/miri -- "$@"
