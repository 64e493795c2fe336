#!/usr/bin/env bash
# Runs what takes too long for every change: random cuts of the network, in which nothing may be lost, and each archive of
# a release built twice, which must come out the same.
#
#   scripts/nightly.sh [duration]    of the cuts: seconds, or minutes as 30m (the default), or hours as 2h
#
# A run that failed names its seed: W800_CUTS_SEED=<seed> scripts/nightly.sh <duration> makes the same faults again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# seconds <duration>
seconds() {
    local number=${1%[smh]} unit=1
    [[ $number =~ ^[1-9][0-9]*$ ]] || {
        printf 'nightly.sh: %s is no duration such as 90, 30m or 2h\n' "$1" >&2
        return 2
    }
    case $1 in
        *m) unit=60 ;;
        *h) unit=3600 ;;
    esac
    printf '%d\n' $((number * unit))
}

W800_CUTS_SECONDS=$(seconds "${1:-30m}")
export W800_CUTS_SECONDS PYTHONDONTWRITEBYTECODE=1
scripts/setup.sh test
scripts/setup.sh target
python=$(scripts/setup/python.sh)/bin/python
status=0
"$python" -m pytest -q -p no:cacheprovider scripts/serial/test_random_cuts.py || status=1
W800_RELEASE_ALL=1 "$python" -m pytest -q -p no:cacheprovider scripts/tests/test_release.py || status=1
exit "$status"
