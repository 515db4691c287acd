import re
import sys

text = sys.stdin.read()
if not re.fullmatch(r"[1-9][0-9]*\n", text) or not 4 <= int(text) <= 10**9:
    sys.exit(43)
sys.exit(42)
