"""The table, for a terminal and for docs/testing.md."""

import re
from datetime import date
from pathlib import Path

from origin import head
from sources import Row

BEGIN, END = "<!-- figures: ./dev proof --write -->\n", "<!-- /figures -->\n"


class NoPlace(Exception):
    pass


def plain(rows: list[Row]) -> str:
    width = max((len(row.what) for row in rows), default=0)
    return "\n".join(f"{row.what.ljust(width)}  {row.figures}" for row in rows)


def markdown(rows: list[Row]) -> str:
    lines = ["| what | how much | by |", "|---|---|---|"]
    lines += [f"| {row.what} | {row.figures} | `{row.command}` |" for row in rows]
    return "\n".join(lines) + "\n"


def where(root: Path) -> str:
    """Of which sources, and when. Each row is of its own as they are in HEAD."""
    return f"On {date.today().isoformat()}, of the sources of commit {head(root)}:\n"


def replaced(text: str, rows: list[Row], origin: str) -> str:
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise NoPlace(f"docs/testing.md has not one place for the figures, from {BEGIN.strip()} to {END.strip()}")
    return pattern.sub(lambda _: f"{BEGIN}\n{origin}\n{markdown(rows)}\n{END}", text)
