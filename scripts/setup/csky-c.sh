#!/usr/bin/env bash
# Compiles lwIP and Mbed TLS for the chip, with the options that the virtual board has of the SDK, and what they need of
# a board (wm_sdk/chip). Prints the folder of liblwip.a, libmbedtls.a and libchip.a, named by a hash of all that goes
# into them.
#
#   scripts/setup/csky-c.sh
set -euo pipefail
setup=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
sdk=$(cd "$setup/../../wm_sdk" && pwd)
# shellcheck source=scripts/setup/common.sh
source "$setup/common.sh"

compiler=$("$setup/csky-cc.sh")
lwip=$("$setup/lwip.sh")
mbedtls=$("$setup/mbedtls.sh")
"$setup/csky-binutils.sh"
csky=$(csky_prefix)

# The order matters: lwIP's own headers come before include/lwip, which declares the same things for bindgen.
lwip_options=(-std=gnu11 -w -I"$lwip/src/include" -I"$sdk/host/net/port" -I"$sdk/include")
# The self tests, which the SDK has as well, are dropped where nobody calls them.
mbedtls_options=(-std=gnu11 -w -I"$sdk/include" -I"$mbedtls/include" -I"$mbedtls/library"
    '-DMBEDTLS_CONFIG_FILE="wm_mbedtls_config.h"' -DMBEDTLS_SELF_TEST -DMBEDTLS_PLATFORM_MS_TIME_ALT
    -include "$sdk/chip/multiply.h" -fmacro-prefix-map="$mbedtls"=mbedtls)

chip_options=("${lwip_options[@]}" -Wall -Wextra -Werror -I"$sdk/host/net" -I"$sdk/chip" -fno-builtin)

sources_of() {
    case $1 in
    lwip) find "$lwip"/src/{core,core/ipv4,core/ipv6,api} -maxdepth 1 -name '*.c' &&
        printf '%s\n' "$lwip/src/netif/ethernet.c" "$lwip/src/apps/sntp/sntp.c" ;;
    mbedtls) find "$mbedtls/library" -maxdepth 1 -name '*.c' ;;
    chip) printf '%s\n' "$sdk"/chip/*.c "$sdk"/host/net/{interface,sntp,port/sys_arch}.c ;;
    esac | sort
}

# assemble <folder> <name>: what is not in C. The attributes that name a CPU go, they differ from the compiler's.
assemble() {
    [[ $2 == chip ]] || return 0
    local source object
    for source in "$sdk"/chip/*.S; do
        object=$1/$(basename "$source" .S).o
        "${csky}as" -mcpu=ck804ef -mhard-float -o "$object" "$source"
        "${csky}objcopy" --remove-section=.csky.attributes "$object"
    done
}

# archive <name> <compiler's option>...
archive() {
    local name=$1
    shift
    mkdir -p "$work/$name"
    sources_of "$name" | xargs -P "$(nproc)" -I {} bash -c \
        'source=$1 out=$2; shift 2; "$0" "$@" -o "$out/$(basename "$source" .c).o" "$source"' \
        "$compiler" {} "$work/$name" "$@"
    assemble "$work/$name" "$name"
    "${csky}ar" rcs "$work/lib$name.a" "$work/$name"/*.o
    rm -r "${work:?}/$name"
}

name=csky-c-$({
    printf '%s\n' "$compiler" "$lwip" "$mbedtls"
    cat "${BASH_SOURCE[0]}"
    find "$sdk/include" "$sdk/chip" "$sdk/host/net" -type f -print0 | sort -z | xargs -0 cat
} | sha256sum | cut -c1-16)
place=$(cache_dir)/$name
if [[ ! -d $place ]]; then
    say "$name: compiling lwIP and Mbed TLS for the chip"
    work=$(cache_temp)
    trap 'rm -rf "$work"' EXIT
    archive lwip "${lwip_options[@]}"
    archive mbedtls "${mbedtls_options[@]}"
    archive chip "${chip_options[@]}"
    cache_commit "$work" "$name"
fi
printf '%s\n' "$place"
