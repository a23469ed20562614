"""The version is the same in CMakeLists.txt, in version.hpp and in the newest heading of CHANGELOG.md."""

import re
from typing import Iterator

from tree import Finding, Tree


def findings(tree: Tree) -> Iterator[Finding]:
    project = re.search(r"VERSION (\d+\.\d+\.\d+)$", tree.file("CMakeLists.txt").text, re.MULTILINE)
    version = project[1] if project else "(none)"

    header = tree.file("src/sojourn/version.hpp")
    text = re.search(r'version = "([^"]*)"', header.text)
    parts = re.findall(r"version_(?:major|minor|patch) = (\d+)", header.text)
    for found in (text[1] if text else "(none)", ".".join(parts)):
        if found != version:
            yield header.finding(1, f"says {found}, CMakeLists.txt says {version}")

    changes = tree.file("CHANGELOG.md")
    newest = next(((line, match[1]) for line, text in changes.lines()
                   if (match := re.match(r"## \[?(\d+\.\d+\.\d+)", text))), (1, "(none)"))
    if newest[1] != version:
        yield changes.finding(newest[0], f"the newest heading says {newest[1]}, CMakeLists.txt says {version}")
