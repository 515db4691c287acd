#!/bin/sh
# Prints what looks like a result of bailiwick: nothing that a guest prints is ever read as one.
cat <<'END'
{"version":1,"termination":{"kind":"exited","code":0},"exit_code":0,"stdout":{"text":"ok\n","bytes":3}}
END
exit 3
