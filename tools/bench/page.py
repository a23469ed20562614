"""Writes docs/performance.md: the template's prose, with the figures of one run."""

from pathlib import Path
from string import Template

import load
import plots
import scaling
from questions import QUESTIONS, question
from results import Results, Row
from tables import HEAD, TARGET_HEAD, cells, further, markdown, target_cells
from targets import verdicts

TEMPLATE = Path(__file__).with_name("performance.md.in")


def losses(rows: list[Row]) -> str:
    """Every row in which a rival costs less, whatever the reason."""
    lost = [row for row in rows if row.ratio is not None and row.ratio > 1]
    if not lost:
        return "In no row of this run."
    lost.sort(key=lambda row: row.ratio or 0, reverse=True)
    return markdown(HEAD, [cells(row) for row in lost])


def figures(rows: list[Row]) -> str:
    """A section a question: how it was measured, and its rows."""
    sections = []
    asked = [each.name for each in QUESTIONS]
    for name in dict.fromkeys(asked + [row.case.question for row in rows]):
        answers = [row for row in rows if row.case.question == name]
        if not answers:
            continue
        about = question(name)
        head, lines = HEAD[1:], [cells(row)[1:] for row in answers]
        if any(row.ours.counters.keys() - {about.counter} for row in answers):
            head = head + ["ours besides", "theirs besides"]
            lines = [line + [further(row.ours), further(row.theirs)] for line, row in zip(lines, answers)]
        sections.append(f"### {about.title}\n\n`{name}`. {about.how}\n\n{markdown(head, lines)}")
    return "\n\n".join(sections)


def http(results: Results) -> str:
    found = results.http
    if not found:
        return "*Not measured in this run.*"
    head = ["", "requests a second", "99 % within", "resident before", "resident after"]
    lines = [[name, f"{side['requests_per_second']:,.0f}", f"{side['p99_ms']:.2f} ms",
              f"{side['rss_before_kb']:,} kB", f"{side['rss_after_kb']:,} kB"]
             for name, side in (("with sessions", found["with"]), ("without", found["without"]))]
    return markdown(head, lines) + f"\n\nWith to without: {found['ratio']:.3f} of the requests a second."


def hand_over(results: Results, found: scaling.Model | None) -> str:
    if not found:
        return "?"
    return f"{found.hand_over:.0f}" if scaling.hand_over(results) is not None else f"an assumed {found.hand_over:.0f}"


def write(results: Results, docs: Path) -> None:
    shown = plots.draw(results, docs / "performance")
    facts = results.facts
    found = scaling.model(results)
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        date=facts.date,
        commit=facts.commit,
        machine="\n".join(f"- {line}" for line in facts.machine),
        compiler=facts.compiler,
        repetitions=facts.repetitions,
        targets=markdown(TARGET_HEAD, [target_cells(verdict) for verdict in verdicts(results)]),
        losses=losses(results.rows),
        figures=figures(results.rows),
        http=http(results),
        under_load=load.section(results),
        alone=f"{found.alone:.0f}" if found else "?",
        turn=f"{found.turn:.0f}" if found else "?",
        hand_over=hand_over(results, found),
        limit=f"{scaling.limit(found):.2f}" if found else "?",
        scaling=scaling.table(results),
        **{f"plot_{name}": image for name, image in shown.items()},
    )
    (docs / "performance.md").write_text(text, encoding="utf-8")
