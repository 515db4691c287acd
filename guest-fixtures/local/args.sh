#!/bin/sh
# Prints each argument in square brackets, one a line, so that empty ones and blanks show.
for arg in "$@"; do
    printf '[%s]\n' "$arg"
done
