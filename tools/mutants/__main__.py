"""Seeded bugs, each with the test that catches it.

    ./dev mutants                    runs each mutant's test, and says who is caught
    ./dev mutants NAME...            those that are named; leaves build/mutants/summary.json as it is
    ./dev mutants --list             says what they are
    ./dev mutants --all-tests NAME   runs every test with a mutant, to see which of them notice

All of them are compiled into one build, from a copy of src/ in which a choice between the original and the mutant stands
wherever tests/mutants/mutants.toml says so. The environment variable SOJOURN_MUTANT makes the choice, for a debugger
too. Assertions are off: the tests shall notice, and not the code itself.
"""

import argparse
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True

from sources import mutated_sources, write_sources  # noqa: E402
from table import BadTable, Mutant, load  # noqa: E402
from trial import Unfit, Verdict, judge, who_notices  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/mutants"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("./dev mutants", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="these mutants, else all")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="say what they are, and what for")
    instead.add_argument("--all-tests", action="store_true", help="run every test with each of them")
    instead.add_argument("--check", action="store_true", help="see whether the table fits the sources")
    instead.add_argument("--generate", type=Path, metavar="FOLDER", help="write the copy of src/ there")
    parser.add_argument("--executables", action="store_true", help="print what has to be built for that")
    return parser.parse_args()


def chosen(mutants: list[Mutant], names: list[str]) -> list[Mutant]:
    for name in names:
        if name not in {mutant.name for mutant in mutants}:
            raise BadTable(f"there is no mutant '{name}'; --list says which there are")
    return [mutant for mutant in mutants if not names or mutant.name in names]


def executables(mutants: list[Mutant]) -> list[str]:
    return sorted({mutant.executable for mutant in mutants})


def by_layer(mutants: list[Mutant]) -> Counter[str]:
    return Counter(mutant.layer for mutant in mutants)


def print_list(mutants: list[Mutant]) -> None:
    for mutant in mutants:
        print(f"{mutant.name}\n    {mutant.file}: {mutant.why}\n    {' '.join(mutant.caught_by)}")


def print_verdicts(verdicts: list[Verdict]) -> None:
    width = max(len(verdict.mutant.name) for verdict in verdicts)
    for verdict in verdicts:
        print(f"{verdict.mutant.name:{width}}  {verdict.how:16} {verdict.seconds:5.1f} s  "
              f"{' '.join(verdict.mutant.caught_by)}")


def save(verdicts: list[Verdict], seconds: float) -> None:
    summary = {
        "caught": sum(verdict.is_caught for verdict in verdicts),
        "mutants": len(verdicts),
        "by_layer": by_layer([verdict.mutant for verdict in verdicts]),
        "seconds": round(seconds, 1),
        "verdicts": [verdict.as_json() for verdict in verdicts],
    }
    (BUILD / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")


def run_tests(mutants: list[Mutant], are_all: bool) -> int:
    start = time.monotonic()
    verdicts = judge(mutants, BUILD)
    seconds = time.monotonic() - start
    print_verdicts(verdicts)
    if are_all:
        save(verdicts, seconds)
    layers = ", ".join(f"{count} of {layer}" for layer, count in by_layer(mutants).items())
    caught = sum(verdict.is_caught for verdict in verdicts)
    print(f"{layers}; {seconds:.0f} s")
    print(f"caught {caught} of {len(verdicts)}")
    return int(caught < len(verdicts))


def run_all_tests(mutants: list[Mutant], names: list[str]) -> int:
    for mutant in mutants:
        noticed = who_notices(mutant, names, BUILD)
        for test, outcome in noticed:
            print(f"    {outcome.how:16} {outcome.seconds:5.1f} s  {test}")
        print(f"{mutant.name}: {len(noticed)} tests notice")
    return 0


def main() -> int:
    wish = arguments()
    table = load(ROOT)
    mutants = chosen(table, wish.names)
    # Of every test, those in the executables that catch something.
    needed = executables(table if wish.all_tests else mutants)
    # Whoever crashes shall leave no core.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if wish.executables:
        print(*needed)
    elif wish.list:
        print_list(mutants)
    elif wish.check:
        mutated_sources(ROOT, table)
        print(f"{len(table)} mutants, each in its place")
    elif wish.generate:
        write_sources(mutated_sources(ROOT, table), wish.generate)
    elif wish.all_tests:
        return run_all_tests(mutants, [name for name in needed if name.endswith("_tests")])
    else:
        return run_tests(mutants, are_all=not wish.names)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BadTable, Unfit, OSError) as error:
        print(f"mutants: {error}", file=sys.stderr)
        sys.exit(2)
