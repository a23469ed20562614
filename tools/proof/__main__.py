"""./dev proof: what the last runs of everything that tests sojourn have found, as one table.

    ./dev proof            print it
    ./dev proof --write    write it into docs/testing.md

Each figure is read from what a command left in build/, which the table names; two are counted anew by the tests of the
preset dev, which are built for it. What was not run, has not passed or was made of other sources than those of HEAD is
said to be missing, and then nothing is written.
"""

import argparse
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import page  # noqa: E402
from sources import TESTS, Missing, rows  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def build_tests() -> None:
    subprocess.run(["cmake", "--preset", "dev"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "dev", "--target", *TESTS], cwd=ROOT, check=True)


def main() -> int:
    parser = argparse.ArgumentParser("./dev proof", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write docs/testing.md")
    write = parser.parse_args().write

    build_tests()
    found = rows(ROOT)
    missing = [row for row in found if isinstance(row, Missing)]
    whole = [row for row in found if not isinstance(row, Missing)]
    print(page.plain(whole))
    print(*(f"{row.what} is missing: {row.why}; {row.command} makes it" for row in missing), sep="\n")
    if not write:
        return 0
    if missing:
        print("proof: nothing is written while something is missing", file=sys.stderr)
        return 1
    document = ROOT / "docs/testing.md"
    document.write_text(page.replaced(document.read_text(encoding="utf-8"), whole, page.where(ROOT)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (page.NoPlace, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"proof: {error}")
