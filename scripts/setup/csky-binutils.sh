#!/usr/bin/env bash
# Brings an assembler and a linker for C-SKY. The vendor's are taken where they are on the PATH;
# else Debian's source of binutils is built for that target (two to three minutes).
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

csky_prefix >/dev/null && exit 0
apt_need binutils-source gcc g++ make xz-utils

source_archive=$(find /usr/src/binutils -name 'binutils-*.tar.xz' | sort -V | tail -n 1)
[[ -n $source_archive ]] || die "binutils-source is installed but holds no archive"
version=$(basename "$source_archive" .tar.xz)
name=csky-$version

work=$(cache_temp)
trap 'rm -rf "$work"' EXIT
log=$(cache_dir)/$name.log
mkdir "$work/source" "$work/build"

say "$name: unpacking"
tar -xf "$source_archive" -C "$work/source" --strip-components=1

build() {
    cd "$work/build"
    "$work/source/configure" --target=csky-unknown-elf --prefix="$(cache_dir)/$name" \
        --disable-gdb --disable-gdbserver --disable-sim --disable-gprofng --disable-nls --disable-werror
    make -j"$(nproc)" MAKEINFO=true
    make MAKEINFO=true DESTDIR="$work/installed" install-strip
}
say "$name: building (log: $log)"
(build) >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "$name did not build"
}

cache_commit "$work/installed$(cache_dir)/$name" "$name"
csky_prefix >/dev/null || die "$name: built, yet not found"
