#!/usr/bin/env bash
# Plays tutorials on virtual boards, with brokers of their own, and shows each line.
#
#   scripts/tutorial.sh                              all of docs/tutorials
#   scripts/tutorial.sh docs/tutorials/tls.md …      these
#
# Ends with 1 where a board says something else than the tutorial does.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$root/scripts/setup.sh" host >&2
"$root/scripts/setup.sh" test >&2
exec "$("$root/scripts/setup/python.sh")/bin/python" -B "$root/scripts/serial/tutorial.py" "$@"
