#!/usr/bin/env bash
# Memcheck over the unit tests, and over the whole life of the example server: memory is not misused, and none is lost
# when the program ends. Of the preset gcc, since this valgrind need not know the debug information of a newer clang.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

unit_tests=build/gcc/tests/sojourn_unit_tests
server=build/gcc/examples/http_sessions/http_sessions

# --fair-sched: threads that wait for each other take turns, where memcheck lets only one of them run. nouserintercepts:
# the tests' own operators are left alone, which count and can fail; the malloc below them is watched all the same.
memcheck=(
    timeout --signal=KILL 300
    valgrind --quiet --error-exitcode=99 --fair-sched=yes --soname-synonyms=somalloc=nouserintercepts
    --leak-check=full '--show-leak-kinds=definite,indirect' '--errors-for-leak-kinds=definite,indirect'
)

fail() {
    printf 'valgrind: %s\n' "$1" >&2
    exit 1
}

# Without those that do the same so often that memcheck would take minutes for them, and see nothing new.
check_unit_tests() {
    "${memcheck[@]}" "$unit_tests" '~[large]'
}

# ask STATUS PATH [CURL OPTIONS]: a request with the cookies of those before.
ask() {
    local expected=$1 path=$2 status
    shift 2
    status=$(curl --silent --show-error --noproxy '*' --max-time 30 --cookie "$jar" --cookie-jar "$jar" \
        --output /dev/null --write-out '%{http_code}' "http://localhost:$port$path" "$@") ||
        fail "curl failed for $path"
    [[ $status == "$expected" ]] || fail "$path was answered $status, not $expected"
}

# It is started, serves a session from its creation to its end, and drains with another one in it.
check_server() {
    local line port jar pid
    jar=$(mktemp)
    coproc running { exec "${memcheck[@]}" "$server" --listen 127.0.0.1:0 --threads 2 --shards 2; }
    # shellcheck disable=SC2154  # coproc sets it
    pid=$running_PID
    trap 'kill "$pid" 2>/dev/null; rm -f "$jar"' EXIT
    read -r -t 60 line <&"${running[0]}" || fail 'the server did not start'
    port=${line##*:}

    ask 201 /session --data '{"principal": "alice", "attributes": {"theme": "dark"}}'
    ask 200 /session
    ask 204 /session/attributes/note --request PUT --data 'a text'
    ask 204 /session/rotate --request POST
    ask 200 /session
    ask 204 /session --request DELETE
    ask 401 /session
    ask 404 /nowhere
    ask 201 /session --request POST
    ask 200 /session
    ask 200 /stats

    kill -TERM "$pid"
    wait "$pid" || fail "the server ended with status $?"
    rm -f "$jar"
    trap - EXIT
}

cmake --preset gcc >/dev/null
cmake --build --preset gcc --target sojourn_unit_tests http_sessions
for check in check_unit_tests check_server; do
    printf '=== %s\n' "$check"
    "$check"
    printf '%s: no error and no leak, %d s in all\n' "$check" "$SECONDS"
done
