import sys

words = sys.stdin.read().split()
count, numbers = int(words[0]), [int(word) for word in words[1:]]
sys.exit(42 if count == len(numbers) >= 1 and all(abs(n) <= 10**9 for n in numbers) else 43)
