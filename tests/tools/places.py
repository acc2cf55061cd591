# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, and the environment the tools run in."""

from __future__ import annotations

import ast
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
COLLECTIONS = BUILD / "collections"

# Those that ansible-test may look for; sanity uses the ones that exist.
PYTHON_VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


def _is_interpreter(path: pathlib.Path) -> bool:
    try:
        return subprocess.run([path, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def python_folders() -> list[str]:
    """Return the folders of real interpreters, one a version; a pyenv shim exits 127 when its version is not active."""
    on_path = [pathlib.Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT", pathlib.Path.home() / ".pyenv")) / "versions"
    folders: list[str] = []
    for version in PYTHON_VERSIONS:
        candidates = [folder for folder in on_path if folder.name != "shims"]
        candidates += sorted(pyenv.glob(f"{version}.*/bin"), reverse=True)
        for folder in candidates:
            if folder.is_relative_to(sys.prefix):
                continue
            if _is_interpreter(folder / f"python{version}"):
                folders.append(str(folder))
                break
    return list(dict.fromkeys(folders))


def search_path(*, interpreters: bool = False) -> str:
    """Return a PATH with the virtual environment first and without pyenv's shims."""
    folders = [str(pathlib.Path(sys.prefix) / "bin")]
    if interpreters:
        folders += python_folders()
    folders += [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if "shims" not in folder]
    return os.pathsep.join(dict.fromkeys(folders))


def _pip_configuration() -> str:
    """Return what pip is configured with here, from files and environment, as a configuration file of its own."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    options: dict[str, str] = {"quiet": "2"}
    for line in listing.splitlines():
        match = re.fullmatch(r"(global|install|:env:)\.([a-z-]+)=('.*'|\".*\")", line)
        if match and match[2] != "config-file":
            options[match[2]] = ast.literal_eval(match[3])
    proxy = os.environ.get("https_proxy") or os.environ.get("HTTPS_PROXY")
    if proxy:
        options.setdefault("proxy", proxy)
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in options.items())


def private_home(name: str) -> pathlib.Path:
    """Return a home of the tool's own: nothing in ``~/.ansible`` may answer for the collection or be changed.

    ansible-test hands no environment variables on, so the package index in use is written into that home.
    """
    home = BUILD / "home" / name
    configuration = home / ".config" / "pip" / "pip.conf"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    configuration.touch(mode=0o600)
    configuration.write_text(_pip_configuration(), encoding="utf-8")
    return home


def environment(name: str, *, interpreters: bool = False, **more: str) -> dict[str, str]:
    """Return the environment of a tool: private home, plain locale, no path of somebody else's Python."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYENV_VERSION", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
    kept = {key: value for key, value in os.environ.items() if key not in dropped and not key.startswith("ANSIBLE_")}
    return {
        **kept,
        "HOME": str(private_home(name)),
        "LC_ALL": "C.UTF-8",
        "PATH": search_path(interpreters=interpreters),
        **more,
    }
