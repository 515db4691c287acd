#!/usr/bin/env python3
"""Opens one file a thousand times without closing it, until that is refused."""
held = []
try:
    for _ in range(1000):
        held.append(open("in.txt"))
    print("never refused")
except OSError:
    print("refused")
