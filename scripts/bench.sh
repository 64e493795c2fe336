#!/usr/bin/env bash
# Compares this library on the virtual board with Debian's Paho C client, side by side against one broker.
#
#   scripts/bench.sh [--rounds N]                  rates, processor time and heap peaks of both, and their ratios
#   scripts/bench.sh --baud 2000000 [--rounds N]   the share of a line of that speed which 1 MiB each way reaches
#
# Installs libpaho-mqtt-dev where it is missing. Nothing here passes or fails by a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/setup/common.sh
source scripts/setup/common.sh

FLAGS=(-std=gnu11 -O2 -Wall -Wextra -Werror -pthread)

scripts/setup.sh host
scripts/setup.sh test
apt_need libpaho-mqtt-dev
cargo build --release -p w800-sim

target=${CARGO_TARGET_DIR:-target}
programs=$target/bench
mkdir -p "$programs"
gcc "${FLAGS[@]}" -o "$programs/at" scripts/bench/{at,measure}.c
gcc "${FLAGS[@]}" -o "$programs/paho" scripts/bench/{paho,measure,heap_peak}.c -lpaho-mqtt3c
export PYTHONDONTWRITEBYTECODE=1
exec "$(scripts/setup/python.sh)/bin/python" scripts/bench/bench.py \
    "$target/release/w800-sim" "$programs/at" "$programs/paho" "$@"
