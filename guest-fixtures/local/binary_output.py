#!/usr/bin/env python3
"""Prints all 256 bytes once, in order: no valid UTF-8, and it arrives as it is."""
import sys

sys.stdout.buffer.write(bytes(range(256)))
