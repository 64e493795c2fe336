#!/usr/bin/env bash
# Runs the library's code for the chip, with two links, under many schedules (docs/simulator.md).
#
#   scripts/explore.sh --build              builds the image and prints its path
#   scripts/explore.sh [<n> [<options>]]    <n> schedules (default 100000), not those of the night before
#
# Environment: as scripts/build-target.sh. The exit status is 1 when a schedule violates something; the line tells which:
#   scripts/explore.sh 1 --schedule <seed>
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# A folder of its own: others want the image with one link.
target=${CARGO_TARGET_DIR:-$PWD/target}
image=$(CARGO_TARGET_DIR=$target/two-links W800_MQTT_AT_LINKS=2 scripts/build-image.sh | tail -n 1)
if [[ ${1-} == --build ]]; then
    echo "$image"
    exit
fi
schedules=${1:-100000}
cargo run --quiet -p w800-explore -- --image "$image" --schedules "$schedules" --from "$(date +%s)" \
    --threads "$(nproc)" "${@:2}"
