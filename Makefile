# `make help` shows what there is. Every target is a command of ci/, which declares and explains it; ARGS are its arguments.
.DEFAULT_GOAL := help
CI := python3 -m ci
COMMANDS := $(shell $(CI) --names)
.PHONY: $(COMMANDS)

$(COMMANDS):
	@$(CI) $@ $(image_options) $(ARGS)

# A variable of the command line as an option: FLINK_DIST=local gives --flink-dist=local.
option = $(foreach v,$($(shell echo $(1) | tr a-z- A-Z_)),--$(1)=$(v))
image: image_options = $(foreach o,job name tag flink-dist flink,$(call option,$(o)))
