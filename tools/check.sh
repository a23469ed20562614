#!/usr/bin/env bash
# check.sh [STEP...]: everything that must hold before a merge, or the steps named. Goes on after a step that fails; the
# table at the end says which did.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

logs=build/check
mkdir -p "$logs"
mapfile -t steps < <(sed -n 's/^step \([a-z]*\) .*/\1/p' tools/check.sh)
for name; do
    if [[ " ${steps[*]} " != *" $name "* ]]; then
        printf "check: there is no step '%s'; there are: %s\n" "$name" "${steps[*]}" >&2
        exit 2
    fi
done
wanted=("${@:-${steps[@]}}")
table=()
passed=0
failed=0

# step NAME COMMAND...: a step that ends with "N passed, N failed" counts as its tests, any other as one.
step() {
    local name=$1 start=$SECONDS step_passed=1 step_failed=0 line
    shift
    [[ " ${wanted[*]} " == *" $name "* ]] || return 0
    printf '\n=== %s: %s\n' "$name" "$*"
    if ! "$@" 2>&1 </dev/null | tee "$logs/$name.log"; then
        step_passed=0 step_failed=1
    fi
    line=$(tail -n 1 "$logs/$name.log")
    if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
        step_passed=${BASH_REMATCH[1]} step_failed=${BASH_REMATCH[2]}
    fi
    passed=$((passed + step_passed))
    failed=$((failed + step_failed))
    table+=("$(printf '%-8s %6d s   %4d passed  %4d failed' \
        "$name" $((SECONDS - start)) "$step_passed" "$step_failed")")
    printf '=== %s\n' "${table[-1]}"
}

step format tools/format.sh --dry-run -Werror
step style python3 tools/style
step tidy ./dev tidy quick
step dev tools/run_tests.sh dev
step gcc tools/run_tests.sh gcc
step module tools/run_tests.sh module
step asan tools/run_tests.sh asan
step tsan tools/run_tests.sh tsan
step sim ./dev sim
step fuzz ./dev fuzz --all --seconds 60
step valgrind ./dev valgrind
step release tools/run_tests.sh release
step bench ./dev bench --instructions

printf '\nIn all, %d s:\n' "$SECONDS"
printf '  %s\n' "${table[@]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
