# The only prerequisites are make and a Python 3.11 or newer with its venv module.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.PHONY: setup demo test test-long check bench bench-quick docs lock clean

setup: $(STAMP)

$(STAMP): requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Haulage needs Python 3.11 or newer; set PYTHON=/path/to/it")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: setup
	$(BIN)/haulage demo

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal tests

test-long: setup
	HAULAGE_LONG=1 $(BIN)/python -m pytest -n 2 --dist worksteal tests

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m haulage.testing.documents

# Takes hours: everything, on everything. BENCH="--pairs npm --results FOLDER" and the like choose; see --help of both.
bench: setup
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.updates $(BENCH)
	$(BIN)/python -m benchmarks.shipments
	$(BIN)/python -m benchmarks.pages

bench-quick: setup
	$(BIN)/python -m benchmarks.updates --quick
	$(BIN)/python -m benchmarks.pages --size small --times 5 --no-json

lock:
	uv pip compile pyproject.toml --python-version 3.11 --universal --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" --output-file requirements/runtime.txt
	uv pip compile pyproject.toml --group dev --python-version 3.11 --universal --generate-hashes --no-emit-index-url --quiet --custom-compile-command "make lock" --output-file requirements/dev.txt

clean:
	rm -rf $(VENV)
