n, *numbers = map(int, open(0).read().split())
print(round(sum(numbers) / n, 2))
