#!/usr/bin/env bash
# Compares what wm_sdk/include declares of the SDK with what the SDK's own headers declare for the chip, item by item,
# and builds the library with those headers. The last line is the verdict.
#
#   scripts/check-sdk.sh             compare: with the recorded list, and with the SDK that WM_IOT_SDK_PATH names
#   scripts/check-sdk.sh --record [ORIGIN]
#                                    write linker/sdk-surface.txt anew from that SDK; ORIGIN names its version
#                                    (default: the checkout's commit)
#
# The first run compiles the comparison and, with an SDK, the library: three to six minutes. Later ones take seconds.
# Exit status: 0 where nothing differs that matters (wm_sdk/surface/src/compare.rs has what may, and why), else 1.
# Environment: WM_IOT_SDK_PATH, WM_IOT_SDK_CONFIG (a wmsdk_config.h or its folder), CARGO_TARGET_DIR.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

sdk=${WM_IOT_SDK_PATH:-}

help() {
    sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}"
}

surface() {
    toolchain cargo run --quiet --manifest-path "$root/Cargo.toml" --package sdk-surface -- "$@"
}

commit() {
    local said
    said=$(git -C "$sdk" log -1 --format='WM IoT SDK, commit %h of %cs' 2>/dev/null) ||
        die "$sdk is no git checkout: name its version behind --record"
    printf '%s\n' "$said"
}

record() {
    [[ -n $sdk ]] || die "--record takes the list from the SDK that WM_IOT_SDK_PATH names"
    local origin
    origin=${1:-$(commit)}
    surface record "$sdk" "$origin"
}

compare() {
    surface compare || verdict 1 "wm_sdk/include differs from linker/sdk-surface.txt, the record of the SDK: see the lines DIFFERS above."
    [[ -n $sdk ]] || verdict 0 "wm_sdk/include agrees with the record of the SDK. WM_IOT_SDK_PATH is not set, so no SDK was looked at."
    surface compare "$sdk" || verdict 1 "This SDK differs in what the library needs: see the lines DIFFERS above. Do not use it as it is."
    "$root/scripts/build-target.sh" || verdict 1 "This SDK's headers agree, but the library does not build with them."
    verdict 0 "The library fits this SDK: its headers agree, and the library builds with them."
}

# verdict <status> <sentence>
verdict() {
    printf '\n%s\n' "$2"
    exit "$1"
}

case ${1:-} in
    -h | --help)
        help
        exit
        ;;
    '' | --record) ;;
    *) die "scripts/check-sdk.sh [--record [ORIGIN]]; --help says more" ;;
esac
[[ -x ${CARGO_TARGET_DIR:-$root/target}/debug/sdk-surface ]] ||
    say "the first run compiles the comparison: a few minutes"
"$root/scripts/setup.sh" host >&2
case ${1:-} in
    --record) record "${2:-}" ;;
    *) compare ;;
esac
