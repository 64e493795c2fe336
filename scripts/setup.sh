#!/usr/bin/env bash
# Makes a fresh Debian 12 with Rust ready for this project. Does nothing where nothing is missing.
#
#   scripts/setup.sh [host|target|test|all]
#
#   host    what `cargo build` and `cargo test` need, the virtual board with them
#   target  what scripts/build-target.sh needs: core's source and C-SKY binutils
#   test    brokers, a browser, and Python packages for the serial tests; lwIP and Mbed TLS for the chip, and a C compiler
#   all     everything (default)
#
# Downloads and builds go to ${XDG_CACHE_HOME:-~/.cache}/w800-mqtt-at, one folder a version.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/setup/common.sh
source "$here/setup/common.sh"

# bindgen needs clang's library and its headers; libnewlib-dev stands in for the chip's libc.
BINDGEN=(libclang-19-dev clang-19 libnewlib-dev)
HOST=(xz-utils gcc libc6-dev make pkg-config libslirp-dev libglib2.0-dev clang-format-19)
TARGET=(xz-utils binutils gcc make bison flex)
TEST=(cmake ninja-build mosquitto mosquitto-clients rabbitmq-server python3-venv openssl $(command -v node >/dev/null || echo nodejs) $(command -v npm >/dev/null || echo npm))

host() {
    apt_need "${BINDGEN[@]}" "${HOST[@]}"
    "$here/setup/lwip.sh" >/dev/null
    "$here/setup/mbedtls.sh" >/dev/null
}

target() {
    apt_need "${BINDGEN[@]}" "${TARGET[@]}"
    "$here/setup/rust-src.sh"
    "$here/setup/csky-binutils.sh"
}

tests() {
    apt_need "${TEST[@]}"
    "$here/setup/python.sh" >/dev/null
    "$here/setup/python.sh" "$here/serial/amqtt-requirements.txt" >/dev/null
    "$here/setup/node.sh" >/dev/null
    "$here/setup/chromium.sh" >/dev/null
    "$here/setup/csky-c.sh" >/dev/null
}

command -v rustc >/dev/null || die "no Rust: install 1.95 by https://rustup.rs first"
case ${1:-all} in
host) host ;;
target) target ;;
test) tests ;;
all)
    host
    target
    tests
    ;;
*) die "usage: scripts/setup.sh [host|target|test|all]" ;;
esac
say "ready: ${1:-all}"
