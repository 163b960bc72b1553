# Each verb is thin: it sees to the virtual environment and calls the command `fusebox`.
# `make up` is all that a fresh clone needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FUSEBOX := $(BIN)/fusebox
SERVICES := $(patsubst services/%/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
MEMBERS := chassis discovery config-server gateway $(addprefix services/,$(SERVICES)) ops panel
IMAGES := discovery config-server gateway $(addsuffix -service,$(SERVICES)) panel fusebox
INSTALLED := $(VENV)/.installed
SOURCES := $(addsuffix /src,$(MEMBERS))

export PATH := $(CURDIR)/$(BIN):$(PATH)
ifdef MODE
export FUSEBOX_MODE := $(MODE)
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
ifeq ($(HOME),)
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/cache
endif

# A verb's variables come from the environment, where make puts them: no shell takes them apart.
of_service = "$$SERVICE"
of_instance = $(if $(INSTANCE),--instance "$$INSTANCE")
of_minutes = $(if $(MINUTES),$(MINUTES),$(error say how long: make $@ MINUTES=30))
VERBS := help up down clean status kill start stop scale new roll rotate-keys credentials purge canary slow \
  fail pause heal set order traffic watch dead replay-dead logs verify demo replay doctor test faults soak storm check bench lock install

.DEFAULT_GOAL := help
.PHONY: $(VERBS)

.DEFAULT:
	@$(PYTHON) ops/src/fusebox/core/suggestions.py $@ $(VERBS)

##@ Start

up: $(INSTALLED) ## install and start everything, and say how to order: [MODE=docker]
	@$(FUSEBOX) up

down: $(INSTALLED) ## stop everything, keep the data
	@$(FUSEBOX) down

status: $(INSTALLED) ## every process, asked whether it is healthy
	@$(FUSEBOX) status

doctor: $(INSTALLED) ## say why it does not work, and what to do
	@$(FUSEBOX) doctor

clean: $(INSTALLED) ## stop everything and delete the data: [YES=1]
	@$(FUSEBOX) clean $(if $(filter 1,$(YES)),--yes)

##@ Look

order: $(INSTALLED) ## order as a customer: [PRODUCT=CATALOG-0001] [QTY=2] [N=3] [WAIT=5]
	@$(FUSEBOX) order $(if $(PRODUCT),--product "$$PRODUCT") $(if $(QTY),--qty "$$QTY") \
	  $(if $(N),--number "$$N") $(if $(WAIT),--wait "$$WAIT")

traffic: $(INSTALLED) ## steady customers, and how they fare, until Ctrl-C: [RATE=5]
	@$(FUSEBOX) traffic $(if $(RATE),--rate "$$RATE")

watch: $(INSTALLED) ## the shop as it is now, refreshed in place, until Ctrl-C
	@$(FUSEBOX) watch

logs: $(INSTALLED) ## follow the logs: [SERVICE=…] [LEVEL=warn] [SINCE=10m] [GREP=…], or the story of TRACE=… or ORDER=…
	@$(FUSEBOX) logs $(if $(SERVICE),$(of_service)) $(if $(TRACE),--trace "$$TRACE") \
	  $(if $(ORDER),--order "$$ORDER") $(if $(LEVEL),--level "$$LEVEL") \
	  $(if $(SINCE),--since "$$SINCE") $(if $(GREP),--grep "$$GREP")

verify: $(INSTALLED) ## check that no order was lost and no stock invented
	@$(FUSEBOX) verify

dead: $(INSTALLED) ## list the dead letters, or discard: [DROP=all] [DROP=orders.dead/0/7]
	@$(FUSEBOX) dead $(if $(DROP),--drop "$$DROP")

demo: $(INSTALLED) ## the guided tour: breaks it, watches, proves: [STEP=3] [PACE=fast]
	@$(FUSEBOX) demo $(if $(STEP),--step $(STEP)) $(if $(PACE),--pace $(PACE))

replay: $(INSTALLED) ## play a real shop's orders: FILE=… [DATES=dmy] or SYNTHETIC=10000 [CONCURRENCY=16] [SPEED=3600]
	@$(FUSEBOX) replay $(if $(FILE),"$(FILE)") $(if $(SYNTHETIC),--synthetic $(SYNTHETIC)) \
	  $(if $(DATES),--dates "$$DATES") \
	  $(if $(CONCURRENCY),--concurrency $(CONCURRENCY)) $(if $(SPEED),--speed $(SPEED))

##@ Break

kill: $(INSTALLED) ## SIGKILL: SERVICE=catalog-service [INSTANCE=1]; it stays dead
	@$(FUSEBOX) kill $(of_service) $(of_instance)

stop: $(INSTALLED) ## end it gracefully: SERVICE=…
	@$(FUSEBOX) stop $(of_service) $(of_instance)

pause: $(INSTALLED) ## SIGSTOP: SERVICE=… [INSTANCE=1]
	@$(FUSEBOX) pause $(of_service) $(of_instance)

slow: $(INSTALLED) ## answers come late: SERVICE=catalog-service MS=800 [INSTANCE=1]
	@$(FUSEBOX) slow $(of_service) "$$MS" $(of_instance)

fail: $(INSTALLED) ## a share of the answers is 500: SERVICE=catalog-service RATE=0.5 [INSTANCE=1]
	@$(FUSEBOX) fail $(of_service) "$$RATE" $(of_instance)

##@ Mend

start: $(INSTALLED) ## bring it back: SERVICE=…
	@$(FUSEBOX) start $(of_service) $(of_instance)

heal: $(INSTALLED) ## undo slow, fail, pause, kill and stop, of all or of SERVICE=…
	@$(FUSEBOX) heal $(if $(SERVICE),$(of_service))

replay-dead: $(INSTALLED) ## put the dead letters back, each once
	@$(FUSEBOX) replay-dead

##@ Configure

set: $(INSTALLED) ## change the configuration live: KEY=fusebox.breaker.fail-max VALUE=3 [SERVICE=…]; alone: list it
	@$(FUSEBOX) set $(if $(SERVICE),--service $(of_service)) -- \
	  $(if $(KEY),"$$KEY") $(if $(VALUE),"$$VALUE")

scale: $(INSTALLED) ## run so many instances: SERVICE=order-service N=3
	@$(FUSEBOX) scale $(of_service) "$$N"

roll: $(INSTALLED) ## restart instance after instance, no request fails: SERVICE=order-service
	@$(FUSEBOX) roll $(of_service)

rotate-keys: $(INSTALLED) ## another key signs the tokens, and nobody is logged out
	@$(FUSEBOX) rotate-keys

purge: $(INSTALLED) ## delete now what has had its time: deleted users, old keys, ended sessions
	@$(FUSEBOX) purge

credentials: $(INSTALLED) ## the addresses of discovery and config-server for a foreign application
	@$(FUSEBOX) credentials

canary: $(INSTALLED) ## a second version gets a share: SERVICE=catalog-service WEIGHT=10 [VERSION=2] [STICKY=user]
	@$(FUSEBOX) canary $(of_service) "$$WEIGHT" \
	  $(if $(VERSION),--version "$$VERSION") $(if $(STICKY),--sticky "$$STICKY")

##@ Develop

new: $(INSTALLED) ## write a service of the house into this clone: SERVICE=review-service
	@$(FUSEBOX) new $(of_service)

test: $(INSTALLED) ## all tests, on shops of their own; of the whole shop in containers: MODE=docker
ifneq ($(TESTS)$(filter docker,$(MODE)),)
	@$(BIN)/pytest $(or $(TESTS),tests/e2e tests/chaos)
else
	@$(BIN)/python -m tests
endif

faults: $(INSTALLED) ## try every promise of docs/faults.md, and write the page
	@FUSEBOX_WRITE_FAULTS=1 $(BIN)/pytest tests/chaos/fault_table/test_fault_table.py

soak: $(INSTALLED) ## kill part after part under load: MINUTES=30 [SEED=…, as printed]
	@FUSEBOX_SOAK_MINUTES=$(of_minutes) $(if $(SEED),FUSEBOX_SEED=$(SEED)) \
	  $(BIN)/pytest -s tests/chaos/test_random_outages.py

storm: $(INSTALLED) ## as many orders as the shop takes, with kills: ORDERS=100000 [SEED=…, as printed]
	@FUSEBOX_STORM_ORDERS=$(or $(ORDERS),100000) FUSEBOX_STORM_KILLS=20 \
	  $(if $(SEED),FUSEBOX_SEED=$(SEED)) $(BIN)/pytest -s tests/chaos/test_storm.py

check: $(INSTALLED) ## lint, format, types, import rules, lock, dependencies, licences, advisories
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(SOURCES) tests bench
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m fusebox.operations.requirements_lock
	@# What the chassis brings with its extras its users import as their own: DEP003 is that.
	@for member in $(MEMBERS); do (cd $$member && deptry --no-ansi --ignore DEP003 src 2>&1) > $(VENV)/deptry \
	  || { echo "$$member:"; cat $(VENV)/deptry; exit 1; }; done
	@$(BIN)/python -m fusebox.supply_chain.licences
	@$(BIN)/python -m fusebox.supply_chain.vulnerabilities

bench: $(INSTALLED) ## the figures, with the machine: [ORDERS=1000000]
	@$(BIN)/python -m bench $(if $(ORDERS),--orders $(ORDERS))

lock: ## renew requirements.lock from the pyproject files
	@uv lock --quiet
	@uv export --quiet --all-packages --all-groups --no-emit-workspace --no-header -o requirements.lock
	@for member in $(IMAGES); do uv export --quiet --frozen --package $$member --no-default-groups \
	  --no-emit-workspace --no-header --no-annotate -o deploy/docker/requirements/$$member.txt; done
	@$(PYTHON) ops/src/fusebox/operations/requirements_lock.py --write

help: ## this list
	@awk -F ':.*## ' '/^##@/ {print (n++ ? "\n" : "") substr($$0, 5) ":"} \
	  /^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED)

$(INSTALLED): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))
	@$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 15) else \
	  f"Fusebox needs Python 3.11 to 3.14, and $(PYTHON) is {sys.version.split()[0]}: make up PYTHON=python3.13")'
	@echo "Installing into $(VENV): once, and after a change of the lock"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "python -m venv failed; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "  1 of 3: uv, which installs the rest"
	@awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.txt
	@echo "  2 of 3: $$(grep -c '^[a-z].*==' requirements.lock) packages, as pinned in requirements.lock"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@echo "  3 of 3: this clone's own"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(addprefix -e ,$(MEMBERS))
	@# Made once and for all processes: else each of them compiles what it imports where
	@# PYTHONDONTWRITEBYTECODE is set, which doubles the CPU of every start.
	@$(BIN)/python -m compileall -q $(SOURCES)
	@touch $@
