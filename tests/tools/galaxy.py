# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""galaxy-importer's checks, those of Galaxy and of certification, over the package that would be uploaded.

It lives in an environment of its own, since it holds some packages back that ``.venv`` has newer. It ends with 0
whatever it finds, so what it says is read.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import typing as t

from ansible_collections.dom0.xen.tests.tools import tree, venvs
from ansible_collections.dom0.xen.tests.tools.places import BUILD, environment

NAME = "galaxy"
DIST = BUILD / NAME / "dist"
REQUIREMENTS = ("ansible-core>=2.19", "galaxy-importer>=0.4.44")
DONE = "Importer processing completed successfully"
# What it says aloud that is no praise; an error of its own has the last form.
COMPLAINT = re.compile(r"^(WARNING|ERROR|CRITICAL): |^Error during importer")
# It gives ansible-lint three minutes, which a machine with other work does not keep. That says nothing of the package.
TIMEOUT = "ERROR: Timeout on call to ansible-lint"
LINT = (
    *("ansible-lint", "--profile", "production", "--exclude", "tests/integration/", "--exclude", "tests/unit/"),
    *("--format=pep8", "--nocolor", "--offline", "-q"),
    *("-x", "yaml,var-naming,avoid-dot-notation,import-task-no-when,single-entry-point,use-loop"),
)
# It names the folder ansible_collections itself where ansible-lint wants the one above, so that a playbook of the
# package is not found by its full name. Whoever imports it there sees these lines as well.
NOT_FOUND = re.compile(r"^WARNING: ERROR +Failed to find dom0\.xen\.(\w+) playbook\.$")
# Tests that are left out of ansible-test's.
IGNORED = re.compile(r"(^|/)tests/sanity/ignore[^/]*\.txt$")


def problems(said: str, files: t.Collection[str]) -> list[str]:
    """Return why the package would not pass, from what galaxy-importer said and the names of the package's files.

    A warning is a reason: of ansible-lint's findings and of what cannot be documented it only warns.
    """
    lines = said.splitlines()
    found = [line for line in lines if COMPLAINT.match(line) and not _is_there(line, files)]
    if DONE not in lines:
        found.append("galaxy-importer did not come to its end")
    return [*found, *(f"{name} leaves tests out" for name in files if IGNORED.search(name))]


def _is_there(line: str, files: t.Collection[str]) -> bool:
    named = NOT_FOUND.match(line)
    return named is not None and f"playbooks/{named[1]}.yml" in files


def lint(package: pathlib.Path, venv: pathlib.Path, env: dict[str, str]) -> list[str]:
    """Return what ansible-lint finds in the package, called as galaxy-importer calls it, however long it takes."""
    collections = package.parent / "unpacked"
    folder = collections / "ansible_collections" / "dom0" / "xen"
    folder.mkdir(parents=True)
    subprocess.run(["tar", "--extract", "--file", str(package), "--directory", str(folder)], check=True)
    command = [str(venv / "bin" / LINT[0]), *LINT[1:]]
    env = {**env, "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    # It tells its findings on standard output, and what went wrong with itself beside it.
    found = result.stdout.splitlines()
    return found + result.stderr.splitlines() if result.returncode and not found else found


def main() -> int:
    """Build the package, have it looked at, and return 0 when there is nothing to say against it."""
    venv = venvs.prepare(NAME, REQUIREMENTS)
    copied = tree.copy(NAME)
    shutil.rmtree(DIST, ignore_errors=True)
    env = environment(NAME, ANSIBLE_NOCOLOR="1", NO_COLOR="1")
    build = ["ansible-galaxy", "collection", "build", "--output-path", str(DIST)]
    subprocess.run(build, cwd=copied, env=env, check=True, stdout=subprocess.DEVNULL)
    (package,) = DIST.glob("dom0-xen-*.tar.gz")
    with tarfile.open(package) as archive:
        files = archive.getnames()
    # It calls ansible-doc and ansible-lint by their names.
    env["PATH"] = os.pathsep.join([str(venv / "bin"), env["PATH"]])
    command = [str(venv / "bin" / "python"), "-m", "galaxy_importer.main", package.name]
    # It writes its result to where it is.
    result = subprocess.run(
        command, cwd=DIST, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    (DIST / "importer.log").write_text(result.stdout, encoding="utf-8")
    found = problems(result.stdout, files)
    if TIMEOUT in found:
        found.remove(TIMEOUT)
        found += lint(package, venv, env)
    if found or result.returncode:
        print(result.stdout)
        print("\n".join([f"{package.name} does not pass:", *found]))
        return 1
    print(f"{package.name} passes galaxy-importer")
    return 0


if __name__ == "__main__":
    sys.exit(main())
