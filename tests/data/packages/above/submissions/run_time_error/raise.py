import sys

number = int(input())
if number == 49:
    raise ValueError("no squares, please")
with open(sys.argv[1]) as file:
    print(sum(int(line) > number for line in file))
