"""The project's files, as the checks see them."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Iterator

INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')
PRIVATE = "Private header"


@dataclass(frozen=True)
class Finding:
    """A place that breaks a rule; printed as compilers do, so that editors can jump to it."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class File:
    """One file: `path` is relative to the project, with forward slashes."""

    path: str
    text: str

    def lines(self) -> Iterator[tuple[int, str]]:
        return enumerate(self.text.splitlines(), 1)

    def code(self) -> Iterator[tuple[int, str]]:
        """The lines without what `//` says; our style has no other comments."""
        return ((number, line.split("//")[0]) for number, line in self.lines())

    def includes(self) -> Iterator[tuple[int, str]]:
        return ((number, match[1]) for number, line in self.lines() if (match := INCLUDE.match(line)))

    @property
    def is_public(self) -> bool:
        """Whether users may include it: its `@file` paragraph does not call it private."""
        return PRIVATE not in self.text.partition("#ifndef")[0]

    def finding(self, line: int, what: str) -> Finding:
        return Finding(self.path, line, what)


class Tree:
    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self, folder: str, *suffixes: str) -> list[File]:
        """The files of ours below a folder that end so, in order."""
        return [
            self.file(path.relative_to(self.root).as_posix())
            for path in sorted((self.root / folder).rglob("*"))
            if path.suffix in suffixes and path.is_file() and "node_modules" not in path.parts
        ]

    def file(self, path: str) -> File:
        """One file, empty if it does not exist."""
        full = self.root / path
        return File(path, full.read_text(encoding="utf-8") if full.is_file() else "")

    @cached_property
    def public_headers(self) -> list[File]:
        return [file for file in self.files("src/sojourn", ".hpp") if file.is_public]

    @cached_property
    def installed_headers(self) -> list[File]:
        """The public headers and what they include of ours, directly or not."""
        installed = {file.path: file for file in self.public_headers}
        found = list(installed.values())
        while found:
            for _, header in found.pop().includes():
                file = self.file(f"src/{header}")
                if file.text and file.path not in installed:
                    installed[file.path] = file
                    found.append(file)
        return [installed[path] for path in sorted(installed)]
