#!/bin/sh
# Exits with the code that its first argument gives.
exit "$1"
