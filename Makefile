# `make` sets up and calls; the work itself is plain `snakemake`.
#   make quickstart   the built-in simulated genome, from FASTA to report
#   make benchmarks   the small runs on real data, and what they scored beside what was published: an hour or two
#   make reproduce    a recorded run again in a folder of its own, and what came out the same: RUN=results/runs/NAME
#   make test         the tests            make test-full   with the long ones
#   make test-cluster  runs on a real Slurm of this machine: root, Debian's packages, half an hour
#   make test-faults  kills and corruptions at random, counted: survived, refused, lost
#   make lint         style, types, import order and Snakemake's own lint
#   make perf         speed and memory against peers, as JSON rows
#   make audit-dependencies   known vulnerabilities of what is installed, from a public database

SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Where pip looks for torch; empty is PyPI, whose Linux build is CUDA's.
# CPU only: make quickstart TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(shell command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
export PATH := $(CURDIR)/$(BIN):$(PATH)
WORKERS ?= 2
# Where known vulnerabilities are asked about: pypi or osv.
AUDIT_SERVICE ?= pypi
BENCHMARKS := nfe2 uci_splice uci_promoters ctcf_pu1 dream_promoters yeast_atac
# A file of tests on one worker, which makes what they share once; the long files first.
BY_FILE := --dist loadfile --no-loadscope-reorder

.PHONY: help quickstart benchmarks test test-full test-faults perf audit-dependencies reproduce check-crate environments test-cluster lint format docs lock setup bedtools clean

help:
	@sed -n 's/^#   //p' Makefile

setup: $(READY) bedtools

$(READY): requirements.lock requirements-torch.txt
	@command -v git >/dev/null || { echo "git is missing: apt-get install git" >&2; exit 1; }
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is missing: apt-get install python3 python3-venv (Debian 12, Ubuntu 24.04 or newer)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "venv of $(PYTHON) is missing: apt-get install $(notdir $(PYTHON))-venv" >&2; exit 1; }
	@rm -rf $(VENV)
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --no-compile $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) -r requirements-torch.txt
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes --no-deps -r requirements.lock
	@# pip would compile on one core. Some packages hold templates that are no Python: their errors are nobody's.
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null 2>&1 || true
	@echo "compiling what numba compiles, once"
	@$(BIN)/python scripts/warm_caches.py
	@touch $(READY)

bedtools:
	@command -v bedtools >/dev/null || { \
		if command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
			echo "installing bedtools"; apt-get update -qq && apt-get install -y -qq bedtools >/dev/null; \
		elif command -v apt-get >/dev/null && command -v sudo >/dev/null && sudo -n true 2>/dev/null; then \
			echo "installing bedtools"; sudo -n apt-get update -qq && sudo -n apt-get install -y -qq bedtools >/dev/null; \
		fi; }
	@command -v bedtools >/dev/null || { \
		echo "bedtools is missing: sudo apt-get install bedtools   or   conda install -c bioconda bedtools   or   brew install bedtools" >&2; exit 1; }

quickstart: setup
	@snakemake --cores all

# Of a run that has published numbers beside it, these; of another, its scores.
benchmarks: setup
	@for run in $(BENCHMARKS); do snakemake --cores all --configfile config/runs/$$run.yaml || exit 1; done
	@for run in $(BENCHMARKS); do \
		folder=results/runs/$$run; [ -f $$folder/ledger.txt ] && table=$$folder/ledger.txt || table=$$folder/scores.txt; \
		printf '\n%s: %s/report.html\n' $$run $$folder; cat $$table; done

# OUT names the folder to work in, CORES and ARGUMENTS are for snakemake. docs/provenance.md says what is compared.
reproduce: setup
	@[ -n "$(RUN)" ] || { echo "RUN is missing: make reproduce RUN=results/runs/NAME" >&2; exit 1; }
	@python scripts/reproduce.py $(if $(OUT),--out $(OUT)) --cores $(or $(CORES),all) $(RUN) $(if $(ARGUMENTS),--snakemake $(ARGUMENTS))

