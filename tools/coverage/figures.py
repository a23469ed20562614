"""Which lines and branches have run, read from what llvm-cov exports.

llvm-cov's own summary counts a template as well covered as the best of its instantiations. Here an outcome of a
condition has run if it has in any of them, and is counted once.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Iterable


class BadExport(Exception):
    """What llvm-cov wrote is not what we know."""


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    covered: int = 0
    total: int = 0

    def __add__(self, other: "Share") -> "Share":
        return Share(self.covered + other.covered, self.total + other.total)

    @property
    def percent(self) -> float:
        return 100 * self.covered / self.total if self.total else 100.0


@dataclass(frozen=True, order=True)
class Outcome:
    """One way a condition may go, at its place in a file."""

    line: int
    column: int
    value: bool


@dataclass
class FileCoverage:
    """One file: for each line with code, and each outcome of a condition, whether it has run."""

    path: str
    lines: dict[int, bool] = field(default_factory=dict)
    outcomes: dict[Outcome, bool] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The first part of its path, "." for a file that is in none."""
        parts = PurePosixPath(self.path).parts
        return parts[0] if len(parts) > 1 else "."

    @property
    def line_share(self) -> Share:
        return Share(sum(self.lines.values()), len(self.lines))

    @property
    def branch_share(self) -> Share:
        return Share(sum(self.outcomes.values()), len(self.outcomes))

    @property
    def missed_lines(self) -> list[int]:
        return sorted(line for line, has_run in self.lines.items() if not has_run)

    @property
    def missed_outcomes(self) -> list[Outcome]:
        return sorted(outcome for outcome, has_run in self.outcomes.items() if not has_run)


@dataclass(frozen=True)
class Folder:
    """The sum of its files."""

    name: str
    lines: Share = Share()
    branches: Share = Share()


def folders(files: Iterable[FileCoverage]) -> list[Folder]:
    """All of them, in order."""
    sums: dict[str, Folder] = {}
    for file in files:
        before = sums.get(file.folder, Folder(file.folder))
        sums[file.folder] = Folder(file.folder, before.lines + file.line_share, before.branches + file.branch_share)
    return [sums[name] for name in sorted(sums)]


def read_lines(lcov: str) -> dict[str, dict[int, bool]]:
    """The lines of each file, from the tracefile, in which llvm-cov has already joined the instantiations."""
    files: dict[str, dict[int, bool]] = {}
    lines: dict[int, bool] = {}
    for record in lcov.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            lines = files.setdefault(value, {})
        elif kind == "DA":
            line, count = value.split(",")[:2]
            lines[int(line)] = int(count) > 0
    return files


def read_outcomes(functions: Iterable[dict[str, Any]]) -> dict[str, dict[Outcome, bool]]:
    """The outcomes of each file's conditions, from the functions of the JSON export.

    Those of a constant condition (`if constexpr`, `while (true)`) are not among them.
    """
    files: dict[str, dict[Outcome, bool]] = defaultdict(dict)
    for function in functions:
        body = function["regions"][0][:4]
        for line, column, *end, taken, not_taken, file, _, _ in function["branches"]:
            if [line, column, *end] == body:
                # In a comparison that is `= default`; clang 19 counts as if it were never false.
                continue
            outcomes = files[function["filenames"][file]]
            for value, count in ((True, taken), (False, not_taken)):
                outcome = Outcome(line, column, value)
                outcomes[outcome] = outcomes.get(outcome, False) or count > 0
    return files


def read(lcov: str, exported: str, root: Path) -> list[FileCoverage]:
    """All files below `root`, by their paths in it, in order."""
    try:
        functions = json.loads(exported)["data"][0]["functions"]
        lines, outcomes = read_lines(lcov), read_outcomes(functions)
    except (ValueError, LookupError, TypeError) as error:
        raise BadExport(f"llvm-cov's export cannot be read: {error!r}") from error
    prefix = f"{root}/"
    found = [FileCoverage(path.removeprefix(prefix), lines[path], outcomes.get(path, {}))
             for path in sorted(lines) if path.startswith(prefix)]
    # A file of the library that no program has linked would not be in the export, and look as if it were not there.
    unseen = {path.relative_to(root).as_posix() for path in root.rglob("*.cpp")} - {file.path for file in found}
    if unseen or not found:
        raise BadExport(f"no test program has linked {', '.join(sorted(unseen)) or root}")
    return found
