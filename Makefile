# Everything runs in .venv, made on first use. PYTHON names the interpreter to make it with.
PYTHON ?= python3
BIN := .venv/bin
PLAN ?= reports/serve-llama-70b/plan.yaml

.PHONY: install report reports check test bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

report: install
	$(BIN)/planner report $(PLAN)

reports: install  # on the prices that are shipped, not on those that somebody refreshed
	for plan in reports/*/plan.yaml; do PLANNER_HOME=.venv/no-home $(BIN)/planner report $$plan || exit 1; done

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/planner hardware check

test: install
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile  # a file's fixtures are made once

bench: install
	$(BIN)/python -m pytest tests/benchmarks -s --benchmark-only

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
