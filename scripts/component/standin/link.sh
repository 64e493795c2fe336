#!/usr/bin/env bash
# Links as a compiler driver does: a linker option behind -Wl, goes to the linker as it is.
#
#   link.sh <ld> <argument>...
set -euo pipefail
arguments=()
for argument in "$@"; do
    case $argument in
    -Wl,*) IFS=, read -ra parts <<<"${argument#-Wl,}" && arguments+=("${parts[@]}") ;;
    *) arguments+=("$argument") ;;
    esac
done
exec "${arguments[@]}" --gc-sections
