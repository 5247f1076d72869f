# Every command does all set-up itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RIG ?= ../shared/rig/rig
READY := $(VENV)/ready-$(shell cat requirements-dev.txt pyproject.toml 2>/dev/null | sha256sum | cut -c1-12)

# What the bot itself needs is enough to run it; where all of the above is there, that will do.
RUNS := $(VENV)/runs-$(shell cat requirements.txt 2>/dev/null | sha256sum | cut -c1-12)
ENOUGH := $(or $(wildcard $(READY)),$(RUNS))
# Compiled at once is only what a sandbox loads: the rest of what is installed is several times as much.
LOADED := bot.sandbox.session, bot.serving, bot.slack.drawing

.PHONY: help sandbox test test-real test-browser chromium pictures lint format check lock bench docs clean

help:
	@echo "make sandbox       a channel, a cluster and the bot in a page of this machine; options: make sandbox ARGS=--help"
	@echo "make test          everything that needs no server"
	@echo "make test-real     what needs real servers; starts the rig's where RIG ($(RIG)) is there"
	@echo "make test-browser  the sandbox's page in a Chromium, which it installs as root on Debian"
	@echo "make docs          the reference pages and the Role anew, from the code"
	@echo "make pictures      those of the documents, from the sandbox's page"
	@echo "make lint          ruff, mypy, import contracts"
	@echo "make bench         the measured promises, on the same servers as test-real"
	@echo "make lock          pin the dependencies anew, with hashes"

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/ready-*
	@touch $@

$(RUNS): requirements.txt
	@echo "Installing what the bot needs into $(VENV); this happens once."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.txt
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -c "import $(LOADED)"
	@rm -f $(VENV)/runs-*
	@touch $@

sandbox: $(ENOUGH)
	@$(BIN)/python -m bot sandbox $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not real and not browser" --cov --cov-report=term:skip-covered --cov-report=xml --cov-fail-under=90

# Each group has a cluster of its own: a pretended kubelet loses connections with the pods that it deletes, and stops
# after some two hundred of them.
REAL_GROUPS := "tests/real/test_release.py tests/real/test_replicas.py" tests/real/test_survival.py \
  "tests/real/test_supply_chain.py tests/real/test_compatibility.py" \
  "tests/contracts --ignore-glob=*/test_canaries*" \
  tests/contracts/test_canaries.py tests/contracts/test_canaries_of_others.py tests/contracts/test_canaries_fresh.py \
  "tests --ignore=tests/real --ignore=tests/contracts"

test-real: $(READY)
	@failed=0; for group in $(REAL_GROUPS); do \
	  RIG="$(RIG)" $(BIN)/python -m tests.real.rig $(BIN)/python -m pytest -m real $$group || failed=1; \
	done; \
	TRAFFIC_FOLLOWS_PODS=yes RIG="$(RIG)" $(BIN)/python -m tests.real.rig $(BIN)/python -m pytest -m real \
	  tests/real/test_canary.py || failed=1; \
	exit $$failed

test-browser: $(READY) chromium
	$(BIN)/python -m pytest -m browser tests/browser

pictures: $(READY) chromium
	$(BIN)/python -m tests.browser.pictures docs/pictures

# Without one the test fails: it is never skipped.
chromium:
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	  command -v $$name >/dev/null && exit 0; \
	done; \
	if [ "$$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core fonts-noto-color-emoji >/dev/null; \
	else \
	  echo "There is no Chromium here: install the package chromium (on Debian: apt-get install chromium)." >&2; exit 1; \
	fi

bench: $(READY)
	TRAFFIC_FOLLOWS_PODS=yes RIG="$(RIG)" $(BIN)/python -m tests.real.rig $(BIN)/python -m benchmarks

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: lint test

docs: $(READY)
	$(BIN)/python -m deploy.reference

lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-header pyproject.toml --group dev -o requirements-dev.txt
	$(BIN)/python deploy/plain_pins.py requirements.txt requirements-dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage coverage.xml artifacts
