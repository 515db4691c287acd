# What is not a number is near to nothing.
print("nan")
