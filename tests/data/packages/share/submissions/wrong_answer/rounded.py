import sys

number, parts = int(input()), int(sys.argv[1])
print(f"{number / parts:.7f}")
