#!/usr/bin/env bash
# Builds the virtual board and runs the documents' session on it over a serial line; exits 0 if every answer was right.
#
#   scripts/demo.sh                              the session over TCP, each line shown
#   scripts/demo.sh --scheme N                   over any of the ten transports, 1 TCP to 10 WebSocket over TLS
#   scripts/demo.sh --interactive [--scheme N]   the console on that board: scripts/at.py --sim --broker
#
# Starts a broker on free ports of the loopback, with certificates where the scheme has some; stops all that it started
# when it ends.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1-} == --interactive ]]; then
    shift
    exec scripts/at.py --sim --broker "$@"
fi
scripts/setup.sh host
scripts/setup.sh test
cargo build -p w800-sim
exec "$(scripts/setup/python.sh)/bin/python" scripts/serial/demo.py "$@"
