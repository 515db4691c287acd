#!/bin/sh
# Copies standard input to standard output, byte for byte.
exec cat
