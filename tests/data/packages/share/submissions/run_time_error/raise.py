import sys

number, parts = int(input()), int(sys.argv[1])
if number == 49:
    raise ValueError("no squares, please")
print(number / parts)
