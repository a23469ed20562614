#!/usr/bin/env bash
# Builds a preset and runs its tests: tools/run_tests.sh PRESET [CTEST OPTIONS]
# The last line says "N passed, N failed", with ", N skipped" where some were; a build that fails counts as one failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=$1
shift
report=$PWD/build/$preset/ctest.xml
rm -f "$report"

status=0
{
    cmake --preset "$preset" >/dev/null &&
        cmake --build --preset "$preset" &&
        ctest --preset "$preset" --output-junit "$report" "$@"
} || status=1

# A number from the head of the report; 0 where the tests were not reached.
count() {
    local number
    number=$(sed -n "s/^.*\b$1=\"\([0-9]*\)\".*$/\1/p; /<testcase/q" "$report" 2>/dev/null | head -n 1)
    echo "${number:-0}"
}

failed=$(count failures)
skipped=$(($(count skipped) + $(count disabled)))
passed=$(($(count tests) - failed - skipped))
if ((status != 0 && failed == 0)); then
    failed=1
fi
printf '%d passed, %d failed' "$passed" "$failed"
((skipped == 0)) || printf ', %d skipped' "$skipped"
echo
exit "$status"
