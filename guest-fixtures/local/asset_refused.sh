#!/bin/sh
# Tries to change the asset whose path is its first argument, in five ways, and says how each went.
# Only the copy that this session was given can come to harm; the original was never handed out.
new=$(dirname "$1")/new
try() {
    name=$1
    shift
    if "$@" 2>/dev/null; then echo "$name    done"; else echo "$name refused"; fi
}
try write sh -c 'printf x 1<>"$0"' "$1"
try trunc sh -c ': > "$0"' "$1"
try creat sh -c ': > "$0"' "$new"
try renam mv -f "$1" "$new"
try unlnk rm "$1"
