# Hedgerow: `make demo` and `make test` are all a new machine needs.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
PY := $(VENV)/bin/python
RUN_TESTS := $(PY) -m pytest -n 2 --dist loadgroup --durations=10

.PHONY: demo demo-reset venv dev test test-full check format lock bench verifier clean

demo: venv  ## SQLite, the demo study, a server on 127.0.0.1:$(PORT)
	@$(PY) manage.py demo --port $(PORT)

demo-reset: venv  ## the same, from an empty database
	@$(PY) manage.py demo --port $(PORT) --reset

venv: $(VENV)/.base  ## the locked run-time dependencies
dev: $(VENV)/.dev  ## and what tests and checks need

$(VENV)/bin/pip:
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "Python was not found. Install Python 3.11 or later, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hedgerow needs Python 3.11 or later, and $(PYTHON) is older. Say which to use: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python cannot make a virtual environment. Install it (on Debian or Ubuntu: apt install python3-venv) and run make $(MAKECMDGOALS) again."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: requirements/base.txt | $(VENV)/bin/pip
	@echo "Installing the locked dependencies (once)."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/base.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.base
	@echo "Installing what the tests need (once)."
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

test: dev  ## all tests but the long drills, on SQLite or on DATABASE_URL
	@$(RUN_TESTS) -m "not drill"

test-full: dev  ## and the long drills: kills, load, foreign readers
	@$(RUN_TESTS)

check: dev  ## format, lint, types, imports, templates, migrations, start-up checks
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/lint-imports
	@$(VENV)/bin/djlint templates --check --lint --quiet
	@DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py check
	@DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run
	@$(VENV)/bin/mypy

format: dev
	@$(VENV)/bin/ruff check --fix . ; $(VENV)/bin/ruff format . ; $(VENV)/bin/djlint templates --reformat --quiet

lock:  ## compile the lock files again (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header -q -o requirements/base.txt
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header -q -o requirements/dev.txt

bench: dev  ## each figure beside a floor measured in the same run
	@$(PY) -m benchmarks

verifier:  ## dist/hedgerow-verify.pyz: checks a revealed scheme with Python alone
	@$(PYTHON) -m randomisation.pack dist/hedgerow-verify.pyz
	@echo "dist/hedgerow-verify.pyz is ready: python3 dist/hedgerow-verify.pyz PACKAGE.json"

clean:
	rm -rf dist $(VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache
