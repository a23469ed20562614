"""What the figures go through, from llvm-cov's export to the exit status: each step proves here that it can fail."""

import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

import measuring  # noqa: E402
from figures import BadExport, FileCoverage, Outcome, Share, folders, read, read_outcomes  # noqa: E402
from report import missed, plain, ranges, summary, tables  # noqa: E402
from rules import EXCLUDED, Target, below, counted, failures  # noqa: E402

SOURCES = Path(__file__).resolve().parents[2] / "src/sojourn"
ROOT = Path("/p/src/sojourn")

LCOV = """SF:/p/src/sojourn/core/a.hpp
FN:3,_Z1av
DA:3,2
DA:4,0
DA:5,0
DA:7,0
DA:8,18446744073709551615
LF:5
end_of_record
SF:/p/src/sojourn/version.hpp
DA:1,1
end_of_record
SF:/p/tests/a_test.cpp
DA:1,0
end_of_record
"""


def function(*branches: list[int], filenames: tuple[str, ...] = ("/p/src/sojourn/core/a.hpp",)) -> dict[str, Any]:
    return {"filenames": list(filenames), "regions": [[1, 1, 9, 2, 1, 0, 0, 0]], "branches": list(branches)}


def exported(*functions: dict[str, Any]) -> str:
    return json.dumps({"data": [{"functions": list(functions)}]})


# As llvm-cov 19 writes a branch: where it begins and ends, how often it was taken and not, file, expanded file, kind.
TAKEN = [3, 9, 3, 14, 5, 0, 0, 0, 4]
NOT_TAKEN = [3, 9, 3, 14, 0, 2, 0, 0, 4]
NEVER = [4, 5, 4, 9, 0, 0, 0, 0, 4]


def file(path: str, covered: int, total: int, outcomes: tuple[int, int] = (0, 0)) -> FileCoverage:
    return FileCoverage(path, {line: line < covered for line in range(total)},
                        {Outcome(line, 1, True): line < outcomes[0] for line in range(outcomes[1])})


class Shares(unittest.TestCase):
    def test_percent(self):
        self.assertEqual(Share(1, 4).percent, 25)
        self.assertEqual(Share().percent, 100)
        self.assertEqual(Share(1, 4) + Share(2, 2), Share(3, 6))


