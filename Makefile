# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The one door to everything that is done with this collection. Each target does its own set-up.

VENV ?= .venv
PYTHON ?=
JOBS ?= 2
SECONDS ?=

export VENV PYTHON JOBS
export LC_ALL = C.UTF-8
export PYTHONPATH = $(CURDIR)/build/collections
export ANSIBLE_COLLECTIONS_PATH = $(CURDIR)/build/collections

.PHONY: help setup lint sanity unit oldest contract molecule test docs galaxy nox fuzz faults lab-setup demo lab-test lab-matrix lab-faults lab-maintain bench bench-gate bench-plan bench-fleet figures scale lab-bench
.DEFAULT_GOAL := help

help: ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

setup: ## Install packages, make .venv and the collection's path (root or sudo on Debian 12 or 13)
	@tests/tools/setup.sh

lint: setup ## Read the sources: ruff, mypy, vermin, yamllint, ansible-lint, antsibull-docs, antsibull-changelog, reuse
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.lint

sanity: setup ## Run ansible-test sanity with every Python of this machine (ARGS="--test pep8" for one test)
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.sanity $(ARGS)

unit: setup ## Run the unit tests (ARGS="-k name" for some of them, or a file)
	@$(VENV)/bin/python -m pytest -q -n $(JOBS) --dist worksteal $(if $(findstring tests/,$(ARGS)),,tests/unit) $(ARGS)

oldest: setup ## Run the jobs of AWX with the oldest ansible-core and Python that are supported (ARGS="-k name" for some of them, or a file)
	@PYTHONPATH="$(PYTHONPATH)" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.oldest $(ARGS)

contract: setup ## Run the contract of xl and XenStore on the double
	@$(VENV)/bin/python -m pytest -q tests/contract $(ARGS)

molecule: setup ## Run the roles over the double (ARGS=name for one scenario)
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.molecule $(ARGS)

test: setup ## Run all of the above but oldest, and docs and galaxy (ARGS="--share 4" for a quarter of the tests that run playbooks)
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.everything $(ARGS)

docs: setup ## Make the site of the documentation, a warning is an error; begin with build/docs/html/index.html
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.docs

galaxy: setup ## Build the package and run galaxy-importer's checks on it, those of Galaxy and of certification; a warning is an error
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.galaxy

nox: setup ## Run the sessions of antsibull-nox.toml that need no container (ARGS=--list, ARGS="--session docs-check")
	@$(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.sessions $(ARGS)

fuzz: setup ## Fuzz what reads bytes from outside, half an hour (SECONDS=10 for ten a target, ARGS=parser for one target); build/fuzz/summary.json
	@tests/fuzz/setup.sh
	@build/fuzz/venv/bin/python -m ansible_collections.dom0.xen.tests.fuzz.run $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

faults: setup ## Break a move in every way there is, on the double; build/faults/summary.json (ARGS=NAME for one, ARGS="--sample SECONDS" for an even share)
	@PYTHONPATH="$(PYTHONPATH):tests/double:tests/faults" $(VENV)/bin/python -m dom0_faults --jobs $(JOBS) $(ARGS)

lab-setup: setup ## Install what the real lab needs (QEMU, mmdebstrap and so on)
	@tests/lab/lab install

demo: lab-setup ## Move a running guest between two real Xen hosts inside QEMU, and tell about it
	@PYTHONPATH="$(PYTHONPATH):tests/lab" $(VENV)/bin/python -m proof.demo

lab-test: lab-setup ## Run the lab's cases on real Xen; figures in build/lab/results.json (ARGS="-k name" for some, ARGS="--minutes N", ARGS="--release trixie")
	@PYTHONPATH="$(PYTHONPATH):tests/lab" $(VENV)/bin/python -m proof.cases $(ARGS)

lab-faults: lab-setup ## Break moves on real Xen; build/faults/lab.json (ARGS=NAME for some, ARGS="--limit N", ARGS=--list, ARGS=--continue)
	@PYTHONPATH="$(PYTHONPATH):tests/lab:tests/faults" $(VENV)/bin/python -m breaks $(ARGS)

lab-matrix: lab-setup ## Move every kind of guest by every method between releases of Xen; build/lab/matrix.json (ARGS=NAME for some, ARGS=--list)
	@PYTHONPATH="$(PYTHONPATH):tests/lab" $(VENV)/bin/python -m matrix $(ARGS)

lab-maintain: lab-setup ## Empty, reboot and fill three real Xen hosts one after the other, with four guests; build/lab/maintain.json
	@PYTHONPATH="$(PYTHONPATH):tests/lab" $(VENV)/bin/python -m rolling $(ARGS)

bench: setup ## Replay captured streams against ssh and socat, on loopback and shaped links; build/bench/link.json (ARGS="--network 1G --rounds 3", root)
	@PYTHONPATH="$(PYTHONPATH):tests/double:tests/lab" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.bench.link $(ARGS)

bench-gate: setup ## Measure what the gate adds to the time a guest stands still, on the double; build/bench/gate.json
	@PYTHONPATH="$(PYTHONPATH):tests/double:tests/lab" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.bench.gate $(ARGS)

bench-plan: setup ## Measure how good and how quick plans are, against trying everything and OR-tools; build/bench/plan.json (ARGS="--seeds 1")
	@PYTHONPATH="$(PYTHONPATH):tests/double:tests/lab" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.bench.plan $(ARGS)

bench-fleet: setup ## Measure reading, listing and comparing the facts of 200 dom0s with 10,000 domains; build/bench/fleet.json
	@PYTHONPATH="$(PYTHONPATH)" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.bench.fleet $(ARGS)

figures: setup ## Make the documentation's page of figures; ARGS="lab link" takes over first what these benches have written to build/bench
	@PYTHONPATH="$(PYTHONPATH)" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.tools.performance $(ARGS)

scale: setup ## Empty hosts of large fleets on the double and plan larger ones; build/scale/summary.json (ARGS=orders, plan, evacuate, gate or killed, ARGS="--size 10")
	@PYTHONPATH="$(PYTHONPATH):tests/double:tests/lab" $(VENV)/bin/python -m ansible_collections.dom0.xen.tests.scale.run $(ARGS)

lab-bench: lab-setup ## Compare with plain xl migrate in turns; figures in build/bench/lab.json
	@PYTHONPATH="$(PYTHONPATH):tests/lab" $(VENV)/bin/python -m proof.bench $(ARGS)
