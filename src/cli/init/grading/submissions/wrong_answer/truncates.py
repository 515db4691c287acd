import sys

numbers = [int(word) for word in sys.stdin.read().split()]
if not numbers:
    sys.exit(2)
print(sum(numbers) // len(numbers))
