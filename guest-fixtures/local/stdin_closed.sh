#!/bin/sh
# Reads a standard input that was not given: it meets its end at once.
if read -r line; then
    echo "read: $line"
else
    echo 'end of file'
fi
