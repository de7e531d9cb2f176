# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check slow default-checkpoint clean

# torch comes first and pinned, so that no later range can choose another build.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=24'
	$(BIN)/pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,audit]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/newsacts article src/newsacts/examples/article.txt

test: $(VENV)/installed
	$(BIN)/python -m pytest -m 'not slow and not gpu'

slow: $(VENV)/installed
	$(BIN)/python -m pytest -m slow

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PATH=$(abspath $(BIN)):$$PATH $(BIN)/lint-imports
	$(BIN)/codespell src tests scripts docs configs README.md CHANGELOG.md CONTRIBUTING.md
	$(BIN)/python scripts/render_docs.py --check

# Rebuilds the checkpoint that ships in the package: joins the shipped labels with texts that you have, and trains.
TEXTS ?= ../shared/data/real_train.jsonl ../shared/data/pool.jsonl
default-checkpoint: $(VENV)/installed
	mkdir -p build
	$(BIN)/newsacts data join real_train pool $(addprefix --from ,$(TEXTS)) --output build/labelled.jsonl --strict
	$(BIN)/newsacts train configs/default.yaml
	rm -rf src/newsacts/checkpoints/default
	mv runs/default src/newsacts/checkpoints/default

clean:
	rm -rf $(VENV) build dist runs .mypy_cache .ruff_cache .pytest_cache
