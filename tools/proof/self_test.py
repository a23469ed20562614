"""Whether the figures of docs/testing.md are read and written as they should be."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

import page  # noqa: E402
from origin import head  # noqa: E402
from sources import Missing, Row, counts, percent, rows  # noqa: E402

ROWS = [Row("mutants", "3 of 4 caught", "./dev mutants")]

FUZZING = {"seconds": 5, "targets": [{"target": "duration", "executions": 7, "findings": [], "fault": ""}]}
SOAK = {"operations": 9, "seconds": 600.0, "threads": 2, "faults": [], "plateau": {"heap": {"holds": True}}}
EXHAUSTIVE = "exhaustive: two: scenarios=2 interleavings=30\n"


class Proof(unittest.TestCase):
    def test_lines_are_summed(self) -> None:
        text = "a: x=1 y=2\nnoise a: x=9\nb: x=5\na: x=10\n"
        self.assertEqual(counts("a", text), {"x": 11, "y": 2})
        self.assertEqual(counts("exhaustive: [^:]*", "exhaustive: two of: runs=4\n"), {"runs": 4})
        self.assertEqual(counts("c", text), {})

    def test_the_figures_are_replaced_and_nothing_else(self) -> None:
        text = f"before\n{page.BEGIN}old\n{page.END}after\n"
        once = page.replaced(text, ROWS, "On a day:\n")
        self.assertTrue(once.startswith("before\n") and once.endswith("after\n"))
        self.assertIn("| mutants | 3 of 4 caught | `./dev mutants` |", once)
        self.assertNotIn("old", once)
        self.assertEqual(page.replaced(once, ROWS, "On a day:\n"), once)

    def test_without_a_place_nothing_is_written(self) -> None:
        with self.assertRaises(page.NoPlace):
            page.replaced("no figures", ROWS, "")

    def test_a_share_is_rounded_down(self) -> None:
        for covered, total, text in ((9496, 10_000, "94.9 %"), (94_999, 100_000, "94.9 %"), (95, 100, "95.0 %"),
                                     (3, 3, "100.0 %"), (0, 0, "100.0 %")):
            self.assertEqual(percent({"covered": covered, "total": total}), text)


class Origins(unittest.TestCase):
    """In a repository with one source and one page."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.git("init", "--quiet")
        self.write("src/a.cpp", "int a;\n")
        self.write("docs/testing.md", "a page\n")
        self.write(".gitignore", "build/\n")
        self.commit()

    def git(self, *words: str) -> None:
        person = {f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        ours = ["-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]
        subprocess.run(["git", *ours, *words], cwd=self.root, check=True, env=os.environ | person)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "a change")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def leave(self, path: str, result: Any, commit: str | None = None) -> None:
        """As a run does that has passed."""
        self.write(f"build/{path}", result if isinstance(result, str) else json.dumps(result))
        self.write(f"build/{Path(path).parent}/made_at", f"{commit or head(self.root)}\n")

    def row(self, what: str) -> Row | Missing:
        return next(row for row in rows(self.root) if row.what == what)

    def assert_refused(self, what: str, why: str) -> None:
        row = self.row(what)
        self.assertIsInstance(row, Missing)
        self.assertIn(why, row.why)

    def leave_mutants(self, commit: str | None = None) -> None:
        self.leave("mutants/summary.json", {"caught": 3, "mutants": 4}, commit)

    def test_what_was_not_run_is_missing(self) -> None:
        self.assertTrue(all(isinstance(row, Missing) for row in rows(self.root)))
        self.leave_mutants()
        self.assertEqual(self.row("mutants"), ROWS[0])
        self.leave("mutants/summary.json", "{")
        self.assert_refused("mutants", "JSONDecodeError")

    def test_what_has_not_passed_is_refused(self) -> None:
        self.leave_mutants()
        (self.root / "build/mutants/made_at").unlink()
        self.assert_refused("mutants", "has not passed")

    def test_what_another_run_has_written_since_is_refused(self) -> None:
        self.leave_mutants()
        later = (self.root / "build/mutants/made_at").stat().st_mtime + 1
        os.utime(self.root / "build/mutants/summary.json", (later, later))
        self.assert_refused("mutants", "has not passed")

    def test_what_is_of_other_sources_is_refused(self) -> None:
        self.leave_mutants()
        self.write("src/a.cpp", "int b;\n")
        self.commit()
        self.assert_refused("mutants", "the sources are others now")

    def test_what_is_of_the_same_sources_is_taken(self) -> None:
        self.leave_mutants()
        self.write("docs/testing.md", "another page\n")
        self.write("bench/a.cpp", "int b;\n")
        self.commit()
        self.assertEqual(self.row("mutants"), ROWS[0])
        self.assertIn(f"of the sources of commit {head(self.root)}:", page.where(self.root))

    def test_what_is_of_no_commit_is_refused(self) -> None:
        self.leave_mutants("unknown")
        self.assert_refused("mutants", "the sources are others now")

    def test_tests_of_sources_that_are_not_committed_are_refused(self) -> None:
        test = self.root / "build/dev/tests/sojourn_linearizability_tests"
        self.write("build/dev/tests/sojourn_linearizability_tests",
                   "#!/bin/sh\necho 'linearizability: histories=2 operations=8'\n")
        test.chmod(0o755)
        self.assertEqual(self.row("linearizability").figures, "2 histories of 8 operations, recorded from threads")
        self.write("src/a.cpp", "int b;\n")
        self.assert_refused("linearizability", "not committed")

    def test_tests_that_fail_are_refused(self) -> None:
        self.write("build/dev/tests/sojourn_linearizability_tests",
                   "#!/bin/sh\necho 'linearizability: histories=2 operations=8'\nexit 1\n")
        (self.root / "build/dev/tests/sojourn_linearizability_tests").chmod(0o755)
        self.assert_refused("linearizability", "CalledProcessError")

    def test_orders_are_summed(self) -> None:
        self.leave("sim/exhaustive.txt", EXHAUSTIVE)
        self.assertEqual(self.row("every order").figures, "30 interleavings of 2 scenarios of two or three operations")

    def test_a_fuzzer_that_has_found_something_is_refused(self) -> None:
        self.leave("fuzz/summary.json", FUZZING)
        self.assertEqual(self.row("fuzzing").figures, "7 executions of 1 targets, 5 s each")
        for found, why in (({"findings": ["crash-1"]}, "crash-1"), ({"fault": "hung"}, "hung")):
            self.leave("fuzz/summary.json", FUZZING | {"targets": [FUZZING["targets"][0] | found]})
            self.assert_refused("fuzzing", f"duration has found something: {why}")

    def test_a_soak_with_a_fault_or_growth_is_refused(self) -> None:
        self.leave("soak/summary.json", SOAK)
        self.assertEqual(self.row("soak").figures, "9 operations in 10 minutes, on 2 threads")
        for found, why in (({"faults": ["a lease was lost"]}, "a lease was lost"),
                           ({"plateau": {"heap": {"holds": True}, "waiting": {"holds": False}}}, "waiting still grew"),
                           ({"plateau": None}, "too short")):
            self.leave("soak/summary.json", SOAK | found)
            self.assert_refused("soak", why)


if __name__ == "__main__":
    unittest.main()
