# The two commands of the course: `make lab` and `make test`. Everything else: `make help`.

PYTHON ?= python3
BIN := .venv/bin
THIS_PYTHON := $(if $(filter file,$(origin PYTHON)),,--with-this-python)# asked for by name
ROOT_USER := $(if $(filter 0,$(shell id -u)),--allow-root)# in a container, say

# One call for tests and notebooks. A notebook's cells must stay together (loadfile), and two processes with two
# threads each would fight over two cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile
NBVAL := --nbval-lax --nbval-current-env --nbval-cell-timeout=300

.PHONY: help setup lab test run notebooks book book-test execute claims prose bench grading lint format clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: ## create .venv and install everything (the other targets do it by themselves; STRICT=1: only files whose sums requirements.lock knows)
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) on this machine: install Python 3.10 or newer (python.org/downloads), then call again." >&2; exit 1; }
	@$(PYTHON) tools/setup.py $(THIS_PYTHON) $(if $(STRICT),--strict)

lab: setup ## open the course in JupyterLab (LAB_OPTIONS="--no-browser --port 9000" passes options on)
	@cd notebooks && ../$(BIN)/jupyter-lab $(ROOT_USER) --LabApp.default_url=/lab/tree/00_start_here.ipynb $(LAB_OPTIONS)

test: setup ## run every test, and every notebook at the smallest scale (FAST=1: without those marked slow)
	$(PYTEST) $(NBVAL) $(if $(FAST),-m "not slow" tests,tests notebooks solutions)

run: setup ## execute the course (NOTEBOOKS="05_dcgan_mnist" SCALE=ci|cpu|gpu SOLVED=1 to choose)
	@$(BIN)/python -m tools.run $(if $(SCALE),--scale $(SCALE)) $(if $(SOLVED),--solved) $(NOTEBOOKS)

notebooks: setup ## regenerate notebooks/ from solutions/*.py, the maps, the glossary, what is in Chinese, and the pages for instructors
	@$(BIN)/python -m tools.readme
	@$(BIN)/python -m tools.notebooks build $(NOTEBOOKS)
	@$(BIN)/python -m tools.glossary
	@$(BIN)/python -m tools.translate
	@$(BIN)/python -m tools.instructor

book: setup ## build the course as a book: build/book/html/index.html (installs what only the book needs, once)
	@$(BIN)/python -c "import axe_playwright_python, furo, myst_nb, sphinx_copybutton, sphinx_revealjs" 2>/dev/null || \
		$(BIN)/python -m pip install --quiet -c constraints.txt -c constraints-book.txt --no-build-isolation -e ".[book]"
	@$(BIN)/python -m tools.book

book-test: book ## test the book that was built: its pages in a browser, its numbers, what ends its build
	COURSE_BOOK=build/book/html OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/test_book.py tests/test_book_numbers.py tests/test_book_pages.py

execute: setup ## re-run the solutions with their claims, and keep their outputs
	@$(BIN)/python -m tools.notebooks execute $(NOTEBOOKS)

claims: setup ## re-run the solutions with other seeds: which sentences hold in every run? (NOTEBOOKS="05" SEEDS=3)
	@$(BIN)/python -m tools.notebooks claims $(if $(SEEDS),--seeds $(SEEDS)) $(NOTEBOOKS)

prose: ## list what nothing accounts for in the prose of solutions (NOTEBOOKS="05")
	@$(BIN)/python -m tools.lint $(NOTEBOOKS)

bench: setup ## measure quality per second, ours beside others (QUICK=1: only whether it runs; hours otherwise; RESUME=1 continues)
	@$(BIN)/python -m benchmarks all $(if $(QUICK),--quick) $(if $(RESUME),--resume)

grading: setup ## put nbgrader into an environment of its own, .venv-grading, to mark with: docs/instructor/grading.md
	@test -x .venv-grading/bin/nbgrader || { $(BIN)/python -m venv .venv-grading && .venv-grading/bin/python -m pip install --quiet -r tools/grading.txt; }

lint: setup ## check the code, its format, and the order of its floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-logo --no-cache

format: setup ## fix what the linter can fix, and format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean: ## remove .venv and caches; data and progress stay
	rm -rf .venv .course/setup.* .pytest_cache .ruff_cache *.egg-info build
	find course_utils tests tools benchmarks -name __pycache__ -prune -exec rm -rf {} +
