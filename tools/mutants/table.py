"""The seeded bugs, as tests/mutants/mutants.toml lists them."""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

TABLE = "tests/mutants/mutants.toml"
SOURCES = "src/sojourn"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# Catch2 takes these of a test's name for its own.
CATCH2_SIGNS = re.compile(r"([,\[\]\\*\"~])")


def escaped(test: str) -> str:
    """As Catch2 wants to be told of one test."""
    return CATCH2_SIGNS.sub(r"\\\1", test)


class BadTable(Exception):
    """The table, or what it says of a source, is wrong."""


@dataclass(frozen=True)
class Mutant:
    """One seeded bug: what stands in a file, what a bad day would have made of it, and who notices."""

    name: str
    file: str
    original: str
    mutated: str
    why: str
    caught_by: list[str]
    # A piece of the file that has the original in it, where that alone stands in several places.
    within: str = field(default="")

    @property
    def layer(self) -> str:
        return self.file.partition("/")[0]

    @property
    def executable(self) -> str:
        return self.caught_by[0]

    @property
    def arguments(self) -> list[str]:
        """Our executables of Catch2 tests, by their names, are told which test; others what the table says."""
        if not self.executable.endswith("_tests"):
            return self.caught_by[1:]
        return [escaped(argument) for argument in self.caught_by[1:]]

    @property
    def replacement(self) -> str:
        """Both, and the choice between them: of statements, or of expressions."""
        is_on = f'::sojourn::mutants::is_on("{self.name}")'
        if ";" in self.original:
            return f"if ({is_on}) {{ {self.mutated} }} else {{ {self.original} }}"
        return f"({is_on} ? ({self.mutated}) : ({self.original}))"

    def place_in(self, text: str) -> int:
        """Where the original begins in the file's text."""
        begin = self._only_place(self.within or self.original, text, self.file)
        if not self.within:
            return begin
        return begin + self._only_place(self.original, self.within, "its 'within'")

    def _only_place(self, piece: str, text: str, where: str) -> int:
        count = text.count(piece)
        if count != 1:
            raise BadTable(f"{self.name}: {where} has this {count} times, and not once: {piece!r}")
        return text.index(piece)


def read_mutant(entry: dict) -> Mutant:
    name = entry.get("name", "?")
    try:
        mutant = Mutant(**entry)
    except TypeError as error:
        raise BadTable(f"{name}: {str(error).replace('Mutant.__init__() ', '')}") from error
    if not NAME.fullmatch(name):
        raise BadTable(f"{name}: a name is of small letters, with hyphens")
    if not mutant.why or not mutant.original or not mutant.caught_by:
        raise BadTable(f"{name}: 'why', 'original' and 'caught_by' say something")
    return mutant


def read_table(text: str) -> list[Mutant]:
    try:
        mutants = [read_mutant(entry) for entry in tomllib.loads(text).get("mutant", [])]
    except tomllib.TOMLDecodeError as error:
        raise BadTable(f"{TABLE}: {error}") from error
    names = [mutant.name for mutant in mutants]
    for name in names:
        if names.count(name) > 1:
            raise BadTable(f"{name}: there are two of this name")
    return mutants


def load(root: Path) -> list[Mutant]:
    return read_table((root / TABLE).read_text(encoding="utf-8"))
