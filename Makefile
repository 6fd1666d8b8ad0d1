# The two commands for everybody: `make demo` and `make test`. Both set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# That share the tests, a file at a time: most of them wait for servers, browsers and other commands.
PROCESSES ?= 2
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check bench clean

demo: $(VENV)/.base
	$(BIN)/snapshelf demo

test: $(VENV)/.all $(VENV)/.chromium
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile

check: $(VENV)/.all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/check_docs.py

bench: $(VENV)/.all
	@for script in benchmarks/bench_*.py; do $(BIN)/python "$$script" || exit 1; done

clean:
	rm -rf $(VENV) build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Where Python comes without ensurepip (Debian splits it off), virtualenv makes the same folder.
$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  $(PYTHON) -m pip install --user --break-system-packages virtualenv && \
	  $(PYTHON) -m virtualenv $(VENV); }

# What searching and serving need; the demo runs on it.
$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

# Everything: PyTorch, the clients of clusters and what the tests and checks use.
$(VENV)/.all: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[torch,ocr,cluster,dev]'
	touch $(VENV)/.base $@

# A browser for the tests of the pages, which are skipped where none can be had.
$(VENV)/.chromium: scripts/chromium.sh | $(VENV)/bin/python
	scripts/chromium.sh > $@.partial && mv $@.partial $@ || rm -f $@.partial
