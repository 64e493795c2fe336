#!/usr/bin/env bash
# Builds a crate for the chip as a static library, and prints the library's path.
#
#   xt804/probe/build.sh [folder of the crate, if it is not the probe [rustc's options for that crate]]
#
# Environment: CARGO_TARGET_DIR. What is missing is brought by scripts/setup.sh target.
set -euo pipefail
probe=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$probe/../.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

crate=${1:-$probe}
options=("${@:2}")
spec=csky-w800-none-elfabiv2
library=$(rust_library) || die "no source of Rust's core library"
sysroot=$(toolchain rustc --print sysroot)
[[ $library == "$sysroot"/* ]] || export __CARGO_TESTS_ONLY_SRC_ROOT=$library
export RUSTC_BOOTSTRAP=1
toolchain cargo rustc --manifest-path "$crate/Cargo.toml" --lib --crate-type staticlib --release \
    --target "$root/linker/$spec.json" -Z json-target-spec -Z build-std=core,alloc -- "${options[@]}" >&2
name=$(sed -n 's/^name = "\(.*\)"/\1/p' "$crate/Cargo.toml" | head -n 1)
echo "${CARGO_TARGET_DIR:-$crate/target}/$spec/release/lib${name//-/_}.a"
