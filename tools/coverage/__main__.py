"""Says which lines and branches of src/sojourn the tests run.

    ./dev coverage            a table of folders; status 1 if core has less than it should
    ./dev coverage FOLDER     and each place below src/sojourn/FOLDER that no test runs

Leaves build/coverage/html, where each line says how often it ran, and build/coverage/summary.json. The preset coverage
builds what is measured: without assertions, whose false sides no correct library can run.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from figures import BadExport, read  # noqa: E402
from measuring import Recording, TestsFailed  # noqa: E402
from report import missed, summary, tables  # noqa: E402
from rules import EXCLUDED, counted, failures  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/coverage"
SOURCES = ROOT / "src/sojourn"
PROGRAMS = ["unit", "prometheus", "model", "async", "async_memory", "service", "stress"]


def main() -> int:
    parser = argparse.ArgumentParser("./dev coverage", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="name each place in it that no test runs")
    folder = parser.parse_args().folder

    recording = Recording([BUILD / f"tests/sojourn_{name}_tests" for name in PROGRAMS], BUILD, SOURCES)
    files = counted(read(recording.lcov(), recording.json(), SOURCES))
    recording.html(BUILD / "html")
    (BUILD / "summary.json").write_text(json.dumps(summary(files), indent=1) + "\n", encoding="utf-8")

    if folder:
        print(*filter(None, (missed(file) for file in files if file.folder == folder)), "", sep="\n")
    failed = failures(files)
    print(tables(files), "", sep="\n")
    print(*(f"Not counted: {path}, as {reason}" for path, reason in EXCLUDED.items()), sep="\n")
    print(f"Line by line: {(BUILD / 'html/index.html').relative_to(ROOT)}", *failed, sep="\n")
    return int(bool(failed))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BadExport, TestsFailed, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"coverage: {error}")
