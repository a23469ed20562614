"""The samples of a soak, drawn over time: as text, and by gnuplot as SVG."""

import csv
import subprocess
from dataclasses import dataclass
from pathlib import Path

Columns = dict[str, list[float]]

WIDTH, HEIGHT = 72, 6


class BadSamples(Exception):
    """A file that is not one of the program's."""


@dataclass(frozen=True)
class Curve:
    column: str
    title: str
    unit: str
    divisor: float
    colour: str


MIB = 2**20
CURVES = [
    Curve("resident_bytes", "resident", "MiB", MIB, "#0b5cad"),
    Curve("heap_bytes", "heap", "MiB", MIB, "#56b4e9"),
    Curve("live", "live sessions", "", 1, "#009e73"),
    Curve("waiting", "clients that wait for a lease", "", 1, "#d55e00"),
    Curve("pending", "events that wait for a listener", "", 1, "#cc79a7"),
    Curve("frame_bytes", "frames", "KiB", 2**10, "#e69f00"),
]


def read(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        columns = {name: [float(row[name]) for row in rows] for name in ["seconds", *(each.column for each in CURVES)]}
    except (KeyError, TypeError, ValueError) as error:
        raise BadSamples(f"{path}: {error}") from error
    if not rows:
        raise BadSamples(f"{path} has no samples")
    return columns


def squeezed(values: list[float], width: int) -> list[float]:
    """As many values as there are columns, each the highest of its share: what a plot must not hide are peaks."""
    if len(values) <= width:
        return values
    return [max(values[i * len(values) // width:(i + 1) * len(values) // width]) for i in range(width)]


def plot(values: list[float]) -> list[str]:
    """Rows of a plot from zero to the highest value, highest first; half a row is told apart."""
    top = max(values) or 1
    halves = [round(value / top * HEIGHT * 2) for value in values]
    return ["".join(":" if half >= 2 * row + 2 else "." if half == 2 * row + 1 else " " for half in halves).rstrip()
            for row in reversed(range(HEIGHT))]


def text(columns: Columns) -> str:
    """All curves below each other, each from zero to its own maximum."""
    lines = []
    for curve in CURVES:
        values = [value / curve.divisor for value in columns[curve.column]]
        rows = plot(squeezed(values, WIDTH))
        highest = f"{max(values):,.1f}" if curve.divisor > 1 else f"{max(values):,.0f}"
        lines.append(f"{curve.title}{', ' + curve.unit if curve.unit else ''}")
        for i, row in enumerate(rows):
            lines.append(f"{highest if i == 0 else '0' if i == HEIGHT - 1 else '':>9} |{row}")
    width = min(len(columns["seconds"]), WIDTH)
    lines.append(f"{'':>9} +{'-' * width}")
    end = f"{columns['seconds'][-1]:,.0f} s"
    lines.append(f"{'0 s':>11}{end:>{max(width - 1, len(end) + 1)}}")
    return "\n".join(lines) + "\n"


def svg(columns: Columns, path: Path) -> None:
    script = ["set terminal svg size 820,1080 noenhanced font 'Helvetica,Arial,sans-serif,14' background rgb 'white'",
              f"set multiplot layout {len(CURVES)},1", "set border 3 linecolor rgb '#444444'",
              "set grid ytics linecolor rgb '#dddddd' linewidth 1", "set tics nomirror textcolor rgb '#222222'",
              "set yrange [0:*]", "set lmargin 9", "unset key"]
    for i, curve in enumerate(CURVES):
        points = zip(columns["seconds"], columns[curve.column])
        script += [f"$data{i} << END", *(f"{x:g} {y / curve.divisor:g}" for x, y in points), "END"]
    for i, curve in enumerate(CURVES):
        if i == len(CURVES) - 1:
            script.append("set xlabel 'seconds'")
        script += [f"set title '{curve.title}{', ' + curve.unit if curve.unit else ''}'",
                   f"plot $data{i} using 1:2 with lines linecolor rgb '{curve.colour}' linewidth 2"]
    drawn = subprocess.run(["gnuplot"], input="\n".join(script) + "\n", capture_output=True, text=True, check=True)
    path.write_text("\n".join(line.rstrip() for line in drawn.stdout.splitlines()) + "\n", encoding="utf-8")
