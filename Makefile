# Every target does its own set-up, and the second call starts in seconds. It needs python3 >= 3.11, make, g++ and perl.
# `make PYTHON=python3.13 run` chooses another Python; `make run ARGS="--json"` passes arguments on.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
PEERS := build/peers
PY := $(VENV)/bin/python
ARGS ?=
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist loadfile
ONLY ?=
UV := uv==0.13.9

# Compiled engine, Verilated models and tool caches: all of them under one folder that may be thrown away.
export HAIRPIN_CACHE ?= $(CURDIR)/build/cache
export NUMBA_CACHE_DIR ?= $(HAIRPIN_CACHE)/numba
export PYTHON

# test.txt holds everything that gateware.txt holds, in the same versions.
GATEWARE := $(VENV)/.gateware
TEST := $(VENV)/.test
BENCH := $(PEERS)/.bench

$(GATEWARE): requirements/gateware.txt pyproject.toml scripts/environment
	@scripts/environment $(VENV) requirements/gateware.txt --editable
	@touch $@

$(TEST): requirements/test.txt pyproject.toml scripts/environment
	@scripts/environment $(VENV) requirements/test.txt --editable
	@touch $(GATEWARE) $@

$(BENCH): requirements/peers.txt scripts/environment
	@scripts/environment $(PEERS) requirements/peers.txt
	@touch $@

.PHONY: help
help: ## This list
	@[ -t 1 ] && bold=$$'\e[1m' cyan=$$'\e[36m' plain=$$'\e[0m' || bold= cyan= plain=; \
	printf '\n  %s  a tick goes in, an order comes out, on the same card\n\n' "$${bold}Hairpin$$plain"; \
	sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r target text; do \
		printf '  %smake %-9s%s %s\n' "$$cyan" "$$target" "$$plain" "$$text"; done; echo

.PHONY: run
run: $(GATEWARE) ## Market data in, orders out: simulated card and software, side by side
	@$(PY) -m control.cli run --device both $(ARGS)

.PHONY: test
test: $(TEST) lint ## Lint, types and every test that is not slow
	@scripts/system-tools
	@mkdir -p build
	@$(PY) -m pytest $(PYTEST_ARGS) $(ARGS) | tee build/test.log

.PHONY: test-all
test-all: $(TEST) lint ## The slow and the soak tests too
	@scripts/system-tools
	@mkdir -p build
	@$(PY) -m pytest -m '' $(PYTEST_ARGS) $(ARGS) | tee build/test.log

.PHONY: soak
soak: $(TEST) ## Only the soak tests: hours
	@scripts/system-tools
	@HYPOTHESIS_PROFILE=soak $(PY) -m pytest -m soak $(ARGS)

.PHONY: lint
lint: $(TEST) ## ruff and mypy
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy --no-error-summary

.PHONY: bench
bench: $(TEST) $(BENCH) ## Measure beside the peers; ONLY=name for one of them
	@HAIRPIN_PEERS=$(PEERS)/bin/python $(PY) -m bench $(ONLY) $(ARGS)

.PHONY: twin
twin: $(GATEWARE) ## Build the Verilated card
	@$(PY) -m sim.twin $(ARGS)

.PHONY: synth
synth: $(GATEWARE) ## Place and route the card for ECP5-85F: clock, area, critical path
	@$(PY) -m hw.synth $(ARGS) | $(PY) -m bench.figures synth

.PHONY: formal
formal: $(GATEWARE) ## Prove what is proved and not sampled
	@$(PY) -m hw.formal $(ARGS) | $(PY) -m bench.figures formal

.PHONY: readme
readme: $(TEST) ## Write the measured figures into the README
	@$(PY) -m bench.readme $(ARGS)

# uv writes the locks: every platform's hashes, no registry, no path of this machine. `make lock UPGRADE=--upgrade`
# takes newer versions; without it, what is locked stays unless pyproject.toml forbids it.
UPGRADE ?=
COMPILE = build/lock/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'

.PHONY: lock
lock: ## Resolve the dependencies and write requirements/*.txt
	@[ -x build/lock/bin/uv ] || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet $(UV); }
	@$(COMPILE) $(UPGRADE) pyproject.toml --group build --extra gateware --extra test -o requirements/test.txt
	@$(COMPILE) pyproject.toml --group build --extra gateware -c requirements/test.txt -o requirements/gateware.txt
	@$(COMPILE) pyproject.toml --group build -c requirements/test.txt -o requirements/run.txt
	@$(COMPILE) $(UPGRADE) requirements/peers.in -o requirements/peers.txt
	@! grep -nE '://|--(extra-)?index|--find-links|^ *(-e|file:)' requirements/*.txt

.PHONY: clean
clean: ## Throw away what was made; the environment stays
	@rm -rf build
	@find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
