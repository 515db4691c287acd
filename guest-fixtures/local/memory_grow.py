#!/usr/bin/env python3
"""Takes memory and touches all of it, at most 512 MiB, then holds it for ten seconds so that a sampler can see it.

A limit on resident memory refuses nothing: what goes over it is ended, whatever the first argument wishes.
"""
import time

held = []
for _ in range(512):
    held.append(b"x" * (1 << 20))
    time.sleep(0.002)
time.sleep(10)
raise SystemExit("nobody ended this")
