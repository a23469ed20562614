"""What the figures go through, from Google Benchmark's JSON to the page: each step proves here that it can fail."""

import argparse
import contextlib
import io
import json
import random
import sys
import tempfile
import unittest
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest import mock

sys.dont_write_bytecode = True

import instructions, load, measuring, page, plots, scaling  # noqa: E401, E402
from measurement import BadResult, Case, Sample, measurements, parse_name  # noqa: E402
from results import Facts, Results, Row, paired, read_under_load  # noqa: E402
from tables import amount, cells, markdown, number, plain  # noqa: E402
from targets import TARGETS, Target, Verdict, figure, ratio, speed_up, throughput, verdicts  # noqa: E402

FACTS = Facts("2024-05-01", "abc1234", ["a processor", "2 hardware threads"], "a compiler", "9 repetitions")


def run(name: str, *costs: float, **counters: float) -> list[dict[str, Any]]:
    """The repetitions of a benchmark, as Google Benchmark writes them."""
    return [{"name": f"{name}/manual_time", "run_type": "iteration", "threads": 1, "iterations": 10, "real_time": 1.0,
             "time_unit": "ns", "items_per_second": 1e9 / cost, **counters} for cost in costs]


def results(*runs: list[dict[str, Any]], http: dict[str, Any] | None = None) -> Results:
    return Results(paired(measurements({"benchmarks": [each for one in runs for each in one]})), FACTS, http)


TOUCH = results(
    run("table_touch/sojourn/zipf/sessions:1000/threads:1", 30, 31, 29),
    run("table_touch/mutex_lru/zipf/sessions:1000/threads:1", 60),
    run("table_touch/sojourn/zipf/sessions:1000000/threads:1", 300),
    run("table_touch/mutex_lru/zipf/sessions:1000000/threads:1", 200),
    run("table_touch/sojourn/uniform/sessions:1000/threads:1", 40),
    run("acquire_release/sojourn/zipf/sessions:1000/threads:1", 90),
    run("acquire_release/sojourn/distinct/sessions:1000/threads:1", 95),
    run("acquire_release/sojourn/zipf/sessions:1000/threads:2", 60),
    run("acquire_release/sojourn/distinct/sessions:1000/threads:2", 50),
    run("mass_expiry/sojourn/sessions:1000/threads:2", 1, p50_ns=100, p99_ns=900, p999_ns=3000),
    run("mass_expiry/mutex_lru/whole_scan/sessions:1000/threads:2", 1, p50_ns=100, p99_ns=90_000, p999_ns=900_000),
    run("memory/sojourn/sessions:1000/threads:1", 1, bytes_per_session=300),
)


class Names(unittest.TestCase):
    def test_parts(self):
        case, contestant = parse_name(
            "confined_call/std_mutex/contended/sessions:1000/threads:2/coroutines:64/manual_time")
        self.assertEqual((case, contestant), (Case("confined_call", "contended", 1000, 2, 64), "std_mutex"))
        case, _ = parse_name("memory/sojourn/sessions:1000/threads:1/iterations:1")
        self.assertEqual(case, Case("memory", "", 1000, 1))

    def test_another_form_is_refused(self):
        for name in ("session_table/create/at_capacity/sessions:1000", "memory", "memory/sojourn/threads:1"):
            with self.subTest(name), self.assertRaises(BadResult):
                parse_name(name)


class Figures(unittest.TestCase):
    def test_median_and_interquartile_range(self):
        self.assertEqual(Sample.of([10, 20, 30, 40, 1000]), Sample(30, 100 * 20 / 30))
        self.assertEqual(Sample.of([7]), Sample(7, 0))

    def test_cost_is_the_inverse_of_the_rate(self):
        self.assertAlmostEqual(TOUCH.rows[0].ours.figure.median, 40)

    def test_a_question_may_name_a_counter(self):
        rows = {row.case.question: row for row in TOUCH.rows}
        self.assertEqual(rows["memory"].ours.figure.median, 300)
        self.assertEqual(rows["memory"].unit, "bytes")
        self.assertEqual(rows["mass_expiry"].ours.figure.median, 900)

    def test_a_counter_may_be_zero(self):
        one = results(run("victim_age/sojourn/sessions:1000/threads:1", 1, age_error=0)).rows[0]
        self.assertEqual(one.ours.figure.median, 0)

    def test_aggregates_do_not_count(self):
        runs = run("table_touch/sojourn/sessions:1/threads:1", 10)
        mean = runs[0] | {"run_type": "aggregate", "items_per_second": 1.0}
        self.assertAlmostEqual(results(runs, [mean]).rows[0].ours.figure.median, 10)

    def test_a_failed_or_silent_benchmark_is_refused(self):
        failed = run("memory/sojourn/sessions:1/threads:1", 1, bytes_per_session=1)
        failed[0] |= {"error_occurred": True, "error_message": "no"}
        with self.assertRaisesRegex(BadResult, "failed: no"):
            results(failed)
        with self.assertRaisesRegex(BadResult, "says no bytes_per_session"):
            results(run("memory/sojourn/sessions:1/threads:1", 1))


