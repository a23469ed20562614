"""What the benchmarks ask. A question's figure is the cost of an operation, unless it names a counter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    name: str
    title: str
    how: str
    counter: str = ""
    unit: str = "ns"
    factor: float = 1.0


QUESTIONS = [
    Question(
        "table_touch",
        "A request's work in the table alone",
        "Find the session, lease it, give it back, note when; no strand and no coroutine. The rivals find the session, "
        "note when, and move it to the end of their recency list, under their lock. All are told the time, so nobody "
        "reads a clock. The next session comes from a sequence that was drawn beforehand, by a Zipf distribution of "
        "0.99 or evenly.",
    ),
    Question(
        "table_create_evict",
        "A new session in a full table",
        "Each creation ends the session that was used least recently. Ids are made beforehand.",
    ),
    Question("table_remove", "Ending one session", "By its id, in the table alone."),
    Question("table_expire", "Ending the sessions that are due", "For each session, in the table alone."),
    Question(
        "confined_call",
        "Reaching a confined value",
        "A look-up and an increment in a hash map of 1,000 keys, awaited in a coroutine. `idle`: nobody else is there. "
        "`contended`: every thread does nothing else, so the figure is the worst of its kind, not a server's.",
    ),
    Question(
        "acquire_release",
        "What a request pays for its session",
        "`SessionService::acquire` through `co_await`, and the release of the lease, in a loop on every thread. The "
        "rivals' touch is awaited in the same kind of coroutine.",
    ),
    Question(
        "create_at_capacity",
        "A new session through the service",
        "As above through the service, awaited, with the generation of an id from the operating system; the rivals' "
        "ids come from the same generator.",
    ),
    Question(
        "cleanup",
        "Ending 1,000 sessions among many",
        "The time of all turns together. `in_order`: those that were created first are due. `all_touched`: every "
        "session was touched since its creation, so that the schedule's entries all come up early. The rival scans "
        "its recency list under its lock.",
        counter="total_us",
        factor=1000.0,
    ),
    Question(
        "mass_expiry",
        "A request while a million sessions expire",
        "The 99th percentile of acquiring a live session on one thread while another ends those that expired at once.",
        counter="p99_ns",
    ),
    Question(
        "record",
        "Recording a message",
        "`SessionLease::record`, awaited, of 64 bytes that are made for it. `off`: where none are recorded. `full`: the "
        "session keeps 20 already, of which the oldest goes.",
    ),
    Question("rate_limiter", "Admitting a request", "One decision of the rate limiter."),
    Question(
        "victim_age",
        "Whether the victim is the right one",
        "By how many places sessions that had to make room went before or after their turn, had the order of use over "
        "all shards been exact; in percent of the sessions, on average. Shards compare by the coarse clock, so what was "
        "used within one of its ticks, a few milliseconds, has no order over them: in a service of 1,000 that turns "
        "over as fast as here, a good part of all.",
        counter="age_error",
        unit="percent",
    ),
    Question(
        "shard_hand_over",
        "The way of a cache line",
        "Sixteen locks with a number behind each, entered at random between about 100 ns of other work; `sessions` counts "
        "the locks.",
    ),
    Question(
        "memory",
        "Memory of a session",
        "Bytes asked from the allocator for each session with an id of 22 characters and 64 bytes of attributes.",
        counter="bytes_per_session",
        unit="bytes",
    ),
]
BY_NAME = {question.name: question for question in QUESTIONS}


def question(name: str) -> Question:
    """One that is not described here yet is asked for its cost."""
    return BY_NAME.get(name) or Question(name, name, "")
