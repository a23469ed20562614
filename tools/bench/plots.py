"""The plots of docs/performance.md, drawn by gnuplot as SVG."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from measurement import Measurement, is_ours
from results import Results

# A white ground of its own, so that it can be read on a dark page too.
STYLE = """
set terminal svg size 820,430 noenhanced font 'Helvetica,Arial,sans-serif,14' background rgb 'white'
set border 3 linecolor rgb '#444444'
set grid ytics linecolor rgb '#dddddd' linewidth 1
set tics nomirror textcolor rgb '#222222'
set key outside right center Left reverse textcolor rgb '#222222' samplen 2 spacing 1.3
"""
# The same in every plot. Ours are blue; the others, too, most colour-blind readers can tell apart.
COLOURS = {
    "sojourn": "#0b5cad",
    "sojourn_16_shards": "#56b4e9",
    "mutex_lru": "#d55e00",
    "sharded_mutex_lru": "#e69f00",
    "shared_mutex_lru": "#cc79a7",
    "co_spawn_strand": "#333333",
    "post_strand": "#999999",
    "tbb_concurrent_lru": "#009e73",
    "mutex_lru whole_scan": "#8c2d04",
}


def line(name: str) -> str:
    contestant = name.partition(" ")[0]
    colour = COLOURS.get(name) or COLOURS.get(contestant, "#666666")
    return f"linecolor rgb '{colour}' linewidth {3 if is_ours(name) else 1.7}"


def contestants(measured: list[Measurement]) -> list[str]:
    """Ours first."""
    return sorted({each.contestant for each in measured}, key=lambda name: (not is_ours(name), name))


def title(name: str) -> str:
    return name.replace("_", " ")


def curves(measured: list[Measurement], x: Callable[[Measurement], float], y: Callable[[Measurement], float]) -> str:
    """A line with points for each contestant."""
    data, lines = [], []
    for i, name in enumerate(contestants(measured)):
        points = sorted((x(each), y(each)) for each in measured if each.contestant == name)
        data.append(f"$data{i} << END\n" + "\n".join(f"{a:g} {b:g}" for a, b in points) + "\nEND")
        lines.append(f"$data{i} using 1:2 with linespoints pointtype 7 pointsize 0.5 {line(name)} "
                     f"title '{title(name)}'")
    return "\n".join(data) + "\nplot " + ", \\\n  ".join(lines) + "\n"


def one_scenario(measured: list[Measurement], preferred: str) -> list[Measurement]:
    scenarios = sorted({each.case.scenario for each in measured})
    chosen = preferred if preferred in scenarios else next(iter(scenarios), "")
    return [each for each in measured if each.case.scenario == chosen]


def by_sessions(results: Results) -> str | None:
    touches = [each for each in results.measured
               if each.case.question == "table_touch" and each.case.scenario == "zipf" and each.case.threads == 1]
    if len({each.case.sessions for each in touches}) < 2:
        return None
    return f"""
set title 'A request finds and touches its session (Zipf 0.99, 1 thread)'
set logscale xy
set xlabel 'sessions in the table'
set ylabel 'ns an operation (logarithmic)'
set xrange [700:*]
set xtics ('1,000' 1e3, '10,000' 1e4, '100,000' 1e5, '1,000,000' 1e6, '10,000,000' 1e7)
set ytics (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
set yrange [10:*]
{curves(touches, lambda each: each.case.sessions, lambda each: each.figure.median)}"""


def by_threads(results: Results) -> str | None:
    requests = one_scenario([each for each in results.measured
                             if each.case.question == "acquire_release" and each.case.sessions == 1_000], "zipf")
    threads = sorted({each.case.threads for each in requests})
    if len(threads) < 2:
        return None
    return f"""
set title 'Acquire and release through co_await, 1,000 sessions ({requests[0].case.scenario or "all alike"})'
set logscale x 2
set xlabel 'threads'
set ylabel 'million operations a second, all threads together'
set xtics ({', '.join(map(str, threads))})
set xrange [{threads[0] * 0.93}:{threads[-1] * 1.07}]
set yrange [0:*]
{curves(requests, lambda each: each.case.threads, lambda each: 1e3 / each.figure.median)}"""


PERCENTILES = {"p50_ns": "median", "p99_ns": "99 %", "p999_ns": "99.9 %"}


def mass_expiry(results: Results) -> str | None:
    largest = max((each.case.sessions for each in results.measured if each.case.question == "mass_expiry"), default=0)
    measured = [each for each in results.measured
                if each.case.question == "mass_expiry" and each.case.sessions == largest
                and PERCENTILES.keys() <= each.counters.keys()]
    if not measured:
        return None
    measured.sort(key=lambda each: (not each.is_ours, each.name))
    rows = [" ".join([f'"{label}"', *(f"{each.counters[key] / 1e3:g}" for each in measured)])
            for key, label in PERCENTILES.items()]
    bars = [f"$data using {column}:xtic(1) {line(each.name)} fillstyle solid 0.85 title '{title(each.name)}'"
            for column, each in enumerate(measured, 2)]
    return f"""
set title 'Acquiring a live session while {largest:,} others expire'
set style data histograms
set style histogram clustered gap 1.5
set logscale y
set ytics (0.1, 1, 10, 100, '1,000' 1e3, '10,000' 1e4, '100,000' 1e5, '1,000,000' 1e6, '10,000,000' 1e7)
set ylabel 'microseconds (logarithmic)'
set xlabel 'percentile of all acquires meanwhile'
$data << END
{chr(10).join(rows)}
END
plot {', '.join(bars)}
"""


@dataclass(frozen=True)
class Plot:
    file: str
    alternative: str
    script: Callable[[Results], str | None]


PLOTS = [
    Plot("sessions.svg", "cost of a touch against the number of sessions, ours and rivals", by_sessions),
    Plot("threads.svg", "throughput of acquire and release against threads, ours and rivals", by_threads),
    Plot("mass_expiry.svg", "latency percentiles while a million sessions expire, ours and rivals", mass_expiry),
]


def draw(results: Results, folder: Path) -> dict[str, str]:
    """Draws what the results have the data for. Says for each plot what a page shows in its place."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = {}
    for plot in PLOTS:
        script = plot.script(results)
        name = plot.file.removesuffix(".svg")
        shown[name] = "*Not measured in this run.*"
        if script:
            drawn = subprocess.run(["gnuplot"], input=STYLE + script, capture_output=True, text=True, check=True)
            # Gnuplot ends some lines with a blank.
            svg = "\n".join(line.rstrip() for line in drawn.stdout.splitlines()) + "\n"
            (folder / plot.file).write_text(svg, encoding="utf-8")
            shown[name] = f"![{plot.alternative}]({folder.name}/{plot.file})"
    return shown
