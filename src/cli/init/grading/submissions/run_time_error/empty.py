import sys

if sys.stdin.readline().split()[1:]:
    raise ValueError("more than one number")