# Fetches RO-Crate's context from w3id.org. The validator has an environment of its own: it is no part of what lociflow needs.
check-crate: setup
	@[ -n "$(RUN)" ] || { echo "RUN is missing: make check-crate RUN=results/runs/NAME" >&2; exit 1; }
	@[ -x $(VENV)/crate/bin/rocrate-validator ] || python -m venv $(VENV)/crate
	@$(VENV)/crate/bin/python -m pip install --quiet roc-validator==0.13.0
	@$(VENV)/crate/bin/rocrate-validator -y validate --no-paging -p workflow-run-crate-0.5 $(RUN)

# The whole runs of tests/integration use two cores themselves, but not all the time. Exports are tested beside them:
# recording a model starts threads of torch, after which no test of the same process could fork and train.
test: setup
	@OMP_NUM_THREADS=1 pytest -n $(WORKERS) $(BY_FILE) -m "not slow" tests/workflow tests/scripts tests/unit
	@pytest -n $(WORKERS) $(BY_FILE) -m "not slow" tests/integration

test-full: setup
	@OMP_NUM_THREADS=1 pytest -n $(WORKERS) $(BY_FILE) tests/workflow tests/scripts tests/unit
	@pytest -n $(WORKERS) $(BY_FILE) tests/integration

# Half an hour on a core. The same faults with the same seed: make test-faults SEED=2
SEED ?= 1
test-faults: setup
	@PYTHONPATH=scripts:tests python tests/faults --seed $(SEED) --kills 100 --corruptions 100 --runs 6

# Two jobs at a time: the runs take what they take on a machine with two cores, and each job a start of snakemake.
test-cluster: setup
	@folder=$$(mktemp -d) && tests/cluster/with_slurm.sh $$folder pytest -m "slow or not slow" tests/cluster && rm -r $$folder

# A quiet machine: every row has what it was measured on.
perf: setup
	@python tests/perf --output results/perf.jsonl

# Strict: without it, pip-audit finds nothing wrong with a package about which it could not ask. torch has no hashes.
audit-dependencies: setup
	@python -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet pip-audit==2.10.1
	@$(VENV)/audit/bin/pip-audit --strict --vulnerability-service $(AUDIT_SERVICE) --disable-pip --require-hashes -r requirements.lock
	@$(VENV)/audit/bin/pip-audit --strict --vulnerability-service $(AUDIT_SERVICE) --disable-pip --no-deps -r requirements-torch.txt

lint: setup
	ruff check scripts tests
	ruff format --check scripts tests
	snakefmt --check Snakefile workflow
	mypy
	PYTHONPATH=scripts lint-imports --no-cache
	snakemake --lint

format: setup
	ruff check --fix scripts tests
	ruff format scripts tests
	snakefmt Snakefile workflow

docs: setup
	python scripts/describe_config.py --output config/README.md

# pip-tools has an environment of its own: it is no part of what lociflow needs. torch is resolved but not written, which
# pip-compile warns of at the end of the file.
lock: setup
	python -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet pip-tools==7.6.2
	$(VENV)/lock/bin/pip-compile --quiet --generate-hashes --extra dev --strip-extras --no-header --no-emit-index-url \
		--no-emit-find-links --no-emit-trusted-host --constraint requirements-torch.txt --unsafe-package torch \
		--output-file requirements.lock pyproject.toml
	sed -i -e '/^# WARNING: The following packages/,$$d' requirements.lock
	sed -i -e '1i # Every package that `make` installs, with its hashes. Made by `make lock` from pyproject.toml.\n# torch is not here: requirements-torch.txt is installed first, so that its CPU and its CUDA build both fit.' requirements.lock

# The conda environments follow the lock and the imports.
environments: setup
	python scripts/pin_environments.py

clean:
	rm -rf $(VENV) .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
