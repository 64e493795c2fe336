#!/usr/bin/env bash
# Brings a Python environment and prints its folder.
#
#   scripts/setup/python.sh [requirements.txt]    default: what the serial tests need
#
# Named by a hash of the requirements: a changed list makes a new one.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

requirements=${1:-$(dirname "${BASH_SOURCE[0]}")/../serial/requirements.txt}
name=python-$(sha256sum "$requirements" | cut -c1-16)
place=$(cache_dir)/$name

if [[ ! -f $place/complete ]]; then
    say "$name: installing $(grep -cv '^ *\(#\|$\)' "$requirements") packages"
    # An environment cannot be moved once made, so this one is marked when whole.
    mkdir -p "$(cache_dir)"
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
    touch "$place/complete"
fi
echo "$place"
