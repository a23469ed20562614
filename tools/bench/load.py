"""Under more load than the service can take: runs the program that asks, keeps its figures, and writes their section.

What must hold whatever the machine does, the program checks itself and fails; what is left are targets.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Iterable

import targets
from measuring import progress, require_release, run
from results import Facts, Results, write_json
from tables import TARGET_HEAD, markdown, number, plain, target_cells
from targets import Target, Value, Verdict

Figures = dict[str, Any]
Cell = Callable[[Figures], str]

DEFAULT_SECONDS = 30
MAX_SECONDS = 3600
# The most phases of a question that take as long as one is told, and what may come on top.
PHASES, PATIENCE_SECONDS = 5, 600


def seconds(text: str) -> int:
    """How long a phase takes, as the command line says it."""
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"needs a number from 1 to {MAX_SECONDS}, not '{text}'")
    return int(text)


def count(name: str) -> Cell:
    return lambda phase: f"{phase[name]:,.0f}"


def milliseconds(name: str) -> Cell:
    return lambda phase: f"{number(phase[name])} ms"


def memory(*names: str) -> Cell:
    return lambda phase: ", ".join(f"{phase[name] / 2**20:.1f}" for name in names) + " MiB"


@dataclass(frozen=True)
class Question:
    """One that the program answers, with the settings' names in braces where the text needs them."""

    name: str
    title: str
    how: str
    columns: dict[str, Cell]

    def head(self) -> list[str]:
        return ["", *self.columns]

    def lines(self, found: Figures) -> list[list[str]]:
        return [[phase["name"], *(cell(phase) for cell in self.columns.values())]
                for phase in found[self.name]["phases"]]


QUESTIONS = [
    Question(
        "overload",
        "More requests than a server can serve",
        "Each request acquires its session, one of {users:,.0f}, waits for {mean_work_ms:g} ms on average, as for a "
        "database, and releases it; on {threads:g} threads. {max_in_flight:g} may be at work (`max_in_flight`) and "
        "{max_waiting_requests:g} wait (`max_waiting_requests`), so it is these that bound what can be served and not "
        "the processor. `capacity` is what clients get who wait for each answer before they ask again. In the other "
        "phases requests come by chance, at so many times that rate on average and whether those before are answered "
        "or not, for {seconds:g} s; a latency counts from when the request should have come until it is served. In "
        "the last phase {bounded_wait_max_waiting_requests:,.0f} may wait, but for no longer than "
        "{bounded_wait_max_request_wait_ms:g} ms (`max_request_wait`).",
        {
            "offered a second": count("offered_per_second"),
            "served a second": count("goodput_per_second"),
            "shed": count("shed"),
            "50 % within": milliseconds("p50_ms"),
            "99 % within": milliseconds("p99_ms"),
            "longest": milliseconds("max_ms"),
            "processors busy": lambda phase: number(phase["processors_busy"]),
            "resident before, after": memory("resident_bytes_begin", "resident_bytes_end"),
        },
    ),
    Question(
        "attacker",
        "Somebody mints sessions",
        "{users:,.0f} users work, half of them anonymous, each with a request every {shortest_pause_ms:g} to "
        "{longest_pause_ms:g} ms; some hold their leases for {long_work_ms:g} ms. Meanwhile an attacker tries to "
        "create {attempts:,.0f} sessions, as fast as one thread can. All options are the defaults: there may be "
        "{max_sessions:,.0f} sessions, {max_half_open:,.0f} of them half-open, and a peer creates "
        "{creations_per_second:g} a second after a burst of {creation_burst:g}. He has one address; or a new one each "
        "time, which no rate limits; or he also comes back once to each session, so that none stays half-open and "
        "they fill the whole table. Then newcomers find no room either until the first of his are older than "
        "`eviction_grace`, {eviction_grace_ms:,.0f} ms: who is there already is served. Latencies are those of the "
        "users' `acquire`. No user lost his session, in none of the rows.",
        {
            "attempts a second": count("attempts_per_second"),
            "created": count("created"),
            "over the rate": count("rate_limited"),
            "no room": count("overloaded"),
            "evicted": count("evicted"),
            "most sessions": count("most_live"),
            "logins refused": lambda phase: f"{phase['logins_refused']:,.0f} of {phase['logins']:,.0f}",
            "users' requests": count("user_requests"),
            "50 % within": milliseconds("user_p50_ms"),
            "99 % within": milliseconds("user_p99_ms"),
            "longest": milliseconds("user_max_ms"),
            "resident before, filled, after": memory(
                "resident_bytes_begin", "resident_bytes_filled", "resident_bytes_end"),
        },
    ),
    Question(
        "slow_listener",
        "A removal listener that cannot keep up",
        "The listener takes {listener_ms:g} ms for each session. The table is full with {max_sessions:g} sessions, "
        "each new one ends another, and {max_pending_events:g} of those may wait for the listener "
        "(`max_pending_events`). One thread tries to create sessions as fast as it can, for {seconds:g} s. The "
        "listener was told of each session that ended, once.",
        {
            "created a second": lambda phase: number(phase["created_per_second"]),
            "told a second": lambda phase: number(phase["told_per_second"]),
            "refused a second": count("refused_per_second"),
            "longest without a creation": milliseconds("longest_pause_ms"),
            "most waiting": count("most_pending"),
            "resident before, after": memory("resident_bytes_begin", "resident_bytes_end"),
        },
    ),
]  # fmt: skip


