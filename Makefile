# make help lists what can be made. Everything is built from this checkout and
# from pinned Go modules; the only other things needed are Go, bash and git
# (and buildah for the image, dpkg and rpm to look at the packages).

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS   += --no-builtin-rules

# go.work would change what the pinned modules are built with.
export GOWORK      := off
# The binary is static, so the tests run without cgo too: they then use the
# resolver that is shipped, and share the build cache with the binary.
export CGO_ENABLED := 0
# Where the tests, the demo and the benchmark look for etcd.
export ETCD_DIR    := $(CURDIR)/.cache/etcd
export STATICCHECK_CACHE   := $(CURDIR)/.cache/staticcheck
export GOLANGCI_LINT_CACHE := $(CURDIR)/.cache/golangci-lint

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DAEMON  := bin/etcd-appliance
# The version is stamped from git describe, so the toolchain's own stamp adds
# nothing, and without it a build in an image (where .git is absent) is equal.
BUILDFLAGS := -trimpath -buildvcs=false
CODE     = $(wildcard agent states effects sim cmd)
TOOLS   := go tool -modfile=cmd/tools/go.mod
LINT    := go tool -modfile=cmd/tools/lint/go.mod golangci-lint

# The minor versions that the tests upgrade through, and those of the demo.
MINORS      := 2.3 3.0 3.5 3.6 3.7
DEMO_MINORS := 3.6 3.7
ETCDCTL     := .cache/etcd/bin/etcdctl
# What a release is made for.
ARCHES      ?= amd64 arm64
server       = $(1:%=.cache/etcd/%/etcd)

# Simulated clusters that `make test` and `make sim` run.
N ?= 1000

START := $(shell date +%s)
say    = @printf '\n== %s (at %d s)\n' '$(1)' $$(( $$(date +%s) - $(START) ))

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

##### Building

.PHONY: build
build: ## build the daemon into bin/etcd-appliance
	$(call say,build $(DAEMON) $(VERSION))
	go build $(BUILDFLAGS) -ldflags '-s -w -X main.version=$(VERSION)' -o $(DAEMON) ./cmd/etcd-appliance

.PHONY: etcd
etcd: $(call server,$(MINORS)) $(ETCDCTL) ## build the etcd servers and etcdctl from their modules into .cache/etcd (once)

# Real files, so that each is built once and only where it is needed. The new
# binary is renamed into place: a cluster that runs the old one keeps it, and
# nobody ever starts half a file.
.cache/etcd/%/etcd: cmd/etcd/%/main.go cmd/etcd/%/go.mod cmd/etcd/%/go.sum
	$(call say,build etcd $*)
	@mkdir -p $(@D)
	go build -C cmd/etcd/$* $(BUILDFLAGS) -ldflags '-s -w' -o $(CURDIR)/$@.new .
	@mv -f $@.new $@

# Up to 3.2 etcd contains a codec that today's Go does not start: it gives
# base64 an alphabet in which one character stands twice. So these are built
# from a copy of their modules in which that character is another. (It only
# makes up names in a code generator, which no server runs.)
ALPHABET := 0123456789__"
.cache/etcd/2.3/etcd .cache/etcd/3.0/etcd: .cache/etcd/%/etcd: cmd/etcd/%/main.go cmd/etcd/%/go.mod cmd/etcd/%/go.sum
	$(call say,build etcd $*)
	@rm -rf $(@D)/build && mkdir -p $(@D)/build && cp $^ $(@D)/build
	go -C $(@D)/build mod vendor
	codec=$$(grep -rlF '$(ALPHABET)' $(@D)/build/vendor --include=gen.go) && sed -i 's/$(ALPHABET)/0123456789_-"/' "$$codec"
	go build -C $(@D)/build -mod=vendor $(BUILDFLAGS) -ldflags '-s -w' -o $(CURDIR)/$@.new .
	@rm -rf $(@D)/build && mv -f $@.new $@

