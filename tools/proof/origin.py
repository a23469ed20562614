"""Of which sources a result is: as they are in HEAD, or it is refused."""

import subprocess
from pathlib import Path


class Refused(Exception):
    """A result that is there, and is not to be shown."""


def git(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True)


def head(root: Path) -> str:
    return git(root, "describe", "--always").stdout.strip()


def changed(root: Path, sources: list[str], *commits: str) -> bool:
    """Between two commits, or between one and what lies there; true too where git knows no such commit."""
    return git(root, "diff", "--quiet", *commits, "--", *sources).returncode != 0


def require_passed(result: Path, root: Path, sources: list[str]) -> None:
    """`./dev` leaves `made_at` beside the result of a command that has passed; see its function of that name."""
    stamp = result.with_name("made_at")
    # Without a result there is nothing to refuse: this says so.
    written = result.stat().st_mtime_ns
    if not stamp.is_file() or stamp.stat().st_mtime_ns < written:
        raise Refused("the last run has not passed, or not ended")
    commit = stamp.read_text(encoding="utf-8").strip()
    if changed(root, sources, commit, "HEAD"):
        raise Refused(f"it was made at {commit}, and the sources are others now")


def require_committed(root: Path, sources: list[str]) -> None:
    """For what is built and run now."""
    if changed(root, sources, "HEAD"):
        raise Refused("the sources are not committed")
