#!/usr/bin/env bash
# Builds the archive for the chip once for each build option and prints what that costs or saves beside the default build:
# the table of docs/options.md.
#
#   scripts/measure-options.sh            the table
#   scripts/measure-options.sh --write    also into docs/options.md
#
# Takes two minutes. Environment: as scripts/build-target.sh.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
page=$root/docs/options.md

# builds <words...>: flash and RAM of a build with these options, in bytes.
builds() {
    env "${@/#/W800_MQTT_AT_}" "$root/scripts/build-target.sh" 2>/dev/null | awk 'END { print $2 + $3, $4 + $5 }'
}

# row <options...>
row() {
    local flash ram
    read -r flash ram < <(builds "$@")
    printf '| \140%s\140 | %+d | %+d |\n' "$*" $((flash - default_flash)) $((ram - default_ram))
}

table() {
    read -r default_flash default_ram < <(builds "LINKS=1")
    printf '| build | flash | RAM |\n|---|--:|--:|\n'
    printf '| default | %d | %d |\n' "$default_flash" "$default_ram"
    row LINKS=2
    row LINKS=4
    row ARENA_BYTES=4096
    row ARGV=raw
    row ARGV=decoded
    row ERROR_LINES=n
    row TLS=n
    row WEBSOCKET=n
    row ADDITIONS=n
    row TLS=n WEBSOCKET=n
    row TLS=n WEBSOCKET=n ADDITIONS=n ERROR_LINES=n ARGV=decoded
}

measured=$(table)
printf '%s\n' "$measured"
if [[ ${1:-} == --write ]]; then
    # The table is the page's end.
    sed '/^<!-- measured/q' "$page" >"$page.new"
    printf '\n%s\n' "$measured" >>"$page.new"
    mv "$page.new" "$page"
fi
