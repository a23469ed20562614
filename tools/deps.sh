#!/usr/bin/env bash
# Installs what sojourn is built and checked with. Silent, and fast, when nothing is missing.
#
#   tools/deps.sh build          what building, the demo and the tests need
#   tools/deps.sh build check    and what ./dev check needs besides
#   tools/deps.sh build node     and what the tests in Node.js and in a browser need besides
#   tools/deps.sh build bench    what the comparison with rivals needs
set -euo pipefail

# One package a line; where a distribution may carry one that is too old, the least version stands beside it.
declare -A packages
packages[build]='
    clang-19                  the compiler of every preset but gcc
    lld-19                    links the debug builds several times faster than ld
    g++                       the standard library, and the compiler of the gcc preset
    cmake>=3.28               the first that knows C++20 modules
    ninja-build
    ccache                    makes the second build of a file free
    git                       of which commit a figure is
    libboost1.83-dev          Asio, Beast, Intrusive, System
    libboost-json1.83-dev     the bodies of the admin endpoint and of the example server
    libboost-url1.83-dev      the targets of the admin endpoint
    libfmt-dev
    libssl-dev                hashes of session ids in a store
    libcli11-dev              command lines of the examples
    catch2>=3
    libbenchmark-dev
    prometheus-cpp-dev        metrics for Prometheus
    prometheus                scrapes them in a test; promtool, which checks them in another
    python3                   the style checks
    curl                      the walk through the HTTP API in docs/http_sessions.md
'
packages[check]='
    clang-tools-19            clang-scan-deps, which finds the imports of a file
    clang-tidy-19
    clang-format-19
    libclang-rt-19-dev        the sanitizers
    llvm-19                   llvm-symbolizer, for their reports; llvm-profdata and llvm-cov
    valgrind                  memcheck; callgrind, which counts instructions
'
packages[node]='
    nodejs>=18                the tests of tests/browser
    npm                       their packages
    chromium                  the browser that they drive
'
packages[bench]='
    python3                   the runner
    libtbb-dev                a rival: the LRU cache of oneTBB
    gnuplot-nox               the plots of docs/performance.md
    wrk                       the load on the HTTP server
'

# What Debian 12 has too old, or not at all; its own backports suite has it.
backported='cmake libboost1.83-dev libboost-json1.83-dev libboost-url1.83-dev catch2'

say() { printf 'deps: %s\n' "$*" >&2; }

# Prints the names of those packages, of "name>=version" each, that are absent or too old. One that another provides is
# there: some have an npm that comes with nodejs.
missing() {
    local installed spec name least version
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Version} ${Package} ${Provides}\n' | tr -d ',')
    for spec in "$@"; do
        name=${spec%%>=*}
        least=${spec#"$name"} && least=${least#>=}
        version=$(awk -v name="$name" '
            $1 == "installed" { for (i = 3; i <= NF; ++i) if ($i == name) { print $2; exit } }
        ' <<<"$installed")
        if [[ -z $version ]] || { [[ -n $least ]] && dpkg --compare-versions "$version" lt "$least"; }; then
            printf '%s\n' "$name"
        fi
    done
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "run as root, or install sudo: $*"
        return 1
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Fetches what the archives have; false if one of them could not be reached, which apt-get alone lets pass with a warning.
refresh() {
    apt -o APT::Update::Error-Mode=any "$@" update
}

# Adds the backports suite of the same mirror that this machine's Debian already comes from.
add_backports() {
    local suite=$1-backports mirror
    local source=/etc/apt/sources.list.d/$suite.sources
    if [[ -n $(apt-get indextargets 'Created-By: Packages' "Codename: $suite") ]]; then
        return
    fi
    mirror=$(apt-get indextargets --format "\$(REPO_URI)" \
        'Created-By: Packages' 'Origin: Debian' "Codename: $1" 'Component: main' | head -n 1)
    if [[ -z $mirror || -e $source ]] && [[ $unreached ]]; then
        say "the archive of Debian $1 could not be reached; apt says why, above"
        return 1
    fi
    if [[ -z $mirror ]]; then
        say "no source of Debian $1 is set up on this machine: add $suite by hand"
        return 1
    fi
    say "adding the suite $suite"
    as_root tee "$source" >/dev/null <<-SOURCE
	Types: deb
	URIs: $mirror
	Suites: $suite
	Components: main
	Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
	SOURCE
    # That suite alone: another source that is out of reach is no reason to give up.
    if ! refresh -o Dir::Etc::sourcelist="$source" -o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0; then
        as_root rm "$source"
        say "$suite could not be reached at $mirror, and is not added"
        return 1
    fi
}

# Installs these packages.
install() {
    local absent=("$@") i
    say "installing ${absent[*]}"
    # It may be none that matters, so we go on; but what fails then fails for that.
    refresh || unreached=yes
    if [[ $ID-$VERSION_ID == debian-12 ]]; then
        add_backports "$VERSION_CODENAME"
        for i in "${!absent[@]}"; do
            [[ " $backported " != *" ${absent[i]} "* ]] || absent[i]+=/$VERSION_CODENAME-backports
        done
    fi
    # Debian starts a server as it is installed. Ours is for tests, which start their own.
    if [[ " ${absent[*]} " == *' prometheus '* && -d /run/systemd/system ]]; then
        as_root systemctl --quiet mask prometheus.service
    fi
    # Nothing of the user's is removed to make room (another Boost, say): apt then says what is in the way.
    if ! apt install --yes --no-install-recommends --no-remove "${absent[@]}"; then
        [[ ! $unreached ]] || say 'not every archive could be reached; apt says which, above'
        exit 1
    fi
}

# shellcheck disable=SC1091
. /etc/os-release 2>/dev/null || ID=unknown
wanted=()
for group in "$@"; do
    mapfile -t -O "${#wanted[@]}" wanted < <(awk 'NF { print $1 }' <<<"${packages[$group]}")
done

# There, chromium is a snap: the tests in a browser are left out.
[[ $ID != ubuntu ]] || mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | grep -vx chromium)

case $ID-${VERSION_ID:-} in
debian-12 | debian-13 | ubuntu-24.04) ;;
*)
    say "I can install on Debian 12, Debian 13 and Ubuntu 24.04; this is ${PRETTY_NAME:-another system}."
    say "What is needed, by Debian's names: ${wanted[*]}"
    say "With all that in place, 'cmake --workflow --preset dev' builds and tests."
    exit 1
    ;;
esac

mapfile -t absent < <(missing "${wanted[@]}")
unreached=
((${#absent[@]} == 0)) || install "${absent[@]}"
if [[ " $* " == *' node '* ]]; then
    for lock in "${BASH_SOURCE[0]%/*}"/../tests/*/package-lock.json; do
        "${BASH_SOURCE[0]%/*}/npm_ci.sh" "${lock%/*}"
    done
fi
