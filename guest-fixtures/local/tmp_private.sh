#!/bin/sh
# Finds $TMPDIR empty, writes a file there and reads it back.
set -e
[ -z "$(ls -A "$TMPDIR")" ]
echo private > "$TMPDIR/trace.txt"
cat "$TMPDIR/trace.txt"
