#!/usr/bin/env bash
# Brings the npm packages of the tests' WebSocket broker and prints their folder.
# Named by a hash of the package list and its lock file: a changed list makes a new one.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

list=$(dirname "${BASH_SOURCE[0]}")/../serial/node
name=node-$(cat "$list/package.json" "$list/package-lock.json" | sha256sum | cut -c1-16)
place=$(cache_dir)/$name

if [[ ! -d $place/node_modules/aedes ]]; then
    command -v npm >/dev/null || die "npm is not installed: run scripts/setup.sh"
    say "$name: installing $(grep -c '"node_modules/' "$list/package-lock.json") packages"
    work=$(cache_temp)
    cp "$list/package.json" "$list/package-lock.json" "$work"
    (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error >&2)
    cache_commit "$work" "$name"
    rm -rf "$work"
fi
echo "$place"
