import sys

numbers = [float(word) for word in sys.stdin.read().split()]
if not numbers:
    sys.exit(2)
print(f"{sum(numbers) / len(numbers):.2f}")
