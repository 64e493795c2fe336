# Shared by the set-up and build scripts: where things are kept, how they are announced,
# and where the C-SKY tools and the standard library's source are. Sourced, never run.
# shellcheck shell=bash

RUST_VERSION=1.95.0

say() { printf '==> %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

cache_dir() { printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/w800-mqtt-at"; }

# A fresh folder inside the cache, so that a finished result can be renamed into place.
cache_temp() {
    mkdir -p "$(cache_dir)"
    mktemp -d "$(cache_dir)/tmp.XXXXXX"
}

# cache_commit <finished folder> <name in the cache>: another run may have been first.
cache_commit() {
    local place
    place=$(cache_dir)/$2
    mv -T "$1" "$place" 2>/dev/null || [[ -d $place ]] || die "cannot put $place in place"
}

apt_has() { dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

# apt_need <package>...: installs those that are missing.
apt_need() {
    local package missing=()
    for package in "$@"; do
        apt_has "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "apt: installing ${missing[*]}"
    ((EUID == 0)) || die "not root; run: apt-get install ${missing[*]}"
    apt_install "${missing[@]}" || {
        say "apt: refreshing the package lists"
        apt-get -qq update >&2
        apt_install "${missing[@]}"
    }
}

apt_install() {
    without_services env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >&2
}

# without_services <command>...: packages that it installs start no service. What the tests want of brokers they start
# themselves. A machine with a policy of its own keeps it.
without_services() (
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy && -w ${policy%/*} ]]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    "$@"
)

# The Debian mirror that this machine's apt uses: it also carries suites apt is not set up for.
debian_site() {
    apt-get indextargets --format '$(SITE)|$(RELEASE)' 'Created-By: Packages' |
        sed -n 's/|bookworm$//p' | head -n 1
}

# debian_source <suite> <package> <version> <a file in it> <name in the cache>: the upstream part of a Debian source
# package, from the mirror that this machine's apt already uses. Nothing of the machine's own lists is touched.
debian_source() {
    local suite=$1 package=$2 version=$3 landmark=$4 name=$5 site work archive
    site=$(debian_site)
    [[ -n $site ]] || die "apt has no source for bookworm; add one, or put $package $version at $(cache_dir)/$name"
    work=$(cache_temp)
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/download" "$work/unpacked"
    printf 'deb-src %s %s main\n' "$site" "$suite" >"$work/sources.list"
    say "$name: fetching Debian's source package"
    private_apt "$work" update
    (cd "$work/download" && private_apt "$work" source --download-only "$package")
    archive=$(find "$work/download" -name "${package}_$version*.orig.tar.*" ! -name '*.asc' | head -n 1)
    [[ -n $archive ]] || die "$suite no longer offers $package $version"
    tar -xf "$archive" -C "$work/unpacked" --strip-components=1
    [[ -f $work/unpacked/$landmark ]] || die "$(basename "$archive") is not what it was"
    cache_commit "$work/unpacked" "$name"
    rm -rf "$work"
}

# private_apt <folder> <argument>...: apt with lists of its own; as root it would drop to a user who cannot write there.
private_apt() {
    local work=$1
    shift
    apt-get -qq \
        -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=-" \
        -o "Dir::State::lists=$work/lists" -o "Dir::Cache::archives=$work/archives" \
        -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" \
        -o "APT::Sandbox::User=" -o "APT::Get::List-Cleanup=0" "$@" >&2
}

# The prefix of a C-SKY binutils ("csky-elfabiv2-", "/…/bin/csky-unknown-elf-"), or failure.
csky_prefix() {
    local linker
    for linker in csky-elfabiv2-ld csky-unknown-elf-ld "$(cache_dir)"/csky-binutils-*/bin/csky-unknown-elf-ld; do
        if command -v "$linker" >/dev/null; then
            printf '%s\n' "${linker%ld}"
            return 0
        fi
    done
    return 1
}

# Runs cargo or rustc of the pinned version.
toolchain() {
    local tool=$1
    shift
    if [[ $(rustc --version) == "rustc $RUST_VERSION "* ]]; then
        "$tool" "$@"
    else
        "$tool" "+$RUST_VERSION" "$@"
    fi
}

# The folder of the standard library's source for the pinned version, or failure.
rust_library() {
    local place
    for place in \
        "$(toolchain rustc --print sysroot)/lib/rustlib/src/rust/library" \
        "$(cache_dir)/rust-src-$RUST_VERSION/usr/src/rustc-$RUST_VERSION/library"; do
        if [[ -f $place/core/src/lib.rs ]]; then
            printf '%s\n' "$place"
            return 0
        fi
    done
    return 1
}
