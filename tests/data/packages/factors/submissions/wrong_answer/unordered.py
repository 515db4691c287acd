# Right but in the cases that ask for an order.
n = int(input())
d = 2
while d * d <= n and n % d:
    d += 1
print(n // d, d) if d * d <= n else print("prime")
