#!/usr/bin/env python3
"""Prints a text with characters of two, three and four bytes, one byte a write."""
import os

for byte in "é☃𝄞\n".encode():
    os.write(1, bytes([byte]))
