#!/bin/sh
# Prints the asset whose path is its first argument: `{{static:table}}` becomes a path of the host.
exec cat "$1"
