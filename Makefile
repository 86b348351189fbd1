# The two commands of the README, and those that they are made of.
# Each sets up what it needs in .venv and reuses it until the requirements change.

.PHONY: help app dev test check format coverage
.NOTPARALLEL:
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
APP := $(VENV)/.app-requirements
DEV := $(VENV)/.dev-requirements
PIP := $(PYTHON) -m pip install --disable-pip-version-check --no-input

# What checks the scripts of the browser. The app itself needs no node.
NODE_MODULES := node_modules/.package-lock.json
with_node = if command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory $(NODE_MODULES) && $(1); \
	else echo 'JavaScript is skipped: it needs node 18 or later and npm, which are not installed.'; fi

SUITES := tests/unit tests/integration tests/app
JOURNEYS := tests/browser
# Two files at a time, each on one core: of two cores, more threads would only wait for each other.
# Journeys keep a loop of events running, which other tests begin: apart.
PYTEST := OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

app: $(APP) ## set up what is missing and serve the app on http://127.0.0.1:8501 (CPU=1: no CUDA)
	@$(PYTHON) -m streamlit run app.py

# Only cxr_app/ui is reloaded; after a change elsewhere, restart the server.
dev: $(APP) ## serve the app for a developer: whole messages, reload on change
	@CXR_DEBUG=1 $(PYTHON) -m streamlit run app.py \
		--server.fileWatcherType=auto --server.runOnSave=true

test: $(DEV) ## everything that must hold: check, then every test
	@status=0; \
	$(MAKE) --no-print-directory check || status=1; \
	{ $(call with_node,npm test --silent); } || status=1; \
	$(PYTEST) $(SUITES) || status=1; \
	$(PYTEST) $(JOURNEYS) || status=1; \
	exit $$status

check: $(DEV) ## format, lint, types, imports, names, of Python and of JavaScript
	@status=0; \
	$(PYTHON) -m ruff format --check . || status=1; \
	$(PYTHON) -m ruff check . || status=1; \
	$(PYTHON) -m mypy || status=1; \
	$(VENV)/bin/lint-imports --no-logo || status=1; \
	$(PYTHON) -m tests.names || status=1; \
	{ $(call with_node,npm run --silent check); } || status=1; \
	exit $$status

format: $(DEV) ## write the code as check wants it
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .
	@$(call with_node,npx biome format --write .)

coverage: $(DEV) ## which lines and branches the tests reach
	@$(PYTHON) -m pytest --cov --cov-report=term
	@$(PYTHON) -m coverage html --quiet

# The stamp is written last: an interrupted set-up starts again.
$(VENV)/.made:
	@for python in python3.11 python3.12 python3.13 python3; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
			&& found=$$python && break; \
	done; \
	test -n "$$found" || { echo 'Python 3.11 or later is needed, and none is on the PATH.' >&2; exit 2; }; \
	echo "Setting up $(VENV) with $$found"; \
	$$found -m venv --clear $(VENV)
	@touch $@

$(APP): requirements.txt requirements-cpu.txt $(VENV)/.made
	$(PIP) -r $(if $(CPU),requirements-cpu.txt,requirements.txt)
	@touch $@

$(DEV): requirements-dev.txt requirements-ray.txt requirements.txt $(VENV)/.made
	$(PIP) -r requirements-dev.txt
	@touch $@ $(APP)

$(NODE_MODULES): package.json package-lock.json
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@
