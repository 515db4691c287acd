#!/bin/sh
# Makes a file, a directory and a file in it; renames one file and removes another.
set -e
echo written > out.txt
mkdir made
echo written > made/inner.txt
echo written > old.txt
mv old.txt new.txt
echo written > gone.txt
rm gone.txt
