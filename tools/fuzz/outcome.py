"""What a fuzzer came to, read from what libFuzzer prints."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# As in "#4096	pulse  cov: 73 ft: 94 corp: 18/41b lim: 43 exec/s: 2048 rss: 60Mb".
PROGRESS = re.compile(r"^#(\d+)\s+\S+\s+cov: (\d+) ft: (\d+)", re.MULTILINE)
STATISTIC = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)
ARTIFACT = re.compile(r"Test unit written to (\S+)$", re.MULTILINE)
FAULT = re.compile(r"^(?:finding: .*|.*runtime error: .*|==\d+==\s*ERROR: .*)$", re.MULTILINE)

# libFuzzer's exit status after a Ctrl-C.
INTERRUPTED = 72

HEAD = ["target", "executions", "exec/s", "cov", "ft", "found"]


@dataclass(frozen=True)
class Outcome:
    target: str
    executions: int
    executions_per_second: int
    # Edges that were reached, and features: edges by how often, and pairs of what was compared.
    coverage: int
    features: int
    # The files with what was found; one that is merely slow is nothing found.
    findings: list[str]
    # What is wrong, in one line; empty if nothing is.
    fault: str

    @property
    def is_clean(self) -> bool:
        return not self.findings and not self.fault

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def cells(self) -> list[str]:
        numbers = (self.executions, self.executions_per_second, self.coverage, self.features, len(self.findings))
        return [self.target, *(f"{number:,}" for number in numbers)]


def read(target: str, status: int, printed: str) -> Outcome:
    """`status` is that of the process, and `printed` all that it wrote."""
    statistics = {name: int(number) for name, number in STATISTIC.findall(printed)}
    executions, coverage, features = max(
        (tuple(map(int, line)) for line in PROGRESS.findall(printed)), default=(0, 0, 0))
    findings = [path for path in ARTIFACT.findall(printed) if not Path(path).name.startswith("slow-unit-")]
    fault = ""
    if findings or status not in (0, INTERRUPTED):
        faults = FAULT.findall(printed)
        fault = faults[0].strip() if faults else f"ended with status {status}"
    elif executions == 0:
        fault = "nothing was executed"
    return Outcome(target, statistics.get("number_of_executed_units", executions),
                   statistics.get("average_exec_per_sec", 0), coverage, features, findings, fault)


def table(outcomes: list[Outcome]) -> str:
    rows = [HEAD, *(outcome.cells() for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))])
        for row in rows)
