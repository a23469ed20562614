"""Instructions an operation, counted by callgrind and compared with the table in bench/README.md.

Where times are noisy, these are the same in every run, so a change of a few percent is a change of the code. The table
is the only place that has the numbers, so a gain must be committed too.
"""

import re
import subprocess
from pathlib import Path

from measurement import BadResult
from tables import markdown, plain

TOLERANCE = 0.03
HEAD = ["operation", "instructions"]
TABLE = re.compile(r"(<!-- instructions: (?P<toolchain>[^\n]*) -->\n)(?P<rows>.*?)(<!-- /instructions -->)", re.DOTALL)
LIMIT_SECONDS = 60


def output(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_SECONDS)


def count(program: Path, operation: str) -> int:
    """Instructions of one operation. Only what runs inside the toggle function counts."""
    ended = output("valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=sojourn_counted",
                   "--callgrind-out-file=/dev/null", program, operation)
    collected = re.search(r"Collected : (\d+)", ended.stderr)
    if not collected or int(collected[1]) == 0:
        raise BadResult(f"callgrind counted nothing for {operation}:\n{ended.stderr}")
    return round(int(collected[1]) / int(ended.stdout))


def measure(program: Path) -> tuple[str, dict[str, int]]:
    toolchain = output(program, "--toolchain").stdout.strip()
    return toolchain, {name: count(program, name) for name in output(program, "--list").stdout.split()}


def committed(readme: str) -> tuple[str, dict[str, int]]:
    table = TABLE.search(readme)
    if not table:
        raise BadResult("bench/README.md has no table of instructions")
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|$", table["rows"], re.MULTILINE)
    return table["toolchain"], {name: int(value.replace(",", "")) for name, value in rows}


def rewritten(readme: str, toolchain: str, counted: dict[str, int]) -> str:
    rows = markdown(HEAD, [[f"`{name}`", f"{value:,}"] for name, value in counted.items()])
    text = f"<!-- instructions: {toolchain} -->\n{rows}\n<!-- /instructions -->"
    return TABLE.sub(lambda _: text, readme)


def differences(before: dict[str, int], now: dict[str, int]) -> list[str]:
    """What is beyond the tolerance, in either direction, or in one of the two only."""
    found = [f"{name}: is in the table, but not counted any more" for name in before.keys() - now.keys()]
    for name, value in now.items():
        was = before.get(name)
        if was is None:
            found.append(f"{name}: {value:,} instructions, and is not in the table")
        elif abs(value - was) > TOLERANCE * was:
            found.append(f"{name}: {value:,} instructions, the table says {was:,} ({100 * (value / was - 1):+.1f} %)")
    return sorted(found)


def check(program: Path, readme: Path) -> bool:
    """Prints what was counted; false if it is not what the table says."""
    recorded_toolchain, before = committed(readme.read_text(encoding="utf-8"))
    toolchain, now = measure(program)
    lines = [[name, f"{value:,}", f"{before.get(name, 0):,}"] for name, value in now.items()]
    print(plain([*HEAD, "committed"], lines))
    if toolchain != recorded_toolchain:
        print(f"not compared: built with {toolchain}; bench/README.md was counted with {recorded_toolchain}")
        return True
    found = differences(before, now)
    print(*found, f"all within {100 * TOLERANCE:.0f} %" if not found else
          "See why; if that is as it should be, './dev bench --instructions --update', and commit", sep="\n")
    return not found


def update(program: Path, readme: Path) -> None:
    """Makes the table say what is counted now."""
    toolchain, now = measure(program)
    readme.write_text(rewritten(readme.read_text(encoding="utf-8"), toolchain, now), encoding="utf-8")
    print(plain(HEAD, [[name, f"{value:,}"] for name, value in now.items()]))
