#!/bin/sh
# Prints the name of each variable that the shell was started with; `env` would add what the shell itself sets.
tr '\0' '\n' < /proc/$$/environ | cut -d= -f1
