# make help shows what there is. Every target is one call; the logic is in ci/.
.DEFAULT_GOAL := help
CI := python3 -m ci
# A variable of the command line as an option: FLINK_DIST=local gives --flink-dist=local.
option = $(foreach v,$($(shell echo $(1) | tr a-z- A-Z_)),--$(1)=$(v))
.PHONY: help demo demo-local test test-unit test-model test-local test-kind test-soak test-full fuzz bench bench-kdv bench-lifecycle bench-modes lint fmt docs options images image cluster cluster-delete lock clean

help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'
demo: ## from nothing to CSV rows on a local Kubernetes
	@$(CI) demo $(ARGS)
demo-local: ## the same pipeline as processes of this machine: no container, no Kubernetes
	@$(CI) demo-local $(ARGS)
test: ## linters, and a representative set of all tests; ARGS go to pytest
	@$(CI) lint && $(CI) test all $(ARGS)
test-unit: ## charts rendered, jobs and tools; no cluster
	@$(CI) test unit $(ARGS)
test-model: ## random walks of the hooks in a model of Kubernetes and Flink; MODEL_SEED and MODEL_WALKS of the environment; no cluster
	@$(CI) test model $(ARGS)
test-local: ## the KDV job with real Kafka and Flink as processes of this machine; no cluster
	@$(CI) test local $(ARGS)
test-kind: ## on a real Kubernetes; ARGS="-k session" picks tests, KEEP=1 keeps their namespaces
	@$(CI) test kind $(ARGS)
test-soak: ## a random walk of operations and faults on kind; ARGS="--minutes 20 --seed 7"
	@$(CI) test soak $(ARGS)
test-full: ## the whole matrix
	@$(CI) lint && $(CI) test full $(ARGS)
fuzz: ## the decoder's verdicts on random records beside the model's; ARGS="--seconds 3600 --flink 1.20.5"
	@$(CI) fuzz $(ARGS)
bench: ## measure the start of the demo on kind
	@$(CI) bench $(ARGS)
bench-kdv: ## check and measure the KDV job beside others; ARGS="measure --runs 5" does one part
	@$(CI) bench-kdv $(ARGS)
bench-lifecycle: ## measure the seconds without output of kills, upgrades and rollbacks on kind
	@$(CI) bench-lifecycle $(ARGS)
bench-modes: ## measure the start of a job in standalone and in native mode on kind
	@$(CI) bench-modes $(ARGS)
lint: ## formatters and linters
	@$(CI) lint
fmt: ## format the Python code
	@$(CI) fmt
docs: ## generate the tables of values
	@$(CI) docs
options: ## read the names of Flink's options anew, after a change of its version
	@$(CI) options
images: ## build the images
	@$(CI) images
image: ## an image with any Flink and a job of yours; JOB=jobs/high-speed NAME=... TAG=... FLINK_DIST=release|archive|local FLINK=...
	@$(CI) image $(foreach o,job name tag flink-dist flink,$(call option,$(o))) $(ARGS)
cluster: ## the kind cluster; its kubeconfig is .build/kubeconfig; ARGS="--workers 2" for the one of several nodes
	@$(CI) cluster $(ARGS)
cluster-delete: ## delete the kind clusters; ARGS=--workers only the one of several nodes
	@$(CI) cluster-delete $(ARGS)
lock: ## write the hashes of all downloads anew, after a change of versions.toml
	@$(CI) lock
clean: ## delete the clusters, what was built, and .build
	@$(CI) clean
