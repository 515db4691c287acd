import os
import sys

if sys.argv[1] == "notes":
    while True:
        pass
if sys.argv[1] == "list":
    while True:
        print("a" * 1000)
if sys.argv[1] == "remove":
    # Half a gibibyte, all of it touched, and kept.
    kept = [b"x" * (1 << 20) for _ in range(512)]
    while True:
        pass
if sys.argv[1] == "say":
    os.abort()
print(6.0)
