"""Starts the benchmarks: one process for a question and a number of sessions, so that the large tables of one are gone
before the next begins; inside it, repetitions are interleaved in random order."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from measurement import BadResult, Measurement, measurements, parse_name

LARGE = 1_000_000
LIMIT_SECONDS = 900


@dataclass(frozen=True)
class Effort:
    repetitions: int
    repetitions_if_large: int
    min_seconds: float
    max_sessions: int

    def repetitions_for(self, sessions: int) -> int:
        return self.repetitions_if_large if sessions >= LARGE else self.repetitions

    def __str__(self) -> str:
        return (f"{self.repetitions} repetitions of at least {self.min_seconds:g} s each, "
                f"{self.repetitions_if_large} from {LARGE:,} sessions on")


FULL = Effort(repetitions=9, repetitions_if_large=3, min_seconds=0.1, max_sessions=10_000_000)
QUICK = Effort(repetitions=5, repetitions_if_large=5, min_seconds=0.05, max_sessions=100_000)


@dataclass(frozen=True)
class Batch:
    """What one process measures."""

    question: str
    sessions: int

    @property
    def filter(self) -> str:
        return f"^{self.question}/.*/sessions:{self.sessions}/"


def require_release(context: dict[str, Any]) -> None:
    """Refuses figures that would mean nothing. (`library_build_type` tells of Google Benchmark's own build.)"""
    kind = context.get("sojourn_build", "unknown")
    if kind != "release":
        raise BadResult(f"these figures are void: the build is of type '{kind}'. Build the preset release")


def run(binary: Path, *options: str, limit_seconds: float = LIMIT_SECONDS) -> str:
    # Without the permission to measure a debug build, which then refuses by itself.
    environment = {name: value for name, value in os.environ.items() if name != "SOJOURN_BENCH_ANYWAY"}
    try:
        ended = subprocess.run([binary, *options], env=environment, capture_output=True, text=True, check=False,
                               timeout=limit_seconds)
    except subprocess.TimeoutExpired as expired:
        raise BadResult(f"{binary.name} {' '.join(options)} took longer than {limit_seconds:g} s") from expired
    if ended.returncode != 0:
        raise BadResult(f"{binary.name} {' '.join(options)} ended with {ended.returncode}:\n{ended.stderr.strip()}")
    return ended.stdout


def batches(binary: Path, effort: Effort) -> list[Batch]:
    """In the order in which the binary lists its benchmarks."""
    cases = [parse_name(name)[0] for name in run(binary, "--benchmark_list_tests=true").splitlines() if name]
    return list(dict.fromkeys(Batch(case.question, case.sessions) for case in cases
                              if case.sessions <= effort.max_sessions))


def measure_batch(binary: Path, batch: Batch, effort: Effort, raw: Path) -> dict[str, Any]:
    file = raw / f"{batch.question}-{batch.sessions}.json"
    run(
        binary,
        f"--benchmark_filter={batch.filter}",
        f"--benchmark_repetitions={effort.repetitions_for(batch.sessions)}",
        "--benchmark_enable_random_interleaving=true",
        f"--benchmark_min_time={effort.min_seconds:g}",
        f"--benchmark_out={file}",
        "--benchmark_out_format=json",
    )
    results = json.loads(file.read_text(encoding="utf-8"))
    require_release(results["context"])
    return results


def progress(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{line}")
        sys.stderr.flush()


def measure(binary: Path, effort: Effort, raw: Path) -> Iterator[Measurement]:
    """All questions; what Google Benchmark wrote is left in `raw`."""
    raw.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    planned = batches(binary, effort)
    for done, batch in enumerate(planned):
        progress(f"{done + 1}/{len(planned)}  {batch.question}, {batch.sessions:,} sessions  "
                 f"({time.monotonic() - start:.0f} s so far)")
        yield from measurements(measure_batch(binary, batch, effort, raw))
    progress("")
