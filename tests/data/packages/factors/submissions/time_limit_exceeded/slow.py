n = int(input())
# For ever on the largest, right on the others.
while n >= 10**9:
    pass
d = 2
while d * d <= n and n % d:
    d += 1
print(d, n // d) if d * d <= n else print("prime")