class Pairs(unittest.TestCase):
    def test_only_equal_cases_are_paired(self):
        ratios = [(row.case.scenario, row.case.sessions, row.theirs and row.ratio) for row in TOUCH.rows
                  if row.case.question == "table_touch"]
        self.assertEqual(ratios, [("uniform", 1000, None), ("zipf", 1000, 0.5), ("zipf", 1_000_000, 1.5)])

    def test_a_rival_may_have_a_way_of_its_own(self):
        row = next(row for row in TOUCH.rows if row.case.question == "mass_expiry")
        self.assertEqual((row.ratio, cells(row)[6]), (0.01, "mutex_lru whole_scan"))

    def test_each_of_ours_meets_each_rival(self):
        name = "acquire_release/{}/sessions:1000/threads:2"
        contestants = ["sojourn", "sojourn_16_shards", "mutex_lru", "post_strand"]
        rows = results(*(run(name.format(each), 10) for each in contestants)).rows
        pairs = [(row.ours.contestant, row.theirs.contestant) for row in rows if row.theirs]
        self.assertEqual(pairs, [("sojourn", "mutex_lru"), ("sojourn", "post_strand"),
                                 ("sojourn_16_shards", "mutex_lru"), ("sojourn_16_shards", "post_strand")])

    def test_json_keeps_everything(self):
        with tempfile.TemporaryDirectory() as folder:
            TOUCH.save(Path(folder))
            self.assertEqual(Results.load(Path(folder, "summary.json")), TOUCH)

    def test_json_says_what_a_reader_looks_for(self):
        row = next(row for row in TOUCH.rows if row.ratio == 0.5).to_json()
        self.assertEqual((row["name"], row["threads"], row["sessions"]), ("table_touch/sojourn", 1, 1000))
        self.assertEqual((round(row["ours_ns"]), row["theirs"], round(row["theirs_ns"])), (30, "mutex_lru", 60))


class Targets(unittest.TestCase):
    def judge(self, values, **bound):
        target = Target("", values, **bound)
        found = list(values(TOUCH))
        worst = (max if "at_most" in bound else min)(found, default=None)
        return Verdict(target, worst).word

    def test_bounds_on_both_sides(self):
        cost = figure("table_touch", scenario="zipf", sessions=1000)
        self.assertEqual(self.judge(cost, at_most=30.001), "holds")
        self.assertEqual(self.judge(cost, at_most=29.9), "MISSED")
        better = throughput("table_touch", "mutex_lru", sessions=1000)
        self.assertEqual(self.judge(better, at_least=1.99), "holds")
        self.assertEqual(self.judge(better, at_least=2.01), "MISSED")

    def test_the_worst_row_counts(self):
        self.assertEqual(self.judge(ratio("table_touch", "mutex_lru"), at_most=1), "MISSED")
        self.assertEqual(list(speed_up("acquire_release", "sojourn", 2, sessions=1000)(TOUCH)), [95 / 50, 90 / 60])

    def test_what_was_not_measured_is_not_held(self):
        self.assertEqual(self.judge(ratio("table_touch", "nobody"), at_most=1), "not measured")

    def test_each_target_has_one_bound(self):
        for target in TARGETS:
            self.assertNotEqual(target.at_most is None, target.at_least is None, target.words)

    def test_all_targets(self):
        server = {"requests_per_second": 9e4, "p99_ms": 1.0, "rss_before_kb": 100, "rss_after_kb": 200}
        found = results(http={"with": server, "without": server, "ratio": 0.98, "p99_ratio": 1.0})
        words = [verdict.word for verdict in verdicts(found)]
        self.assertEqual(words[-3:], ["holds", "holds", "MISSED"])
        self.assertEqual(set(words[:-3]), {"not measured"})
        memory = next(verdict for verdict in verdicts(TOUCH) if "memory of a session" in verdict.target.words)
        self.assertEqual((memory.value, memory.word), (300 - 22 - 64, "MISSED"))


