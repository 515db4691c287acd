#!/bin/sh
# Prints one line and exits 0.
echo hello
