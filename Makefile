# `make demo` and `make test` need Python 3.11 or newer with venv, and nothing else.

PYTHON := .venv/bin/python
# Python compiles a module when it is first imported: not all of them need be compiled here.
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input --no-compile
INSTALL := $(PYTHON) $(PIP_INSTALL)
PYTEST := $(PYTHON) -m pytest
# The checks and tests start some hundred processes: each would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install demo demo-reset run test test-fast check-release bench lint format \
    faults vendor screenshots

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

install: .venv/.installed ## Install what a server needs into .venv (see docs/deploying.md)

demo: .venv/.installed-demo ## The board with a sandbox, on this machine (PORT=8000 SANDBOX_PORT=9000)
	@exec $(PYTHON) -m scripts.demo

demo-reset: ## Delete the demo's data (everything below var/, or VAR_DIR)
	@dir="$${VAR_DIR:-var}"; \
	if [ ! -e "$$dir/demo.env" ]; then echo "There is no demo in $$dir."; \
	elif [ -e "$$dir/demo.lock" ] && ! flock --nonblock "$$dir/demo.lock" true; then \
	    echo "The demo in $$dir is running: stop it first."; exit 1; \
	else rm -rf "$$dir"; echo "Deleted $$dir."; fi

run: .venv/.installed ## Web, worker and beat, with the settings in the environment
	@exec $(PYTHON) -m scripts.supervise

test: .venv/.installed-dev ## Lint, types and all tests that this machine can run
	@PATH="$(CURDIR)/.venv/bin:$$PATH" $(PYTHON) -m scripts.test

test-fast: .venv/.installed-dev ## The unit tests, in under a minute
	$(PYTEST) --numprocesses 2 --dist worksteal \
	    -m "not (integration or postgres or redis or browser or node or demo or release)"

check-release: .venv/.installed-release ## What takes longer: the API by its document, the guides followed
	$(PYTEST) -m release

bench: .venv/.installed-dev ## Measure what must not grow with the number of jobs (JOBS=100000)
	@$(PYTHON) -m benchmarks --jobs $(or $(JOBS),100000)

lint: .venv/.installed-dev ## Check style, types, import rules, migrations and settings
	@PATH="$(CURDIR)/.venv/bin:$$PATH" scripts/lint

format: .venv/.installed-dev ## Format the Python files and templates
	$(PYTHON) -m ruff check --fix-only --quiet .
	$(PYTHON) -m ruff format .
	-$(PYTHON) -m djlint --quiet --reformat templates

faults: .venv/.installed-dev ## Kill processes and stop servers, and print what that cost (FAULTS=name)
	@$(PYTHON) -m tests.faults $(FAULTS)

screenshots: .venv/.installed-dev ## Update docs/screenshots from a running demo
	$(PYTHON) -m scripts.screenshots

vendor: .venv/.installed-dev ## Update the vendored front-end files from npm
	$(PYTHON) -m scripts.vendor

.venv/.installed: requirements.txt
	@python=$$(scripts/find-python) && \
	    { $(PYTHON) -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear .venv; }
	@echo "Installing the packages into .venv (a minute, and only when they change) ..."
	@$(INSTALL) -r requirements.txt
	@touch $@

.venv/.installed-demo: requirements-demo.txt .venv/.installed
	@echo "Installing FFmpeg for the sandbox into .venv ..."
	@$(INSTALL) -r requirements-demo.txt
	@touch $@

.venv/.installed-dev: requirements-dev.txt .venv/.installed-demo
	@echo "Installing the development tools into .venv ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

# In an environment of their own: these programs share no package with us.
.venv/.installed-release: requirements-release.txt .venv/.installed-dev
	@echo "Installing what checks a release into .venv/release ..."
	@$(PYTHON) -m venv .venv/release
	@.venv/release/bin/python $(PIP_INSTALL) -r requirements-release.txt
	@touch $@
