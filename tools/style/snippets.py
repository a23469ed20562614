"""Every C++ block of a page (*.md) is a region of a file that is compiled and run.

A block names its region in the line above it, `<!-- snippet: examples/01_quickstart.cpp#create -->`; the region stands
between `// [create]` and `// [/create]`. A shell block may name one too, between `# [create]` and `# [/create]`.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import Iterator

from tree import File, Finding, Tree

# However a block is fenced: a C++ block that this did not see would never be checked.
FENCE = re.compile(r"^[ \t]*(?:(?:[>*+-]|\d+[.)])[ \t]+)*(`{3,}|~{3,})[ \t]*([^`]*)$")
MARK = re.compile(r"^\s*<!-- snippet: ([^#\s]+)#([\w-]+) -->\s*$")
CPP = re.compile(r"\W*(?:c|cc|cpp|cppm|cxx|c\+\+|h|hh|hpp|hxx|h\+\+)(?![\w+-])", re.IGNORECASE)
CPP_WITHOUT_A_NAME = re.compile(r"^\s*#include\b|;\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: the number of its first line, the line above that, what it says it is, and what it holds."""

    line: int
    above: str
    info: str
    text: str

    @property
    def is_cpp(self) -> bool:
        return bool(CPP.match(self.info) if self.info else CPP_WITHOUT_A_NAME.search(self.text))


def blocks(page: File) -> Iterator[Block]:
    lines = page.text.splitlines()
    numbers = iter(range(len(lines)))
    for first in numbers:
        opening = FENCE.match(lines[first])
        if not opening:
            continue
        closing = re.compile(rf"^\s*{opening[1][0]}{{{len(opening[1])},}}\s*$")
        inside = []
        for number in numbers:
            if closing.match(lines[number]):
                break
            inside.append(lines[number] + "\n")
        above = lines[first - 1] if first else ""
        yield Block(first + 1, above, opening[2].strip(), textwrap.dedent("".join(inside)))


def region(file: File, name: str) -> str | None:
    """What stands in the region, without its indentation and without the marks of regions inside it."""
    match = re.search(rf"^\s*(?://|#) \[{name}\]\n(.*?)^\s*(?://|#) \[/{name}\]$", file.text, re.MULTILINE | re.DOTALL)
    if not match:
        return None
    inner = re.sub(r"^\s*(?://|#) \[/?[\w-]+\]\n", "", match[1], flags=re.MULTILINE)
    return textwrap.dedent(inner).strip("\n") + "\n"


def findings(tree: Tree) -> Iterator[Finding]:
    # Neither what was built, nor what git and editors keep.
    pages = [page for page in tree.files(".", ".md") if not page.path.startswith((".", "build"))]
    for page in pages:
        for block in blocks(page):
            mark = MARK.match(block.above)
            if not mark:
                if block.is_cpp:
                    yield page.finding(block.line, "a C++ block without a '<!-- snippet: FILE#REGION -->' above it")
                continue
            wanted = region(tree.file(mark[1]), mark[2])
            if wanted is None:
                yield page.finding(block.line, f"{mark[1]} has no region [{mark[2]}]")
            elif wanted != block.text:
                yield page.finding(block.line, f"differs from {mark[1]} [{mark[2]}]")
