"""A model, not a measurement: how many threads a number of shards can serve."""

from dataclasses import dataclass
from math import sqrt

from results import Results
from tables import markdown, number
from targets import figure

THREADS = [1, 2, 4, 8, 16, 32, 64]
SHARDS = [1, 16, 64]
# Where none was measured: between two cores of one socket; between sockets it is more.
HAND_OVER_NS = 75.0


@dataclass(frozen=True)
class Model:
    """Costs in ns. `alone`: acquire and release with nobody else there; `turn`: the part of it that only one thread at
    a time can do."""

    alone: float
    turn: float
    hand_over: float = HAND_OVER_NS

    def moved(self, threads: int) -> float:
        """What moving the gate from the core that had it last costs: it was another one's turn (T-1)/T of the time."""
        return self.hand_over * (threads - 1) / threads

    def operation(self, threads: int, shards: int) -> float:
        """Solves w = a + (T-1)/S * t/w * t: an operation alone, and with the chance of finding a turn in progress the
        time of that turn."""
        own = self.alone + self.moved(threads)
        turn = self.turn + self.moved(threads)
        return (own + sqrt(own**2 + 4 * (threads - 1) / shards * turn**2)) / 2

    def throughput(self, threads: int, shards: int) -> float:
        """Million operations a second: no more than the shards have turns for."""
        busy = shards / (self.turn + self.moved(threads))
        return 1e3 * min(threads / self.operation(threads, shards), busy)


def measured_throughput(results: Results, contestant: str, threads: int) -> float | None:
    costs = figure("acquire_release", contestant, threads=threads, sessions=1_000)(results)
    return 1e3 / max(costs) if costs else None


def hand_over(results: Results) -> float | None:
    """What the way of a cache line costs here. On two threads the line comes from the other one half of the times, and
    a thread takes twice of what both together do."""
    alone = max(figure("shard_hand_over", "bare", threads=1)(results), default=None)
    two = max(figure("shard_hand_over", "bare", threads=2)(results), default=None)
    return max(0.0, 2 * (2 * two - alone)) if alone and two else None


def model(results: Results) -> Model | None:
    """Of the costs that were measured on one thread with 1,000 sessions."""
    alone = max(figure("acquire_release", threads=1, sessions=1_000)(results), default=None)
    turn = max(figure("table_touch", threads=1, sessions=1_000)(results), default=None)
    moved = hand_over(results)
    return Model(alone, turn, HAND_OVER_NS if moved is None else moved) if alone and turn else None


def limit(found: Model) -> float:
    """The most that two threads can do to one, if nothing but one line a request ever moves."""
    return 2 * found.alone / (found.alone + found.moved(2))


def table(results: Results) -> str:
    found = model(results)
    if not found:
        return "The run measured no turn to compute it from."

    def measured(contestant: str, threads: int) -> str:
        value = measured_throughput(results, contestant, threads)
        return number(value) if value else "-"

    head = ["threads", *(f"{shards} shard{'s' if shards > 1 else ''}" for shards in SHARDS),
            "measured, 1 shard", "measured, 16 shards"]
    lines = [[str(threads), *(number(found.throughput(threads, shards)) for shards in SHARDS),
              measured("sojourn", threads), measured("sojourn_16_shards", threads)] for threads in THREADS]
    return markdown(head, lines)
