#!/bin/sh
# Creates .venv-audit from its own lock; `make` calls this once, and again when that lock changes.
set -eu
cd "$(dirname "$0")/../.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

rm -rf .venv-audit
echo "Installing the audit tools into .venv-audit (once, seconds) ..." >&2

.venv/bin/uv venv --quiet --python .venv/bin/python .venv-audit
if ! output=$(.venv/bin/uv pip install --quiet --python .venv-audit --require-hashes \
    -r tests/supply_chain/requirements.txt 2>&1); then
    printf '%s\n' "$output" | grep -v '^WARNING: ' >&2 || true
    echo "The audit tools could not be installed. If the network was the cause, run make again." >&2
    rm -rf .venv-audit
    exit 1
fi
touch .venv-audit/ready
