# The two commands: `make run PHOTOS=/path/to/photos` and `make test`. The rest is for those who build Filmroll.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PHOTOS ?=
ONLY ?=

.PHONY: run meaning test test-slow check bench lock clean

# One folder, whose name may have spaces in it, or several with spaces between.
export PHOTOS
run: $(VENV)/.installed
	@if [ -d "$$PHOTOS" ]; then exec $(BIN)/python manage.py up --photos "$$PHOTOS"; \
	else exec $(BIN)/python manage.py up $(foreach folder,$(PHOTOS),--photos "$(folder)"); fi

# What search by meaning takes besides (docs/search.md).
meaning: $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-meaning.lock

# Hundreds of programs are started: none but the first should have to compile what it loads, whatever the shell says.
test test-slow bench: export PYTHONDONTWRITEBYTECODE :=
test: $(VENV)/.installed-dev check
	$(BIN)/python -m pytest -n 4 --dist loadgroup -m "not slow" $(ARGS)

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
	$(VENV)-lock/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --upgrade \
	  --python-version 3.11 pyproject.toml --extra meaning -o requirements-meaning.lock
	rm -rf $(VENV)-lock

# What keeps a virtual environment from being made, in one line each; a half-made one is completed.
define environment
	@command -v $(PYTHON) >/dev/null || { echo "Filmroll needs Python 3.11, 3.12 or 3.13; there is no $(PYTHON) here." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Filmroll needs Python 3.11, 3.12 or 3.13; $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. Install its venv package (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
endef

$(VENV)/.installed: requirements.lock
	$(environment)
	@echo "Installing into $(VENV) (once; this takes a minute or two) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock
	$(environment)
	@echo "Installing into $(VENV), with what the tests need (once; this takes a minute or two) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
