"""Runs the tests that were built for it, and lets llvm-cov say what of the sources they have run."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIMIT_SECONDS = 600
LLVM = "19"


class TestsFailed(Exception):
    """What is not tested to the end says nothing about coverage."""


def output(*command: str | Path) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS)
    if ended.returncode != 0:
        raise TestsFailed(f"{Path(command[0]).name}: {ended.stderr.strip() or ended.returncode}")
    # A function that differs between programs has its counts in one of them only: too few, and never too many.
    sys.stderr.write(ended.stderr)
    return ended.stdout


def run_tests(program: Path, profiles: Path) -> None:
    """All test cases in one process, which takes a fraction of the time that one process each does."""
    where = str(profiles / f"{program.name}-%m-%p.profraw")
    ended = subprocess.run([program], env={**os.environ, "LLVM_PROFILE_FILE": where}, timeout=LIMIT_SECONDS,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if ended.returncode != 0:
        raise TestsFailed(f"{program.name} ended with {ended.returncode}:\n{ended.stdout[-4000:]}")


class Recording:
    """What one run of the tests has left behind."""

    def __init__(self, programs: list[Path], folder: Path, sources: Path) -> None:
        self.sources = sources
        self.data = folder / "coverage.profdata"
        profiles = folder / "profiles"
        shutil.rmtree(profiles, ignore_errors=True)
        profiles.mkdir(parents=True)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda program: run_tests(program, profiles), programs))
        output(f"llvm-profdata-{LLVM}", "merge", "-sparse", *sorted(profiles.iterdir()), "-o", self.data)
        self.objects = [programs[0], *(f"-object={program}" for program in programs[1:])]

    def show(self, command: str, *options: str) -> str:
        return output(f"llvm-cov-{LLVM}", command, f"-instr-profile={self.data}", *options, *self.objects, self.sources)

    def lcov(self) -> str:
        return self.show("export", "-format=lcov", "-skip-branches", "-skip-functions")

    def json(self) -> str:
        return self.show("export", "-format=text", "-skip-expansions")

    def html(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.show("show", "-format=html", f"-output-dir={folder}", "-show-branches=count", "-show-instantiations=false")
