#!/usr/bin/env bash
# Builds the program that `w800-sim --cpu xt804` runs: libw800_mqtt_at.a for the chip, linked alone, with the firmware's
# functions left to the board. Prints its path.
#
#   scripts/build-image.sh [--whole] [cargo options]
#
# --whole links lwIP, Mbed TLS and what they need (wm_sdk/chip) as well, so that all of these are executed, in the chip's
# RAM alone; the board keeps the RTOS, the storage, the AT server and the radio.
#
# Environment: as scripts/build-target.sh.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

out=${CARGO_TARGET_DIR:-$root/target}/csky
whole=
if [[ ${1:-} == --whole ]]; then
    whole=1
    shift
fi
image=$out/w800_mqtt_at.${whole:+whole.}image.elf
# As wm_sdk/host/credentials.h has it.
credential_bytes=16384

# What a firmware has beside the library: its certificates, room that the board fills from --ca, --cert and --key, and the
# device that it registers with the AT server, whose functions are the board's. It is data alone, so it goes with objects
# for any CPU: the attributes that name one are dropped.
firmware() {
    {
        certificates
        printf '.section .rodata.device,"a"\n.long %s\n' uart_send uart_recv
    } | "${csky}as" -mcpu=ck804ef -mhard-float -o "$out/firmware.o"
    "${csky}objcopy" --remove-section=.csky.attributes "$out/firmware.o"
}

# In flash, where a product has them. The library alone is linked by itself, and has as much RAM as it wants.
certificates() {
    local name
    for name in mqtt_client_tls_{ca,cert,key}; do
        if [[ $whole ]]; then
            printf '.section .rodata.%s,"a"\n.global %s\n%s: .space %s\n' "$name" "$name" "$name" "$credential_bytes"
        else
            printf '.comm %s, %s, 8\n' "$name" "$credential_bytes"
        fi
    done
}

has() {
    "${csky}nm" "$out/libw800_mqtt_at.a" 2>/dev/null | grep " T $1\$" >/dev/null
}

link() {
    local roots=w800_mqtt_at_table,w800_mqtt_at_get_statistics name
    # A build without TLS has no credential to set, and one for the server's argv nothing to register the line with.
    for name in w800_mqtt_at_set_credential w800_mqtt_at_set_line_hook __wrap_wm_atcmd_dev_register; do
        if has "$name"; then
            roots+=,$name
        fi
    done
    local inputs=("$out/libw800_mqtt_at.a" "$out/firmware.o")
    if [[ $whole ]]; then
        local archives
        archives=$("$root/scripts/setup/csky-c.sh")
        inputs+=("$archives"/lib{lwip,mbedtls,chip}.a)
        # What the board calls of it (sim/src/xt804/radio.rs).
        roots+=,interface_start,interface_link_up,interface_link_down,interface_address,chip_sntp_start,interface_sntp_stop
    fi
    toolchain cargo run --quiet --manifest-path "$root/xt804/Cargo.toml" --target-dir "$out/xt804" --bin xt804-link -- \
        "${csky}ld" "$image" "$roots" "${inputs[@]}"
}

mkdir -p "$out"
# One at a time: parallel tests ask for the same image.
exec 9>"$out/image.lock"
flock 9
"$root/scripts/build-target.sh" "$@" >&2
csky=$(csky_prefix) || die "no C-SKY linker"
firmware
link
echo "$image"
