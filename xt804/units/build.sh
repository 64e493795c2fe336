#!/usr/bin/env bash
# Builds the pure rooms' unit tests for the chip, and prints the path of what the simulator's linker takes.
#
#   xt804/units/build.sh
#
# Environment: CARGO_TARGET_DIR, RUSTFLAGS. What is missing is brought by scripts/setup.sh target.
set -euo pipefail
units=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$units/../.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

csky=$(csky_prefix) || die "no C-SKY linker"
library=$(rust_library) || die "no source of Rust's core library"
sysroot=$(toolchain rustc --print sysroot)
[[ $library == "$sysroot"/* ]] || export __CARGO_TESTS_ONLY_SRC_ROOT=$library
out=${CARGO_TARGET_DIR:-$units/target}
spec=$out/spec/csky-w800-none-elfabiv2.json

# rustc makes tests only where there are executables. This one is one object file of all, which becomes a program as
# everything else does that the simulator runs. GNU ld for C-SKY makes no table of exception frames.
mkdir -p "${spec%/*}"
sed 's/"executables": false/"executables": true, "eh-frame-header": false/' "$root/linker/${spec##*/}" >"$spec"
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="${RUSTFLAGS:-} -Clinker=${csky}ld -Clink-args=--relocatable -Clink-args=--undefined=units_run"
toolchain cargo test --manifest-path "$units/Cargo.toml" --lib --no-run --message-format=json-render-diagnostics \
    --target "$spec" -Z json-target-spec -Z build-std=core,alloc -Z panic-abort-tests |
    sed -n 's/.*"name":"xt804_units".*"executable":"\([^"]*\)".*/\1/p'
