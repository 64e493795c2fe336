#!/usr/bin/env bash
# Compares what wm_sdk/include declares of the SDK with what the SDK's own headers declare for the chip, item by item,
# and builds the library with those headers.
#
#   scripts/check-sdk.sh             compare: with the recorded list, and with the SDK that WM_IOT_SDK_PATH names
#   scripts/check-sdk.sh --record [ORIGIN]
#                                    write linker/sdk-surface.txt anew from that SDK; ORIGIN names its version
#                                    (default: the checkout's commit)
#
# Fails where something differs that matters; wm_sdk/surface/src/compare.rs has what may, and why.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

sdk=${WM_IOT_SDK_PATH:-}

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
    local status=0
    surface compare || status=1
    if [[ -z $sdk ]]; then
        say "WM_IOT_SDK_PATH is not set: not compared with an SDK's own headers, and not built with them"
        return "$status"
    fi
    surface compare "$sdk" || status=1
    "$root/scripts/build-target.sh" || status=1
    return "$status"
}

"$root/scripts/setup.sh" host >&2
case ${1:-} in
    --record) record "${2:-}" ;;
    '') compare ;;
    *) die "scripts/check-sdk.sh [--record [ORIGIN]]" ;;
esac
