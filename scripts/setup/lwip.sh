#!/usr/bin/env bash
# Brings the source of lwIP 2.1.3, the version in the SDK, and prints its folder.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

name=lwip-2.1.3
place=$(cache_dir)/$name
[[ -f $place/src/core/init.c ]] || debian_source bookworm lwip 2.1.3 src/core/init.c "$name"
printf '%s\n' "$place"
