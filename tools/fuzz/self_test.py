"""What is read from libFuzzer's output, and what is done with it: each step proves here that it can fail."""

import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import outcome  # noqa: E402

SPEC = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("__main__.py"))
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)

CLEAN = """INFO: Seed: 1
#2	INITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 30Mb
#4096	pulse  cov: 73 ft: 94 corp: 18/41b lim: 43 exec/s: 2048 rss: 60Mb
#5000	DONE   cov: 74 ft: 99 corp: 19/45b lim: 43 exec/s: 1666 rss: 61Mb
Done 5000 runs in 3 second(s)
stat::number_of_executed_units: 5000
stat::average_exec_per_sec:     1666
"""

CRASH = """#2	INITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 30Mb
finding: '1h' is 0 ms, but should be 3600000
==17== ERROR: libFuzzer: deadly signal
artifact_prefix='found/'; Test unit written to found/crash-0123abcd
stat::number_of_executed_units: 77
"""


class Reading(unittest.TestCase):
    def test_a_clean_run(self):
        found = outcome.read("duration", 0, CLEAN)
        self.assertEqual(found, outcome.Outcome("duration", 5000, 1666, 74, 99, [], ""))
        self.assertTrue(found.is_clean)

    def test_a_crash(self):
        found = outcome.read("duration", 77, CRASH)
        self.assertEqual(found.findings, ["found/crash-0123abcd"])
        self.assertEqual(found.fault, "finding: '1h' is 0 ms, but should be 3600000")
        self.assertEqual((found.executions, found.coverage, found.is_clean), (77, 10, False))

    def test_what_a_sanitizer_says_is_quoted(self):
        for line in ("==5==ERROR: AddressSanitizer: heap-use-after-free", "==5== ERROR: libFuzzer: timeout after 11 s",
                     "a.cpp:3:4: runtime error: signed integer overflow"):
            with self.subTest(line):
                self.assertEqual(outcome.read("x", 70, f"{CLEAN}{line}\n").fault, line)

    def test_each_kind_of_file_counts_but_a_slow_one(self):
        for kind, count in (("crash", 1), ("leak", 1), ("timeout", 1), ("oom", 1), ("slow-unit", 0)):
            with self.subTest(kind):
                found = outcome.read("x", 0, f"{CLEAN}artifact_prefix='f/'; Test unit written to f/{kind}-ab\n")
                self.assertEqual(len(found.findings), count)
                self.assertEqual(found.is_clean, count == 0)

    def test_an_interruption_is_no_fault(self):
        self.assertTrue(outcome.read("x", outcome.INTERRUPTED, CLEAN).is_clean)

    def test_a_status_without_words_is_a_fault(self):
        self.assertEqual(outcome.read("x", -9, CLEAN).fault, "ended with status -9")

    def test_nothing_executed_is_a_fault(self):
        self.assertEqual(outcome.read("x", 0, "").fault, "nothing was executed")

    def test_the_table(self):
        rows = [outcome.read("duration", 0, CLEAN), outcome.read("x", 77, CRASH)]
        self.assertEqual(outcome.table(rows).splitlines(), [
            "target    executions  exec/s  cov  ft  found",
            "duration       5,000   1,666   74  99      0",
            "x                 77       0   10  11      1",
        ])


FAKE = f"""#!/usr/bin/env python3
import sys
options = [word for word in sys.argv[1:] if word.startswith("-")]
prefix = next(word.partition("=")[2] for word in options if word.startswith("-artifact_prefix="))
print({CLEAN!r}, end="")
if "fuzz_bad" in sys.argv[0]:
    open(prefix + "crash-1", "w").close()
    print("finding: it is bad\\nartifact_prefix='" + prefix + "'; Test unit written to " + prefix + "crash-1")
    sys.exit(77)
"""


TARGETS = """
# sojourn_add_fuzz_target(<name>.cpp [LIBRARIES <target>...])
function(sojourn_add_fuzz_target file)
endfunction()

sojourn_add_fuzz_target(good.cpp)
if(SOJOURN_BUILD_EXAMPLES)
    sojourn_add_fuzz_target(bad.cpp LIBRARIES server)
endif()
"""


