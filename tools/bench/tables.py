"""The results in words: for a terminal, and the same cells for a page."""

from measurement import Measurement
from questions import question
from results import Row
from targets import Verdict

HEAD = ["question", "scenario", "threads", "sessions", "ours", "cost", "theirs", "cost", "ratio"]
TARGET_HEAD = ["target", "measured", "bound", ""]


def number(value: float) -> str:
    """Three digits that mean something."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def amount(value: float, unit: str) -> str:
    """Nanoseconds become larger units where they are many."""
    if unit == "ns" and value >= 1e6:
        return f"{number(value / 1e6)} ms"
    if unit == "ns" and value >= 1e4:
        return f"{number(value / 1e3)} us"
    return f"{number(value)} {unit}".rstrip()


def cost(measured: Measurement | None, unit: str) -> str:
    if not measured:
        return "-"
    return f"{amount(measured.figure.median, unit)} ± {measured.figure.spread:.0f} %"


def threads(row: Row) -> str:
    coroutines = row.case.coroutines
    return f"{row.case.threads} x {coroutines}" if coroutines else str(row.case.threads)


def rival(row: Row) -> str:
    if not row.theirs:
        return "-"
    return row.theirs.contestant if row.theirs.case == row.case else row.theirs.name


def further(measured: Measurement | None) -> str:
    """The counters that are not the figure itself."""
    if not measured:
        return "-"
    asked = question(measured.case.question)
    found = [f"{name} {number(value)}" for name, value in measured.counters.items() if name != asked.counter]
    return ", ".join(found) or "-"


def cells(row: Row) -> list[str]:
    return [
        row.case.question,
        row.case.scenario or "-",
        threads(row),
        f"{row.case.sessions:,}",
        row.ours.contestant,
        cost(row.ours, row.unit),
        rival(row),
        cost(row.theirs, row.unit),
        f"{row.ratio:.2f}" if row.ratio is not None else "-",
    ]


def target_cells(verdict: Verdict) -> list[str]:
    target = verdict.target
    sign, bound = ("<=", target.at_most) if target.at_most is not None else (">=", target.at_least or 0)
    value = "-" if verdict.value is None else amount(verdict.value, target.unit)
    return [target.words, value, f"{sign} {amount(bound, target.unit)}", verdict.word]


def plain(head: list[str], lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in [head, *lines])


def markdown(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in rows)
