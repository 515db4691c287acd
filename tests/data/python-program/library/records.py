"""What is read: members from JSON, loans from CSV."""

import csv
import datetime
import json
from dataclasses import dataclass
from typing import Iterable


@dataclass(frozen=True)
class Loan:
    """One book in one pair of hands."""

    member: str
    title: str
    due: datetime.date
    returned: datetime.date | None


def read_members(path: str) -> dict[str, str]:
    """Gives the name of each member by number."""
    with open(path, encoding="utf-8") as file:
        return {member["number"]: member["name"] for member in json.load(file)}


def read_loans(lines: Iterable[str]) -> list[Loan]:
    """Reads loans; an empty `returned` means that the book is still out."""
    return [
        Loan(row["member"], row["title"], _day(row["due"]), _day(row["returned"]) if row["returned"] else None)
        for row in csv.DictReader(lines)
    ]


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
