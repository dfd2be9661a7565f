# make help says what there is.

PYTHON ?= python3
PORT ?= 8000
DATA_DIR ?= var
ENVIRONMENT_NAME ?= Demo
SEED ?= 1
MINUTES ?= 20
VENV := .venv
BIN := $(VENV)/bin

export DATA_DIR

.DEFAULT_GOAL := help
.PHONY: help env env-dev demo test torture check format lock openapi screenshots

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

env: $(VENV)/.installed-requirements ## Make .venv with the locked dependencies

env-dev: $(VENV)/.installed-requirements-dev

$(VENV)/.installed-%: %.txt
	@.ci/make-env "$(PYTHON)" $(VENV) $<
	@touch $@

demo: env ## Run the product with a demo contact centre (PORT=8000, DATA_DIR=var)
	@HTTPS=off SECOND_FACTOR=off ENVIRONMENT_NAME="$(ENVIRONMENT_NAME)" $(BIN)/python manage.py demo --port "$(PORT)"

check: env-dev ## Format, lint, types, import rules, migrations, deployment settings
	@.ci/check $(BIN)

# TEST_OPTIONS="-m broker" runs only what another broker could change.
test: check ## Every check and test; on the servers that DATABASE_URL and CELERY_BROKER_URL name, else on SQLite
	$(BIN)/python -m pytest -n auto --dist worksteal $(TEST_OPTIONS)

torture: env-dev ## Kill workers, brokers and databases under load (SEED=1 MINUTES=20 TORTURE="--promises 6"; docs/torture.md)
	$(BIN)/python -m tests.torture --seed "$(SEED)" --minutes "$(MINUTES)" $(TORTURE)

format: env-dev ## Bring code and templates into their form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	git ls-files 'templates/*.html' | xargs $(BIN)/djade --target-version 5.2

lock: ## Pin the newest dependencies that pyproject.toml allows (needs uv)
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url pyproject.toml -o requirements.txt
	uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt

screenshots: env-dev ## Take pictures of desk and back office from a fresh demo, into docs/screenshots
	$(BIN)/python -m tests.screenshots

openapi: env-dev ## Write docs/openapi.json anew; the tests tell what a change of it would break
	$(BIN)/python manage.py openapi docs/openapi.json
