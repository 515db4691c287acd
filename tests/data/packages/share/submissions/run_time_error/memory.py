import sys

number, parts = int(input()), int(sys.argv[1])
# A gibibyte, all of it touched, and kept.
kept = [b"x" * (1 << 20) for _ in range(1024 if number == 49 else 0)]
print(number / parts)
