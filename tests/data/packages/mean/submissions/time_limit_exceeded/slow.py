n, *numbers = map(int, open(0).read().split())
while n == 4:
    pass
print(sum(numbers) / n)
