#!/bin/sh
# Closes its standard output and runs on: the end of a stream is not the end of the command.
echo before
exec >&-
sleep 0.1
exit 3
