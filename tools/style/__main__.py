"""The style checks: what a reviewer would otherwise have to look for.

    python3 tools/style              runs all of them
    python3 tools/style layers       runs those that are named

Each check is a module with a function `findings(tree)`, and its docstring is the rule. `self_test` proves that
every one of them can fail.
"""

import importlib
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from tree import Tree  # noqa: E402

CHECKS = ["banned", "exports", "headers", "layers", "listed", "snippets", "versions"]


def main(names: list[str]) -> int:
    tree = Tree(Path(__file__).resolve().parents[2])
    failed = False
    for name in names or CHECKS:
        found = list(importlib.import_module(name).findings(tree))
        failed |= bool(found)
        print(*found, f"{name}: {len(found) or 'no'} findings", sep="\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
