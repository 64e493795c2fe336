#!/usr/bin/env bash
# Lets clang's static analyzer read the C: the virtual board, its network, the product's example. Exits 1 where it finds
# something, and prints the path to it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/setup/common.sh

apt_need clang-19
lwip=$(scripts/setup/lwip.sh | tail -n 1)
mbedtls=$(scripts/setup/mbedtls.sh | tail -n 1)
read -ra slirp <<<"$(pkg-config --cflags slirp)"

board=(-std=c11 -Iwm_sdk/include -Iinclude -Iwm_sdk/host -Iwm_sdk/host/net -I"$mbedtls/include"
    '-DMBEDTLS_CONFIG_FILE="wm_mbedtls_config.h"')
# As build_net.rs has them: lwIP's own headers come before include/lwip.
network=(-std=gnu11 -I"$lwip/src/include" -Iwm_sdk/host/net/port -Iwm_sdk/host/net -Iwm_sdk/include -Iwm_sdk/host
    "${slirp[@]}")
# This one sees the declarations in the place of lwIP's headers.
declared=(-std=gnu11 -Iwm_sdk/include)

status=0
# analyze <option>... <file>
analyze() {
    clang-19 --analyze -Wall -Wextra -Werror -Xclang -analyzer-werror -Xclang -analyzer-output=text "$@" -o /dev/null ||
        status=1
}

for file in wm_sdk/host/*.c sim/src/product.c; do
    analyze "${board[@]}" "$file"
done
for file in wm_sdk/host/net/*.c wm_sdk/host/net/port/*.c; do
    case $file in
        */abi_declared.c) analyze "${declared[@]}" "$file" ;;
        *) analyze "${network[@]}" "$file" ;;
    esac
done
((status)) || say "the analyzer has nothing to say"
exit "$status"
