#!/usr/bin/env bash
# Builds libw800_mqtt_at.a for the W800, links it alone with stubs for the firmware's functions
# (linker/sdk-symbols.txt) and prints how much flash and RAM each of its rooms and crates takes.
#
#   scripts/build-target.sh [cargo options]
#
# The last line is the total. Environment: CARGO_TARGET_DIR, WM_IOT_SDK_PATH, WM_IOT_SDK_CONFIG, the build options
# W800_MQTT_AT_… (docs/options.md). Two are of this script alone: W800_MQTT_AT_REWRITE=n leaves the compiler's code as it
# is, W800_MQTT_AT_PANIC_PLACES=n leaves out where a panic came from.
# Installs what is missing (scripts/setup.sh target).
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/setup/common.sh
source "$root/scripts/setup/common.sh"

spec=csky-w800-none-elfabiv2
target=${CARGO_TARGET_DIR:-$root/target}
out=$target/csky
# What the linker takes in the place of the SDK's function.
wrapped=__wrap_wm_atcmd_dev_register

# RUSTC_BOOTSTRAP: building core for a target of one's own needs nightly's options of this stable
# compiler. fmt-debug=none: no {:?} output in firmware. inline-threshold: less flash than 0, 10, 25 and 40, and fewer instructions.
# disable-machine-licm: LLVM for C-SKY takes a division out of a loop, before the test of its divisor for zero, as if it
# could not trap; on this core it does.
compile() {
    local library sysroot
    library=$(rust_library) || die "no source of Rust's core library"
    sysroot=$(toolchain rustc --print sysroot)
    [[ $library == "$sysroot"/* ]] || export __CARGO_TESTS_ONLY_SRC_ROOT=$library
    export RUSTC_BOOTSTRAP=1
    [[ $places == y ]] || RUSTFLAGS="${RUSTFLAGS:-} -Zlocation-detail=none"
    export RUSTFLAGS="${RUSTFLAGS:-} -Zfmt-debug=none -Cllvm-args=-inline-threshold=30 -Cllvm-args=-disable-machine-licm --remap-path-prefix=$root= --remap-path-prefix=$library=core"
    toolchain cargo fetch --quiet --manifest-path "$root/Cargo.toml"
    export RUSTFLAGS="$RUSTFLAGS$(remap_registry)"
    toolchain cargo rustc --manifest-path "$root/Cargo.toml" --package w800-mqtt-at --lib --crate-type staticlib \
        --profile firmware --target "$root/linker/$spec.json" -Z json-target-spec \
        -Z build-std=core -Z build-std-features=optimize_for_size "$@" -- --emit=asm >&2
}

# A panic's place is text in flash: from the registry's folder on, a crate's name says enough.
remap_registry() {
    local folder
    for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        printf -- ' --remap-path-prefix=%s=' "$folder"
    done
}

# compiler_builtins holds weak copies of memcpy, sqrt and hundreds more in one object. Left in, the
# first need of any of them would bind the whole firmware to them; the vendor's libc and libgcc
# have all that is used. What Rust crates export to each other stays inside, too, and so do the __atomic_* functions:
# linked whole, two libraries with such names would clash.
archive() {
    local archive=$out/libw800_mqtt_at.a.tmp
    cp "$target/$spec/firmware/libw800_mqtt_at.a" "$archive"
    "${csky}ar" t "$archive" | grep '^compiler_builtins-' | xargs -r "${csky}ar" dD "$archive"
    [[ $rewrite == n ]] || rewrite "$archive"
    "${csky}objcopy" --enable-deterministic-archives --wildcard --keep-global-symbol='w800_mqtt_at_*' \
        --keep-global-symbol="$wrapped" "$archive"
    "${csky}ranlib" -D "$archive"
    mv "$archive" "$out/libw800_mqtt_at.a"
}

# rewrite <archive>: in the place of the one object that LLVM made of all crates, what xt804/rewrite makes of its assembly.
# Both are kept: xt804/tests/equivalent.rs compares them. The assembler tells CPU and ABI in an older way than LLVM does and
# than the SDK's archives have it, so attributes and flags are taken from LLVM's object.
rewrite() {
    local object
    object=$("${csky}ar" t "$1")
    [[ $object == *.o && $object != *$'\n'* ]] || die "one object was expected in the archive, not: $object"
    cp "$target/$spec/firmware/deps/${object%%.*}.s" "$out/compiled.s"
    "${csky}ar" p "$1" "$object" >"$out/compiled.o"
    # A tool for this machine: the chip's flags are not for it.
    (
        unset RUSTFLAGS RUSTC_BOOTSTRAP
        toolchain cargo run --quiet --manifest-path "$root/xt804/Cargo.toml" --package xt804-rewrite \
            --target-dir "$out/xt804" -- "$out/compiled.s" "$out/rewritten.s" >&2
    )
    "${csky}as" -mcpu=ck804ef -mhard-float -o "$out/rewritten.o" "$out/rewritten.s"
    "${csky}objcopy" --dump-section .csky.attributes="$out/attributes" "$out/compiled.o" /dev/null
    "${csky}objcopy" --update-section .csky.attributes="$out/attributes" "$out/rewritten.o"
    # e_flags
    dd if="$out/compiled.o" of="$out/rewritten.o" bs=1 skip=36 seek=36 count=4 conv=notrunc status=none
    "${csky}ar" dD "$1" "$object"
    "${csky}ar" qD "$1" "$out/rewritten.o"
}

# The firmware's functions are absolute symbols here: nothing of them is counted. It has no certificates of its own.
link() {
    grep -v '^ *\(#\|$\|mqtt_client_tls_\)' "$root/linker/sdk-symbols.txt" | tr '|' '\n' |
        sed '/./!d; s/.*/--defsym=&=0/' >"$out/stubs.rsp"
    local roots=(--require-defined=w800_mqtt_at_table)
    # A build for the server's argv has none.
    if "${csky}nm" "$out/libw800_mqtt_at.a" 2>/dev/null | grep " T $wrapped\$" >/dev/null; then
        roots+=("--require-defined=$wrapped")
    fi
    "${csky}ld" --gc-sections --entry=0 "${roots[@]}" \
        -T "$root/linker/w800_mqtt_at.ld" -Map="$out/w800_mqtt_at.map" -o "$out/w800_mqtt_at.elf" \
        "@$out/stubs.rsp" "$out/libw800_mqtt_at.a" "$root/linker/no_credentials.ld"
}

sizes() {
    awk -f "$root/scripts/target/sections.awk" "$out/w800_mqtt_at.map" | c++filt |
        awk -f "$root/scripts/target/sizes.awk"
}

# switch <option>: y unless the environment says n.
switch() {
    local name=W800_MQTT_AT_$1
    local value=${!name:-y}
    [[ $value == [yn] ]] || die "$name=$value: must be y or n"
    echo "$value"
}

rewrite=$(switch REWRITE)
places=$(switch PANIC_PLACES)
"$root/scripts/setup.sh" target >&2
mkdir -p "$out"
# One at a time: tests that run side by side share this folder.
exec 8>"$out/target.lock"
flock 8
csky=$(csky_prefix) || die "no C-SKY linker"
compile "$@"
archive
link
echo "$out/libw800_mqtt_at.a"
sizes
