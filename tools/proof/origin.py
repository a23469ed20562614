"""Of which sources a result is: those of HEAD, or it is refused."""

import subprocess
from pathlib import Path

# What may change a figure.
SOURCES = ["src", "tests", "examples", "bench", "cmake", "tools", "dev", "CMakeLists.txt", "CMakePresets.json"]


class Refused(Exception):
    """A result that is there, and is not to be shown."""


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)


def head(root: Path) -> str:
    return git(root, "describe", "--always").stdout.strip()


def changed_since(root: Path, *commits: str) -> bool:
    """Between two commits, or between one and what lies there; true too where git knows no such commit."""
    return git(root, "diff", "--quiet", *commits, "--", *SOURCES).returncode != 0


def require_passed(result: Path, root: Path) -> None:
    """`./dev` leaves `made_at` beside the result of a command that has passed; see its function of that name."""
    stamp = result.with_name("made_at")
    # Without a result there is nothing to refuse: this says so.
    written = result.stat().st_mtime_ns
    if not stamp.is_file() or stamp.stat().st_mtime_ns < written:
        raise Refused("the last run has not passed, or not ended")
    commit = stamp.read_text(encoding="utf-8").strip()
    if commit.endswith("-dirty"):
        raise Refused(f"it was made of sources that were not committed, at {commit}")
    if changed_since(root, commit, "HEAD"):
        raise Refused(f"it was made at {commit}, and the sources are others now")


def require_committed(root: Path) -> None:
    """For what is built and run now."""
    if changed_since(root, "HEAD"):
        raise Refused("the sources are not committed")
