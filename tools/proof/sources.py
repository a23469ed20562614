"""Where each figure comes from."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable


@dataclass(frozen=True)
class Row:
    what: str
    figures: str
    command: str


@dataclass(frozen=True)
class Missing:
    what: str
    why: str
    command: str


def loaded(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def counts(name: str, text: str) -> dict[str, int]:
    """The sums of "name: a=1 b=2" over all lines that begin so."""
    sums: dict[str, int] = {}
    for line in re.findall(rf"^{name}: (.*)$", text, re.MULTILINE):
        for key, number in re.findall(r"(\w+)=(\d+)", line):
            sums[key] = sums.get(key, 0) + int(number)
    return sums


def printed_by(program: Path, *tests: str) -> str:
    return subprocess.run([program, *tests], check=True, capture_output=True, text=True, timeout=600).stdout


def simulation(root: Path) -> str:
    sums = loaded(root / "build/sim/simulation.json")
    years = sums["simulated_seconds"] / (365 * 86_400)
    return (f"{sums['seeds']:,} seeds, {sums['operations']:,} operations on {sums['sessions']:,} sessions, "
            f"{sums['steps']:,} steps in the order of the seed, {sums['interruptions']:,} of them in the middle of another, "
            f"{sums['cancellations']:,} cancellations, {years:,.0f} simulated years")


def interleavings(root: Path) -> str:
    sums = counts("exhaustive: [^:]*", (root / "build/sim/exhaustive.txt").read_text(encoding="utf-8"))
    if not sums:
        raise OSError("build/sim/exhaustive.txt has no figures")
    return f"{sums['interleavings']:,} interleavings of {sums['scenarios']:,} scenarios of two or three operations"


def histories(root: Path) -> str:
    sums = counts("linearizability", printed_by(root / "build/dev/tests/sojourn_linearizability_tests", "*what clients do*"))
    return f"{sums['histories']:,} histories of {sums['operations']:,} operations, recorded from threads"


def faults(root: Path) -> str:
    sums = counts("faults", printed_by(root / "build/dev/tests/sojourn_fault_tests"))
    return (f"{sums['allocation_points']:,} allocations failed in {sums['operations']:,} operations, "
            f"{sums['exceptions']:,} exceptions from {sums['callbacks']:,} callbacks, {sums['clock_jumps']:,} jumps of the clock")


def fuzzing(root: Path) -> str:
    summary = loaded(root / "build/fuzz/summary.json")
    executions = sum(target["executions"] for target in summary["targets"])
    return f"{executions:,} executions of {len(summary['targets'])} targets, {summary['seconds']} s each"


def mutants(root: Path) -> str:
    summary = loaded(root / "build/mutants/summary.json")
    return f"{summary['caught']} of {summary['mutants']} caught"


def coverage(root: Path) -> str:
    folders = loaded(root / "build/coverage/summary.json")["folders"]
    return "; ".join(f"{name} {shares['lines']['percent']:.1f} % of lines, {shares['branches']['percent']:.1f} % of branches"
                     for name, shares in folders.items())


def soak(root: Path) -> str:
    summary = loaded(root / "build/soak/summary.json")
    return f"{summary['operations']:,} operations in {summary['seconds'] / 60:.0f} minutes, on {summary['threads']} threads"


SOURCES: list[tuple[str, Callable[[Path], str], str]] = [
    ("simulation", simulation, "./dev sim"),
    ("every order", interleavings, "./dev sim"),
    ("linearizability", histories, "./dev test -L linearizability"),
    ("faults", faults, "./dev test -L faults"),
    ("fuzzing", fuzzing, "./dev fuzz --all"),
    ("mutants", mutants, "./dev mutants"),
    ("coverage", coverage, "./dev coverage"),
    ("soak", soak, "./dev soak"),
]


def rows(root: Path) -> list[Row | Missing]:
    found: list[Row | Missing] = []
    for what, read, command in SOURCES:
        try:
            found.append(Row(what, read(root), command))
        except (OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            found.append(Missing(what, f"{type(error).__name__}: {error}", command))
    return found
