"""What we aim for: ratios to rivals that were measured in the same run, and a few absolute figures.

Where several rows fit a target, the worst of them counts.
"""

from dataclasses import dataclass
from typing import Any, Callable, Iterable

from measurement import Measurement
from results import Results

Value = Callable[[Results], Iterable[float]]


@dataclass(frozen=True)
class Target:
    words: str
    values: Value
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""


@dataclass(frozen=True)
class Verdict:
    target: Target
    value: float | None

    @property
    def word(self) -> str:
        if self.value is None:
            return "not measured"
        holds = self.value <= self.target.at_most if self.target.at_most is not None else (
            self.value >= (self.target.at_least or 0.0))
        return "holds" if holds else "MISSED"


def fits(measured: Measurement, where: dict[str, Any]) -> bool:
    return all(getattr(measured.case, key) == value for key, value in where.items())


def ours(results: Results, name: str, contestant: str, where: dict[str, Any]) -> Iterable[Measurement]:
    return (each for each in results.measured
            if each.contestant == contestant and each.case.question == name and fits(each, where))


def figure(name: str, contestant: str = "sojourn", **where: Any) -> Value:
    return lambda results: [each.figure.median for each in ours(results, name, contestant, where)]


def counter(name: str, which: str, less: float = 0.0, **where: Any) -> Value:
    return lambda results: [each.counters[which] - less for each in ours(results, name, "sojourn", where)
                            if which in each.counters]


def ratio(name: str, rival: str, contestant: str = "sojourn", **where: Any) -> Value:
    """Our cost to theirs."""
    return lambda results: [row.ratio for row in results.rows
                            if row.ratio is not None and row.theirs and row.theirs.contestant == rival
                            and row.ours.contestant == contestant and row.case.question == name
                            and fits(row.ours, where)]


def throughput(*about: str, **where: Any) -> Value:
    """Our operations a second to theirs; arguments as of `ratio`."""
    return lambda results: [1 / value for value in ratio(*about, **where)(results)]


def speed_up(name: str, contestant: str, threads: int, **where: Any) -> Value:
    """Our operations a second to those of our own on one thread."""

    def values(results: Results) -> Iterable[float]:
        for alone in ours(results, name, contestant, where | {"threads": 1}):
            for many in ours(results, name, contestant, where | {"threads": threads}):
                if many.case.scenario == alone.case.scenario:
                    yield alone.figure.median / many.figure.median

    return values


def http(value: Callable[[dict[str, Any]], float]) -> Value:
    return lambda results: [value(results.http)] if results.http else []


# What the benchmark gives each session, and every rival's too.
ID_BYTES, PAYLOAD_BYTES = 22, 64

TARGETS = [
    Target("a confined call at an idle strand costs at most 1.15 times a mutex",
           ratio("confined_call", "std_mutex", scenario="idle", threads=1), at_most=1.15),
    Target("confined calls by 2 threads: 1.3 times a mutex's throughput",
           throughput("confined_call", "std_mutex", scenario="contended", threads=2), at_least=1.3),
    Target("acquire and release, 1 thread, 1,000 sessions",
           figure("acquire_release", threads=1, sessions=1_000), at_most=100, unit="ns"),
    Target("the same: 4 times the throughput of co_spawn on a strand",
           throughput("acquire_release", "co_spawn_strand", threads=1, sessions=1_000), at_least=4),
    Target("2 threads, one shard: at least the mutex LRU's throughput",
           throughput("acquire_release", "mutex_lru", threads=2, sessions=1_000), at_least=1),
    Target("2 threads, 16 shards: 2.2 times the mutex LRU's throughput",
           throughput("acquire_release", "mutex_lru", "sojourn_16_shards", threads=2, sessions=1_000), at_least=2.2),
    Target("2 threads, 16 shards: at least the throughput of the mutex LRU in 16 shards",
           throughput("acquire_release", "sharded_mutex_lru", "sojourn_16_shards", threads=2, sessions=1_000),
           at_least=1),
    Target("2 threads, 16 shards: 1.8 times the throughput of one thread",
           speed_up("acquire_release", "sojourn_16_shards", 2, sessions=1_000), at_least=1.8),
    Target("touch in the table, 1,000 sessions, Zipf",
           figure("table_touch", scenario="zipf", threads=1, sessions=1_000), at_most=35, unit="ns"),
    Target("touch in the table, 1,000,000 sessions, Zipf: at most 0.45 times the mutex LRU",
           ratio("table_touch", "mutex_lru", scenario="zipf", threads=1, sessions=1_000_000), at_most=0.45),
    Target("create with eviction, 1,000 sessions",
           figure("table_create_evict", sessions=1_000), at_most=150, unit="ns"),
    Target("create with eviction, 1,000,000 sessions: at most 0.6 times the mutex LRU",
           ratio("table_create_evict", "mutex_lru", sessions=1_000_000), at_most=0.6),
    Target("cleanup of 1,000 among 1,000,000, created in order",
           counter("cleanup", "total_us", scenario="in_order", sessions=1_000_000), at_most=1000, unit="us"),
    Target("its longest turn",
           counter("cleanup", "longest_turn_us", scenario="in_order", sessions=1_000_000), at_most=100, unit="us"),
    Target("cleanup of 1,000 among 1,000,000, all touched since",
           counter("cleanup", "total_us", scenario="all_touched", sessions=1_000_000), at_most=1000, unit="us"),
    Target("its longest turn",
           counter("cleanup", "longest_turn_us", scenario="all_touched", sessions=1_000_000), at_most=100, unit="us"),
    Target("99th percentile of acquiring while 1,000,000 sessions expire",
           counter("mass_expiry", "p99_ns", sessions=1_000_000), at_most=200_000, unit="ns"),
    Target("memory of a session beyond its id and its payload",
           counter("memory", "bytes_per_session", less=ID_BYTES + PAYLOAD_BYTES), at_most=192, unit="bytes"),
    Target("an HTTP server with sessions: 0.97 of its requests a second without",
           http(lambda found: found["ratio"]), at_least=0.97),
    Target("the same: 99th percentile, with sessions to without",
           http(lambda found: found["p99_ratio"]), at_most=1.10),
    Target("the same: resident memory after the load, to before",
           http(lambda found: found["with"]["rss_after_kb"] / found["with"]["rss_before_kb"]), at_most=1.05),
]


def verdicts(results: Results, targets: Iterable[Target] = TARGETS) -> list[Verdict]:
    def judge(target: Target) -> Verdict:
        worst = max if target.at_most is not None else min
        return Verdict(target, worst(target.values(results), default=None))

    return [judge(target) for target in targets]
