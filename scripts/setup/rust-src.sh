#!/usr/bin/env bash
# Brings the source of Rust's core library for the pinned version: there is no prebuilt one for
# C-SKY. By rustup where it can reach its server, else by Debian's package of the same version.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

PACKAGE_VERSION=1.95.0+dfsg1-2~bpo13+1
SUITE=trixie-backports

from_rustup() {
    command -v rustup >/dev/null || return 1
    say "rust-src: asking rustup"
    local chain
    chain=$(basename "$(toolchain rustc --print sysroot)")
    timeout 60 rustup component add --toolchain "$chain" rust-src >/dev/null 2>&1
}

from_debian() {
    local site
    site=$(debian_site)
    [[ -n $site ]] || die "apt knows no Debian mirror; run: rustup component add rust-src"
    say "rust-src: Debian's package $PACKAGE_VERSION"
    work=$(cache_temp)
    trap 'rm -rf "$work"' EXIT
    apt_private "$work" "$site"
    mkdir "$work/unpacked"
    dpkg-deb -x "$work"/rust-src_*.deb "$work/unpacked"
    [[ -f $work/unpacked/usr/src/rustc-$RUST_VERSION/library/core/src/lib.rs ]] || die "the package holds no core"
    cache_commit "$work/unpacked" "rust-src-$RUST_VERSION"
}

# Downloads with lists of its own, so that this machine's apt is not set up for another suite.
apt_private() {
    local work=$1 site=$2
    chmod 755 "$work"
    mkdir -p "$work/lists/partial" "$work/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $SUITE main" >"$work/sources.list"
    local options=(
        -qq
        -o "Dir::Etc::sourcelist=$work/sources.list"
        -o "Dir::Etc::sourceparts=-"
        -o "Dir::State::lists=$work/lists"
        -o "Dir::Cache::archives=$work/archives"
        -o "Dir::Cache::pkgcache="
        -o "Dir::Cache::srcpkgcache="
        -o "APT::Sandbox::User="
    )
    apt-get "${options[@]}" update >&2
    (cd "$work" && apt-get "${options[@]}" download "rust-src=$PACKAGE_VERSION" >&2)
}

rust_library >/dev/null && exit 0
from_rustup && rust_library >/dev/null || from_debian
rust_library >/dev/null || die "rust-src: still not found"
