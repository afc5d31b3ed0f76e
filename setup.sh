#!/bin/sh
# Creates .venv from the pinned lock, once; `make` calls it when requirements.txt or pyproject.toml changed.
set -eu
cd "$(dirname "$0")"
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

if [ -n "${PYTHON:-}" ] && ! "$PYTHON" -c '' 2>/dev/null; then
    echo "PYTHON=$PYTHON does not run: name a Python 3.11 or newer, or leave PYTHON unset." >&2
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
    echo "Python 3.11 or newer is missing: install it, or name one with PYTHON=/path/to/python3." >&2
    exit 1
fi

failed() {
    echo "The packages could not be installed into .venv: is the network there? Then run make again." >&2
    rm -rf .venv
    exit 1
}

rm -rf .venv
if uv --version >/dev/null 2>&1; then
    uv venv --quiet --python "$("$python" -c 'import sys; print(sys.executable)')" .venv || failed
    uv pip install --quiet --python .venv --require-hashes -r requirements.txt || failed
    uv pip install --quiet --python .venv --no-deps --no-build-isolation -e . || failed
else
    if ! "$python" -m venv .venv 2>/dev/null; then
        echo "Python's venv module is missing: install it (Debian and Ubuntu: apt install python3-venv), or install uv." >&2
        exit 1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.txt || failed
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . || failed
fi
touch .venv/ready
