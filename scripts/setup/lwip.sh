#!/usr/bin/env bash
# Brings the source of lwIP 2.1.3, the version in the SDK, and prints its folder. It is Debian's
# source package, from the mirror that this machine's apt already uses.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=2.1.3
name=lwip-$version
place=$(cache_dir)/$name

if [[ -f $place/src/core/init.c ]]; then
    printf '%s\n' "$place"
    exit 0
fi

site=$(debian_site)
[[ -n $site ]] || die "apt has no source for bookworm; add one, or put lwIP $version at $place"

work=$(cache_temp)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/download" "$work/unpacked"
printf 'deb-src %s bookworm main\n' "$site" >"$work/sources.list"

# Nothing of the machine's own lists is touched; apt drops to another user otherwise, who cannot write here.
private_apt() {
    apt-get -qq \
        -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=-" \
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache::archives=$work/archives" \
        -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" \
        -o "APT::Sandbox::User=" -o "APT::Get::List-Cleanup=0" "$@" >&2
}

say "$name: fetching Debian's source package"
private_apt update
(cd "$work/download" && private_apt source --download-only lwip)

archive=$(find "$work/download" -name "lwip_$version*.orig.tar.*" ! -name '*.asc' | head -n 1)
[[ -n $archive ]] || die "bookworm no longer offers lwIP $version"
tar -xf "$archive" -C "$work/unpacked" --strip-components=1
[[ -f $work/unpacked/src/core/init.c ]] || die "$(basename "$archive") is not what it was"

cache_commit "$work/unpacked" "$name"
printf '%s\n' "$place"
