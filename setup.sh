#!/bin/sh
# Creates .venv from the pinned lock; `make` calls this once, and again when requirements.txt or pyproject.toml changes.
set -eu
cd "$(dirname "$0")"
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

say() { printf '%s\n' "$*" >&2; }

if [ -n "${PYTHON:-}" ] && ! "$PYTHON" -c '' 2>/dev/null; then
    say "PYTHON=$PYTHON does not run: set PYTHON to a Python 3.11 or newer, or unset it."
    exit 1
fi
python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    say "Python 3.11 or newer is missing: install it, or set PYTHON=/path/to/python3."
    exit 1
fi

# Runs an installer without its warnings: some machines print many, and only errors need attention.
quietly() {
    if ! output=$("$@" 2>&1); then
        printf '%s\n' "$output" | grep -v '^WARNING: ' >&2 || true
        say "The packages could not be installed into .venv. If the network was the cause, run make again."
        rm -rf .venv
        exit 1
    fi
}

rm -rf .venv
say "Installing the pinned packages into .venv (once, about a minute) ..."
if uv --version >/dev/null 2>&1; then
    quietly uv venv --quiet --python "$("$python" -c 'import sys; print(sys.executable)')" .venv
    quietly uv pip install --quiet --python .venv --require-hashes -r requirements.txt
    quietly uv pip install --quiet --python .venv --no-deps --no-build-isolation -e .
else
    if ! "$python" -m venv .venv 2>/dev/null; then
        say "Python's venv module is missing: install it (Debian and Ubuntu: apt install python3-venv), or install uv."
        exit 1
    fi
    set -- .venv/bin/python -m pip install --quiet --disable-pip-version-check
    quietly "$@" --no-compile --require-hashes -r requirements.txt
    quietly "$@" --no-deps --no-build-isolation -e .
fi
touch .venv/ready
