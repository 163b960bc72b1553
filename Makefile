# Each verb is thin: it sees to the virtual environment and calls the command `fusebox`.
# `make up` is all that a fresh clone needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUSEBOX := $(BIN)/fusebox
MEMBERS := chassis discovery config-server gateway services/user services/order services/catalog ops
INSTALLED := $(VENV)/.installed
SOURCES := $(addsuffix /src,$(MEMBERS))

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifeq ($(HOME),)
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/cache
endif

of_service = $(if $(SERVICE),$(SERVICE),$(error say which: make $@ SERVICE=catalog-service))
of_instance = $(if $(INSTANCE),--instance $(INSTANCE))

.DEFAULT_GOAL := help
.PHONY: help up down clean status kill start stop logs verify doctor test check bench lock install

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(INSTALLED) ## install and start everything, and print an order to paste
	@$(FUSEBOX) up

down: $(INSTALLED) ## stop everything, keep the data
	@$(FUSEBOX) down

clean: $(INSTALLED) ## stop everything and delete the data
	@$(FUSEBOX) clean $(if $(YES),--yes)

status: $(INSTALLED) ## every process, asked whether it is healthy
	@$(FUSEBOX) status

kill: $(INSTALLED) ## SIGKILL: SERVICE=catalog-service [INSTANCE=1]; it stays dead
	@$(FUSEBOX) kill $(of_service) $(of_instance)

start: $(INSTALLED) ## bring it back: SERVICE=…
	@$(FUSEBOX) start $(of_service) $(of_instance)

stop: $(INSTALLED) ## end it gracefully: SERVICE=…
	@$(FUSEBOX) stop $(of_service) $(of_instance)

logs: $(INSTALLED) ## follow the logs, of all or of SERVICE=…
	@$(FUSEBOX) logs $(SERVICE)

verify: $(INSTALLED) ## check that no order was lost and no stock invented
	@$(FUSEBOX) verify

doctor: $(INSTALLED) ## say why it does not work, and what to do
	@$(FUSEBOX) doctor

test: $(INSTALLED) ## all tests, on a stack of their own
	@$(BIN)/pytest $(TESTS)

check: $(INSTALLED) ## lint, format, types, import rules, lock
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m fusebox.lock

bench: $(INSTALLED) ## the figures, with the machine
	@$(BIN)/python -m bench

lock: ## renew requirements.lock from the pyproject files
	@uv lock --quiet
	@uv export --quiet --all-packages --all-groups --no-emit-workspace --no-header -o requirements.lock
	@$(PYTHON) ops/src/fusebox/lock.py --write

install: $(INSTALLED)

$(INSTALLED): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 15) else \
	  f"Fusebox needs Python 3.11 to 3.14, and $(PYTHON) is {sys.version.split()[0]}: make up PYTHON=python3.13")'
	@echo "Installing into $(VENV): once, and after a change of the lock"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "python -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.txt
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(addprefix -e ,$(MEMBERS))
	@touch $@
