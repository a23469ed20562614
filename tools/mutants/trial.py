"""Runs the tests that should catch mutants, and says what became of each."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from table import Mutant, escaped

# Of a test that hangs; a slow one gets more, for what it takes without a mutant.
LIMIT_SECONDS = 10.0
PATIENCE = 5
# Of these limits, for one that seemed to hang among others: a busy machine makes tests slow too.
ALONE = 2
SURVIVED = "survived"
HUNG = "hung"


class Unfit(Exception):
    """Tests that fail without any mutant would catch all of them."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to: `how` is "passed", "failed", "crashed" with the signal, or "hung"."""

    how: str
    seconds: float
    output: str = ""

    @property
    def has_passed(self) -> bool:
        return self.how == "passed"


@dataclass(frozen=True)
class Verdict:
    """A mutant and its fate."""

    mutant: Mutant
    how: str
    seconds: float

    @property
    def is_caught(self) -> bool:
        return self.how != SURVIVED

    def as_json(self) -> dict:
        return asdict(self.mutant) | {"how": self.how, "seconds": round(self.seconds, 3)}


def at_once() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(int(os.environ.get("CTEST_PARALLEL_LEVEL") or os.cpu_count() or 1))


def how_it_ended(status: int) -> str:
    if status < 0:
        return f"crashed: {signal.Signals(-status).name}"
    return "failed" if status else "passed"


def run(command: tuple[str, ...], mutant: str, limit: float) -> Outcome:
    """Runs a test with a mutant, or with none where that is the empty text."""
    start = time.monotonic()
    process = subprocess.Popen(command, env=os.environ | {"SOJOURN_MUTANT": mutant}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=limit)
        how = how_it_ended(process.returncode)
    except subprocess.TimeoutExpired:
        # With all that it has started.
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        how = HUNG
    return Outcome(how, time.monotonic() - start, output.decode(errors="replace"))


def command(mutant: Mutant, build: Path) -> tuple[str, ...]:
    return str(build / "tests" / mutant.executable), *mutant.arguments


def seconds_without(mutants: list[Mutant], build: Path) -> dict[tuple[str, ...], float]:
    """How long each test takes as long as no mutant is on. All must pass then."""
    commands = list({command(mutant, build) for mutant in mutants})
    with at_once() as threads:
        outcomes = list(threads.map(lambda words: run(words, "", 12 * LIMIT_SECONDS), commands))
    failures = [f"{outcome.output}\n{outcome.how} without any mutant: {' '.join(words)}"
                for words, outcome in zip(commands, outcomes) if not outcome.has_passed]
    if failures:
        raise Unfit("\n".join(failures))
    return {words: outcome.seconds for words, outcome in zip(commands, outcomes)}


def judge(mutants: list[Mutant], build: Path, least_limit: float = LIMIT_SECONDS) -> list[Verdict]:
    """Runs each mutant's test. One that hangs counts only if it does so alone as well."""
    usual = seconds_without(mutants, build)

    def try_one(mutant: Mutant, times: int = 1) -> Verdict:
        words = command(mutant, build)
        outcome = run(words, mutant.name, times * (least_limit + PATIENCE * usual[words]))
        return Verdict(mutant, SURVIVED if outcome.has_passed else outcome.how, outcome.seconds)

    with at_once() as threads:
        verdicts = list(threads.map(try_one, mutants))
    return [try_one(verdict.mutant, ALONE) if verdict.how == HUNG else verdict for verdict in verdicts]


def who_notices(mutant: Mutant, executables: list[str], build: Path) -> list[tuple[str, Outcome]]:
    """Every Catch2 test of these that does not pass with the mutant."""
    tests = [(name, test) for name in executables for test in test_names(build / "tests" / name)]

    def try_one(test: tuple[str, str]) -> Outcome:
        return run((str(build / "tests" / test[0]), escaped(test[1])), mutant.name, 3 * LIMIT_SECONDS)

    with at_once() as threads:
        outcomes = threads.map(try_one, tests)
        return [(name, outcome) for (_, name), outcome in zip(tests, outcomes) if not outcome.has_passed]


def test_names(executable: Path) -> list[str]:
    listed = subprocess.run([executable, "--list-tests", "--verbosity", "quiet"], check=True, capture_output=True)
    return listed.stdout.decode().splitlines()
