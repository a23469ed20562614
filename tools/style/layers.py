"""An include may only point down.

The layers, from below: core <- async, store <- service <- http <- http_server <- admin. `detail` lies under all of
them, `testing` and `prometheus` on the service, for those who use them. Core is pure, so what it may include from outside
is listed too.
"""

import re
from typing import Iterator

from tree import Finding, Tree

BELOW = {
    "detail": set(),
    "core": {"detail"},
    "async": {"core", "detail"},
    "store": {"async", "core", "detail"},
    "service": {"store", "async", "core", "detail"},
    "testing": {"service", "store", "async", "core", "detail"},
    "prometheus": {"service", "store", "async", "core", "detail"},
    "http": {"service", "store", "async", "core", "detail"},
    "http_server": {"http", "service", "store", "async", "core", "detail"},
    "admin": {"http_server", "http", "service", "store", "async", "core", "detail"},
}
FOR_ALL = {"sojourn/fwd.hpp", "sojourn/version.hpp"}
CORE_BOOST = re.compile(r"boost/(intrusive/|system/|throw_exception\.hpp)")


def findings(tree: Tree) -> Iterator[Finding]:
    for file in tree.files("src/sojourn", ".hpp", ".cpp"):
        folders = file.path.split("/")[2:-1]
        if not folders:
            continue
        layer = folders[0]
        if layer not in BELOW:
            yield file.finding(1, f"'{layer}' is no layer; name it in tools/style/layers.py")
            continue
        for line, header in file.includes():
            inner = header.removeprefix("sojourn/").split("/")
            if header.startswith("sojourn/"):
                if header not in FOR_ALL and (len(inner) == 1 or inner[0] not in BELOW[layer] | {layer}):
                    yield file.finding(line, f"{layer} must not include {header}: an include points down")
            elif layer == "core" and "/" in header and not CORE_BOOST.match(header):
                yield file.finding(line, f"core must not include {header}: it is pure")
