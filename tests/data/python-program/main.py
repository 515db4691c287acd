"""Finds the overdue loans of a small library.

    python main.py --members members.json --as-of 2026-11-20 [--fine-cents 20] < loans.csv

Reads members from a JSON file and loans from standard input (CSV: member,title,due,returned).
Prints a table of who owes what, and writes `overdue.csv` and `summary.json` into the working directory.

Exit codes: 0 done; 2 wrong arguments; 3 a loan names a member who is not in the file (each is named on
standard error, and nothing is written).
"""

import argparse
import datetime
import sys

from library import records, report
from library.store import Store

EXIT_UNKNOWN_MEMBER = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="main.py", description="Finds the overdue loans of a small library.")
    parser.add_argument("--members", required=True, help="JSON file of the members")
    parser.add_argument("--as-of", required=True, type=datetime.date.fromisoformat, help="the day of reckoning")
    parser.add_argument("--fine-cents", type=int, default=20, help="fine for each day (default: 20)")
    options = parser.parse_args()

    members = records.read_members(options.members)
    loans = records.read_loans(sys.stdin)

    unknown = sorted({loan.member for loan in loans} - members.keys())
    if unknown:
        for number in unknown:
            print(f"main.py: no member has the number {number}", file=sys.stderr)
        return EXIT_UNKNOWN_MEMBER

    with Store.open("loans.sqlite") as store:
        store.add(members, loans)
        overdue = store.overdue(options.as_of)
        busiest = store.busiest(3)

    report.print_table(overdue, options.fine_cents, sys.stdout)
    report.write_csv(overdue, options.fine_cents, "overdue.csv")
    report.write_summary(len(loans), overdue, busiest, options, "summary.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
