"""Mutants of a small program: each is put in its place, and its fate told as it is. Compiles with CXX, or c++."""

import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.dont_write_bytecode = True

from sources import HEADER, mutated_sources, with_mutants, write_sources  # noqa: E402
from table import BadTable, Mutant, escaped, read_table  # noqa: E402
from trial import SURVIVED, Unfit, Verdict, judge  # noqa: E402

SPEC = importlib.util.spec_from_file_location("mutants", Path(__file__).with_name("__main__.py"))
mutants_tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(mutants_tool)

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
constexpr int twice(int number) { return number + number; }
static_assert(twice(2) == 4);

int main()
{
    int number = 3;
    const int* place = &number;
    bool is_done = false;
    while (!is_done) {
        is_done = true;
        is_done = twice(number) > 0;
    }
    return twice(number) == 6 && *static_cast<const volatile int*>(place) > 2 ? 0 : 1;
}
"""

# (name, original, mutated, how it is caught)
FATES = [
    ("same", "number + number", "2 * number", "survived"),
    ("more", "*static_cast<const volatile int*>(place) > 2", "number > 3", "failed"),
    ("nowhere", "&number", "nullptr", "crashed: SIGSEGV"),
    ("for-ever", "is_done = twice(number) > 0;", "is_done = false;", "hung"),
]


def mutant(name: str, original: str, mutated: str, within: str = "", caught_by=("program_tests",)) -> Mutant:
    return Mutant(name, "core/program.cpp", original, mutated, "a test", list(caught_by), within)


class Places(unittest.TestCase):
    def refused(self, text: str, *mutants: Mutant) -> str:
        with self.assertRaises(BadTable) as raised:
            with_mutants(text, list(mutants))
        return str(raised.exception)

    def test_what_is_not_there_is_refused(self):
        self.assertIn("lost: core/program.cpp has this 0 times", self.refused("f();", mutant("lost", "g();", "")))

    def test_what_is_there_twice_is_refused(self):
        self.assertIn("has this 2 times", self.refused("f(); f();", mutant("often", "f();", "")))
        self.assertIn("its 'within' has this 0 times", self.refused("f();", mutant("outside", "g();", "", "f();")))

    def test_two_in_one_place_are_refused(self):
        self.assertIn("left and right change the same place",
                      self.refused("a + b + c", mutant("left", "a + b", "a"), mutant("right", "b + c", "c")))

    def test_a_file_that_is_not_there_is_refused(self):
        with tempfile.TemporaryDirectory() as root, self.assertRaisesRegex(BadTable, "there is no src/sojourn/core"):
            mutated_sources(Path(root), [mutant("lost", "f();", "")])

    def test_statements_and_expressions(self):
        self.assertIn('if (::sojourn::mutants::is_on("no")) {  } else { f(); } g();',
                      with_mutants("f(); g();", [mutant("no", "f();", "")]))
        self.assertIn('h(::sojourn::mutants::is_on("no") ? (2) : (1))'.replace("h(", "h(("),
                      with_mutants("h(1); g(1);", [mutant("no", "1", "2", "h(1)")]))

    def test_a_file_without_mutants_is_as_it_was(self):
        self.assertEqual(with_mutants("f();", []), "f();")


class Table(unittest.TestCase):
    ENTRY = '[[mutant]]\nname="a"\nfile="f"\noriginal="o"\nmutated=""\nwhy="w"\ncaught_by=["t"]\n'

    def test_what_is_missing_unknown_or_there_twice_is_refused(self):
        for text, piece in [
            (self.ENTRY.replace('why="w"\n', ""), "a: missing 1 required"),
            (self.ENTRY + 'when="now"\n', "a: got an unexpected keyword argument 'when'"),
            (self.ENTRY.replace('"w"', '""'), "a: 'why'"),
            (self.ENTRY.replace('"a"', '"A bug"'), "A bug: a name"),
            (self.ENTRY + self.ENTRY, "a: there are two"),
            ("[[mutant", "mutants.toml: "),
        ]:
            with self.subTest(text=text), self.assertRaises(BadTable) as raised:
                read_table(text)
            self.assertIn(piece, str(raised.exception))
        self.assertEqual([entry.name for entry in read_table(self.ENTRY)], ["a"])

    def test_arguments(self):
        test = mutant("a", "o", "", caught_by=["unit_tests", "unit: a, b [c]"])
        self.assertEqual(test.arguments, [r"unit: a\, b \[c\]"])
        self.assertEqual(escaped("a*b"), r"a\*b")
        other = mutant("a", "o", "", caught_by=["simulation", "--seeds", "1,2"])
        self.assertEqual((other.executable, other.arguments), ("simulation", ["--seeds", "1,2"]))


class Fates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.build = self.root / "build"

    def make(self, program: str, mutants: list[Mutant]) -> None:
        for path, text in {"src/sojourn/core/program.cpp": program, HEADER: (ROOT / HEADER).read_text()}.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text)
        write_sources(mutated_sources(self.root, mutants), self.build)
        (self.build / "tests").mkdir(exist_ok=True)
        compiler = os.environ.get("CXX", "c++")
        subprocess.run([compiler, "-std=c++20", "-I", self.build / "src", "-o", self.build / "tests/program_tests",
                        self.build / "src/sojourn/core/program.cpp"], check=True)

    def test_each_is_told_as_it_is(self):
        mutants = [mutant(name, original, mutated) for name, original, mutated, _ in FATES]
        self.make(PROGRAM, mutants)
        verdicts = judge(mutants, self.build, least_limit=1)
        self.assertEqual([(verdict.mutant.name, verdict.how) for verdict in verdicts],
                         [(name, how) for name, _, _, how in FATES])
        self.assertEqual([verdict.is_caught for verdict in verdicts], [False, True, True, True])

    def test_one_that_seemed_to_hang_is_run_again_alone(self):
        program = self.build / "tests/program_tests"
        program.parent.mkdir(parents=True)
        program.write_text("""#!/bin/sh
            if [ "$SOJOURN_MUTANT" ] && mkdir "$0.was_here" 2>/dev/null; then
                exec tail -f /dev/null
            fi
            [ "$SOJOURN_MUTANT" != bad ]
        """)
        program.chmod(0o755)
        for name, how in (("harmless", "survived"), ("bad", "failed")):
            with self.subTest(name):
                verdict, = judge([mutant(name, "6", "7")], self.build, least_limit=0.5)
                self.assertEqual(verdict.how, how)
                (self.build / "tests/program_tests.was_here").rmdir()

    def test_a_test_that_fails_anyway_proves_nothing(self):
        mutants = [mutant("more", "6", "7")]
        self.make(PROGRAM.replace("> 2", "> 20"), mutants)
        with self.assertRaisesRegex(Unfit, "failed without any mutant: .*program_tests"):
            judge(mutants, self.build)

    def test_only_what_changes_is_written(self):
        self.make(PROGRAM, [mutant("more", "6", "7")])
        stale = self.build / "src/sojourn/gone.hpp"
        stale.write_text("")
        file = self.build / "src/sojourn/core/program.cpp"
        before = file.stat().st_mtime_ns
        write_sources(mutated_sources(self.root, [mutant("more", "6", "7")]), self.build)
        self.assertEqual(file.stat().st_mtime_ns, before)
        self.assertFalse(stale.exists())
        write_sources(mutated_sources(self.root, [mutant("more", "6", "8")]), self.build)
        self.assertIn('is_on("more") ? (8) : (6)', file.read_text())


class Figures(unittest.TestCase):
    def test_those_of_some_do_not_replace_those_of_all(self):
        mutants = [mutant("a", "6", "7"), mutant("b", "6", "8")]

        def run(chosen: list[Mutant], are_all: bool) -> int:
            verdicts = [Verdict(each, "failed" if each.name == "a" else SURVIVED, 0.1) for each in chosen]
            with mock.patch.object(mutants_tool, "judge", lambda *_: verdicts), \
                    mock.patch.object(mutants_tool, "BUILD", Path(folder)), \
                    contextlib.redirect_stdout(io.StringIO()):
                return mutants_tool.run_tests(chosen, are_all)

        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(run(mutants, are_all=True), 1)
            all_of_them = (Path(folder) / "summary.json").read_text()
            self.assertIn('"caught": 1,\n "mutants": 2,', all_of_them)
            self.assertEqual(run(mutants[:1], are_all=False), 0)
            self.assertEqual((Path(folder) / "summary.json").read_text(), all_of_them)


if __name__ == "__main__":
    unittest.main()
