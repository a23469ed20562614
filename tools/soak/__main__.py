"""Runs a session service under everything at once, and draws what became of its memory.

    ./dev soak [--minutes N] [--seed N] [--threads N] [--clients N] [--shards N]

What must hold, the program checks itself; this draws the samples that it leaves in build/soak/soak.csv, here and, where
gnuplot is installed, in build/soak/soak.svg.
"""

import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from drawing import BadSamples, read, svg, text  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/soak/tests/sojourn_soak"
OUTPUT = ROOT / "build/soak"


def main(arguments: list[str]) -> int:
    samples = OUTPUT / "soak.csv"
    for left in (samples, OUTPUT / "summary.json"):
        left.unlink(missing_ok=True)
    status = subprocess.run([PROGRAM, "--output", OUTPUT, *arguments], check=False).returncode
    # Nothing was begun, or nothing was finished.
    if not samples.exists():
        return status
    columns = read(samples)
    print()
    print(text(columns), end="")
    written = "build/soak/soak.csv, build/soak/summary.json"
    if shutil.which("gnuplot"):
        svg(columns, OUTPUT / "soak.svg")
        written += ", build/soak/soak.svg"
    print(f"\nWritten: {written}")
    return status


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BadSamples, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"soak: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