class Tables(unittest.TestCase):
    def test_numbers_have_three_digits(self):
        self.assertEqual([number(value) for value in (0.4567, 12.34, 123.4, 12345.6, 4.0)],
                         ["0.46", "12.3", "123", "12,346", "4"])

    def test_long_times_have_larger_units(self):
        self.assertEqual([amount(value, "ns") for value in (900, 8_119_730, 45_600)], ["900 ns", "8.12 ms", "45.6 us"])
        self.assertEqual(amount(20_000, "bytes"), "20,000 bytes")
        self.assertEqual(amount(1.5, ""), "1.50")

    def test_cells(self):
        row = next(row for row in TOUCH.rows if row.ratio == 0.5)
        self.assertEqual(cells(row), ["table_touch", "zipf", "1", "1,000", "sojourn", "30 ns ± 3 %", "mutex_lru",
                                      "60 ns ± 0 %", "0.50"])
        self.assertEqual(plain(["a", "b"], [["long", "c"]]), "a     b\nlong  c")
        self.assertEqual(markdown(["a"], [["b"]]), "| a |\n| --- |\n| b |")


FAKE = """#!/usr/bin/env python3
import json, os, re, sys
if os.environ.get("SOJOURN_BENCH_ANYWAY"):
    sys.exit("measures a debug build")
names = ["table_touch/sojourn/sessions:1000/threads:1", "table_touch/sojourn/sessions:10000/threads:1",
         "memory/sojourn/sessions:1000/threads:1", "memory/sojourn/sessions:10000000/threads:1"]
options = dict(option[2:].split("=", 1) for option in sys.argv[1:])
if "benchmark_list_tests" in options:
    print(*names, sep="\\n")
else:
    chosen = [name for name in names if re.search(options["benchmark_filter"], name)]
    runs = [{"name": name, "run_type": "iteration", "items_per_second": 1e9 / len(chosen), "bytes_per_session": 9}
            for name in chosen for _ in range(int(options["benchmark_repetitions"]))]
    context = {"library_build_type": "release", "sojourn_build": "BUILD"}
    json.dump({"context": context, "benchmarks": runs}, open(options["benchmark_out"], "w"))
"""


