#!/usr/bin/env bash
# Counts what the chip's code executes for each command, on the simulated processor, and prints the table of
# docs/measurements.md; then what a whole image costs, in which lwIP and Mbed TLS are executed too.
#
#   scripts/measure-target.sh            the tables
#   scripts/measure-target.sh --write    also docs/measured.json and docs/measured-whole.json, which serial tests hold
#                                        later builds to
#
# Installs what is missing (scripts/setup.sh).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" all >&2
python=$("$root/scripts/setup/python.sh")/bin/python
export PYTHONDONTWRITEBYTECODE=1
"$python" "$root/scripts/serial/measure.py" "$@"
echo
exec "$python" "$root/scripts/serial/whole.py" "$@"
