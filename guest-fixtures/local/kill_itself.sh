#!/bin/sh
# Sends itself the signal that also ends a command which is over its memory limit: nobody else did it here.
kill -KILL $$
