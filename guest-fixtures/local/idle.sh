#!/bin/sh
# Prints one line and then nothing for an hour: the time since the last output is what ends it.
echo started
sleep 3600
