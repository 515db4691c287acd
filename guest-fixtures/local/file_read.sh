#!/bin/sh
# Prints the file `in.txt` of its working directory.
exec cat in.txt
