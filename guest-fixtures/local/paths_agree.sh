#!/bin/sh
# Writes through a relative path and reads the same file through an absolute one.
echo 'one file' > note.txt
cat "$PWD/note.txt"
