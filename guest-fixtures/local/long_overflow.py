# Adds one to 2147483647 in the type that C calls `long` and prints the sum's sign.
import ctypes

print("negative" if ctypes.c_long(2147483647 + 1).value < 0 else "positive")
