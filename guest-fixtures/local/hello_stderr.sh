#!/bin/sh
# Prints one line on standard error and nothing on standard output.
echo hello >&2
