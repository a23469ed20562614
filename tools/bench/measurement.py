"""What one benchmark measured: medians over its repetitions, and how far they spread."""

import statistics
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Iterator, Sequence

from questions import question

# What Google Benchmark itself writes of a run; every other number is a counter of ours.
NOT_COUNTERS = {
    "cpu_time", "family_index", "items_per_second", "iterations", "per_family_instance_index", "real_time",
    "repetition_index", "repetitions", "threads",
}  # fmt: skip
ARGUMENTS = ("sessions", "threads", "coroutines")
# What Google Benchmark appends to a name by itself.
HOW_TIMED = {"manual_time", "real_time", "process_time", "iterations", "min_time", "repeats"}


class BadResult(Exception):
    """A result that nothing should be reported from."""


@dataclass(frozen=True, order=True)
class Case:
    """What must be equal where contestants are compared."""

    question: str
    scenario: str
    sessions: int
    threads: int
    coroutines: int | None = None


@dataclass(frozen=True)
class Sample:
    """The median, and the interquartile range in percent of it."""

    median: float
    spread: float

    @staticmethod
    def of(values: Sequence[float]) -> "Sample":
        median = statistics.median(values)
        if len(values) < 2 or median == 0:
            return Sample(median, 0.0)
        first, _, third = statistics.quantiles(values, n=4, method="inclusive")
        return Sample(median, 100 * (third - first) / median)


@dataclass(frozen=True)
class Measurement:
    case: Case
    contestant: str
    figure: Sample
    counters: dict[str, float]

    @property
    def name(self) -> str:
        return f"{self.contestant} {self.case.scenario}".strip()

    @property
    def is_ours(self) -> bool:
        return is_ours(self.contestant)


def is_ours(contestant: str) -> bool:
    return contestant.startswith("sojourn")


def parse_name(name: str) -> tuple[Case, str]:
    """QUESTION/CONTESTANT[/SCENARIO]/sessions:N/threads:N[/coroutines:N] in its parts."""
    asked, _, rest = name.partition("/")
    contestant, *parts = rest.split("/")
    arguments: dict[str, int] = {}
    scenario = []
    for part in parts:
        key, _, value = part.partition(":")
        if key in ARGUMENTS and value.isdecimal():
            arguments[key] = int(value)
        elif key not in HOW_TIMED:
            scenario.append(part)
    if not contestant or not {"sessions", "threads"} <= arguments.keys():
        raise BadResult(f"'{name}' is not QUESTION/CONTESTANT[/SCENARIO]/sessions:N/threads:N[/coroutines:N]")
    return Case(asked, "/".join(scenario), **arguments), contestant


def figure(case: Case, run: dict[str, Any]) -> float:
    """The one number that answers the question, of one repetition."""
    asked = question(case.question)
    needed = asked.counter or "items_per_second"
    # Nothing may be an answer, but not to the question what something costs.
    if run.get(needed) is None or (not asked.counter and not run[needed]):
        raise BadResult(f"{run['name']} says no {needed}")
    return run[needed] * asked.factor if asked.counter else 1e9 / run[needed]


def measurements(results: dict[str, Any]) -> Iterator[Measurement]:
    """The medians of what Google Benchmark wrote."""
    repetitions = defaultdict(list)
    for run in results["benchmarks"]:
        if run.get("error_occurred"):
            raise BadResult(f"{run['name']} failed: {run.get('error_message')}")
        if run.get("run_type") != "aggregate":
            repetitions[run["name"]].append(run)
    for name, runs in repetitions.items():
        case, contestant = parse_name(name)
        counters = {
            key: statistics.median(run[key] for run in runs)
            for key, value in runs[0].items()
            if key not in NOT_COUNTERS and isinstance(value, (int, float)) and not isinstance(value, bool)
        }
        yield Measurement(case, contestant, Sample.of([figure(case, run) for run in runs]), counters)
