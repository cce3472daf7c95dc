# Every target does its own set-up: the second time nothing is installed, and no network is needed.

.DEFAULT_GOAL := help
.PHONY: help run test coverage check messages screenshots bench bench-gate bench-exact bench-stats fuzz clean clean-data
SHELL := /bin/bash
# Where it is set, each of the many processes that a run and its tests start would compile Django anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
# Newer than the lock file when what is installed is what is locked.
STAMP := .venv/.installed

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: $(STAMP) ## Everything on this machine; Ctrl-C stops it (PORT, GATE_PORT, DATA_DIR, DATABASE_URL, REDIS_URL)
	@exec $(BIN)/python -m goongdash.run

test: $(STAMP)-proxies ## All tests, on real servers and in a real browser (ARGS="-k name" for some of them)
	@bash .ci/need chromium node npm nginx caddy haproxy
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

coverage: override ARGS := --cov --cov-report=term:skip-covered $(ARGS)
coverage: test ## What the tests run of the code; takes half as long again

check: $(STAMP) ## Lint, format, types, migrations, Django's own checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING

messages: $(STAMP) ## Look for what is marked to be translated, into locale/; prints what has no translation yet
	@exec $(BIN)/python -m goongdash.translations

screenshots: $(STAMP) ## The pictures in docs/screenshots/, of a demo installation started for them
	@bash .ci/need chromium
	@exec $(BIN)/python -m tests.site.screenshots

bench: bench-gate bench-exact $(STAMP) ## All measurements; each rewrites its own part of bench/RESULTS.md
	$(BIN)/python -m bench freshness chart revocation unknown_keys key_page

bench-gate: $(STAMP)-bench ## The gate against floors and peers (ARGS="--rounds 1 --seconds 1 --keys 500" for a look)
	@bash .ci/need taskset wrk nginx nginx-lua lua-redis haproxy node npm
	$(BIN)/python -m bench gate $(ARGS)

bench-exact: $(STAMP) ## Arrivals made to break limiters, against four gates; fails if one is broken
	@bash .ci/need faketime
	$(BIN)/python -m bench exact $(ARGS)

bench-stats: $(STAMP) ## Usage at scale: ingest, rollups, bytes, pages (ARGS="--records 1000000" for a look)
	$(BIN)/python -m bench stats $(ARGS)

fuzz: $(STAMP) ## A million inputs made to be misread by the gate (ARGS="--inputs N --seed N")
	@exec $(BIN)/python -m tests.gate.fuzz $(ARGS)

clean: ## Remove what was installed and cached; the data stays
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage staticfiles
	find . -name node_modules -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +

clean-data: $(STAMP) ## Remove the data of the embedded servers; refused while they are in use
	@$(BIN)/python -m goongdash.embedded.locks
	rm -rf "$${DATA_DIR:-.data}"

# With uv from the machine where it works; else with one that pip puts into the environment itself, which
# `--inexact` then leaves there. No pip of the system is touched: Debian does not allow it.
$(STAMP): pyproject.toml uv.lock
	@if uv --version >/dev/null 2>&1; then \
		uv sync --frozen --quiet; \
	else \
		$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
			|| { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/it."; exit 1; }; \
		[ -x $(BIN)/pip ] || $(PYTHON) -m venv --clear .venv \
			|| { echo "On Debian: apt-get install python3-venv"; exit 1; }; \
		[ -x $(BIN)/uv ] || $(BIN)/pip install --quiet --disable-pip-version-check uv; \
		$(BIN)/uv sync --frozen --inexact --quiet; \
	fi
	@touch $@

# A group of dependencies that only some targets need, beside the rest.
$(STAMP)-%: $(STAMP)
	@$$(uv --version >/dev/null 2>&1 && echo uv || echo $(BIN)/uv) sync --frozen --inexact --quiet --group $*
	@touch $@
