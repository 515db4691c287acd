"""Accepts any two factors: validate.py INPUT ANSWER FEEDBACK_DIR [no_ones] [ordered] < OUTPUT."""

import re
import sys

ACCEPT, REJECT = 42, 43


def judge(number, has_factors, output, flags):
    words = output.split()
    if not has_factors:
        return None if words == ["prime"] else "there are no factors"
    # Bounded, since whoever wrote the output may want a number of a million digits to be read.
    if len(words) != 2 or not all(re.fullmatch("[0-9]{1,10}", word) for word in words):
        return "two whole numbers were expected"
    first, second = map(int, words)
    if first * second != number:
        return f"{first} * {second} is not {number}"
    if "no_ones" in flags and 1 in (first, second):
        return "one is no factor here"
    if "ordered" in flags and first > second:
        return "the smaller factor comes first here"
    return None


def main():
    _, given, answer, feedback, *flags = sys.argv
    with open(given) as file:
        number = int(file.read())
    with open(answer) as file:
        has_factors = file.read().split() != ["prime"]
    output = sys.stdin.buffer.read(4096).decode("utf-8", "replace")
    why = judge(number, has_factors, output, flags)
    if why is None:
        sys.exit(ACCEPT)
    with open(feedback + "judgemessage.txt", "w") as file:
        file.write(why + "\n")
    sys.exit(REJECT)


main()