class Measuring(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.build = Path(folder.name)
        self.binary = self.build / "bench/sojourn_bench"
        self.binary.parent.mkdir()
        self.program(FAKE.replace("BUILD", "release"))

    def program(self, text):
        self.binary.write_text(text)
        self.binary.chmod(0o755)

    def measure(self, effort=measuring.QUICK):
        return list(measuring.measure(self.binary, effort, self.build / "raw"))

    def test_one_process_a_question_and_size(self):
        found = self.measure()
        self.assertEqual([(each.case.question, each.case.sessions) for each in found],
                         [("table_touch", 1000), ("table_touch", 10000), ("memory", 1000)])
        # The fake's cost is how many benchmarks its process ran.
        self.assertEqual([each.figure.median for each in found], [1, 1, 9])
        raw = json.loads((self.build / "raw/memory-1000.json").read_text())
        self.assertEqual(len(raw["benchmarks"]), measuring.QUICK.repetitions)

    def test_a_full_run_has_the_large_sizes(self):
        self.assertEqual(self.measure(measuring.FULL)[-1].case.sessions, 10_000_000)

    def test_a_debug_build_is_refused(self):
        self.program(FAKE.replace("BUILD", "debug"))
        with self.assertRaisesRegex(BadResult, "void.*'debug'"):
            self.measure()
        with self.assertRaisesRegex(BadResult, "void.*'unknown'"):
            measuring.require_release({"library_build_type": "release"})

    def test_a_permission_to_measure_a_debug_build_is_not_passed_on(self):
        with mock.patch.dict("os.environ", {"SOJOURN_BENCH_ANYWAY": "1"}):
            self.assertEqual(len(self.measure()), 3)

    def test_a_binary_that_fails_is_quoted(self):
        self.program("#!/bin/sh\necho 'a rival does not evict' >&2\nexit 1\n")
        with self.assertRaisesRegex(BadResult, "a rival does not evict"):
            self.measure()


README = """Text.

<!-- instructions: clang 1, Boost 2 -->
| operation | instructions |
| --- | --- |
| `touch` | 1,000 |
<!-- /instructions -->

More.
"""


class Instructions(unittest.TestCase):
    def check(self, counted, toolchain="clang 1, Boost 2"):
        with tempfile.TemporaryDirectory() as folder:
            readme = Path(folder, "README.md")
            readme.write_text(README)
            with mock.patch.object(instructions, "measure", lambda program: (toolchain, counted)), \
                    contextlib.redirect_stdout(io.StringIO()) as printed:
                passed = instructions.check(Path(), readme)
        return passed, printed.getvalue()

    def test_within_the_tolerance(self):
        for value in (971, 1000, 1029):
            self.assertTrue(self.check({"touch": value})[0])

    def test_a_loss_and_a_gain_both_fail(self):
        for value in (969, 1031):
            passed, printed = self.check({"touch": value})
            self.assertFalse(passed)
            self.assertIn("the table says 1,000", printed)

    def test_a_new_and_a_vanished_operation_fail(self):
        self.assertIn("not in the table", self.check({"touch": 1000, "remove": 5})[1])
        self.assertFalse(self.check({"touch": 1000, "remove": 5})[0])
        self.assertFalse(self.check({})[0])

    def test_another_toolchain_is_not_compared(self):
        passed, printed = self.check({"touch": 5000}, "clang 2, Boost 2")
        self.assertTrue(passed)
        self.assertIn("not compared", printed)

    def test_update_changes_the_table_alone(self):
        text = instructions.rewritten(README, "clang 3", {"touch": 1234, "remove": 5})
        self.assertEqual(instructions.committed(text), ("clang 3", {"touch": 1234, "remove": 5}))
        self.assertTrue(text.startswith("Text.\n\n<!--") and text.endswith("-->\n\nMore.\n"))

    def test_a_readme_without_a_table_is_refused(self):
        with self.assertRaises(BadResult):
            instructions.committed("Text.")


LOAD = """#!/usr/bin/env python3
import json, sys
option, seconds, question = sys.argv[1:]
if seconds == "13":
    sys.exit("sojourn_load: overload, 2x: permits there are: 63, and not 64")
print(json.dumps({"context": {"sojourn_build": "BUILD"}, question: json.load(open(__file__ + ".json"))[question]}))
"""


def answers(**changed: float) -> dict[str, Any]:
    """What the load program would say if all of its figures were one, but for those that are changed."""
    names = {
        "overload": ("capacity", "1x", "2x", "10x", "10x, bounded wait"),
        "attacker": ("one address", "new addresses, 4 shards"),
        "slow_listener": ("full",),
    }

    class Figures(dict):
        def __missing__(self, name):
            return self.setdefault(name, changed.get(name, 1.0))

    found: dict[str, Any] = {"facts": asdict(FACTS)}
    for question in load.QUESTIONS:
        settings, phases = Figures(), [Figures(name=name) for name in names[question.name]]
        found[question.name] = {"settings": settings, "phases": phases}
        # So that whatever is read is there, in JSON too.
        question.how.format_map(settings)
        question.lines(found)
    load.verdicts(Results([], FACTS, under_load=found))
    return found


class UnderLoad(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.binary = self.folder / "sojourn_load"

    def measure(self, seconds=30, build="release"):
        self.binary.write_text(LOAD.replace("BUILD", build))
        self.binary.chmod(0o755)
        Path(f"{self.binary}.json").write_text(json.dumps(answers()))
        return load.measure(self.binary, seconds, FACTS, self.folder / "bench")

    def judge(self, **changed):
        found = answers(**changed)
        judged = load.verdicts(Results([], FACTS, under_load=found))
        return {verdict.target.words for verdict in judged if verdict.word == "MISSED"}

    def test_what_was_measured_is_kept(self):
        self.assertEqual(self.measure(), answers())
        self.assertEqual(read_under_load(self.folder / "bench"), answers())
        self.assertIsNone(read_under_load(self.folder))

    def test_a_broken_claim_is_quoted_and_nothing_kept(self):
        with self.assertRaisesRegex(BadResult, "permits there are: 63, and not 64"):
            self.measure(seconds=13)
        self.assertIsNone(read_under_load(self.folder / "bench"))

    def test_a_debug_build_is_refused(self):
        with self.assertRaisesRegex(BadResult, "void"):
            self.measure(build="debug")

    def test_seconds_are_bounded(self):
        self.assertEqual(load.seconds("3600"), 3600)
        for text in ("0", "3601", "-1", "1.5", ""):
            with self.subTest(text), self.assertRaises(argparse.ArgumentTypeError):
                load.seconds(text)

    def test_targets_can_be_missed(self):
        self.assertEqual(self.judge(), set())
        self.assertEqual(len(self.judge(user_p99_ms=10.1)), 1)
        self.assertEqual(len(self.judge(created_per_second=1.2)), 1)
        self.assertEqual(len(self.judge(resident_bytes_end=1.06)), 2)
        found = answers()
        found["overload"]["phases"][3]["goodput_per_second"] = 0.89
        judged = load.verdicts(Results([], FACTS, under_load=found))
        self.assertEqual([verdict.value for verdict in judged if verdict.word == "MISSED"], [0.89])

    def test_each_target_has_one_bound(self):
        for target in load.TARGETS:
            self.assertNotEqual(target.at_most is None, target.at_least is None, target.words)

    def test_without_figures_nothing_is_claimed(self):
        self.assertIn("Not measured", load.section(TOUCH))
        self.assertEqual({verdict.word for verdict in load.verdicts(TOUCH)}, {"not measured"})

    def test_the_section_has_every_phase_and_the_settings(self):
        found = answers(max_in_flight=77)
        text = load.section(Results([], FACTS, under_load=found))
        self.assertIn("77 may be at work", text)
        self.assertIn("at commit abc1234", text)
        for question in load.QUESTIONS:
            self.assertIn(f"### {question.title}", text)
            for phase in found[question.name]["phases"]:
                self.assertIn(f"| {phase['name']} |", text)
                self.assertIn(phase["name"], load.plain_tables(found))


class Model(unittest.TestCase):
    def test_one_thread_is_what_was_measured(self):
        self.assertAlmostEqual(scaling.Model(alone=100, turn=30).throughput(1, 16), 1e3 / 100)

    def test_operation_solves_its_equation(self):
        model, threads, shards = scaling.Model(alone=100, turn=30), 8, 4
        own, turn = 100 + model.moved(threads), 30 + model.moved(threads)
        cost = model.operation(threads, shards)
        self.assertAlmostEqual(cost, own + (threads - 1) / shards * turn**2 / cost)

    def test_no_more_than_the_shards_have_turns_for(self):
        self.assertAlmostEqual(scaling.Model(100, 30, hand_over=0).throughput(64, 1), 1e3 / 30)

    def test_two_threads_gain_less_where_a_line_has_to_move(self):
        self.assertAlmostEqual(scaling.limit(scaling.Model(100, 30, hand_over=0)), 2)
        self.assertAlmostEqual(scaling.limit(scaling.Model(100, 30, hand_over=100)), 2 * 100 / 150)

    def test_more_shards_never_hurt(self):
        model = scaling.Model(100, 30)
        random.seed(1)
        for _ in range(100):
            threads, shards = random.randint(1, 64), random.randint(1, 64)
            self.assertLessEqual(model.throughput(threads, shards), model.throughput(threads, shards + 1))


class Page(unittest.TestCase):
    def written(self, found):
        with tempfile.TemporaryDirectory() as docs, mock.patch.object(plots, "draw", lambda results, folder: {
            plot.file.removesuffix(".svg"): f"![]({plot.file})" for plot in plots.PLOTS
        }):
            page.write(found, Path(docs))
            return Path(docs, "performance.md").read_text()

    def test_where_we_lose_is_said(self):
        text = self.written(TOUCH).split("## Where we lose")[1].split("## Threads")[0]
        self.assertIn("| 1,000,000 | sojourn | 300 ns ± 0 % | mutex_lru | 200 ns ± 0 % | 1.50 |", text)
        self.assertNotIn("0.50", text)
        won = Results([row for row in TOUCH.rows if (row.ratio or 0) < 1], FACTS)
        self.assertIn("In no row of this run.", self.written(won))

    def test_counters_are_said(self):
        text = self.written(TOUCH)
        self.assertIn("| 0.01 | p50_ns 100, p999_ns 3,000 | p50_ns 100, p999_ns 900,000 |", text)

    def test_what_was_not_measured_is_said(self):
        text = self.written(TOUCH)
        self.assertIn("## A whole server", text)
        self.assertIn("Not measured in this run", text)
        self.assertIn("a processor", text)

    def test_plots_have_what_they_show(self):
        self.assertIn("1000 30\n1e+06 300\n", plots.by_sessions(TOUCH) or "")
        self.assertIn("2 16.6667\n", plots.by_threads(TOUCH) or "")
        self.assertIn('"99 %" 0.9 90\n', plots.mass_expiry(TOUCH) or "")

    def test_no_plot_without_data(self):
        empty = Results([], FACTS)
        self.assertEqual([plot.script(empty) for plot in plots.PLOTS], [None] * 3)


if __name__ == "__main__":
    unittest.main()
