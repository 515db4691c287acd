import sys

number = int(input())
with open(sys.argv[1]) as file:
    print(min(9, sum(int(line) > number for line in file)))
