import sys

number = int(input())
# For ever on the largest, right on the others.
while number >= 10**6:
    pass
with open(sys.argv[1]) as file:
    print(sum(int(line) > number for line in file))
