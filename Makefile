# What people run. Each target installs what is missing first.

.PHONY: run test torture bench check provision provision-tests provision-bench

KONTOR = target/debug/kontor
CRATES = --workspace --exclude kontor-benches
# Tests wait for servers and timers too.
THREADS := $(shell echo $$(( $$(nproc) * 3 / 2 )))
SEED := $(or $(SEED),$(shell od -An -N4 -tu4 /dev/urandom | tr -d ' '))

# Kontor with its own PostgreSQL and NATS under .kontor/, and a small trade to look at.
run: provision
	cargo build --profile quick -p kontor
	exec target/quick/kontor up

# Every test, against private servers that are thrown away afterwards.
test: provision-tests
	cargo build $(CRATES) --bins --tests
	@if cargo nextest --version >/dev/null 2>&1; then \
		$(KONTOR) servers -- cargo nextest run $(CRATES) --test-threads $(THREADS) $$(scripts/ignored-tests); \
	else \
		$(KONTOR) servers -- cargo test $(CRATES); \
	fi

# The fault tests for long instead of shortly. SEED=… throws them as another run did.
torture: provision-tests
	cargo build -p kontor
	@echo "make torture SEED=$(SEED)"
	KONTOR_SIMULATION_SEED=$(SEED) KONTOR_SIMULATION_SEEDS=20000 \
		cargo test --no-fail-fast -p kontor-event-log -p kontor-projections --lib simulation::
	KONTOR_TORTURE=1 KONTOR_TORTURE_SEED=$(SEED) $(KONTOR) servers -- \
		cargo test --no-fail-fast -p kontor-tests -p kontor-event-log --test it -- \
		--test-threads=1 --nocapture --include-ignored faults:: inputs:: clients::

# The log and the catalogue against their limits and their peers, on servers that lose nothing.
# BENCH_LONG=1 adds the runs at 10 million events and at 800,000 products,
# BENCH_ONLY=append,hot,relay,read,replay,growth,catalogue picks parts.
bench: provision-bench
	cargo build --release -p kontor
	target/release/kontor servers --durable -- cargo bench -p kontor-benches

# Formatting, lints, and the licences and sources of dependencies.
check: provision
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then \
		cargo deny check bans licenses sources; \
	else \
		echo "make check: cargo-deny is not installed; skipping licences and sources"; \
	fi

provision:
	@scripts/provision

provision-tests:
	@scripts/provision tests

provision-bench:
	@scripts/provision bench
