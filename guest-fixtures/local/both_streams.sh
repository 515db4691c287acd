#!/bin/sh
# Prints on both streams in turn. Order is promised within a stream, not between the two.
echo 'out 1'
echo 'err 1' >&2
echo 'out 2'
echo 'err 2' >&2
