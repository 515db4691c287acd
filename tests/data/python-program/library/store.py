"""The loans as tables, so that the questions can be asked in SQL."""

import contextlib
import datetime
import os
import sqlite3
from dataclasses import dataclass
from typing import Iterator

from .records import Loan

SCHEMA = """
CREATE TABLE member (number TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE loan (
    member TEXT NOT NULL REFERENCES member, title TEXT NOT NULL, due TEXT NOT NULL, returned TEXT
);
"""


@dataclass(frozen=True)
class Overdue:
    """A book that came back too late or is still out."""

    member: str
    name: str
    title: str
    days: int
    out: bool


class Store:
    """A database that lives in a file for as long as it is needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: str) -> Iterator["Store"]:
        """Makes the file, and removes it afterwards."""
        connection = sqlite3.connect(path)
        try:
            connection.executescript(SCHEMA)
            yield cls(connection)
        finally:
            connection.close()
            os.remove(path)

    def add(self, members: dict[str, str], loans: list[Loan]) -> None:
        """Fills the tables in one transaction."""
        with self._connection as connection:
            connection.executemany("INSERT INTO member VALUES (?, ?)", sorted(members.items()))
            connection.executemany(
                "INSERT INTO loan VALUES (?, ?, ?, ?)",
                [
                    (loan.member, loan.title, loan.due.isoformat(), loan.returned and loan.returned.isoformat())
                    for loan in loans
                ],
            )

    def overdue(self, day: datetime.date) -> list[Overdue]:
        """Gives what is late on that day, the longest first."""
        rows = self._connection.execute(
            """
            SELECT number, name, title,
                   CAST(julianday(min(coalesce(returned, :day), :day)) - julianday(due) AS INTEGER) AS days,
                   returned IS NULL
            FROM loan JOIN member ON member.number = loan.member
            WHERE days > 0 ORDER BY days DESC, number, title
            """,
            {"day": day.isoformat()},
        )
        return [Overdue(number, name, title, days, bool(out)) for number, name, title, days, out in rows]

    def busiest(self, count: int) -> list[tuple[str, int]]:
        """Gives the members with the most loans."""
        rows = self._connection.execute(
            """
            SELECT name, count(*) AS loans FROM loan JOIN member ON member.number = loan.member
            GROUP BY number ORDER BY loans DESC, name LIMIT ?
            """,
            (count,),
        )
        return list(rows)
