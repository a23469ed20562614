"""Measures sojourn beside its rivals.

    ./dev bench [--quick] [--strict]              measures, prints the comparison, and what of our targets holds
    ./dev bench --report [--quick]                and writes docs/performance.md with its plots
    ./dev bench --report --from SUMMARY           writes that again from an earlier run
    ./dev bench --load [--seconds N] [--strict]   what the service does under more load than it can take
    ./dev bench --instructions [--update]         counts instructions, and compares them with bench/README.md
"""

import argparse
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import instructions  # noqa: E402
import load  # noqa: E402
import machine  # noqa: E402
import page  # noqa: E402
from measurement import BadResult  # noqa: E402
from measuring import FULL, QUICK, Effort, measure, progress  # noqa: E402
from results import Results, paired, read_http, read_under_load  # noqa: E402
from tables import HEAD, TARGET_HEAD, cells, plain, target_cells  # noqa: E402
from targets import Verdict, verdicts  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
OUTPUT = ROOT / "build/bench"
HTTP = ROOT / "bench/http/compare.py"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("./dev bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, up to 100,000 sessions")
    parser.add_argument("--strict", action="store_true", help="exit status 1 if a target is missed")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--report", action="store_true", help="write docs/performance.md and its plots")
    parser.add_argument("--from", dest="summary", type=Path, metavar="SUMMARY",
                        help="do not measure; SUMMARY is build/bench/summary.json of an earlier run")
    instead.add_argument("--load", action="store_true", help="measure under load instead; a later --report shows it")
    parser.add_argument("--seconds", type=load.seconds, metavar="N", default=load.DEFAULT_SECONDS,
                        help=f"with --load: how long a phase takes ({load.DEFAULT_SECONDS})")
    instead.add_argument("--instructions", action="store_true", help="count instructions instead")
    parser.add_argument("--update", action="store_true", help="with --instructions: rewrite the table")
    return parser.parse_args()


def compare_http(effort: Effort) -> None:
    """The whole server, with and without sessions; leaves its result in http.json."""
    progress("the HTTP server, with sessions and without")
    shorter = ["--seconds", "2", "--pairs", "3"] if effort is QUICK else []
    subprocess.run([sys.executable, HTTP, *shorter], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    progress("")


def measured(effort: Effort) -> Results:
    facts = machine.facts(ROOT, BUILD, str(effort))
    rows = paired(measure(BUILD / "bench/sojourn_bench", effort, OUTPUT / "raw"))
    results = Results(rows, facts)
    # Before the server's turn, so that nothing is lost if that fails.
    results.save(OUTPUT)
    if HTTP.is_file():
        compare_http(effort)
    return Results(rows, facts, read_http(OUTPUT), read_under_load(OUTPUT))


def count_instructions(update: bool) -> int:
    program, readme = BUILD / "bench/instructions/sojourn_instructions", ROOT / "bench/README.md"
    if update:
        instructions.update(program, readme)
        return 0
    return 0 if instructions.check(program, readme) else 1


def measure_under_load(seconds: int) -> list[Verdict]:
    facts = machine.facts(ROOT, BUILD, f"{seconds} s a phase")
    found = load.measure(BUILD / "bench/load/sojourn_load", seconds, facts, OUTPUT)
    judged = load.verdicts(Results([], facts, under_load=found))
    print(load.plain_tables(found))
    print()
    print(plain(TARGET_HEAD, [target_cells(verdict) for verdict in judged]))
    return judged


def status(judged: list[Verdict], strict: bool) -> int:
    return int(strict and any(verdict.word == "MISSED" for verdict in judged))


def main() -> int:
    wish = arguments()
    if wish.load:
        return status(measure_under_load(wish.seconds), wish.strict)
    if wish.instructions:
        return count_instructions(wish.update)
    results = Results.load(wish.summary) if wish.summary else measured(QUICK if wish.quick else FULL)
    judged = verdicts(results)
    print(plain(HEAD, [cells(row) for row in results.rows]))
    print()
    print(plain(TARGET_HEAD, [target_cells(verdict) for verdict in judged]))
    if wish.report:
        page.write(results, ROOT / "docs")
    return status(judged, wish.strict)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BadResult, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"bench: {error}")
