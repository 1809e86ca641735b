# make demo · make test · make check; everything else is torwart --help
# Needs Python >= 3.11 with venv, make and a package registry; nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

.PHONY: help install demo test check slow bench lock clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    gateways are commissioned before your eyes (ARGS=\"--exit --report out.json\")"
	@echo "make test    the test suite            make slow   chaos and fuzz suites"
	@echo "make check   ruff, mypy, import-linter, glossary"
	@echo "make bench   the benchmarks            make lock   renew requirements.lock"

install: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Torwart needs Python 3.11 or newer; this is {v.major}.{v.minor}. Try: make PYTHON=python3.12 …")'
	@test -x "$(BIN)/python" || $(PYTHON) -m venv "$(VENV)"
	@echo "Installing what requirements.lock names into $(VENV) …"
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@"$(BIN)/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . --editable clients/python
	@touch "$(STAMP)"

demo: install
	@"$(BIN)/torwart" demo $(ARGS)

test: install
	"$(BIN)/python" -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

slow: install
	"$(BIN)/python" -m pytest -m "chaos or fuzz" $(ARGS)

check: install
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	"$(BIN)/mypy"
	cd clients/python && "$(CURDIR)/$(BIN)/mypy"
	"$(BIN)/lint-imports"
	"$(BIN)/python" -m torwart.config.glossary

bench: install
	@"$(BIN)/torwart" bench $(ARGS)

lock: install
	"$(BIN)/python" -m pip install --quiet uv
	"$(BIN)/uv" pip compile --quiet --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 requirements-dev.in -o requirements.lock

clean:
	rm -rf "$(VENV)" build src/*.egg-info .mypy_cache .ruff_cache
