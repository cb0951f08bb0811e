# Absah. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO ?= go
BIN := bin/absah

# The tools, each at the version that CI runs.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
TEMPL       := github.com/a-h/templ/cmd/templ@v0.3.977
SQLC        := github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1

# With runtime/secret the program erases what secrets leave in memory (decision 15).
# It exists on these platforms. GOEXPERIMENT=none make ... does without.
ifneq (,$(filter linux/amd64 linux/arm64,$(shell $(GO) env GOOS)/$(shell $(GO) env GOARCH)))
export GOEXPERIMENT ?= runtimesecret
endif

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/absah (needs Go only)
	@mkdir -p bin
	GO=$(GO) scripts/build-program $(BIN)

.PHONY: build-pkcs11
build-pkcs11: ## build bin/absah-pkcs11, which also keeps keys in a PKCS#11 token (needs a C compiler)
	@mkdir -p bin
	GOEXPERIMENT= CGO_ENABLED=1 $(GO) build -tags pkcs11 -trimpath -ldflags "-s -w" -o $(BIN)-pkcs11 ./cmd/absah

.PHONY: build-fips
build-fips: ## build bin/absah-fips, which runs in FIPS 140-3 mode with Go's certified module (docs/keys.md)
	@mkdir -p bin
	GO=$(GO) GOFIPS140=certified scripts/build-program $(BIN)-fips

.PHONY: run
run: build ## build and start the demo: fictional people, a CA of its own, a mailbox page
	./$(BIN) serve --demo

.PHONY: setup
setup: ## install what the tests need, or say what is missing
	scripts/setup-test

# Side by side: either alone leaves a processor idle for a third of the time.
.PHONY: test
test: setup ## every test: Go on SQLite and PostgreSQL, and both browsers
	@$(MAKE) --no-print-directory -j 2 test-go test-e2e

.PHONY: test-go
test-go: ## Go tests, with the race detector where goroutines share something
	scripts/test-go

.PHONY: test-keys
test-keys: ## tokens (SoftHSM2), what remains in memory; test-go runs it too
	scripts/with-postgres scripts/test-keys

.PHONY: test-fips
test-fips: ## the build for FIPS 140-3, with the certified module
	scripts/with-postgres scripts/test-fips

.PHONY: test-e2e
test-e2e: build ## journeys in Chromium and Firefox
	scripts/test-e2e

.PHONY: lint
lint: ## gofmt, go vet, staticcheck, golangci-lint, house rules
	scripts/lint $(STATICCHECK) $(GOLANGCI)

.PHONY: generate
generate: ## make the generated code and the browser assets again
	scripts/generate $(TEMPL) $(SQLC)

.PHONY: check-generated
check-generated: ## fail when what is committed is not what make generate makes
	scripts/generate --check $(TEMPL) $(SQLC)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME each (default 20s)
	scripts/fuzz $${FUZZTIME:-20s}

.PHONY: kill
kill: ## kill -9 under load, ABSAH_KILLS times (default 200) for each database
	ABSAH_KILLS=$${ABSAH_KILLS:-200} scripts/with-postgres $(GO) test -count 1 -v -timeout 120m -run TestKills ./internal/killtest/... ./internal/signing ./internal/seal ./internal/webhook
	ABSAH_KILLS=$$(( $${ABSAH_KILLS:-200} / 10 + 1 )) scripts/with-postgres $(GO) test -count 1 -v -timeout 120m -run TestKillsOf ./cmd/absah

.PHONY: soak
soak: kill ## hours of it: the kills, a thousand letters in one go, every fuzz target
	ABSAH_LONG=1 scripts/with-postgres $(GO) test -count 1 -timeout 60m -run TestManyLetters ./internal/signing
	scripts/fuzz $${FUZZTIME:-10m}

.PHONY: scale
scale: ## the officers' queue and search among 1,000,000 registrations
	ABSAH_LONG=1 scripts/with-postgres $(GO) test -run '^$$' -bench Scale -benchtime 1000x -timeout 120m ./internal/bench

.PHONY: bench
bench: ## every benchmark, on both databases
	scripts/with-postgres $(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

.PHONY: bench-pdf
bench-pdf: build ## signing and verifying, in process and as whole processes beside cp, openssl and other programs
	$(GO) test -run '^$$' -bench . -benchmem -cpu 1,2 -timeout 60m ./pdf ./pades ./pades/curve ./pades/validation
	$(GO) test -run '^$$' -bench Process -benchtime 5x -timeout 60m ./cmd/absah
	dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; python3 interop/peers/bench.py bin/absah "$$dir"

# A certificate, an OCSP answer and a timestamp cost milliseconds and less; a list
# of 1,000,000 entries some seconds. BENCHTIME=5s for figures to write down.
.PHONY: bench-ca
bench-ca: ## the authority in one run: issuance on both databases, OCSP, timestamps, a list of 1,000,000 entries
	scripts/with-postgres $(GO) test -run '^$$' -bench 'Issuance' -benchtime $${ISSUANCES:-1000x} -benchmem -timeout 60m ./internal/bench
	$(GO) test -run '^$$' -bench 'OCSPGet|OCSP$$|TSA' -benchtime $${BENCHTIME:-2s} -benchmem -timeout 30m ./internal/api/pki
	$(GO) test -run '^$$' -bench 'Million' -benchtime 1x -benchmem -timeout 30m ./internal/ca

.PHONY: bench-long
bench-long: ## the same with the large data sets (1,000,000 registrations)
	ABSAH_LONG=1 scripts/with-postgres $(GO) test -run '^$$' -bench . -benchmem -timeout 180m ./...

.PHONY: screenshots
screenshots: build ## every page at two widths, light and dark, into docs/screenshots
	scripts/screenshots

.PHONY: interop
interop: build ## what other programs say of our certificates, CRL, OCSP answers and PDF signatures, and clients of others
	scripts/interop
	scripts/interop-signatures
	scripts/interop-clients

.PHONY: clean
clean: ## remove what was built
	rm -rf bin e2e/node_modules e2e/artifacts web/node_modules web/meter/node_modules
