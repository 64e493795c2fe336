#!/usr/bin/env bash
# Brings a Chromium, in which the tests open a board's trace, and prints its path.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

find_chromium >/dev/null || apt_need chromium
apt_need fonts-dejavu-core
find_chromium || die "chromium is installed, yet not found"
