#!/bin/sh
# Leaves a process behind in a session of its own, twice removed, that holds no pipe.
# Killing the process group does not reach it. It must be dead when the result is there.
setsid sh -c 'sleep 3600 &' < /dev/null > /dev/null 2>&1
echo done
