"""modules/sojourn.cppm exports exactly the names that the public headers declare in namespace sojourn, and fwd.hpp has every
type among them."""

import re
from typing import Iterator

from tree import File, Finding, Tree

MODULE = "modules/sojourn.cppm"
FORWARD = "src/sojourn/fwd.hpp"
NOT_EXPORTED = re.compile(r"src/sojourn/(format\.hpp|admin/|http/|http_server/|prometheus/|store/|testing/)")

# Declarations of a namespace begin in the first column; members are indented.
FORWARD_DECLARATION = re.compile(r"(?:class|struct) \w+;")
PREFIX = re.compile(r"^(?:template\s*<.*>\s*|\[\[\w+\]\]\s*)+")
TYPE = re.compile(r"(?:enum class|enum|class|struct|union)\s+(\w+)\b(?!::|<)")
DECLARATIONS = [
    TYPE,
    re.compile(r"concept\s+(\w+)"),
    re.compile(r"using\s+(\w+)\s*="),
    re.compile(r"inline constexpr\s[^=({]*?\b(\w+)\s*(?:=|\{)"),
    # A function: a type, a name, a parenthesis.
    re.compile(r"(?!using|template|namespace|requires|return|static_assert|friend)[\w:][^=(]*[\s&*>](\w+)\("),
]


def declared_names(file: File) -> Iterator[tuple[int, str, bool]]:
    """The names that a header declares in namespace sojourn itself, and whether they are types. In fwd.hpp a declaration
    suffices, elsewhere a type counts where it is defined."""
    namespaces = []
    for (line, text), (_, with_comment) in zip(file.code(), file.lines()):
        if match := re.match(r"namespace ([\w:]+) {", text):
            namespaces.append(match[1])
        elif text.startswith("}") and "// namespace" in with_comment:
            namespaces.pop()
        elif namespaces == ["sojourn"] and (file.path == FORWARD or not FORWARD_DECLARATION.match(text)):
            text = PREFIX.sub("", text)
            for declaration in DECLARATIONS:
                if match := declaration.match(text):
                    yield line, match[1], declaration is TYPE
                    break


def findings(tree: Tree) -> Iterator[Finding]:
    module = tree.file(MODULE)
    exported = {
        match[1]: line for line, text in module.code() if (match := re.match(r"\s*using (?:\w+::)+(\w+);", text))
    }
    forward = {name for _, name, _ in declared_names(tree.file(FORWARD))}
    declared = set()
    for file in tree.public_headers:
        if NOT_EXPORTED.match(file.path):
            continue
        for line, name, is_type in declared_names(file):
            if name not in exported and name not in declared:
                yield file.finding(line, f"{name} is public, but {MODULE} does not export it")
            if is_type and name not in forward:
                yield file.finding(line, f"{name} is public, but {FORWARD} does not declare it")
            declared.add(name)
    for name in sorted(exported.keys() - declared):
        yield module.finding(exported[name], f"{name} is exported, but no public header declares it")
