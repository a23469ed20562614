"""Every style check finds what it is there for: one small wrong tree for each rule, and one tree that is right."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

import banned, exports, headers, layers, listed, snippets, versions  # noqa: E401, E402
from tree import Tree  # noqa: E402


def header(path: str, body: str = "", about: str = "A test.") -> str:
    guard = path.upper().replace("/", "_").replace(".", "_")
    return f"/// @file\n/// {about}\n\n#ifndef {guard}\n#define {guard}\n\n{body}\n#endif // {guard}\n"


def declares(name: str) -> str:
    return f"namespace sojourn {{\n\nclass {name} {{\n}};\n\n}} // namespace sojourn\n"


RIGHT = {
    "CMakeLists.txt": "project(sojourn\n    VERSION 1.2.3\n)\n",
    "CHANGELOG.md": "# Changes\n\n## 1.2.3\n\n## 1.2.2\n",
    "README.md": "<!-- snippet: examples/a.cpp#use -->\n```cpp\nuse();\n```\n",
    "CONTRIBUTING.md": "1. So:\n\n   <!-- snippet: examples/a.cpp#use -->\n   ```cpp\n   use();\n   ```\n\n```sh\n./dev\n```\n",
    "examples/CMakeLists.txt": "example(a.cpp)\n",
    "examples/a.cpp": "    // [use]\n    use();\n    // [/use]\n",
    "modules/CMakeLists.txt": "module(sojourn.cppm)\n",
    "modules/sojourn.cppm": "export namespace sojourn {\nusing sojourn::Id;\nusing sojourn::version;\n}\n",
    "src/CMakeLists.txt": "headers(sojourn/core/id.hpp sojourn/fwd.hpp sojourn/version.hpp sojourn/sojourn.hpp)\n",
    "src/sojourn/core/id.hpp": header("sojourn/core/id.hpp", "#include <string>\n\n" + declares("Id")),
    "src/sojourn/core/table.hpp": header("sojourn/core/table.hpp", declares("Table"), "Private header."),
    "src/sojourn/fwd.hpp": header("sojourn/fwd.hpp", "namespace sojourn {\nclass Id;\n} // namespace sojourn\n"),
    "src/sojourn/sojourn.hpp": header(
        "sojourn/sojourn.hpp",
        '#include "sojourn/core/id.hpp"\n#include "sojourn/fwd.hpp"\n#include "sojourn/version.hpp"\n',
    ),
    "src/sojourn/version.hpp": header(
        "sojourn/version.hpp",
        "namespace sojourn {\n"
        'inline constexpr std::string_view version = "1.2.3";\n'
        "} // namespace sojourn\n"
        "// version_major = 1, version_minor = 2, version_patch = 3\n",
    ),
}

# (check, file, its wrong text, a piece of the finding)
WRONG = [
    (banned, "src/sojourn/core/a.cpp", "auto t = Clock::now();\n", "told the time"),
    (banned, "src/sojourn/core/a.cpp", "#include <mutex>\n", "pure"),
    (banned, "src/sojourn/async/a.cpp", "#include <random>\n", "operating system"),
    (banned, "src/sojourn/async/a.cpp", "co_spawn(e, f(), asio::detached);\n", "restart"),
    (banned, "src/sojourn/async/a.cpp", "co_return a && co_await b();\n", "right of an operator"),
    (banned, "src/sojourn/async/a.cpp", "class SessionManager {\n", "SessionManager"),
    (banned, "src/sojourn/service/a.cpp", "struct EventHandler {\n", "Asio's word"),
    (banned, "src/sojourn/async/string_utils.cpp", "\n", "file's name"),
    (banned, "tests/a.cpp", "// TODO: later\n", "open an issue"),
    (exports, "modules/sojourn.cppm", "using sojourn::version;\n", "Id is public"),
    (exports, "src/sojourn/fwd.hpp", "", "does not declare it"),
    (exports, "modules/sojourn.cppm", "using sojourn::Id;\nusing sojourn::Old;\n", "no public header"),
    (headers, "src/sojourn/core/id.hpp", "#pragma once\n", "guard"),
    (headers, "src/sojourn/core/id.hpp", header("sojourn/core/di.hpp"), "SOJOURN_CORE_ID_HPP"),
    (headers, "src/sojourn/core/id.hpp", header("sojourn/core/id.hpp")[10:], "@file"),
    (headers, "src/sojourn/core/id.hpp", "#include <boost/unordered/unordered_flat_map.hpp>\n", "through a module"),
    (headers, "src/sojourn/sojourn.hpp", header("sojourn/sojourn.hpp"), "does not include"),
    (layers, "src/sojourn/core/a.cpp", '#include "sojourn/async/gate.hpp"\n', "points down"),
    (layers, "src/sojourn/core/a.cpp", '#include "sojourn/sojourn.hpp"\n', "points down"),
    (layers, "src/sojourn/core/a.cpp", "#include <boost/asio/post.hpp>\n", "pure"),
    (layers, "src/sojourn/testing/a.cpp", '#include "sojourn/http/cookie.hpp"\n', "points down"),
    (layers, "src/sojourn/misc/a.cpp", "\n", "no layer"),
    (listed, "tests/forgotten_test.cpp", "\n", "no CMakeLists.txt"),
    (listed, "src/sojourn/core/id.hpp", '#include "sojourn/core/table.hpp"\n', "table.hpp:1: is named in no"),
    (listed, "src/CMakeLists.txt", "headers(sojourn/core/table.hpp)\n", "would install it"),
    (snippets, "README.md", "```cpp\nuse();\n```\n", "without"),
    (snippets, "README.md", "<!-- snippet: examples/a.cpp#gone -->\n```cpp\nuse();\n```\n", "no region"),
    (snippets, "README.md", "```c++\nuse();\n```\n", "without"),
    (snippets, "README.md", "```C++ title=a\nuse();\n```\n", "without"),
    (snippets, "README.md", "```{.cpp}\nuse();\n```\n", "without"),
    (snippets, "README.md", "```\n#include <string>\n```\n", "without"),
    (snippets, "README.md", "```\nuse();\n```\n", "without"),
    (snippets, "README.md", "~~~cpp\nuse();\n~~~\n", "without"),
    (snippets, "README.md", "````cpp\nuse();\n````\n", "without"),
    (snippets, "README.md", "``` cpp \nuse();\n``` \n", "without"),
    (snippets, "README.md", "1. So:\n\n   ```cpp\n   use();\n   ```\n", "README.md:3: a C++ block without"),
    (snippets, "README.md", "```sh\nuse\n``` \n\n```cpp\nuse();\n```\n", "README.md:5: a C++ block without"),
    (snippets, "README.md", "- ```cpp\n  use();\n  ```\n", "without"),
    (snippets, "bench/README.md", "```cpp\nuse();\n```\n", "without"),
    (snippets, "README.md", "  <!-- snippet: examples/a.cpp#use -->\n  ~~~cpp\n  old();\n  ~~~\n", "differs"),
    (snippets, "docs/a.md", "<!-- snippet: examples/a.cpp#use -->\n```cpp\nold();\n```\n", "differs"),
    (versions, "CMakeLists.txt", "project(sojourn\n    VERSION 1.2.4\n)\n", "1.2.4"),
    (versions, "CHANGELOG.md", "## 1.2.2\n", "1.2.2"),
]


class StyleChecks(unittest.TestCase):
    def findings(self, check, **changes):
        with tempfile.TemporaryDirectory() as root:
            for path, text in (RIGHT | changes).items():
                file = Path(root, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return [str(finding) for finding in check.findings(Tree(Path(root)))]

    def test_right_tree(self):
        for check in {check for check, *_ in WRONG}:
            with self.subTest(check=check.__name__):
                self.assertEqual(self.findings(check), [])

    def test_wrong_trees(self):
        for check, path, text, piece in WRONG:
            with self.subTest(check=check.__name__, path=path, text=text):
                found = self.findings(check, **{path: text})
                self.assertTrue(any(piece in finding for finding in found), found)
                self.assertRegex(found[0], r"^[\w./]+:\d+: ")


if __name__ == "__main__":
    unittest.main()
