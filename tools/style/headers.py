"""A header of src/sojourn begins with an @file paragraph and a guard named after its path, and ends the guard with its name.

What users include, directly or not, is free of Boost.Unordered and fmt (but for the opt-in format.hpp): what these define
cannot pass through a module. The umbrella includes every public header but those that are opted into.
"""

import re
from typing import Iterator

from tree import File, Finding, Tree

UMBRELLA = "src/sojourn/sojourn.hpp"
OPT_IN = re.compile(r"src/sojourn/(format\.hpp|admin/|http/|http_server/|prometheus/|store/|testing/)")
NOT_FOR_USERS = re.compile(r"(boost/unordered|fmt)/")


def guard_findings(file: File) -> Iterator[Finding]:
    guard = re.sub(r"\W", "_", file.path.removeprefix("src/")).upper()
    directives = [(line, text) for line, text in file.lines() if text.startswith("#")]
    wanted = [f"#ifndef {guard}", f"#define {guard}", f"#endif // {guard}"]
    for (line, text), want in zip(directives[:2] + directives[-1:], wanted):
        if text != want:
            yield file.finding(line, f"the guard should say '{want}'")
    if not file.text.startswith("/// @file\n"):
        yield file.finding(1, "begins without an @file paragraph")


def findings(tree: Tree) -> Iterator[Finding]:
    for file in tree.files("src/sojourn", ".hpp"):
        yield from guard_findings(file)

    for file in tree.installed_headers:
        for line, header in file.includes():
            if NOT_FOR_USERS.match(header) and not OPT_IN.match(file.path):
                yield file.finding(line, f"users would include {header}, which cannot pass through a module")

    umbrella = tree.file(UMBRELLA)
    included = {f"src/{header}" for _, header in umbrella.includes()}
    for file in tree.public_headers:
        if file.path != UMBRELLA and not OPT_IN.match(file.path) and file.path not in included:
            yield umbrella.finding(1, f"does not include {file.path.removeprefix('src/')}")
