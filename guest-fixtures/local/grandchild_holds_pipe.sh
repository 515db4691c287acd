#!/bin/sh
# Leaves a process behind that holds its standard output open for an hour: the result does not wait for it.
sleep 3600 &
echo done
