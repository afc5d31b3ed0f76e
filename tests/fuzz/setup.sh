#!/bin/sh
# Puts atheris into .venv-fuzz from its own lock, beside .venv; `make` calls this once, and again when that lock
# changes. Where atheris has no wheel the folder stays empty, and `make fuzz` says so.
set -eu
cd "$(dirname "$0")/../.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

rm -rf .venv-fuzz
mkdir .venv-fuzz
echo "Installing atheris into .venv-fuzz (once, some seconds) ..." >&2
if ! output=$(.venv/bin/uv pip install --quiet --python .venv --target .venv-fuzz --require-hashes \
    -r tests/fuzz/requirements.txt 2>&1); then
    printf '%s\n' "$output" | grep -v '^WARNING: ' >&2 || true
    echo "atheris could not be installed. If the network was the cause, run make again." >&2
    rm -rf .venv-fuzz
    exit 1
fi
touch .venv-fuzz/ready
