"""Accepts the count, in digits or, unless told `no_words`, behind words: INPUT ANSWER FEEDBACK_DIR [no_words]."""

import sys

from count import count_of


def main():
    _, _, answer, feedback, *flags = sys.argv
    with open(answer) as file:
        wanted = int(file.read())
    got = count_of(sys.stdin.buffer.read(4096).decode("utf-8", "replace"), "no_words" in flags)
    if got == wanted:
        sys.exit(42)
    with open(feedback + "judgemessage.txt", "w") as file:
        file.write(f"{wanted} was expected\n")
    sys.exit(43)


main()
