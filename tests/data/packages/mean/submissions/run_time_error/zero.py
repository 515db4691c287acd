n, *numbers = map(int, open(0).read().split())
print(n / sum(numbers) * 0 + sum(numbers) / n)