def phases(found: Figures, question: str) -> dict[str, Figures]:
    return {phase["name"]: phase for phase in found[question]["phases"]}


def overload(value: Callable[[dict[str, Figures], Figures], float]) -> Value:
    """A figure of the phases, by name, and the settings."""
    return lambda results: [] if not results.under_load else [
        value(phases(results.under_load, "overload"), results.under_load["overload"]["settings"])]


def each(question: str, value: Callable[[Figures], float]) -> Value:
    """A figure of every phase."""

    def values(results: Results) -> Iterable[float]:
        return map(value, phases(results.under_load, question).values()) if results.under_load else []

    return values


def goodput(phase: str) -> Value:
    return overload(lambda found, _: found[phase]["goodput_per_second"] / found["capacity"]["goodput_per_second"])


TARGETS = [
    Target("offered twice of what can be served: 0.9 of the capacity is served", goodput("2x"), at_least=0.9),
    Target("offered ten times of it", goodput("10x"), at_least=0.9),
    Target("offered ten times of it, the wait bounded", goodput("10x, bounded wait"), at_least=0.9),
    Target("99th percentile of what is served, at ten times to at twice",
           overload(lambda found, _: found["10x"]["p99_ms"] / found["2x"]["p99_ms"]), at_most=1.2),
    Target("the same where the wait is bounded, to the longest wait and work",
           overload(lambda found, settings: found["10x, bounded wait"]["p99_ms"] / (
               settings["bounded_wait_max_request_wait_ms"] + settings["longest_work_ms"])), at_most=1.1),
    Target("resident memory after ten times the load, to after the capacity",
           overload(lambda found, _: found["10x"]["resident_bytes_end"] / found["capacity"]["resident_bytes_end"]),
           at_most=1.1),
    Target("99th percentile of a user's acquire while somebody mints sessions",
           each("attacker", lambda phase: phase["user_p99_ms"] * 1e6), at_most=10e6, unit="ns"),
    Target("resident memory at the attack's end, to when the table was filled",
           each("attacker", lambda phase: phase["resident_bytes_end"] / phase["resident_bytes_filled"]), at_most=1.05),
    Target("creations, to what a slow listener is told of",
           each("slow_listener", lambda phase: phase["created_per_second"] / phase["told_per_second"]), at_most=1.1),
    Target("resident memory behind a slow listener, after to before",
           each("slow_listener", lambda phase: phase["resident_bytes_end"] / phase["resident_bytes_begin"]),
           at_most=1.05),
]  # fmt: skip


def verdicts(results: Results) -> list[Verdict]:
    return targets.verdicts(results, TARGETS)


def measure(binary: Path, phase_seconds: int, facts: Facts, folder: Path) -> Figures:
    """Asks all questions, each in a process of its own; the answers are left in load.json."""
    found: Figures = {"facts": asdict(facts)}
    for question in QUESTIONS:
        progress(f"under load: {question.name}")
        answer = json.loads(run(binary, "--seconds", str(phase_seconds), question.name,
                                limit_seconds=PHASES * phase_seconds + PATIENCE_SECONDS))
        require_release(answer["context"])
        found[question.name] = answer[question.name]
    progress("")
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "load.json", found)
    return found


def plain_tables(found: Figures) -> str:
    return "\n\n".join(f"{question.name}\n{plain(question.head(), question.lines(found))}" for question in QUESTIONS)


def section(results: Results) -> str:
    """What the page says."""
    found = results.under_load
    if not found:
        return "*Not measured in this run.*"
    facts = Facts(**found["facts"])
    said = [
        f"Measured on {facts.date}, at commit {facts.commit}; {facts.machine[-1]}. What must hold however busy the "
        "machine is, the program checks and fails otherwise: the ledger, that no permit is lost, that no user loses "
        "his session, and every bound. What depends on the machine are targets, where the worst row counts:",
        markdown(TARGET_HEAD, [target_cells(verdict) for verdict in verdicts(results)]),
    ]
    for question in QUESTIONS:
        how = question.how.format(**found[question.name]["settings"])
        said += [f"### {question.title}", how, markdown(question.head(), question.lines(found))]
    return "\n\n".join(said)
