"""What is written: a table for people, a CSV file and a JSON file for programs."""

import argparse
import csv
import json
import statistics
from typing import TextIO

from .store import Overdue


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def print_table(overdue: list[Overdue], fine_cents: int, out: TextIO) -> None:
    """Prints one line a book and the total."""
    for entry in overdue:
        state = "out" if entry.out else "back"
        print(f"{entry.name:<20} {entry.title:<34} {entry.days:>4} d {state:<4} {_money(entry.days * fine_cents):>7}", file=out)
    total = sum(entry.days for entry in overdue) * fine_cents
    print(f"{len(overdue)} overdue, {_money(total)} in all", file=out)


def write_csv(overdue: list[Overdue], fine_cents: int, path: str) -> None:
    """Writes one row a book."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["member", "name", "title", "days", "fine_cents"])
        for entry in overdue:
            writer.writerow([entry.member, entry.name, entry.title, entry.days, entry.days * fine_cents])


def write_summary(
    loans: int, overdue: list[Overdue], busiest: list[tuple[str, int]], options: argparse.Namespace, path: str
) -> None:
    """Writes the figures."""
    days = [entry.days for entry in overdue]
    summary = {
        "as_of": options.as_of.isoformat(),
        "loans": loans,
        "overdue": len(overdue),
        "still_out": sum(entry.out for entry in overdue),
        "fine_cents": sum(days) * options.fine_cents,
        "mean_days": round(statistics.fmean(days), 2) if days else None,
        "median_days": statistics.median(days) if days else None,
        "busiest": [{"name": name, "loans": count} for name, count in busiest],
    }
    with open(path, "w", encoding="utf-8") as file:
        json.dump(summary, file, ensure_ascii=False, indent=2)
        file.write("\n")
