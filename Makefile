# Two commands: `make demo` and `make test`. Both set themselves up in .venv and rebuild only what changed.
PYTHON ?= python3
LITELLM_NEWER := 1.109.1 1.110.2

BIN := .venv/bin
STAMP := .venv/stamps
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal
SOURCES := $(shell find fast_litellm rust config startup -type f -not -name '*.pyc' 2>/dev/null) Cargo.toml Cargo.lock pyproject.toml README.md

.DEFAULT_GOAL := help
.PHONY: help demo test lint rust python latest soak bench fix clean tools

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(STAMP)/wheel ## build what is needed and play the life of a feature on real calls
	$(BIN)/fast-litellm demo

test: lint rust python latest ## everything: linters, cargo tests, pytest on the installed release build
	@echo "make test: all green"

lint: $(STAMP)/wheel ## ruff, mypy, import-linter, stubtest, rustfmt, clippy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd $(STAMP) && ../bin/python -m mypy.stubtest fast_litellm._native
	cargo fmt --check
	cargo clippy --release --workspace --all-targets -- -D warnings

rust: $(STAMP)/dependencies ## cargo tests of the crates that know no Python, on LiteLLM's vocabularies
	cargo test --release -p fast-litellm-core -p fast-litellm-pool

python: $(STAMP)/wheel ## pytest on the installed release build
	$(PYTEST)

latest: $(LITELLM_NEWER:%=latest-%) ## the LiteLLM-facing tests again, on newer releases of LiteLLM

latest-%: $(STAMP)/wheel .litellm/%/litellm
	PYTHONPATH=.litellm/$* $(PYTEST) tests/accel --ignore tests/accel/test_encoding.py --ignore tests/accel/test_fleet.py

soak: $(STAMP)/wheel ## what takes too long for every day: a thousand kill -9, ten thousand simulated rollouts
	$(BIN)/pytest -m soak --timeout 3600
	cargo test --release -p fast-litellm-core -- --ignored

bench: $(STAMP)/wheel ## measure, interleaved, ratio first
	$(BIN)/fast-litellm bench

fix: $(STAMP)/wheel ## format, and apply what the linters can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cargo fmt

clean: ## remove everything that was built
	rm -rf .venv .litellm target dist

tools:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
	  echo "make: '$(PYTHON)' is missing or older than 3.10, which current LiteLLM needs."; \
	  echo "hint: install Python 3.10 to 3.13, or name one: make PYTHON=python3.12 test"; exit 1; }
	@command -v cargo >/dev/null || { \
	  echo "make: cargo is missing; the native part is compiled with Rust 1.88 or newer."; \
	  echo "hint: install Rust with rustup (https://rustup.rs)"; exit 1; }

$(STAMP)/dependencies: pyproject.toml constraints.txt | tools
	@echo "make: setting up .venv"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	mkdir -p $(STAMP)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev
	touch $@

$(STAMP)/wheel: $(STAMP)/dependencies $(SOURCES)
	@echo "make: building and installing the release wheel"
	rm -rf dist
	$(BIN)/maturin build --release --quiet --out dist --interpreter $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	touch $@

.PRECIOUS: .litellm/%/litellm
.litellm/%/litellm: $(STAMP)/dependencies
	@echo "make: fetching LiteLLM $* beside the pinned one"
	$(BIN)/python -m pip install --quiet --no-deps --target .litellm/$* litellm==$*
	touch $@
