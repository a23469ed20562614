"""Words that do not appear, each with its reason."""

import re
from dataclasses import dataclass
from typing import Iterator

from tree import Finding, Tree


@dataclass(frozen=True)
class Ban:
    pattern: str
    why: str
    folder: str
    but_not: str = "-"
    comments_too: bool = False


def type_named(words: str) -> str:
    return rf"^\s*(class|struct|union|enum( class)?|concept)\s+(?i:\w*({words}))\w*\b(?!::)"


BANS = [
    Ban(r"::now\(", "core is told the time", "src/sojourn/core"),
    Ban(
        r"#include <(condition_variable|future|iostream|mutex|shared_mutex|stop_token|thread)>",
        "core is pure: no threads, no I/O",
        "src/sojourn/core",
    ),
    Ban(r"#include <random>", "randomness comes from the operating system", "src", "src/sojourn/testing"),
    Ban(r"\bdetached\b", "a background loop has a completion, and a restart", "src"),
    *(
        Ban(r"(&&|\|\||[?]).*\bco_await\b", "g++ 12 awaits what stands right of an operator, always", folder)
        for folder in ("src", "examples")
    ),
    Ban(type_named("manager|helper|util"), "say what it does", "src"),
    Ban(type_named("handler"), "that is Asio's word", "src", "src/sojourn/async"),
    *(
        Ban(r"\b(TODO|FIXME|XXX|HACK)\b", "do it, or open an issue", folder, comments_too=True)
        for folder in ("src", "modules", "tests", "bench", "examples", "cmake")
    ),
]


def findings(tree: Tree) -> Iterator[Finding]:
    for ban in BANS:
        for file in tree.files(ban.folder, ".hpp", ".cpp", ".cppm", ".cmake", ".txt"):
            if file.path.startswith(ban.but_not):
                continue
            for line, text in file.lines() if ban.comments_too else file.code():
                if match := re.search(ban.pattern, text):
                    yield file.finding(line, f"'{match[0].strip()}': {ban.why}")
    for file in tree.files("src", ".hpp", ".cpp"):
        if match := re.search(r"manager|helper|util|handler", file.path.rpartition("/")[2]):
            yield file.finding(1, f"'{match[0]}' in a file's name: say what it does")
