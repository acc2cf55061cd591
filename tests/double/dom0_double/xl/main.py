# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of xl (tools/xl/xl.c main, xl_cmdtable.c)."""

from __future__ import annotations

import getopt
import os
import pathlib
import sys
import typing as t

from ..machine.client import NoMachine
from ..title import show as show_title
from . import log, show
from .config import BadConfig, parse
from .create import create_fresh
from .log import Exit, Log
from .migrate import Sender
from .receive import Receiver
from .save import restore, save
from .session import Session
from .yajl import dump

Options = dict[str, str]
Command = t.Callable[[Session, Options, list[str]], None]


def _info(session: Session, options: Options, arguments: list[str]) -> None:
    show.information(session, arguments[0] if arguments else None)


def _list(session: Session, options: Options, arguments: list[str]) -> None:
    domains = session.domains()
    if arguments:
        domid = session.find(arguments[0])
        domains = [info for info in domains if info["domid"] == domid]
        if not domains:
            session.fail(f"Error: Domain '{arguments[0]}' does not exist.")
    if "-l" in options or "--long" in options:
        show.details(session, domains)
    else:
        show.table(session, domains, "-v" in options or "--verbose" in options)


def _create(session: Session, options: Options, arguments: list[str]) -> None:
    path = pathlib.Path(arguments[0])
    try:
        text = path.read_text()
    except OSError as exc:
        session.fail(f"Failed to read config file: {path}: {exc.strerror}", 3)
    if "-q" not in options:
        session.say(f"Parsing config from {path}")
    try:
        config = parse(text)
    except BadConfig as exc:
        session.fail(str(exc), 1)
    if "-n" in options:
        log.out(dump(config) + "\n")
        return
    session.hit("create.make")
    domid = create_fresh(session, config, "-p" in options, "-e" not in options)
    if domid < 0:
        raise Exit(-domid)
    session.hit("create.done")


def _destroy(session: Session, options: Options, arguments: list[str]) -> None:
    domid = session.find(arguments[0])
    if domid == 0 and "-f" not in options:
        session.fail(
            "Not destroying domain 0; use -f to force.\nThis can only be done when using a disaggregated hardware"
            " domain and toolstack.\n"
        )
    rc = session.destroy(domid)
    if rc:
        session.fail(f"destroy failed (rc={rc})")


def _rename(session: Session, options: Options, arguments: list[str]) -> None:
    domid = session.find(arguments[0])
    if session.rename(domid, session.name(domid), arguments[1]):
        session.fail(f"Can't rename domain '{arguments[0]}'.")


def _shutdown(request: str, word: str) -> Command:
    def command(session: Session, options: Options, arguments: list[str]) -> None:
        domid = session.find(arguments[0])
        session.say(f"{word} domain {domid}")
        store = session.store()
        path = f"/local/domain/{domid}/control/shutdown"
        store.write(path, request)
        store.watch(path)
        while store.read(path) not in ("", None):
            if not store.wait(session.settings.suspend_timeout_s):
                session.fail(f"{request} failed (rc={log.RC_TIMEDOUT})")

    return command


def _resume(session: Session, options: Options, arguments: list[str]) -> None:
    if (session.settings.xen_major, session.settings.xen_minor) < (4, 20):
        session.fail("command not implemented")
    session.resume(session.find(arguments[0]))


def _migrate(session: Session, options: Options, arguments: list[str]) -> None:
    domid = session.find(arguments[0])
    command = arguments[1]
    if options.get("-s", "ssh"):
        extra = (" -e" if "-e" in options else "") + (" -d" if "--debug" in options else "")
        extra += " -p" if "-p" in options else ""
        command = f"exec {options.get('-s', 'ssh')} {command} xl migrate-receive{extra}"
    Sender(session, domid, command, "--debug" in options, "-D" in options, options.get("-C", "")).run()


def _save(session: Session, options: Options, arguments: list[str]) -> None:
    if len(arguments) > 3:
        session.fail("'xl save' takes a domain, a file, and a configuration.", 1)
    afterwards = ("-c" in options, "-p" in options, "-D" in options)
    save(session, session.find(arguments[0]), arguments[1], *afterwards, config_file="".join(arguments[2:]))


def _pin(session: Session, options: Options, arguments: list[str]) -> None:
    domid = session.find(arguments[0])
    if arguments[1] != "all":
        session.fail("the double pins all vCPUs at once", 99)
    processors = None if arguments[2] == "all" else [int(number) for number in arguments[2].split(",")]
    session.machine.call("pin", domid=domid, processors=processors)


