"""Every source file is named in a CMakeLists.txt (there is no globbing, so a forgotten test would never run), and of the
headers exactly those that users include."""

import re
from typing import Iterator

from tree import Finding, Tree


def findings(tree: Tree) -> Iterator[Finding]:
    folders = ("src", "modules", "tests", "bench", "examples")
    lists = [file for folder in folders for file in tree.files(folder, ".txt")]
    named = {
        f"{file.path.rpartition('/')[0]}/{word}"
        for file in lists
        for _, text in file.lines()
        for word in re.findall(r"[\w./]+\.(?:cpp|cppm|hpp)\b", text.split("#")[0])
    }
    sources = [file for folder in folders for file in tree.files(folder, ".cpp", ".cppm")]
    for file in sources + tree.installed_headers:
        if file.path not in named:
            yield file.finding(1, "is named in no CMakeLists.txt")
    needless = {file.path for file in tree.files("src/sojourn", ".hpp")} - {file.path for file in tree.installed_headers}
    for path in sorted(named & needless):
        yield tree.file(path).finding(1, "is private, but src/CMakeLists.txt would install it")
