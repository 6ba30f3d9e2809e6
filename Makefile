# Everything that people do with this repository. `make` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# More arguments for the programs and tests that are started: make run ARGS='--no-demo'
ARGS ?=
# What `make image` names what it builds.
IMAGE ?= carillon:local
# What `make fuzz` fuzzes, and for how long.
FUZZ ?= frames
FUZZ_SECONDS ?= 60
# What `make bench` measures: one of these alone has more arguments (make bench BENCH=rooms ARGS=--help).
BENCH ?= fan-out idle storm slow hops peers rooms instrumentation
# Where it leaves tables, measurements and charts (make bench BENCH_OUTPUT=docs/bench is for the record).
BENCH_OUTPUT ?= target/bench

## Running it

.PHONY: run
run: ## build and start everything in one process on http://127.0.0.1:8000 (ARGS='--help' explains the options)
	scripts/build-console.sh --if-possible
	$(CARGO) run --release --bin carillon -- up $(ARGS)

.PHONY: cluster
cluster: setup-tests build ## start a whole cluster on this machine: NATS, Postgres, 2 gateways, 2 replicas of each service
	$(CARGO) run --bin cluster -- $(ARGS)

## Delivering it

.PHONY: image
image: ## build the image with every binary (IMAGE=registry/carillon:1.0 names it; needs Docker)
	DOCKER_BUILDKIT=1 docker build --file deploy/docker/Dockerfile --tag $(IMAGE) \
	  --build-arg SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) --build-arg REVISION=$$(git rev-parse HEAD) $(ARGS) .

.PHONY: sbom
sbom: ## write target/sbom/carillon.cdx.json: what the image's binary is made of, in CycloneDX (installs cargo-cyclonedx)
	scripts/sbom.sh

## Building and testing

.PHONY: build
build: ## build every binary (debug)
	$(CARGO) build --workspace --bins

.PHONY: console
console: ## build the console, the page that gateways built after it serve (installs Node.js)
	scripts/build-console.sh

.PHONY: test
test: console test-rust test-e2e test-deploy test-clients test-browser ## run every test

.PHONY: test-rust
test-rust: setup-tests ## run the tests of each crate
	$(CARGO) test --workspace --exclude carillon-tests

.PHONY: test-e2e
test-e2e: setup-tests build ## run the end-to-end tests, against one process and a cluster (ARGS=s1_05 selects)
	$(CARGO) test --workspace --test layers --test benchmark --test monitoring
	$(CARGO) test --workspace --test end_to_end -- $(ARGS)

.PHONY: test-deploy
test-deploy: setup-tests build ## check what is in deploy and k8s: manifests, image, compose, NATS and Postgres with TLS, and every name (ARGS='-k trial' selects)
	scripts/setup-deploy.sh
	cd tests/deploy && .venv/bin/pytest $(ARGS)

.PHONY: test-clients
test-clients: build setup-clients ## lint and test the clients against a real gateway, and in a real Chromium
	npm run --silent lint --prefix clients/javascript && npm test --prefix clients/javascript
	cd clients/python && .venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy && .venv/bin/pytest

.PHONY: test-browser
test-browser: setup-tests console build ## run the console in real browsers, against one process and a cluster (installs Chromium; ARGS=keyboard selects)
	scripts/setup-tests.sh chromium
	npm run --silent lint --prefix clients/console && npm test --prefix clients/console -- $(ARGS)

.PHONY: console-screenshot
console-screenshot: setup-tests console build ## take the picture of the console that README.md shows, docs/console.png
	scripts/setup-tests.sh chromium
	cd clients/console && CARILLON_SCREENSHOT=../../docs/console.png npm test -- screenshot

.PHONY: rolling
rolling: setup-tests build ## replace, and then kill, everything of a cluster behind nginx under load, and show what clients saw of it
	$(CARGO) test -p carillon-tests --test end_to_end -- survival_of_a_rolling

.PHONY: conformance
conformance: ## hold the gateway's socket to RFC 6455 and 7692, case by case, with clients of other make (installs Chromium; ARGS=7.1 selects)
	scripts/setup-tests.sh chromium
	PROPTEST_CASES=20000 $(CARGO) test -p carillon-gateway --lib -- websocket hostile
	$(CARGO) test -p carillon-gateway --test conformance -- --include-ignored $(ARGS)

.PHONY: fuzz
fuzz: ## fuzz what strangers send: FUZZ=frames or handshake, for FUZZ_SECONDS (needs a nightly toolchain; installs cargo-fuzz)
	command -v cargo-fuzz > /dev/null || $(CARGO) install --locked cargo-fuzz
	cd services/gateway && $(CARGO) +nightly fuzz run $(FUZZ) -- -max_total_time=$(FUZZ_SECONDS)

.PHONY: bench
bench: ## measure Carillon beside bare loops, bare writes and its peers (release build; BENCH=storm selects; docs/performance.md)
	scripts/setup-tests.sh $(if $(filter peers,$(BENCH)),peers)
	$(CARGO) build --release --workspace --bins
	for part in $(BENCH); do $(CARGO) run --release --bin bench -- $$part --output $(BENCH_OUTPUT) $(ARGS); done

.PHONY: docs
docs: ## write docs/metrics.md and docs/reference.md out of the programs, Grafana's dashboard out of its tables, and k8s/ out of the chart
	CARILLON_WRITE_DOCS=1 $(CARGO) test -p carillon --test docs
	python3 deploy/grafana/carillon.py
	scripts/setup-deploy.sh
	tests/deploy/.venv/bin/python deploy/kustomize.py

.PHONY: lint
lint: ## check formatting, clippy's opinion, and the shell scripts' syntax
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	for script in scripts/*.sh deploy/systemd/*.sh .ci/run; do bash -n "$$script"; done
	if [[ -d clients/javascript/node_modules ]]; then npm run --silent lint --prefix clients/javascript; fi
	if [[ -d clients/console/node_modules ]]; then npm run --silent lint --prefix clients/console; fi
	if [[ -d clients/python/.venv ]]; then cd clients/python && .venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/mypy; fi

.PHONY: fmt
fmt: ## format everything
	$(CARGO) fmt --all

.PHONY: deny
deny: ## check licences, advisories, and who may depend on what (installs cargo-deny)
	command -v cargo-deny > /dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check

.PHONY: setup-tests
setup-tests: ## install what the tests need beside Rust, or say what that is
	scripts/setup-tests.sh

.PHONY: setup-clients
setup-clients: ## install what the clients are built and tested with, and build the JavaScript client
	scripts/setup-clients.sh chromium

.PHONY: clean
clean: ## remove everything that was built
	$(CARGO) clean

.PHONY: help
help: ## list this
	@awk 'BEGIN { FS = ":.*## " } \
	  /^## / { printf "\n%s\n", substr($$0, 4) } \
	  /^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
