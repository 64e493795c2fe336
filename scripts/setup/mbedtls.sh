#!/usr/bin/env bash
# Brings the source of Mbed TLS 3.6, the long-term version of the 3.x that the SDK has, and prints its folder.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

name=mbedtls-3.6
place=$(cache_dir)/$name
[[ -f $place/library/ssl_client.c ]] || debian_source trixie mbedtls 3.6 library/ssl_client.c "$name"
printf '%s\n' "$place"
