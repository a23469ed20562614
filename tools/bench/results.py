"""The rows of a comparison: ours beside each rival in the same case."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Iterable

from measurement import Case, Measurement, Sample
from questions import question


@dataclass(frozen=True)
class Row:
    """Ours beside one rival, or alone where there is none."""

    ours: Measurement
    theirs: Measurement | None = None

    @property
    def case(self) -> Case:
        return self.ours.case

    @property
    def unit(self) -> str:
        return question(self.case.question).unit

    @property
    def ratio(self) -> float | None:
        """Ours to theirs: below 1 we cost less."""
        return self.ours.figure.median / self.theirs.figure.median if self.theirs else None

    def to_json(self) -> dict[str, Any]:
        theirs = self.theirs
        return {
            "name": f"{self.case.question}/{self.ours.contestant}",
            "scenario": self.case.scenario,
            "sessions": self.case.sessions,
            "threads": self.case.threads,
            "coroutines": self.case.coroutines,
            f"ours_{self.unit}": self.ours.figure.median,
            "ours_spread": self.ours.figure.spread,
            "ours_counters": self.ours.counters,
            "theirs": theirs.contestant if theirs else None,
            "theirs_scenario": theirs.case.scenario if theirs else None,
            f"theirs_{self.unit}": theirs.figure.median if theirs else None,
            "theirs_spread": theirs.figure.spread if theirs else None,
            "theirs_counters": theirs.counters if theirs else None,
            "ratio": self.ratio,
        }

    @staticmethod
    def from_json(row: dict[str, Any]) -> "Row":
        name, _, contestant = row["name"].partition("/")

        def side(who: str, contestant: str, scenario: str) -> Measurement:
            case = Case(name, scenario, row["sessions"], row["threads"], row["coroutines"])
            sample = Sample(row[f"{who}_{question(name).unit}"], row[f"{who}_spread"])
            return Measurement(case, contestant, sample, row[f"{who}_counters"])

        theirs = side("theirs", row["theirs"], row["theirs_scenario"]) if row["theirs"] else None
        return Row(side("ours", contestant, row["scenario"]), theirs)


def rivals(ours: Measurement, measured: list[Measurement]) -> list[Measurement]:
    """Those of the same case; and those that have a way of their own to do it, a scenario that none of ours has."""
    asked = [each for each in measured if each.case.question == ours.case.question]
    common = {each.case.scenario for each in asked if each.is_ours}

    def meets(theirs: Case) -> bool:
        return ours.case == (theirs if theirs.scenario in common else replace(theirs, scenario=ours.case.scenario))

    return [each for each in asked if not each.is_ours and meets(each.case)]


def paired(measured: Iterable[Measurement]) -> list[Row]:
    """Each of ours with its rivals; the questions stay in the order they were asked in."""
    measured = list(measured)
    asked = list(dict.fromkeys(each.case.question for each in measured))
    rows = [Row(ours, theirs) for ours in measured if ours.is_ours for theirs in rivals(ours, measured) or [None]]

    def order(row: Row) -> tuple[Any, ...]:
        case = row.case
        return (asked.index(case.question), case.scenario, case.sessions, case.threads, case.coroutines or 0,
                row.ours.contestant, row.theirs.name if row.theirs else "")

    return sorted(rows, key=order)


@dataclass(frozen=True)
class Facts:
    """What one must know of a run to read its figures."""

    date: str
    commit: str
    machine: list[str]
    compiler: str
    repetitions: str


@dataclass(frozen=True)
class Results:
    rows: list[Row]
    facts: Facts
    http: dict[str, Any] | None = None
    under_load: dict[str, Any] | None = None

    @property
    def measured(self) -> list[Measurement]:
        """Every contestant of every case, each once."""
        sides = (side for row in self.rows for side in (row.ours, row.theirs) if side)
        return list({(side.case, side.contestant): side for side in sides}.values())

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "summary.json", [row.to_json() for row in self.rows])
        write_json(folder / "facts.json", asdict(self.facts))

    @staticmethod
    def load(summary: Path) -> "Results":
        """What `save` wrote; the HTTP comparison and the load program have their own files beside it."""
        rows = [Row.from_json(row) for row in json.loads(summary.read_text(encoding="utf-8"))]
        facts = Facts(**json.loads(summary.with_name("facts.json").read_text(encoding="utf-8")))
        return Results(rows, facts, read_http(summary.parent), read_under_load(summary.parent))


def read_http(folder: Path) -> dict[str, Any] | None:
    return read_json(folder / "http.json")


def read_under_load(folder: Path) -> dict[str, Any] | None:
    return read_json(folder / "load.json")


def read_json(file: Path) -> dict[str, Any] | None:
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
