"""The copy of src/ that has every seeded bug in it, of which one may be chosen when a test begins."""

from pathlib import Path

from table import SOURCES, BadTable, Mutant

HEADER = "tests/mutants/mutants.hpp"
INCLUDED_AS = "sojourn/detail/mutants.hpp"


def with_mutants(text: str, mutants: list[Mutant]) -> str:
    """The text of a file with these mutants in it."""
    places = sorted(((mutant.place_in(text), mutant) for mutant in mutants), key=lambda place: place[0])
    for (begin, mutant), (next_begin, other) in zip(places, places[1:]):
        if begin + len(mutant.original) > next_begin:
            raise BadTable(f"{mutant.name} and {other.name} change the same place")
    for begin, mutant in reversed(places):
        text = text[:begin] + mutant.replacement + text[begin + len(mutant.original):]
    return f'#include "{INCLUDED_AS}"\n{text}' if places else text


def mutated_sources(root: Path, mutants: list[Mutant]) -> dict[str, str]:
    """All files of the copy by their paths, `src/` included."""
    files = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
             for path in sorted((root / "src").rglob("*")) if path.is_file()}
    for mutant in mutants:
        if f"{SOURCES}/{mutant.file}" not in files:
            raise BadTable(f"{mutant.name}: there is no {SOURCES}/{mutant.file}")
    for path in files:
        files[path] = with_mutants(files[path], [of for of in mutants if f"{SOURCES}/{of.file}" == path])
    files[f"src/{INCLUDED_AS}"] = (root / HEADER).read_text(encoding="utf-8")
    return files


def write_sources(files: dict[str, str], output: Path) -> None:
    """Leaves alone what is as it should be, so that it is not compiled again, and nothing else."""
    for path in sorted(output.rglob("*")):
        if path.is_file() and path.relative_to(output).as_posix() not in files:
            path.unlink()
    for path, text in files.items():
        file = output / path
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
