#!/bin/sh
# Ignores the polite signal, as its children do: the one that cannot be ignored follows.
trap '' TERM
while :; do sleep 1; done