class Reading(unittest.TestCase):
    def test_lines(self):
        header, version = read(LCOV, exported(), ROOT)
        self.assertEqual((header.path, header.folder), ("core/a.hpp", "core"))
        self.assertEqual(header.line_share, Share(2, 5))
        self.assertEqual(header.missed_lines, [4, 5, 7])
        self.assertEqual((version.path, version.folder), ("version.hpp", "."))

    def test_instantiations_are_joined(self):
        header, _ = read(LCOV, exported(function(TAKEN), function(NOT_TAKEN), function(NEVER)), ROOT)
        self.assertEqual(header.branch_share, Share(2, 4))
        self.assertEqual(header.missed_outcomes, [Outcome(4, 5, False), Outcome(4, 5, True)])

    def test_one_instantiation_alone(self):
        header, _ = read(LCOV, exported(function(TAKEN)), ROOT)
        self.assertEqual(header.missed_outcomes, [Outcome(3, 9, False)])

    def test_a_branch_is_in_the_file_that_it_names(self):
        macro = [3, 9, 3, 14, 1, 1, 1, 0, 4]
        found = read_outcomes([function(macro, filenames=("a.cpp", "macro.hpp"))])
        self.assertEqual(found.keys(), {"macro.hpp"})

    def test_a_comparison_by_default_has_no_branches(self):
        written_by_compiler = function([5, 54, 5, 55, 6, 0, 0, 0, 4]) | {"regions": [[5, 54, 5, 55, 6, 0, 0, 0]]}
        self.assertEqual(read_outcomes([written_by_compiler]), {})

    def test_what_is_no_export(self):
        for text in ("", "{}", '{"data": []}', exported({"filenames": []}), exported(function([1]))):
            with self.subTest(text), self.assertRaises(BadExport):
                read(LCOV, text, ROOT)

    def test_a_source_that_no_program_has_linked(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("seen.cpp", "unseen.cpp", "no_code.hpp"):
                (root / name).touch()
            with self.assertRaisesRegex(BadExport, "unseen.cpp"):
                read(f"SF:{root}/seen.cpp\nDA:1,1\n", exported(), root)
            (root / "unseen.cpp").unlink()
            self.assertEqual(len(read(f"SF:{root}/seen.cpp\nDA:1,1\n", exported(), root)), 1)

    def test_what_has_none_of_our_files(self):
        with self.assertRaises(BadExport):
            read("SF:/p/src/sojournes/a.cpp\nDA:1,1\n", exported(), ROOT)


class Judging(unittest.TestCase):
    target = Target(lines=98, branches=95)

    def test_at_the_target(self):
        self.assertTrue(self.target.is_met(Share(98, 100), Share(95, 100)))
        self.assertFalse(self.target.is_met(Share(97, 100), Share(100, 100)))
        self.assertFalse(self.target.is_met(Share(100, 100), Share(94, 100)))

    def test_below(self):
        files = [file("core/a.cpp", 100, 100), file("core/b.cpp", 97, 100), file("core/c.cpp", 100, 100, (9, 10))]
        self.assertEqual([each.path for each in below(files, self.target)], ["core/b.cpp", "core/c.cpp"])

    def test_core_alone_is_held_to_it(self):
        good, bad = file("core/a.cpp", 100, 100, (95, 100)), file("service/a.cpp", 1, 100)
        self.assertEqual(failures([good, bad]), [])
        self.assertEqual(len(failures([file("core/a.cpp", 97, 100)])), 1)
        self.assertEqual(len(failures([file("core/a.cpp", 100, 100, (94, 100))])), 1)

    def test_no_core_at_all(self):
        self.assertEqual(len(failures([file("service/a.cpp", 100, 100)])), 1)

    def test_what_is_excluded_is_not_counted_and_must_be_there(self):
        excluded = [file(path, 0, 100) for path in EXCLUDED]
        other = file("core/a.cpp", 1, 1)
        self.assertEqual(counted([other, *excluded]), [other])
        with self.assertRaises(BadExport):
            counted([other])

    def test_what_is_excluded_is_there(self):
        for path in EXCLUDED:
            self.assertTrue((SOURCES / path).is_file(), path)


class Words(unittest.TestCase):
    def test_folders_are_sums(self):
        found = folders([file("core/a.cpp", 1, 2, (1, 1)), file("core/b.cpp", 2, 3, (0, 1)), file("a.hpp", 1, 1)])
        self.assertEqual([(folder.name, folder.lines, folder.branches) for folder in found],
                         [(".", Share(1, 1), Share()), ("core", Share(3, 5), Share(1, 2))])

    def test_ranges(self):
        self.assertEqual(ranges([]), "")
        self.assertEqual(ranges([1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10")

    def test_missed_places(self):
        header, _ = read(LCOV, exported(function(TAKEN)), ROOT)
        self.assertEqual(missed(header), "  core/a.hpp: lines 4-5, 7\n  core/a.hpp: 3:9 never false")
        self.assertEqual(missed(file("core/a.cpp", 1, 1)), "")

    def test_columns(self):
        self.assertEqual(plain([["", "ab"], ["abc", "d"]]), "     ab\nabc   d")

    def test_nothing_is_rounded_up_to_the_target(self):
        text = tables([file("core/a.cpp", 97_999, 100_000)])
        self.assertIn("97.9 %", text)
        self.assertNotIn("98.0 %", text)
        self.assertIn("Files with less than 98 % of lines, 95 % of branches", text)

    def test_no_file_is_below(self):
        self.assertNotIn("Files", tables([file("core/a.cpp", 1, 1)]))

    def test_summary(self):
        found = summary([file("core/a.cpp", 2, 3, (1, 2))])
        self.assertEqual(found["folders"]["core"]["lines"], {"covered": 2, "total": 3, "percent": 66.67})
        self.assertEqual(found["files"]["core/a.cpp"]["missed_lines"], [2])
        self.assertEqual(found["files"]["core/a.cpp"]["missed_branches"], ["1:1 never true"])
        json.dumps(found)


class Running(unittest.TestCase):
    def run_program(self, script: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tests"
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(0o755)
            measuring.run_tests(path, Path(folder))

    def test_tests_that_fail_are_an_error_with_their_output(self):
        with self.assertRaisesRegex(measuring.TestsFailed, "(?s)ended with 3.*expansion"):
            self.run_program("echo expansion; exit 3")
        with self.assertRaises(measuring.TestsFailed):
            self.run_program("kill -9 $$")

    def test_each_process_has_a_profile_of_its_own(self):
        self.run_program('case $LLVM_PROFILE_FILE in */tests-%m-%p.profraw) ;; *) exit 1 ;; esac')

    def test_a_tool_that_fails_says_why(self):
        with self.assertRaisesRegex(measuring.TestsFailed, "no profile"):
            measuring.output("/bin/sh", "-c", "echo 'no profile' >&2; exit 1")
        self.assertEqual(measuring.output("/bin/echo", "a"), "a\n")


if __name__ == "__main__":
    unittest.main()
