"""Where each figure comes from."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from origin import Refused, require_committed, require_passed

# What the preset dev builds, and is run for its figures.
HISTORIES = "sojourn_linearizability_tests"
FAULTS = "sojourn_fault_tests"
TESTS = [HISTORIES, FAULTS]

# How it is built, which is as much of a figure as what is built.
BUILDING = ["cmake", "CMakeLists.txt", "CMakePresets.json"]


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


def text_of(root: Path, path: str, *sources: str) -> str:
    """A result of a run that has passed, of the library and these sources beside it."""
    result = root / "build" / path
    require_passed(result, root, ["src", *BUILDING, *sources])
    return result.read_text(encoding="utf-8")


def loaded(root: Path, path: str, *sources: str) -> Any:
    return json.loads(text_of(root, path, *sources))


def counts(name: str, text: str) -> dict[str, int]:
    """The sums of "name: a=1 b=2" over all lines that begin so."""
    sums: dict[str, int] = {}
    for line in re.findall(rf"^{name}: (.*)$", text, re.MULTILINE):
        for key, number in re.findall(r"(\w+)=(\d+)", line):
            sums[key] = sums.get(key, 0) + int(number)
    return sums


def printed_by(root: Path, program: str, *tests: str) -> str:
    """What tests print that pass."""
    require_committed(root, ["src", *BUILDING, "tests"])
    return subprocess.run([root / "build/dev/tests" / program, *tests], check=True, capture_output=True, text=True,
                          timeout=600).stdout


def simulation(root: Path) -> str:
    sums = loaded(root, "sim/simulation.json", "tests/sim")
    years = sums["simulated_seconds"] / (365 * 86_400)
    return (f"{sums['seeds']:,} seeds, {sums['operations']:,} operations on {sums['sessions']:,} sessions, "
            f"{sums['steps']:,} steps in the order of the seed, {sums['interruptions']:,} of them in the middle of another, "
            f"{sums['cancellations']:,} cancellations, {years:,.0f} simulated years")


def interleavings(root: Path) -> str:
    sums = counts("exhaustive: [^:]*", text_of(root, "sim/exhaustive.txt", "tests/sim"))
    return f"{sums['interleavings']:,} interleavings of {sums['scenarios']:,} scenarios of two or three operations"


def histories(root: Path) -> str:
    sums = counts("linearizability", printed_by(root, HISTORIES, "*what clients do*"))
    return f"{sums['histories']:,} histories of {sums['operations']:,} operations, recorded from threads"


def faults(root: Path) -> str:
    sums = counts("faults", printed_by(root, FAULTS))
    return (f"{sums['allocation_points']:,} allocations failed in {sums['operations']:,} operations, "
            f"{sums['spared']:,} spared that Asio does not survive, "
            f"{sums['exceptions']:,} exceptions from {sums['callbacks']:,} callbacks, {sums['clock_jumps']:,} jumps of the clock")


def fuzzing(root: Path) -> str:
    summary = loaded(root, "fuzz/summary.json", "tests/fuzz", "examples")
    for target in summary["targets"]:
        if target["findings"] or target["fault"]:
            raise Refused(f"{target['target']} has found something: {target['fault'] or target['findings'][0]}")
    executions = sum(target["executions"] for target in summary["targets"])
    return f"{executions:,} executions of {len(summary['targets'])} targets, {summary['seconds']} s each"


def mutants(root: Path) -> str:
    summary = loaded(root, "mutants/summary.json", "tests")
    return f"{summary['caught']} of {summary['mutants']} caught"


def percent(share: dict[str, int]) -> str:
    """Rounded down, as `./dev coverage` does: what is shown as a target has met it."""
    tenths = 1000 * share["covered"] // share["total"] if share["total"] else 1000
    return f"{tenths // 10}.{tenths % 10} %"


def coverage(root: Path) -> str:
    folders = loaded(root, "coverage/summary.json", "tests")["folders"]
    return "; ".join(f"{name} {percent(shares['lines'])} of lines, {percent(shares['branches'])} of branches"
                     for name, shares in folders.items())


def soak(root: Path) -> str:
    summary = loaded(root, "soak/summary.json", "tests/soak", "bench")
    if summary["faults"]:
        raise Refused(summary["faults"][0])
    if not summary["plateau"]:
        raise Refused("it was too short to be judged for growth")
    growing = [name for name, found in summary["plateau"].items() if not found["holds"]]
    if growing:
        raise Refused(f"{', '.join(growing)} still grew")
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
        except Refused as refusal:
            found.append(Missing(what, str(refusal), command))
        except (OSError, KeyError, ValueError, TypeError, subprocess.SubprocessError) as error:
            found.append(Missing(what, f"{type(error).__name__}: {error}", command))
    return found
