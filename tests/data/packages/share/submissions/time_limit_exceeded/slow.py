import sys

number, parts = int(input()), int(sys.argv[1])
# For ever on the largest, right on the others.
while number >= 10**6:
    pass
print(number / parts)
