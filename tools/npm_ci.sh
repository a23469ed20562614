#!/usr/bin/env bash
# npm_ci.sh FOLDER...: installs what the package-lock.json of each folder pins, into its node_modules. Silent, and fast,
# where that is there already. Nothing of a package runs as it is installed.
set -euo pipefail

for folder; do
    lock=$folder/package-lock.json
    installed=$folder/node_modules/.installed-package-lock.json
    # Tests of two presets may want it at once.
    exec {guard}<"$lock"
    flock "$guard"
    if ! cmp -s "$lock" "$installed"; then
        npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
        cp "$lock" "$installed"
    fi
    exec {guard}<&-
done
