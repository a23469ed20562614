"""What sessions cost an HTTP server: the example server with sessions, against the same server without.

    cmake --preset release && cmake --build --preset release --target http_sessions
    python3 bench/http/compare.py

Both servers run at once, with one thread each, on one core that wrk does not use. Each request brings one of 1,000
cookies; with sessions, every one of them names a live session. wrk loads now the one, now the other, so that what slows
the machine down for a while slows both. The ratios are the medians of those of the pairs. Requests/s need a quiet
machine; the CPU time that a request takes the server needs it less.

Writes build/bench/http.json and, beside it, the script for wrk. Fails if a request was refused, or its session was not
found.
"""

import argparse
import http.client
import json
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SERVER = ROOT / "build/release/examples/http_sessions/http_sessions"
RESULT = ROOT / "build/bench/http.json"

SESSIONS = 1_000
CONNECTIONS = 64
WARM_UP_SECONDS = 1
PATIENCE_SECONDS = 15.0

RATIOS = {"ratio": "requests_per_second", "p99_ratio": "p99_ms", "cpu_ratio": "cpu_us"}

# Two, if there are; on a single one, wrk is measured as much as the server.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

# Requests are made before the clock runs; what is left to do for each is to take the next.
LOAD = """\
local cookies = {%s}
local requests = {}
local last = 0

function init(arguments)
    for i, cookie in ipairs(cookies) do
        requests[i] = wrk.format("GET", "/hello", {Cookie = cookie})
    end
end

function request()
    last = last %% #requests + 1
    return requests[last]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '{"requests": %%d, "seconds": %%.6f, "p99_ms": %%.3f, "refused": %%d, "failed": %%d}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(99) / 1e3, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
"""


class Failure(Exception):
    """Why there is no result."""


