#!/usr/bin/env bash
# Runs the serial tests on a real board.
#
#   scripts/serial/run.sh --port /dev/ttyUSB0 --broker ADDRESS [--baud N] [--ssid NAME --password WORD] [pytest options]
#
# ADDRESS is this machine's, in the board's network. First looks whether all is in order, then runs what a real board
# can run, says what is left out and why, and names the JUnit file and the transcript of the port. Certificates and keys
# that AT+MQTTCERT has stored on the board are replaced. See docs/board.md, and --help.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

"$here/../setup.sh" test
export PYTHONDONTWRITEBYTECODE=1
exec "$("$here/../setup/python.sh")/bin/python" "$here/run.py" "$@"
