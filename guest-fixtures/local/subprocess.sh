#!/bin/sh
# Starts another program and waits for it.
sh -c 'echo child'
echo parent
