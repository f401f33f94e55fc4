# Everything a checkout needs: Go, a C compiler and git. PostgreSQL for tests and
# the demo comes from $DBGEN_TEST_DATABASE_URL, else from server binaries on the
# machine, else it is fetched.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DEFAULT_GOAL := help

GO ?= go
PKG ?= ./...
BOOKSHOP := testdata/bookshop
# Files that people write: golden files and captured data are checked otherwise.
GOFUMPT_DIRS := cmd parser planner templates runtime testdata

.PHONY: help demo test build lint unit race soak pgbouncer bench fuzz update acceptance tidy

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)$$/\1|\2/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

build: ## build bin/dbgen
	@$(GO) build -o bin/dbgen ./cmd/dbgen

demo: build ## run dbgen on the sample project, then the generated code on a throw-away PostgreSQL
	@echo '$$ dbgen generate     (in $(BOOKSHOP))'
	@cd $(BOOKSHOP) && ../../bin/dbgen generate
	@echo
	@echo '$$ dbgen explain ListCustomerOrders'
	@cd $(BOOKSHOP) && ../../bin/dbgen explain ListCustomerOrders
	@echo '$$ go run ./$(BOOKSHOP)/demo'
	@$(GO) run ./$(BOOKSHOP)/demo

test: lint unit ## everything: formatting, vet, staticcheck and all tests, against real PostgreSQL

lint: ## gofumpt, vet and staticcheck
	@files=$$($(GO) tool gofumpt -l $(GOFUMPT_DIRS)); [ -z "$$files" ] || { echo "not gofumpt'ed:"; echo "$$files"; exit 1; }
	@$(GO) vet ./...
	@$(GO) tool staticcheck ./...

# What users link and many goroutines use is tested under the race detector.
RACE_PKG := /runtime(/|$$)

unit: pgbouncer ## all tests, those of the runtime under the race detector
	@pkgs=$$($(GO) list $(PKG) | grep -Ev '$(RACE_PKG)' || true); [ -z "$$pkgs" ] || $(GO) test $$pkgs
	@pkgs=$$($(GO) list $(PKG) | grep -E '$(RACE_PKG)' || true); [ -z "$$pkgs" ] || $(GO) test -race $$pkgs

race: pgbouncer ## all tests under the race detector
	@$(GO) test -race $(PKG)

SOAK_FAILOVERS ?= 100
SOAK_CHURN ?= 2m

soak: pgbouncer ## the runtime's proofs whole, with a table of figures (SOAK_FAILOVERS=100, SOAK_CHURN=2m)
	@$(GO) test -race -count=1 -v -run '^Test(ReadYourWrites|NothingLeaks|[A-Za-z]*Storm|Model)$$' ./runtime/pool ./runtime/txn | grep -E '^(--- |ok|FAIL|panic|WARNING)|_test\.go'
	@$(GO) test -race -timeout 0 -v ./runtime/internal/proof -soak -failovers $(SOAK_FAILOVERS) -churn $(SOAK_CHURN)

pgbouncer: ## install PgBouncer for the tests, where it is missing and may be installed
	@bash testdata/pgbouncer.sh

bench: ## all benchmarks; the runtime's first, as a table beside bare pgx
	@$(GO) test -run '^$$' -bench . -benchmem ./runtime/pool ./runtime/txn | awk -f testdata/bench.awk
	@echo
	@$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list $(PKG) | grep -Ev '/runtime/(pool|txn)$$')

FUZZ_TIME ?= 1h
FUZZ_SEED ?= 1

fuzz: ## each fuzz test for half a minute, then random queries against PostgreSQL for an hour (FUZZ_TIME=1h, FUZZ_SEED=1)
	@for p in ./parser/annotation:FuzzAnnotations ./parser/annotation:FuzzPlain ./planner/stats:FuzzRead ./parser/ddl:FuzzApply ./cmd/dbgen/internal/config:FuzzLoad; do \
	  $(GO) test -run '^$$' -fuzz "^$${p##*:}$$" -fuzztime 30s "$${p%%:*}"; done
	@$(GO) test ./parser/infer/internal/soundfuzz -run TestSoundness -v -timeout 0 -soundness $(FUZZ_TIME) -seed $(FUZZ_SEED)

update: ## rewrite golden files
	@$(GO) test ./templates/emit -update
	@$(GO) test ./cmd/dbgen -update

acceptance: build ## score dbgen against the shared corpora and workloads, where they are beside the checkout
	@bash testdata/acceptance.sh

tidy: ## go mod tidy
	@$(GO) mod tidy
