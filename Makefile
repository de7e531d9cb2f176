# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check docs slow bench training-data default-checkpoint fast-checkpoint default-cascade clean

# torch comes first and pinned, so that no later range can choose another build.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade 'pip>=24'
	$(BIN)/pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev,audit,docs]'
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

# A warning, also of a link that leads nowhere, is an error.
docs: $(VENV)/installed
	$(BIN)/sphinx-build -W -n --keep-going -b html docs docs/_build/html

# What the checkpoints of the package are trained on: the shipped labels, and the scores of the teacher, joined with
# texts that you have.
TEXTS ?= ../shared/data/real_train.jsonl ../shared/data/pool.jsonl
VARIED := isot bbc_news plv cameo_class conflibert_samples
training-data: $(VENV)/installed
	mkdir -p build
	$(BIN)/newsacts data join real_train pool $(addprefix --from ,$(TEXTS)) --output build/labelled.jsonl --strict
	$(BIN)/python scripts/make_variants.py --texts build/labelled.jsonl --output build/variants.jsonl $(addprefix --dataset ,$(VARIED))
	$(BIN)/python scripts/make_soft_labels.py join --texts build/variants.jsonl $(addprefix --texts ,$(TEXTS)) --output build/soft.jsonl

# Rebuild a checkpoint that ships in the package.
default-checkpoint: training-data
	$(BIN)/newsacts train configs/default.yaml
	rm -rf src/newsacts/checkpoints/default
	mv runs/default src/newsacts/checkpoints/default
	$(MAKE) default-cascade

fast-checkpoint: training-data
	$(BIN)/newsacts train configs/fast.yaml
	rm -rf src/newsacts/checkpoints/fast
	mv runs/fast src/newsacts/checkpoints/fast

# Fits the first stage of the default checkpoint to what that checkpoint says; to be done anew whenever it changes. The
# written corpus has the regrets and sanctions that are rare in the pool.
ARTICLES ?= ../shared/data/articles/reuters_2017.jsonl
default-cascade: $(VENV)/installed
	$(BIN)/newsacts cascade fit --texts ../shared/data/pool.jsonl $(addprefix --texts corpus:,sentences hard_cases seed) --hold-articles $(ARTICLES) --measure ../shared/data/real_dev.jsonl --known build/soft.jsonl --known build/labelled.jsonl

# On an idle machine; about 20 minutes on two cores.
bench: $(VENV)/installed
	$(BIN)/python benchmarks/run.py --articles $(ARTICLES) --data ../shared/data/real_dev.jsonl --train build/labelled.jsonl
	$(BIN)/python scripts/plot_speed.py
	$(BIN)/python scripts/render_docs.py

clean:
	rm -rf $(VENV) build dist runs docs/_build .mypy_cache .ruff_cache .pytest_cache
