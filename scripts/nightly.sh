#!/usr/bin/env bash
# Runs what takes too long for every change, all of it, and ends with a summary. A part that fails does not stop the rest.
#
#   scripts/nightly.sh [duration]    of the random cuts: seconds, or minutes as 30m (the default), or hours as 2h
#
# A run of random cuts that failed names its seed: W800_CUTS_SEED=<seed> scripts/nightly.sh <duration> makes the same again.
set -uo pipefail
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

# serial <pytest options and files>...
serial() {
    "$python" -m pytest -q -p no:cacheprovider "$@"
}

# heap_failures <most in a scenario> <pytest options>...
heap_failures() {
    local samples=$1
    shift
    W800_HEAP_FAIL_SAMPLES=$samples serial -n 4 --dist worksteal scripts/serial/test_heap_fail.py "$@"
}

W800_CUTS_SECONDS=$(seconds "${1:-30m}") || exit
export W800_CUTS_SECONDS PYTHONDONTWRITEBYTECODE=1
export W800_SOAK_ROUNDS=${W800_SOAK_ROUNDS:-10000} W800_MIXED_SECONDS=${W800_MIXED_SECONDS:-3600}
scripts/setup.sh all || exit
python=$(scripts/setup/python.sh)/bin/python || exit
# shellcheck source=scripts/parts.sh
source scripts/parts.sh

part "image for the chip" scripts/build-image.sh
part "random cuts of the network" serial scripts/serial/test_random_cuts.py
part "what takes minutes of waiting, and mixed traffic" serial -m nightly scripts/serial
part "connections made and cleaned" serial scripts/serial/test_soak.py
# More than any scenario has: each allocation.
part "each allocation fails" heap_failures 1000000
part "allocations fail on the code for the chip" heap_failures 50 --cpu xt804
part "each archive of a release, twice" env W800_RELEASE_ALL=1 "$python" -m pytest -q -p no:cacheprovider scripts/tests/test_release.py
part "schedules of the tasks" scripts/explore.sh
part "fuzzers" scripts/fuzz.sh
part "the pure part under miri" scripts/miri.sh
part "a tenth of the serial tests with sanitizers" scripts/sanitize.sh
print_summary
