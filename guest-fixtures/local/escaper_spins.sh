#!/bin/sh
# As `escaper.sh`, but loops for ever afterwards: the wall limit must end both.
setsid sh -c 'sleep 3600 &' < /dev/null > /dev/null 2>&1
echo started
while :; do :; done
