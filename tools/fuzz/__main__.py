"""Feeds the fuzz targets of tests/fuzz with bytes, and keeps those that reach something new or find something.

    ./dev fuzz NAME [--seconds N]     one target, until Ctrl-C or for N seconds
    ./dev fuzz --all [--seconds N]    all of them, for N seconds each, else 60; as many at once as there are cores

What reaches something new is kept in build/fuzz/corpus/NAME, beside what the tree has in tests/fuzz/corpus/NAME.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

import outcome  # noqa: E402
from outcome import Outcome  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_SECONDS = 60

# As in the preset asan, but for a short memory of what was freed: a process that runs the same again and again would
# spend a third of its time on that.
SURROUNDINGS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
                    ":quarantine_size_mb=16",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "ASAN_SYMBOLIZER_PATH": "/usr/bin/llvm-symbolizer-19",
}


class Fuzzer:
    """One target, and where it keeps what."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.binary = root / "build/fuzz/tests/fuzz" / f"fuzz_{name}"
        self.seeds = root / "tests/fuzz/corpus" / name
        self.dictionary = root / "tests/fuzz" / f"{name}.dict"
        self.corpus = root / "build/fuzz/corpus" / name
        self.artifacts = root / "build/fuzz/found" / name
        self.log = root / "build/fuzz" / f"{name}.log"

    def command(self, seconds: int | None) -> list[str]:
        options = [f"-artifact_prefix={self.artifacts}/", "-print_final_stats=1", "-timeout=10"]
        if seconds is not None:
            options.append(f"-max_total_time={seconds}")
        if self.dictionary.is_file():
            options.append(f"-dict={self.dictionary}")
        return [str(self.binary), *options, str(self.corpus), str(self.seeds)]

    def run(self, seconds: int | None, is_shown: bool) -> Outcome:
        for folder in (self.corpus, self.artifacts):
            folder.mkdir(parents=True, exist_ok=True)
        printed = []
        process = subprocess.Popen(self.command(seconds), env={**SURROUNDINGS, **os.environ},
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        with process, self.log.open("w", encoding="utf-8") as log:
            while True:
                try:
                    for line in process.stdout:
                        printed.append(line)
                        log.write(line)
                        if is_shown:
                            print(line, end="", flush=True)
                    break
                except KeyboardInterrupt:
                    # libFuzzer was told too, and says what it came to before it ends.
                    continue
        return outcome.read(self.name, process.returncode, "".join(printed))


class NoCorpus(Exception):
    """A target whose inputs nobody replays."""


def names(root: Path) -> list[str]:
    """The targets that are built, each with its corpus."""
    built = (root / "tests/fuzz/CMakeLists.txt").read_text(encoding="utf-8")
    found = sorted(re.findall(r"^\s*sojourn_add_fuzz_target\((\w+)\.cpp", built, re.MULTILINE))
    for name in found:
        corpus = root / "tests/fuzz/corpus" / name
        if not corpus.is_dir() or not any(corpus.iterdir()):
            raise NoCorpus(f"{name} has no inputs in {corpus.relative_to(root)}")
    return found


def count_of_seconds(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 604_800:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 604800")
    return int(text)


def arguments(known: list[str], words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("./dev fuzz", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", metavar="NAME", help=", ".join(known))
    parser.add_argument("--all", action="store_true", help="all targets")
    parser.add_argument("--seconds", type=count_of_seconds, metavar="N", help="how long, for each target")
    wish = parser.parse_args(words)
    if wish.all == (wish.name is not None):
        parser.error(f"needs either --all or the name of one target: {', '.join(known)}")
    if wish.name is not None and wish.name not in known:
        parser.error(f"there is no target '{wish.name}'; there are {', '.join(known)}")
    return wish


def build(target: str) -> None:
    subprocess.run(["cmake", "--preset", "fuzz"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "fuzz", "--target", target], cwd=ROOT, check=True)


def explain(root: Path, found: Outcome) -> None:
    """Says what is wrong, and how to see it again."""
    if found.is_clean:
        return
    fuzzer = Fuzzer(root, found.target)
    print(f"\n{found.target}: {found.fault}\n  all that it printed: {fuzzer.log.relative_to(root)}")
    for path in found.findings:
        print(f"  again: {fuzzer.binary.relative_to(root)} {os.path.relpath(path, root)}")


def run_all(root: Path, known: list[str], seconds: int) -> list[Outcome]:
    def run(name: str) -> Outcome:
        print(f"fuzz: {name}, {seconds} s", flush=True)
        return Fuzzer(root, name).run(seconds, is_shown=False)

    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as executor:
        found = list(executor.map(run, known))
    summary = {"seconds": seconds, "targets": [each.to_json() for each in found]}
    (root / "build/fuzz/summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return found


def main(words: list[str]) -> int:
    known = names(ROOT)
    wish = arguments(known, words)
    if wish.all:
        build("sojourn_fuzzers")
        found = run_all(ROOT, known, wish.seconds or DEFAULT_SECONDS)
    else:
        build(f"fuzz_{wish.name}")
        found = [Fuzzer(ROOT, wish.name).run(wish.seconds, is_shown=True)]
    print(f"\n{outcome.table(found)}")
    for each in found:
        explain(ROOT, each)
    return int(not all(each.is_clean for each in found))


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (NoCorpus, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"fuzz: {error}")
