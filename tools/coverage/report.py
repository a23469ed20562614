"""The figures of folders and files: for a terminal, and as a summary for whoever reads JSON."""

from typing import Any

from figures import FileCoverage, Outcome, Share, folders
from rules import TARGET, below

HEAD = ["", "lines", "", "branches", ""]


def cells(name: str, lines: Share, branches: Share) -> list[str]:
    # Rounded down: what is printed as the target has met it.
    return [name] + [cell for share in (lines, branches)
                     for cell in (f"{share.covered}/{share.total}", f"{int(10 * share.percent) / 10:.1f} %")]


def plain(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.rjust(width) if column else cell.ljust(width)
                               for column, (cell, width) in enumerate(zip(line, widths))).rstrip() for line in lines)


def ranges(numbers: list[int]) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ", ".join("-".join(map(str, run)) for run in runs)


def words(outcome: Outcome) -> str:
    return f"{outcome.line}:{outcome.column} never {str(outcome.value).lower()}"


def missed(file: FileCoverage) -> str:
    """Every place of the file that no test has run."""
    found = [f"lines {ranges(file.missed_lines)}"] if file.missed_lines else []
    found += [words(outcome) for outcome in file.missed_outcomes]
    return "\n".join(f"  {file.path}: {what}" for what in found)


def tables(files: list[FileCoverage]) -> str:
    """All folders, and the files that are below the target."""
    text = plain([HEAD, *(cells(folder.name, folder.lines, folder.branches) for folder in folders(files))])
    worse = below(files)
    if worse:
        rows = [cells(file.path, file.line_share, file.branch_share) for file in worse]
        text += f"\n\nFiles with less than {TARGET}:\n\n" + plain([HEAD, *rows])
    return text


def summary(files: list[FileCoverage]) -> dict[str, Any]:
    def figures(lines: Share, branches: Share) -> dict[str, Any]:
        return {name: {"covered": share.covered, "total": share.total, "percent": round(share.percent, 2)}
                for name, share in (("lines", lines), ("branches", branches))}

    return {
        "folders": {folder.name: figures(folder.lines, folder.branches) for folder in folders(files)},
        "files": {file.path: figures(file.line_share, file.branch_share)
                  | {"missed_lines": file.missed_lines, "missed_branches": list(map(words, file.missed_outcomes))}
                  for file in files},
    }
