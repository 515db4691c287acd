#!/usr/bin/env python3
"""Prints 1 MiB by a single call, more than its limit allows."""
import os

os.write(1, b"x" * (1 << 20))
