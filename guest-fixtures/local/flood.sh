#!/bin/sh
# Prints for ever, on the stream that its first argument names: `stdout` or `stderr`.
line=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
if [ "$1" = stderr ]; then exec yes "$line" >&2; fi
exec yes "$line"
