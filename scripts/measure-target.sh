#!/usr/bin/env bash
# Counts what the chip's code executes for each command, on the simulated processor, and prints the table of
# docs/measurements.md.
#
#   scripts/measure-target.sh            the table
#   scripts/measure-target.sh --write    also docs/measured.json, which a serial test holds later builds to
#
# Installs what is missing (scripts/setup.sh).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" all >&2
python=$("$root/scripts/setup/python.sh")/bin/python
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$root/scripts/serial/measure.py" "$@"
