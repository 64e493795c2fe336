#!/usr/bin/env bash
# The SDK's build calls this (cmake/build.cmake): builds the archive for the chip, puts it in place and writes beside it
# the list of all files that it was made from, for the build tool.
#
#   scripts/component/build.sh <folders before PATH> <archive to make>
#   scripts/component/build.sh <folders before PATH> --version    the compiler that would be used
#
# Environment: as scripts/build-target.sh; CARGO_TARGET_DIR must be set to build.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"
export PATH=$1:$PATH

build() {
    local archive=$1 report list
    report=$("$root/scripts/build-target.sh")
    printf '%s\n' "$report"
    # Cargo's list is of the archive as cargo leaves it.
    list=$CARGO_TARGET_DIR/csky-w800-none-elfabiv2/firmware/libw800_mqtt_at.d
    sed "1s|^[^:]*:|${archive// /\\\\ }:|" "$list" >"$archive.d"
    cp "${report%%$'\n'*}" "$archive.tmp"
    mv "$archive.tmp" "$archive"
}

case $2 in
--version) toolchain rustc --version ;;
*) build "$2" ;;
esac
