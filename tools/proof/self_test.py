"""Whether the figures of docs/testing.md are read and written as they should be."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import page  # noqa: E402
from sources import Missing, Row, counts, rows  # noqa: E402

ROWS = [Row("mutants", "3 of 4 caught", "./dev mutants")]


class Proof(unittest.TestCase):
    def test_lines_are_summed(self) -> None:
        text = "a: x=1 y=2\nnoise a: x=9\nb: x=5\na: x=10\n"
        self.assertEqual(counts("a", text), {"x": 11, "y": 2})
        self.assertEqual(counts("exhaustive: [^:]*", "exhaustive: two of: runs=4\n"), {"runs": 4})
        self.assertEqual(counts("c", text), {})

    def test_what_was_not_run_is_missing(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            found = rows(Path(folder))
            self.assertTrue(all(isinstance(row, Missing) for row in found))
            path = Path(folder) / "build/mutants/summary.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"caught": 3, "mutants": 4}), encoding="utf-8")
            self.assertIn(Row("mutants", "3 of 4 caught", "./dev mutants"), rows(Path(folder)))
            path.write_text("{", encoding="utf-8")
            self.assertNotIn("mutants", [row.what for row in rows(Path(folder)) if isinstance(row, Row)])

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


if __name__ == "__main__":
    unittest.main()
