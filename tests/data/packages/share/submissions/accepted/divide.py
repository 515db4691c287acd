import sys

number, parts = int(input()), int(sys.argv[1])
print(number / parts)