$(ETCDCTL): cmd/etcdctl/main.go cmd/etcdctl/go.mod cmd/etcdctl/go.sum
	$(call say,build etcdctl)
	@mkdir -p $(@D)
	go build -C cmd/etcdctl $(BUILDFLAGS) -ldflags '-s -w' -o $(CURDIR)/$@.new .
	@mv -f $@.new $@

.PHONY: image
image: ## build the container image with buildah, podman or docker; BASE= names another image with Go
	@tool=$$(command -v buildah || command -v podman || command -v docker) || \
		{ echo 'make image needs buildah, podman or docker' >&2; exit 1; }; \
	set -x; "$$tool" build --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) $(if $(BASE),--build-arg BASE=$(BASE)) \
		-t etcd-appliance:$(VERSION) -f Dockerfile .

# Needs root, and what .ci/run installs: buildah and busybox-static.
.PHONY: image-test
image-test: ## build the image without any registry, and have three containers of it form a cluster
	$(call say,the image)
	cmd/tools/release/image-test.sh $(VERSION)

.PHONY: dist
dist: build $(call server,$(DEMO_MINORS)) ## make the archives, debs and rpms of a release in .cache/dist, for ARCHES='amd64 arm64'
	$(call say,release $(VERSION) for $(ARCHES))
	cmd/tools/release/dist.sh $(VERSION) $(ARCHES)

.PHONY: dist-test
dist-test: ## make the release for this machine alone, and install it into directories
	$(MAKE) dist ARCHES=$$(go env GOHOSTARCH)
	cmd/tools/release/dist-test.sh

# Needs root, and debootstrap and systemd-container of Debian's.
.PHONY: unit-test
unit-test: ## install the deb that dist-test made into a small Debian, boot it, and try what the unit promises
	cmd/tools/release/unit-test.sh

##### Testing

.PHONY: test
test: check build etcd ## run every check and every test: the one command that decides
	$(call say,docs/states.md and README.md show what the table of edges draws)
	$(DAEMON) diagram --check docs/states.md
	$(DAEMON) diagram --check README.md
	$(call say,search every interleaving of an upgrade in which an instance may end)
	$(DAEMON) sim explore --scope upgrade --terminate 1 --crashes 0 --lost 0
	$(call say,play every scenario with every single fault)
	$(DAEMON) sim scenarios
	$(call say,simulate $(N) clusters)
	$(DAEMON) sim --seeds $(N)
	$(call say,go test)
	go test -timeout 25m $(TESTFLAGS) ./...

# `make test` leaves out what is long and seldom tells anything new.
.PHONY: e2e
e2e: build etcd ## run every test that has real etcd servers, the rare ones too: half an hour
	$(call say,go test with real servers)
	E2E=all go test -count=1 -timeout 60m $(TESTFLAGS) ./cmd/etcd-appliance ./effects/... ./sim/localcloud/... ./sim/etcdconformance

# The race detector needs cgo. It is not part of `test` because it makes the
# simulator some ten times slower.
.PHONY: race
race: etcd ## run the tests of states, agent, effects and sim under the race detector
	CGO_ENABLED=1 go test -race -timeout 30m $(TESTFLAGS) ./states ./agent ./effects/... ./sim/...

# Whoever has found a failure on one machine must be able to replay it on another: 32 bits, one core. It builds all there is
# once more, which is why it is not part of `test`.
.PHONY: determinism
determinism: build ## run the same seeds as a program of 32 bits and on one core: every run must be the same
	$(call say,seeds are the same runs with 32 bits and on one core)
	GOARCH=386 go build $(BUILDFLAGS) -ldflags '-s -w' -o .cache/test/etcd-appliance-386 ./cmd/etcd-appliance
	@campaign() { "$$@" sim --seeds 20 --from 91 | grep -o 'hash [0-9a-f]*'; }; \
	want=$$(campaign $(DAEMON)); \
	one=$$(GOMAXPROCS=1 campaign $(DAEMON)); \
	small=$$(campaign .cache/test/etcd-appliance-386); \
	printf '%s\n' "64 bits:  $$want" "one core: $$one" "32 bits:  $$small"; \
	[ "$$want" = "$$one" ] && [ "$$want" = "$$small" ]

