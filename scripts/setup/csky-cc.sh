#!/usr/bin/env bash
# Builds the C compiler for the chip (csky-cc.c) and prints its path.
# Named by the versions of what it is made of: its source, clang, and the Rust toolchain with its LLVM.
set -euo pipefail
# shellcheck source=scripts/setup/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

source=$(dirname "${BASH_SOURCE[0]}")/csky-cc.c
# clang has to know the CPU; its own code generator is not used.
command -v clang-19 >/dev/null || apt_need clang-19 libnewlib-dev
clang=$(command -v clang-19)
libraries=$(toolchain rustc --print sysroot)/lib
llvm=$(find "$libraries" -maxdepth 1 -name 'libLLVM.so.*' | head -n 1)
[[ -n $llvm ]] || die "the Rust toolchain brings no shared LLVM"

name=csky-cc-$({
    cat "$source"
    "$clang" --version
    echo "$llvm"
} | sha256sum | cut -c1-16)
place=$(cache_dir)/$name
if [[ ! -x $place/csky-cc ]]; then
    say "$name: building"
    work=$(cache_temp)
    cc -O1 -Wall -Wextra -Werror -DCLANG="\"$clang\"" -o "$work/csky-cc" "$source" "$llvm" -Wl,-rpath,"$libraries"
    cache_commit "$work" "$name"
fi
printf '%s\n' "$place/csky-cc"
