"""Reads a count."""


def count_of(output, bare):
    words = output.split()
    if not words or (bare and len(words) > 1) or not words[-1].isascii() or not words[-1].isdigit():
        return None
    return int(words[-1][:9])
