# poolscope. `make` lists what can be done; `make demo` and `make test` need Go,
# Node.js and make, and see to everything else themselves.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# What `poolscope version` says; a tree without git is called dev.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null)

GO      ?= go
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)
# No C compiler needed, and the same binary from every folder.
GOBUILD := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)'

BIN  := bin/poolscope
LINT := .cache/bin/golangci-lint
PKG  ?= ./...

GO_SOURCES := go.mod go.sum $(shell find cmd internal ui -name node_modules -prune -o \( -name '*.go' -o -name '*.sql' -o -name '*.toml' \) -print 2>/dev/null)
UI_SOURCES := $(shell find ui -path ui/node_modules -prune -o -path ui/dist -prune -o -type f ! -name '*.go' -print 2>/dev/null)
# Marks live in node_modules: who removes that folder wants it all made anew.
UI_DEPS  := ui/node_modules/.poolscope-deps
UI_BUILT := ui/node_modules/.poolscope-built

.PHONY: help
help: ## this list
	@echo 'make TARGET, where TARGET is one of:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo 'Variables: ARGS="…" for demo and measure, PKG=./internal/pool for bench and race, BITCOIND=/path for test.'

.PHONY: demo
demo: build ## a Bitcoin network, a pool, a miner and a page, all on this machine
	exec $(BIN) demo $(ARGS)

.PHONY: build
build: $(BIN) ## the program, bin/poolscope, with the page inside

$(BIN): $(GO_SOURCES) $(UI_BUILT) | need-go
	@mkdir -p bin
	$(GOBUILD) -o $@ ./cmd/poolscope

.PHONY: ui
ui: $(UI_BUILT) ## the page alone, into ui/dist

.PHONY: ui-deps
ui-deps: $(UI_DEPS)

$(UI_DEPS): ui/package.json ui/package-lock.json | need-node
	cd ui && npm ci --no-audit --no-fund
	@touch $@

$(UI_BUILT): $(UI_DEPS) $(UI_SOURCES)
	cd ui && npm run --silent build
	@touch $@

.PHONY: test
test: need-go ## every test: Go, page, whole program, browser
	$(GO) run ./test/ci test

.PHONY: ci
ci: need-go ## what CI runs: test, and formatting, vet, lint, race, fuzz
	.ci/run

.PHONY: race
race: need-go ## the Go tests under the race detector (needs gcc)
	$(GO) test -race $(PKG)

.PHONY: fuzz
fuzz: need-go ## every fuzz target for a few seconds
	$(GO) run ./test/ci fuzz

.PHONY: bench
bench: need-go ## the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: measure
measure: need-go ## the figures of docs/performance.md, in about eight minutes on a quiet machine
	$(GO) test -count=1 -timeout 20m -v -run '^TestMeasure(Scope|Tap)?$$' ./test/measure -measure $(ARGS)

.PHONY: fmt
fmt: need-go $(UI_DEPS) ## format Go and TypeScript
	gofmt -w cmd internal test ui/embed.go
	cd ui && npm run --silent format

.PHONY: lint
lint: $(LINT) ## golangci-lint
	$(LINT) run $(PKG)

$(LINT): tools/go.mod tools/go.sum | need-go
	@mkdir -p $(@D)
	cd tools && CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: vuln
vuln: need-go ## known vulnerabilities in our dependencies (asks the Go vulnerability database)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

.PHONY: clean
clean: ## remove what was built; .cache (nodes, linter) stays
	rm -rf bin ui/node_modules
	find ui/dist -mindepth 1 ! -name .keep -delete

.PHONY: need-go
need-go:
	@command -v $(GO) >/dev/null || { echo 'Go 1.26 or newer is needed, and there is no "$(GO)" in PATH.' >&2; exit 1; }

.PHONY: need-node
need-node:
	@command -v npm >/dev/null || { echo 'Node.js 20.19 or newer, with npm, is needed to build the page; there is no "npm" in PATH.' >&2; exit 1; }
