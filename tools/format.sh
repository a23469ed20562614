#!/usr/bin/env bash
# clang-format over every source file: `tools/format.sh -i` lays them out, `--dry-run -Werror` only judges.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find src modules tests bench examples -name node_modules -prune -o -name '*.[ch]pp' -print0 -o -name '*.cppm' -print0 |
    xargs -0 clang-format-19 "$@"