_COMMANDS: dict[str, tuple[str, list[str], int, Command]] = {
    "info": ("n", ["numa"], 0, _info),
    "list": ("lvhZcn", ["long", "verbose", "context", "cpupool", "numa"], 0, _list),
    "vm-list": ("", [], 0, lambda session, options, arguments: show.vm_list(session)),
    "domid": ("", [], 1, lambda session, options, arguments: show.domid(session, arguments[0])),
    "domname": ("", [], 1, lambda session, options, arguments: show.domname(session, arguments[0])),
    "vcpu-list": (
        "",
        [],
        0,
        lambda session, options, arguments: show.vcpus(session, [session.find(text) for text in arguments]),
    ),
    "vcpu-pin": ("", [], 3, _pin),
    "sched-credit2": (
        "d:",
        ["domain="],
        0,
        lambda session, options, arguments: show.share(session, session.find(options["-d"])),
    ),
    "create": ("epqn", ["quiet"], 1, _create),
    "destroy": ("f", [], 1, _destroy),
    "rename": ("", [], 2, _rename),
    "pause": ("", [], 1, lambda session, options, arguments: void(session.pause(session.find(arguments[0])))),
    "unpause": ("", [], 1, lambda session, options, arguments: void(session.unpause(session.find(arguments[0])))),
    "shutdown": ("wF", ["wait"], 1, _shutdown("poweroff", "Shutting down")),
    "reboot": ("wF", ["wait"], 1, _shutdown("reboot", "Rebooting")),
    "resume": ("", [], 1, _resume),
    "migrate": ("FC:s:epD", ["debug", "live"], 2, _migrate),
    "migrate-receive": (
        "Fedrp",
        [],
        0,
        lambda session, options, arguments: Receiver(
            session, "-e" not in options, "-p" in options, "-d" in options
        ).run(),
    ),
    "save": ("cpD", [], 2, _save),
    "restore": (
        "Fcpde",
        [],
        1,
        lambda session, options, arguments: restore(
            session, arguments[-1], "-p" in options, "-e" not in options, "-d" in options
        ),
    ),
}
_REFUSED = {"-F", "-r", "-Z", "-c", "-n"}
# Guests here have the drivers that make the ACPI button needless.
_KNOWN = {"save": {"-c"}, "create": {"-n"}, "shutdown": {"-F"}}


def void(dummy: object) -> None:
    """Forget a result, as ``xl pause`` does."""


def _run(session: Session, name: str, arguments: list[str]) -> None:
    short, long, needed, command = _COMMANDS[name]
    try:
        pairs, rest = getopt.gnu_getopt(arguments, short, long)
    except getopt.GetoptError as exc:
        session.fail(f"option `{exc.opt}' not supported.", 2)
    if len(rest) < needed:
        session.fail(f"'xl {name}' requires at least {needed} argument{'s' if needed > 1 else ''}.\n", 2)
    options = dict(pairs)
    if refused := _REFUSED & set(options) - _KNOWN.get(name, set()):
        session.fail(f"the double does not know {name} {min(refused)}", 99)
    if "-D" in options and not session.settings.gives_domids:
        session.fail("option `D' not supported.", 2)
    session.hit(f"{name}.start")
    command(session, options, rest)


def main() -> None:
    """Run one command. What the double does not know ends with status 99, so that no test passes by accident."""
    show_title("/usr/lib/xen-4.17/bin/xl")
    arguments = sys.argv[1:]
    least, timestamps = log.PROGRESS, False
    while arguments and arguments[0].startswith("-"):
        for letter in arguments.pop(0)[1:]:
            if letter == "v":
                least = max(log.DEBUG, least - 1)
            elif letter == "T":
                timestamps = True
            elif letter not in "ftN":
                os.write(2, b"unknown global option\n")
                sys.exit(1)
    session = Session(Log(least, timestamps))
    try:
        if not arguments or arguments[0] not in _COMMANDS:
            session.fail(f"the double of xl does not know this command: {' '.join(arguments)}", 99)
        _run(session, arguments[0], arguments[1:])
    except Exit as exc:
        os._exit(exc.status)
    except NoMachine:
        # What xl says when there is no Xen below it.
        session.say(
            "xencall: error: Could not obtain handle on privileged command interface: No such file or directory"
        )
        session.say("libxl: error: libxl.c:102:libxl_ctx_alloc: cannot open libxc handle: No such file or directory")
        session.say("cannot init xl context")
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
