#!/usr/bin/env bash
# Makes a release: prebuilt archives for the chip and all that a project of the SDK needs to link them, without Rust.
#
#   scripts/release.sh [--only VARIANT]... [FOLDER]
#
# FOLDER (default: dist) gets w800_mqtt_at/ and w800-mqtt-at-<version>.tar.gz; what of these names was there is removed.
# VARIANT: default, no-tls, two-links, and each of them with -ipv6 behind; all, unless some are named.
#
# The same commit gives the same bytes, wherever and whenever it is built (docs/releases.md). The headers are those of
# wm_sdk/include, which declare what linker/sdk-surface.txt records; scripts/check-sdk.sh compares them with an SDK's.
# Environment: CARGO_TARGET_DIR.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

declare -A OPTIONS=([default]="" [no-tls]="W800_MQTT_AT_TLS=n" [two-links]="W800_MQTT_AT_LINKS=2")
VARIANTS=(default default-ipv6 no-tls no-tls-ipv6 two-links two-links-ipv6)
# What goes along, at its place in the repository.
FILES=(CMakeLists.txt Kconfig LICENSE CHANGELOG.md SECURITY.md cmake/options.cmake cmake/prebuilt.cmake cmake/release.cmake
    cmake/components/CMakeLists.txt cmake/components/Kconfig include/w800_mqtt_at.h linker/no_credentials.ld
    linker/no_wrap.ld)
DOCS=(at-reference.md commands.json error-codes.json releases.md third-party.md)

# build <variant>: its archive and its options.
build() {
    local variant=$1 out=$place/lib/$1 settings=()
    read -ra settings <<<"${OPTIONS[${variant%-ipv6}]}"
    [[ $variant != *-ipv6 ]] || settings+=("W800_SIM_CONFIG=wm_sdk/configs/ipv6")
    say "$variant"
    env "${inherited[@]}" "${settings[@]}" "$root/scripts/build-target.sh" >/dev/null
    mkdir -p "$out"
    cp "$target/csky/libw800_mqtt_at.a" "$out/"
    # As AT+MQTTVER? tells them.
    grep -aoE 'LINKS=[0-9]+( [A-Z0-9_]+=(y|n|line|[0-9]+))+ USAGE=[yn]' "$out/libw800_mqtt_at.a" | sort -u | tr ' ' '\n' >"$out/options.txt"
    [[ $(grep -c '^LINKS=' "$out/options.txt") == 1 ]] || die "$variant: the archive does not tell its options"
}

copy() {
    local file
    for file in "${FILES[@]}"; do
        install -Dm644 "$root/$file" "$place/$file"
    done
    for file in "${DOCS[@]}"; do
        install -Dm644 "$root/docs/$file" "$place/docs/$file"
    done
    python3 "$root/scripts/release/parts.py" sbom "$place/sbom.cdx.json"
}

# In the order of bytes, not of the shell's language.
sums() {
    (cd "$place" && find . -type f ! -name SHA256SUMS -printf '%P\n' | LC_ALL=C sort | xargs -d '\n' sha256sum >SHA256SUMS)
}

pack() {
    find "$place" -type d -exec chmod 755 {} +
    tar --sort=name --format=ustar --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
        -C "$folder" -cf - w800_mqtt_at | gzip -9n >"$folder/$name.tar.gz"
    (cd "$folder" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
}

wanted=()
folder=
while (($#)); do
    case $1 in
    --only)
        [[ " ${VARIANTS[*]} " == *" ${2:-} "* ]] || die "no variant ${2:-}; there are ${VARIANTS[*]}"
        wanted+=("$2")
        shift
        ;;
    -h | --help)
        sed -n '2,/^set/{/^set/d; s/^# \{0,1\}//; p}' "${BASH_SOURCE[0]}"
        exit
        ;;
    -*) die "scripts/release.sh [--only VARIANT]... [FOLDER]" ;;
    *)
        [[ -z $folder ]] || die "one folder, not $folder and $1; a variant is named by --only"
        folder=$1
        ;;
    esac
    shift
done
((${#wanted[@]})) || wanted=("${VARIANTS[@]}")
mkdir -p "${folder:=$root/dist}"
folder=$(cd "$folder" && pwd)
place=$folder/w800_mqtt_at
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -1)
name=w800-mqtt-at-$version
# Nothing of the day and of the shell's environment.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
target=${CARGO_TARGET_DIR:-$root/target}
inherited=(-u WM_IOT_SDK_PATH -u WM_IOT_SDK_CONFIG -u W800_SIM_CONFIG -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS)
for variable in ${!W800_MQTT_AT_@}; do
    inherited+=(-u "$variable")
done

rm -rf "$place" "$folder/$name".tar.gz*
for variant in "${wanted[@]}"; do
    build "$variant"
done
copy
sums
pack
echo "$folder/$name.tar.gz"
