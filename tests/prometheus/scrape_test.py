"""A Prometheus server scrapes the example, and is asked what it has seen.

    scrape_test.py PROMETHEUS EXAMPLE DOCS

It also evaluates the alert rules of DOCS, and each expression of the dashboard there.
"""

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

PROMETHEUS, EXAMPLE, DOCS = (Path(argument) for argument in sys.argv[1:])
LIMIT_SECONDS = 60
# What is on this machine is not asked for by way of another.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Server:
    """A program that says in a line where it listens. Ended with the block."""

    def __init__(self, *command: str | Path) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.written = b""

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            # What it still writes is read: it must not wait for that.
            self.process.communicate(timeout=LIMIT_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()

    def address(self, line: str) -> str:
        """What matches the group in the first line that has it."""
        until = time.monotonic() + LIMIT_SECONDS
        while True:
            if match := re.search(line, self.written.decode()):
                return match[1]
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            part = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not part:
                raise AssertionError(f"it does not listen: {self.written.decode()}")
            self.written += part

    def wait_a_moment(self) -> None:
        """Between two questions; not if it has ended, since then it will not answer any more."""
        try:
            self.process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"it has ended with {self.process.returncode}")


class Scrape(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        with ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
            example = running.enter_context(Server(EXAMPLE, "serve"))
            target = example.address(r"http://([\d.:]+)/metrics\n")
            (folder / "prometheus.yml").write_text(json.dumps({
                "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
                "rule_files": [str(DOCS / "prometheus/alerts.yml")],
                "scrape_configs": [{"job_name": "server", "static_configs": [{"targets": [target]}]}],
            }))
            cls.prometheus = running.enter_context(Server(
                PROMETHEUS, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                "--web.listen-address=127.0.0.1:0",
            ))
            cls.base = "http://" + cls.prometheus.address(r'"Listening on".* address=(127[\d.:]+)\s') + "/api/v1/"
            cls.addClassCleanup(running.pop_all().close)

    def ask(self, path: str, **parameters: str) -> Any:
        """What the API answers; None as long as it is not there."""
        url = f"{self.base}{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with DIRECTLY.open(url, timeout=LIMIT_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                return None
            raise AssertionError(f"{url}: {error.read().decode()}") from error

    def ask_until(self, is_enough: Callable[[Any], bool], path: str, **parameters: str) -> Any:
        until = time.monotonic() + LIMIT_SECONDS
        while not is_enough(answer := self.ask(path, **parameters)):
            self.assertLess(time.monotonic(), until, f"{path} {parameters} still says {answer}")
            self.prometheus.wait_a_moment()
        return answer

    def value(self, query: str) -> str:
        """The value of the one time series that there will be."""
        found = self.ask_until(lambda answer: answer and answer["result"], "query", query=query)["result"]
        self.assertEqual(len(found), 1, found)
        return found[0]["value"][1]

    def test_it_has_seen_what_the_example_did(self) -> None:
        self.assertEqual(self.value("sojourn_sessions_created_total"), "3")
        self.assertEqual(self.value('sojourn_requests_total{outcome="acquired"}'), "3")
        self.assertEqual(self.value('sojourn_state{state="running"}'), "1")
        self.assertEqual(self.value("up"), "1")

    def test_it_knows_what_the_metrics_are(self) -> None:
        known = self.ask_until(bool, "metadata", metric="sojourn_sessions_created_total")
        self.assertEqual(known["sojourn_sessions_created_total"],
                         [{"type": "counter", "help": "Sessions that were created.", "unit": ""}])

    def test_it_has_no_objection_to_a_scrape(self) -> None:
        targets = self.ask_until(
            lambda answer: answer and answer["activeTargets"] and answer["activeTargets"][0]["health"] != "unknown",
            "targets")
        self.assertEqual([target["lastError"] for target in targets["activeTargets"]], [""])

    def test_it_evaluates_the_alert_rules(self) -> None:
        groups = self.ask_until(
            lambda answer: answer and answer["groups"]
            and all(rule["health"] != "unknown" for rule in answer["groups"][0]["rules"]),
            "rules")["groups"]
        rules = groups[0]["rules"]
        self.assertGreater(len(rules), 5)
        self.assertEqual({rule["health"] for rule in rules}, {"ok"}, rules)

    def test_it_understands_each_expression_of_the_dashboard(self) -> None:
        self.value("up")
        dashboard = json.loads((DOCS / "grafana/sojourn.json").read_text(encoding="utf-8"))
        expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(expressions), 10)
        for expression in expressions:
            with self.subTest(expression=expression):
                query = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
                self.assertIn("result", self.ask("query", query=query))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
