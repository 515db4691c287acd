#!/bin/sh
# Prints 65,536 numbered lines of 16 bytes, 1 MiB in all: what is cut out of it can be told to the byte.
exec seq -f 'line %09.0f.' 1 65536
