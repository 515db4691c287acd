#!/bin/sh
# Gets the WASI guests of Node.js's own tests, 25 small modules in C, with their sources and their fixture files.
#
#   get.sh DIR         downloads Debian's source of Node.js with apt, checks it, and puts test/wasi into DIR
#   get.sh --license   prints what it comes from and under which licence
#
# Only `test/wasi` and `test/fixtures/wasi` are unpacked, and nothing is run. The archive is the one that Node.js's
# release became in Debian 12; its digest is pinned, whichever revision of the package names it. No list of packages of
# this system is touched: the lists of sources are fetched into a directory of their own and thrown away.
set -eu

archive=nodejs_18.20.4+dfsg.orig.tar.xz
digest=6ce58062c71eae37d9c5ac31eeaeff9c2d48561d21c2849179d056c9c1bd9ebc

license() {
    echo 'WASI tests of Node.js 18.20.4, from the source package nodejs of Debian 12, under the MIT license.'
}

fail() {
    printf 'get.sh: %s\nhint: %s\n' "$1" "$2" >&2
    exit 1
}

case ${1-} in
'' | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
--license) license; exit 0 ;;
esac
target=$1

if [ -f "$target/archive.sha256" ] && [ "$(cat "$target/archive.sha256")" = "$digest" ]; then
    echo "$target is there already" >&2
    exit 0
fi
command -v apt-get >/dev/null || fail 'there is no apt-get' 'run this on Debian 12, or in a container of it'
command -v xz >/dev/null || fail 'there is no xz' 'install the package xz-utils'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/unpacked"

# The mirror is the one that this system uses already; only its lists of sources are asked for.
format='$(ORIGIN) $(COMPONENT) $(CREATED_BY) deb-src $(REPO_URI) $(CODENAME) main'
apt-get indextargets --format "$format" | sed -n 's/^Debian main Packages //p' | sort -u >"$work/sources.list"
[ -s "$work/sources.list" ] ||
    fail 'apt knows no archive of Debian here' 'run `apt-get update` first; on another system use a container of Debian 12'

# Runs apt with the lists, the cache and the sources of this script alone; one that stands still is given up.
apt() {
    (cd "$work" && timeout 300 apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" \
        -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "$@")
}
apt update >&2 || fail 'the lists of sources cannot be had from this mirror of Debian' 'try again later: nothing was kept'
# What counts is the one archive: a mirror that lacks another part of the package is good enough.
apt source --download-only --tar-only nodejs >&2 || true
[ -f "$work/$archive" ] ||
    fail "this mirror of Debian did not give $archive" 'try again later; a new release of Debian needs a new pin here'
echo "$digest  $work/$archive" | sha256sum --check --status ||
    fail "$archive is not the archive with the SHA-256 $digest" 'try again later: the mirror may be broken'

tar -C "$work/unpacked" -xJf "$work/$archive" --no-same-owner --wildcards --strip-components=1 \
    '*/test/wasi/*' '*/test/fixtures/wasi/*'
printf '%s\n' "$digest" >"$work/unpacked/archive.sha256"
mkdir -p "$(dirname "$target")"
# Beside the target first, so that nobody ever sees half of it there.
rm -rf "$target.partial.$$"
cp -R "$work/unpacked" "$target.partial.$$"
rm -rf "$target"
mv "$target.partial.$$" "$target"
license