class Running(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "tests/fuzz").mkdir(parents=True)
        (self.root / "tests/fuzz/CMakeLists.txt").write_text(TARGETS)
        for name in ("bad", "good"):
            (self.root / "tests/fuzz/corpus" / name).mkdir(parents=True)
            (self.root / "tests/fuzz/corpus" / name / "empty").touch()
            binary = fuzz.Fuzzer(self.root, name).binary
            binary.parent.mkdir(parents=True, exist_ok=True)
            binary.write_text(FAKE)
            binary.chmod(0o755)

    def run_all(self):
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            found = fuzz.run_all(self.root, fuzz.names(self.root), 5)
            for each in found:
                fuzz.explain(self.root, each)
        return found, printed.getvalue()

    def test_what_is_found_is_named_with_how_to_see_it_again(self):
        found, printed = self.run_all()
        self.assertEqual([(each.target, each.is_clean) for each in found], [("bad", False), ("good", True)])
        self.assertIn("bad: finding: it is bad", printed)
        self.assertIn("again: build/fuzz/tests/fuzz/fuzz_bad build/fuzz/found/bad/crash-1", printed)
        self.assertNotIn("again: build/fuzz/tests/fuzz/fuzz_good", printed)

    def test_the_targets_are_those_that_are_built(self):
        (self.root / "tests/fuzz/corpus/left_over").mkdir()
        self.assertEqual(fuzz.names(self.root), ["bad", "good"])

    def test_a_target_without_inputs_is_refused(self):
        corpus = self.root / "tests/fuzz/corpus/good"
        (corpus / "empty").unlink()
        with self.assertRaisesRegex(fuzz.NoCorpus, "good has no inputs in tests/fuzz/corpus/good"):
            fuzz.names(self.root)
        corpus.rmdir()
        with self.assertRaises(fuzz.NoCorpus):
            fuzz.names(self.root)

    def test_the_summary(self):
        self.run_all()
        summary = json.loads((self.root / "build/fuzz/summary.json").read_text())
        self.assertEqual(summary["seconds"], 5)
        self.assertEqual([(each["target"], each["executions"], len(each["findings"])) for each in summary["targets"]],
                         [("bad", 5000, 1), ("good", 5000, 0)])

    def test_the_command(self):
        fuzzer = fuzz.Fuzzer(self.root, "good")
        command = fuzzer.command(7)
        self.assertIn("-max_total_time=7", command)
        # What is new goes into the first folder, and never into the tree.
        self.assertEqual(command[-2:], [str(fuzzer.corpus), str(fuzzer.seeds)])
        self.assertFalse([word for word in fuzzer.command(None) if "max_total_time" in word or "-dict" in word])
        fuzzer.dictionary.touch()
        self.assertIn(f"-dict={fuzzer.dictionary}", fuzzer.command(None))


class Arguments(unittest.TestCase):
    def refused(self, *words):
        with contextlib.redirect_stderr(io.StringIO()) as printed, self.assertRaises(SystemExit) as ended:
            fuzz.arguments(["duration", "service"], list(words))
        self.assertEqual(ended.exception.code, 2)
        return printed.getvalue()

    def test_what_is_taken(self):
        wish = fuzz.arguments(["duration"], ["duration", "--seconds", "5"])
        self.assertEqual((wish.name, wish.all, wish.seconds), ("duration", False, 5))
        self.assertTrue(fuzz.arguments(["duration"], ["--all"]).all)

    def test_what_is_refused(self):
        self.assertIn("there is no target 'durations'; there are duration, service", self.refused("durations"))
        self.assertIn("needs either --all or the name", self.refused())
        self.assertIn("needs either --all or the name", self.refused("duration", "--all"))
        for text in ("0", "-1", "1.5", "x", "604801"):
            with self.subTest(text):
                self.assertIn("is not a number from 1 to 604800", self.refused("duration", f"--seconds={text}"))


if __name__ == "__main__":
    unittest.main()
