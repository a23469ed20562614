"""Every C++ block of README.md and docs/ is a region of a file that is compiled and run.

A block names its region in the line above it, `<!-- snippet: examples/01_quickstart.cpp#create -->`; the region stands
between `// [create]` and `// [/create]`. A shell block may name one too, between `# [create]` and `# [/create]`.
"""

import re
import textwrap
from typing import Iterator

from tree import File, Finding, Tree

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = re.compile(r"<!-- snippet: ([^#\s]+)#([\w-]+) -->\n\Z")


def region(file: File, name: str) -> str | None:
    """What stands in the region, without its indentation and without the marks of regions inside it."""
    match = re.search(rf"^\s*(?://|#) \[{name}\]\n(.*?)^\s*(?://|#) \[/{name}\]$", file.text, re.MULTILINE | re.DOTALL)
    if not match:
        return None
    inner = re.sub(r"^\s*(?://|#) \[/?[\w-]+\]\n", "", match[1], flags=re.MULTILINE)
    return textwrap.dedent(inner).strip("\n") + "\n"


def findings(tree: Tree) -> Iterator[Finding]:
    for page in [tree.file("README.md"), *tree.files("docs", ".md")]:
        for block in BLOCK.finditer(page.text):
            line = page.text.count("\n", 0, block.start()) + 1
            mark = MARK.search(page.text, 0, block.start())
            if not mark:
                if block[1] == "cpp":
                    yield page.finding(line, "a C++ block without a '<!-- snippet: FILE#REGION -->' above it")
                continue
            wanted = region(tree.file(mark[1]), mark[2])
            if wanted is None:
                yield page.finding(line, f"{mark[1]} has no region [{mark[2]}]")
            elif wanted != block[2]:
                yield page.finding(line, f"differs from {mark[1]} [{mark[2]}]")
