"""What the samples of a soak go through until somebody sees them."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

from drawing import HEIGHT, WIDTH, BadSamples, plot, read, squeezed, text  # noqa: E402

HEAD = "seconds,resident_bytes,heap_bytes,live,waiting,pending,frame_bytes\n"


class Drawing(unittest.TestCase):
    def read(self, content: str) -> dict[str, list[float]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "soak.csv"
            path.write_text(content, encoding="utf-8")
            return read(path)

    def test_samples_are_read_by_name(self) -> None:
        columns = self.read(HEAD + "1,2097152,1048576,3,4,5,1024\n2,4194304,1048576,6,7,8,0\n")
        self.assertEqual(columns["live"], [3, 6])
        self.assertEqual(columns["resident_bytes"], [2 * 2**20, 4 * 2**20])

    def test_what_is_no_sample_is_refused(self) -> None:
        for content in ["", HEAD, "seconds\n1\n", HEAD + "1,2\n", HEAD + "1,2,3,4,5,6,many\n"]:
            with self.assertRaises(BadSamples):
                self.read(content)

    def test_a_peak_stays(self) -> None:
        values = [0.0] * 1000
        values[777] = 9
        shorter = squeezed(values, WIDTH)
        self.assertEqual(len(shorter), WIDTH)
        self.assertEqual(max(shorter), 9)
        self.assertEqual(squeezed([1, 2], WIDTH), [1, 2])

    def test_what_grows_rises(self) -> None:
        self.assertEqual(plot([0, 6, 12]), ["  :", "  :", "  :", " ::", " ::", " ::"])
        self.assertEqual(plot([0, 0]), [""] * HEIGHT)

    def test_the_text_says_the_maximum(self) -> None:
        drawn = text(self.read(HEAD + "1,2097152,1048576,3,4,5,1024\n2,4194304,1048576,1234,7,0,0\n"))
        self.assertIn("4.0 |", drawn)
        self.assertIn("1,234 |", drawn)
        self.assertIn("2 s", drawn)


if __name__ == "__main__":
    unittest.main()
