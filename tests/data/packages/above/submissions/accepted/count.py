import sys

number = int(input())
with open(sys.argv[1]) as file:
    print(sum(int(line) > number for line in file))
