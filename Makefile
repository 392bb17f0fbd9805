# The two commands: `make run PHOTOS=/path/to/photos` and `make test`. The rest is for those who build Filmroll.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
ONLY ?=

.PHONY: run test test-slow check bench lock clean

run: $(VENV)/.installed
	@exec $(BIN)/python manage.py up $(foreach folder,$(PHOTOS),--photos "$(folder)")

test: $(VENV)/.installed-dev check
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow" $(ARGS)

test-slow: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m slow $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench $(ONLY)

# The lock files hold the hash of every package; `make lock` writes them anew from pyproject.toml.
lock:
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --python-version 3.11 pyproject.toml -o requirements.lock
	$(VENV)-lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --python-version 3.11 pyproject.toml --group dev -o requirements-dev.lock
	rm -rf $(VENV)-lock

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Filmroll needs Python 3.11 or newer.")'
	@echo "Installing (once) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
