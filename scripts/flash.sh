#!/usr/bin/env bash
# Writes a firmware image to a board with the vendor's own download tool, and shows its progress.
#
#   scripts/flash.sh --port /dev/ttyUSB0 [--baud N] image.fls
#
# The tool is the SDK's tools/wm/flash.py (WM_IOT_SDK_PATH, or wm.py on PATH) or wm_tool on PATH. Exit codes: the
# tool's own; 1 where it failed without one; 64 for an image or a port that is refused before anything is sent; 69
# where there is no tool.
set -euo pipefail

export PYTHONDONTWRITEBYTECODE=1
exec python3 "$(dirname "${BASH_SOURCE[0]}")/serial/flash.py" "$@"
