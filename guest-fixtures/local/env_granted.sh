#!/bin/sh
# Prints each variable whose name begins with `GRANTED_`, with its value, one a line.
tr '\0' '\n' < /proc/$$/environ | grep '^GRANTED_'
