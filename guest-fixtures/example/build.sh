#!/bin/sh
# Builds submission/tally.wasm again and says whether it is, byte for byte, the one that is committed.
#
#   ./build.sh             compare with the committed digest
#   ./build.sh --update    put the new module and its digest in their place
#   ./build.sh --native F  build for this machine with cc, as file F, for the local runtime
#
# The module is what these Debian packages give:
#   clang-22 lld-22 1:22.1.8, wasi-libc 0.0~git20220510, libclang-rt-22-dev-wasm32
set -eu
cd "$(dirname "$0")"

if [ "${1-}" = --native ]; then
    exec cc -std=c11 -O2 -Wall -Wextra -o "$2" tally.c
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# -s drops the names of functions and the record of the tools; the prefix map keeps this directory's name out.
clang-22 --target=wasm32-wasi -std=c11 -O2 -s -Wall -Wextra -Wno-deprecated "-ffile-prefix-map=$PWD=." \
    -o "$work/tally.wasm" tally.c

if [ "${1-}" = --update ]; then
    install -m 644 "$work/tally.wasm" submission/tally.wasm
    sha256sum submission/tally.wasm > tally.wasm.sha256
fi
sha256sum --check tally.wasm.sha256
if cmp "$work/tally.wasm" submission/tally.wasm; then
    echo 'the committed module is what this source and this compiler give'
else
    echo 'this compiler gives another module: other versions of the packages named above?' >&2
    exit 1
fi