class Server:
    """A fresh server on a free port, ended with the `with` block."""

    def __init__(self, program: Path, sessions: str) -> None:
        self.sessions = sessions
        self.runs = 0
        self.requests = 0
        options = ["--listen", "127.0.0.1:0", "--threads", "1", "--rate", "unlimited", "--sessions", sessions]
        self.process = subprocess.Popen(
            on_core(SERVER_CORE, [str(program), *options]), stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Server":
        try:
            self.port = self.announced_port()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.end()

    def announced_port(self) -> int:
        assert self.process.stdout
        readable, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        line = self.process.stdout.readline() if readable else ""
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not match:
            raise Failure(f"the server did not say where it listens, but {line!r}")
        return int(match[1])

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def rss_kb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        if not match:
            raise Failure("the server has ended")
        return int(match[1])

    def cpu_seconds(self) -> float:
        """What it has used until now, in user mode and in the kernel."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def create_sessions(self, count: int) -> list[str]:
        """Their cookies. They have a principal, or they would not live long without being used."""
        cookies = []
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        for number in range(count):
            connection.request("POST", "/session", json.dumps({"principal": f"user {number}"}))
            response = connection.getresponse()
            response.read()
            if response.status != 201:
                raise Failure(f"session {number} was refused: {response.status}")
            cookies.append(response.headers["Set-Cookie"].partition(";")[0])
        connection.close()
        return cookies

    def load(self, script: Path, seconds: int) -> dict[str, float]:
        """What wrk saw of it."""
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", f"-s{script}", f"http://127.0.0.1:{self.port}"]
        cpu_before = self.cpu_seconds()
        done = subprocess.run(
            on_core(LOAD_CORE, command), capture_output=True, text=True, timeout=seconds + PATIENCE_SECONDS
        )
        if done.returncode != 0:
            raise Failure(f"wrk: {done.stderr or done.stdout}")
        seen = json.loads(done.stdout.splitlines()[-1])
        if seen["refused"] or seen["failed"]:
            raise Failure(f"with sessions {self.sessions}, requests were refused or failed: {seen}")
        self.runs += 1
        self.requests += seen["requests"]
        return {
            "requests_per_second": seen["requests"] / seen["seconds"],
            "p99_ms": seen["p99_ms"],
            "cpu_us": (self.cpu_seconds() - cpu_before) / seen["requests"] * 1e6,
        }

    def check_look_ups(self) -> None:
        """Every request found its session, if there are sessions, and none looked for one if there are not."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        connection.request("GET", "/stats")
        stats = json.loads(connection.getresponse().read())
        connection.close()
        # At the end of a run, each connection may leave an answer unread.
        expected = {"on": range(self.requests, self.requests + self.runs * CONNECTIONS + 1), "off": range(1)}
        if stats["acquired"] not in expected[self.sessions] or stats["acquired"] != stats["acquires"]:
            raise Failure(f"with sessions {self.sessions}, {self.requests} requests, but: {stats}")


def on_core(core: int, command: list[str]) -> list[str]:
    return ["taskset", "--cpu-list", str(core), *command]


def compare(program: Path, script: Path, pair_count: int, seconds: int) -> dict[str, Any]:
    with ExitStack() as stack:
        servers = {
            "with": stack.enter_context(Server(program, "on")),
            "without": stack.enter_context(Server(program, "off")),
        }
        cookies = servers["with"].create_sessions(SESSIONS)
        script.write_text(LOAD % ", ".join(f'"{cookie}"' for cookie in cookies))

        for server in servers.values():
            server.load(script, WARM_UP_SECONDS)
        before = {side: server.rss_kb() for side, server in servers.items()}
        pairs = []
        for number in range(pair_count):
            order = list(servers) if number % 2 == 0 else list(reversed(servers))
            seen: dict[str, Any] = {side: servers[side].load(script, seconds) for side in order}
            for ratio, figure in RATIOS.items():
                seen[ratio] = seen["with"][figure] / seen["without"][figure]
            pairs.append(seen)
        after = {side: server.rss_kb() for side, server in servers.items()}
        for server in servers.values():
            server.check_look_ups()

    def side(name: str) -> dict[str, float]:
        medians = {figure: statistics.median(pair[name][figure] for pair in pairs) for figure in RATIOS.values()}
        return medians | {"rss_before_kb": before[name], "rss_after_kb": after[name]}

    ratios = {ratio: statistics.median(pair[ratio] for pair in pairs) for ratio in RATIOS}
    return {"with": side("with"), "without": side("without"), **ratios, "pairs": pairs}


def table(result: dict[str, Any]) -> str:
    def row(name: str, figure: str, form: str) -> str:
        return f"{name:18}{result['with'][figure]:>10{form}}{result['without'][figure]:>10{form}}"

    def ratio(name: str) -> str:
        each = [pair[name] for pair in result["pairs"]]
        return f"{result[name]:9.3f}  ({min(each):.3f} to {max(each):.3f})"

    return "\n".join(
        [
            f"{'sessions':18}{'on':>10}{'off':>10}{'ratio':>9}  of {len(result['pairs'])} pairs",
            row("requests/s", "requests_per_second", ".0f") + ratio("ratio"),
            row("p99, ms", "p99_ms", ".2f") + ratio("p99_ratio"),
            row("CPU, us a request", "cpu_us", ".2f") + ratio("cpu_ratio"),
            row("RSS before, kB", "rss_before_kb", ""),
            row("RSS after, kB", "rss_after_kb", ""),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="What sessions cost an HTTP server.")
    parser.add_argument("--pairs", type=int, default=5, help="runs with sessions and without (5)")
    parser.add_argument("--seconds", type=int, default=5, help="how long one run takes (5)")
    parser.add_argument("--server", type=Path, default=SERVER, help="the program (that of the preset release)")
    parser.add_argument("--output", type=Path, default=RESULT, help="where to write (build/bench/http.json)")
    options = parser.parse_args()
    if options.pairs < 1 or options.seconds < 1:
        parser.error("--pairs and --seconds are 1 or more")
    try:
        if not options.server.is_file():
            raise Failure(f"there is no {options.server}: build it first")
        for tool in ("wrk", "taskset"):
            if not shutil.which(tool):
                raise Failure(f"{tool} is not installed")
        options.output.parent.mkdir(parents=True, exist_ok=True)
        script = options.output.with_suffix(".lua")
        result = compare(options.server, script, options.pairs, options.seconds)
    except (Failure, OSError, http.client.HTTPException, subprocess.TimeoutExpired) as failure:
        print(f"compare.py: {failure}", file=sys.stderr)
        return 1
    options.output.write_text(json.dumps(result, indent=2) + "\n")
    print(table(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
