# Everything one does with Stillwatch from a shell; `make` alone lists it.
# Needs Python 3.11 or newer and make. PYTHON=/path/to/python chooses the interpreter.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
MUTANTS := .venv-mutants
PYTEST := $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder
SOURCES = $(shell find manage.py accounts governance stillwatch_gateway tests -name '*.py')
TEMPLATES = $(shell find templates -name '*.html')
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
	--fork-strategy fewest --no-config --custom-compile-command 'make lock' $(UPGRADE)
# Where it is promised to install without a compiler.
LOCKS := requirements.txt requirements-dev.txt requirements-mutants.txt tests/gateways/litellm.txt
PLATFORMS := x86_64-manylinux_2_31 aarch64-manylinux_2_31 aarch64-apple-darwin
PYTHONS := 3.11 3.12 3.13 3.14

.DEFAULT_GOAL := help
.PHONY: help run test test-long coverage mutants check style types imports templates django bench bench-detection docs screenshots lock wheels clean
MAKEFLAGS += --no-print-directory
# Where it is set, each of the many processes that tests start would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 28

run: $(VENV)/installed ## start Stillwatch on this machine (PORT, STILLWATCH_DATA); Ctrl-C stops it
	@exec $(BIN)/python manage.py up

test: $(VENV)/installed-dev ## run the tests, on servers of their own (ARGS='tests/review -k block')
	@exec $(PYTEST) -m 'not long' --durations 10 $(ARGS)

test-long: $(VENV)/installed-dev ## run the slow tests
	@exec $(PYTEST) -m long --durations 10 $(ARGS)

coverage: $(VENV)/installed-dev ## run the tests and print which share of each room's branches they take
	@$(BIN)/coverage erase
	@$(PYTEST) -m 'not long' --durations 10 --cov --cov-report= $(ARGS)
	@$(BIN)/python -m tests.coverage_by_room

mutants: $(MUTANTS)/installed ## change the pure modules in small ways, and see which changes no test notices (MODULE=governance.audit.chain)
	@exec $(MUTANTS)/bin/python -m tests.mutants $(MODULE)

check: style types imports templates django ## find mistakes without running anything

style: $(VENV)/installed-dev
	@echo 'style: ruff, django-upgrade'
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/django-upgrade --target-version 5.2 --check $(SOURCES)

types: $(VENV)/installed-dev
	@echo 'types: mypy'
	@$(BIN)/mypy --no-error-summary

imports: $(VENV)/installed-dev
	@echo 'imports: import-linter'
	@said=$$($(BIN)/lint-imports --no-logo) || { echo "$$said"; exit 1; }

templates: $(VENV)/installed-dev
	@echo 'templates: djade, djlint'
	@$(BIN)/djade --check --target-version 5.2 $(TEMPLATES)
	@$(BIN)/djlint --lint --quiet templates

django: $(VENV)/installed-dev
	@echo 'django: migrations, deployment'
	@$(BIN)/python -W 'ignore:Got an error checking' manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/installed-dev ## measure, print a table and write .bench/results.json (ARGS=--smoke: a tiny run)
	@exec $(BIN)/python manage.py bench $(ARGS)

bench-detection: $(VENV)/installed-dev ## measure detection and baselines on a labelled world (WORLD=folder)
	@test -n '$(WORLD)' || { echo 'stillwatch: name a labelled world: make bench-detection WORLD=folder' >&2; exit 1; }
	@exec $(BIN)/python manage.py bench_detection '$(WORLD)' $(ARGS)

docs: $(VENV)/installed ## write docs/glossary.md, docs/privacy.md, docs/problems.md and docs/roles.md from governance/
	@$(BIN)/python -m governance.web.glossary > docs/glossary.md
	@$(BIN)/python -m governance.privacy.document > docs/privacy.md
	@$(BIN)/python -m governance.web.problem_types > docs/problems.md
	@$(BIN)/python -m governance.staff.roles > docs/roles.md

screenshots: $(VENV)/installed-dev ## make docs/screenshots/, every page in both themes and widths, from the demonstration that `make run` runs
	@$(BIN)/python -m tests.screenshots

lock: $(VENV)/installed-dev ## pin requirements*.in with hashes (UPGRADE=--upgrade takes newer versions)
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) requirements-mutants.in -o requirements-mutants.txt
	@$(COMPILE) tests/gateways/litellm.in -o tests/gateways/litellm.txt

wheels: $(VENV)/installed-dev ## prove that every locked package has a wheel on each supported Python and platform
	@for lock in $(LOCKS); do for platform in $(PLATFORMS); do for version in $(PYTHONS); do \
		said=$$(MACOSX_DEPLOYMENT_TARGET=15.0 $(BIN)/uv pip install --quiet --dry-run --target $(VENV)/nowhere --no-deps --no-config \
			--only-binary :all: --require-hashes --python-platform $$platform --python-version $$version -r $$lock 2>&1) || { \
			printf '%s\n%s\n' "stillwatch: $$lock cannot be installed on $$platform, Python $$version, without a compiler:" "$$said" >&2; exit 1; }; \
		echo "wheels: $$lock, $$platform, Python $$version"; \
	done; done; done

clean: ## remove what can be made again; keeps the data in .data/
	@rm -rf $(VENV) $(MUTANTS) mutants .venv-litellm .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The virtual environment, made or brought up to date whenever a lock is newer than it ----------------------------

define install
	@echo 'Installing what $(1) (once; a minute or two)'
	@{ $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes \
		$(foreach lock,$(2),-r $(lock)) && touch $@; } | sed -n 's/^ *Downloading \([^ ]*\).* \((.*)\)/  \1 \2/p'
	@test $@ -nt $(lastword $(2)) || { echo 'stillwatch: the installation failed, see above' >&2; exit 1; }
endef

$(VENV)/installed: requirements.txt | $(VENV)/pyvenv.cfg
	$(call install,Stillwatch needs,requirements.txt)

$(VENV)/installed-dev: requirements.txt requirements-dev.txt | $(VENV)/pyvenv.cfg
	$(call install,its tests and checks need,requirements.txt requirements-dev.txt)
	@touch $(VENV)/installed

# An environment of its own: what mutmut needs would change how the processes of the tests are called.
$(MUTANTS)/installed: requirements.txt requirements-dev.txt requirements-mutants.txt | $(VENV)/installed-dev
	@echo 'Installing what mutants need (once; a minute or two)'
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(MUTANTS)
	@$(BIN)/uv pip sync --quiet --python $(MUTANTS)/bin/python --require-hashes $^
	@touch $@

$(VENV)/pyvenv.cfg:
	@test -n '$(PYTHON)' || { echo 'stillwatch: Python 3.11 or newer is needed and was not found' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'stillwatch: $(PYTHON) is older than Python 3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo 'stillwatch: $(PYTHON) has no venv; on Debian and Ubuntu: apt install python3-venv' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
