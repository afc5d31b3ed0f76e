#!/bin/sh
# Creates .venv from the pinned lock, once; `make` calls it when requirements.txt or pyproject.toml changed.
set -eu
cd "$(dirname "$0")"
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

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

rm -rf .venv
if uv --version >/dev/null 2>&1; then
    uv venv --quiet --python "$("$python" -c 'import sys; print(sys.executable)')" .venv
    uv pip install --quiet --python .venv --require-hashes -r requirements.txt
    uv pip install --quiet --python .venv --no-deps --no-build-isolation -e .
else
    if ! "$python" -m venv .venv 2>/dev/null; then
        echo "Python's venv module is missing: install it (Debian and Ubuntu: apt install python3-venv), or install uv." >&2
        exit 1
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
touch .venv/ready