.PHONY: sim
sim: build ## simulate clusters: N=1000 of them, or the one of SEED=, told turn by turn
	$(DAEMON) sim $(if $(SEED),--seed $(SEED),--seeds $(N)) $(ARGS)

.PHONY: sim-deep
sim-deep: build ## play every scenario with every pair of faults: hours; ARGS='--for 10m' or --shard 3/16
	$(DAEMON) sim scenarios --pairs --keep-going $(ARGS)

.PHONY: demo
demo: build $(call server,$(DEMO_MINORS)) $(ETCDCTL) ## watch real etcd processes form, repair and upgrade a cluster on loopback
	$(DAEMON) demo $(ARGS)

.PHONY: bench
bench: build $(call server,$(DEMO_MINORS)) $(ETCDCTL) ## measure the daemon and print a table
	$(DAEMON) bench $(ARGS)

# A package with golden files has tests named Golden and a test flag -rewrite.
# Only those packages are run: the others would refuse the flag.
.PHONY: golden
golden: build etcd ## regenerate the golden files and the diagrams, and show what changed
	@packages=$$(grep -rlw --include='*_test.go' rewrite $(CODE) | xargs -r -n 1 dirname | sort -u | sed 's,^,./,'); \
	if [ -n "$$packages" ]; then set -x; go test $$packages -run Golden -rewrite; fi
	$(DAEMON) diagram --write docs/states.md
	$(DAEMON) diagram --write README.md
	git diff --stat

# MUTANTS_SAMPLE=n takes only n of the automatic mutants. An interrupted run
# goes on where it was; ARGS= takes the flags of cmd/mutants.
.PHONY: mutants
mutants: ## plant bugs, one at a time, and see which test notices: docs/mutants.md
	nice go run ./cmd/mutants $(if $(MUTANTS_SAMPLE),-sample $(MUTANTS_SAMPLE),-report docs/mutants.md) $(ARGS)

##### Checking

.PHONY: check fmt vet lint vuln tidy
check: fmt tidy vet lint vuln ## check format, go.mod, vet, linters and known vulnerabilities

fmt:
	$(call say,gofmt)
	@unformatted=$$(gofmt -l $(CODE)); \
	if [ -n "$$unformatted" ]; then echo 'run gofmt -w on:'; echo "$$unformatted"; exit 1; fi

tidy:
	$(call say,go mod tidy)
	go mod tidy -diff

vet:
	$(call say,go vet)
	go vet ./...

lint:
	$(call say,staticcheck)
	$(TOOLS) staticcheck ./...
	$(call say,golangci-lint)
	$(LINT) run ./...

# A finding fails. A database that cannot be fetched does not, or nobody could
# build behind a closed network; but it is said so that nobody takes silence
# for a clean result. VULNDB= names a mirror (https:// or file://).
vuln:
	$(call say,govulncheck)
	@code=0; \
	out=$$($(TOOLS) govulncheck $(if $(VULNDB),-db $(VULNDB)) ./... 2>&1) || code=$$?; \
	printf '%s\n' "$$out"; \
	case "$$code:$$out" in \
	0:*) ;; \
	1:*'govulncheck: fetching vulnerabilities:'*) \
		echo '**********************************************************************'; \
		echo '** NOT CHECKED FOR KNOWN VULNERABILITIES: govulncheck could not     **'; \
		echo '** fetch its database (the error is above). Run `make vuln` where   **'; \
		echo '** the database can be reached, or name a mirror with VULNDB=.      **'; \
		echo '**********************************************************************' ;; \
	*) exit $$code ;; \
	esac

##### Cleaning

.PHONY: clean
clean: ## remove bin and .cache, the etcd servers too
	rm -rf bin .cache
