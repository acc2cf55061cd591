# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is the domain in a state, and of a kind, that can be moved while it runs? (pure; private to the collection)"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import Case, Finding, is_true, listed
from ansible_collections.dom0.xen.plugins.module_utils._places import RECEIVER

# What counts as yes (xen/common/kernel.c parse_bool).
_ALTP2M = re.compile(r"(?:^|\s)altp2m(?:=(?:1|enable|on|true|yes))?(?=\s|$)")
_ALTP2M_ASKED_SINCE = (4, 21)
_CONNECTED = 4  # XenbusStateConnected
_INSTEAD = (
    "Have it shut down and started on %s from its configuration file: set migrate_method to cold, or"
    " migrate_allow_cold to true."
)


def awake(case: Case) -> t.Iterator[Finding]:
    """The domain runs: only a running guest can answer the request to suspend."""
    if case.domain is None or case.domain.domid == 0:
        return
    host, name, domid, state = case.source_name, case.domain.name, case.domain.domid, case.domain.state
    if state.dying:
        yield case.error("domain_dying", host, f"{name} is being torn down.", "Wait until it is gone.")
    elif state.crashed:
        yield case.error(
            "domain_crashed", host, f"{name} has crashed.", f"Destroy it (`xl destroy {domid}`) and start it again."
        )
    elif state.suspended:
        yield case.error(
            "domain_suspended",
            host,
            f"{name} is suspended: a migration or a save of it is under way, or was interrupted.",
            "Wait for it. Was it interrupted, let dom0.xen.settle bring it to its end; where that finds nothing, find"
            " out which host has the domain's last good copy and resume that one.",
        )
    elif state.shutdown:
        yield case.error(
            "domain_shut_down",
            host,
            f"{name} has shut down ({state.reason}).",
            f"Destroy what is left of it (`xl destroy {domid}`) and start it on {case.request.destination}.",
            reason=state.reason,
        )
    elif state.paused:
        yield case.error(
            "domain_paused",
            host,
            f"{name} is paused, so it cannot answer the request to suspend.",
            f"Unpause it (`xl unpause {domid}`) if it may run, then run this again.",
        )
    seen = case.domain.xenstore
    if seen is not None and seen.control_shutdown:
        yield case.error(
            "shutdown_pending",
            host,
            f"{name} is being asked to {seen.control_shutdown} and has not answered yet.",
            "Wait until it has.",
            request=seen.control_shutdown,
        )


def suspends(case: Case) -> t.Iterator[Finding]:
    """The guest's kernel can suspend itself."""
    seen = case.domain.xenstore if case.domain else None
    if case.domain is None or case.domain.domid == 0 or seen is None:
        return
    host, name = case.source_name, case.domain.name
    if case.domain.type not in ("pv", "pvh") or seen.feature_suspend == "1":
        return
    if seen.feature_suspend == "0":
        yield case.error(
            "suspend_refused",
            host,
            f"the guest in {name} says that it cannot be suspended (control/feature-suspend is 0).",
            _INSTEAD % case.request.destination,
        )
    elif not _came_by_migration(case):
        yield case.warning(
            "suspend_unconfirmed",
            host,
            f"the guest in {name} does not say that it can be suspended (control/feature-suspend is not 1).",
            "If it is still booting, wait. A guest that does not answer stays where it is, after a minute.",
        )


def drivers(case: Case) -> t.Iterator[Finding]:
    """An HVM guest has drivers for Xen; one that has none is stopped from outside (libxl_dom_suspend.c)."""
    seen = case.domain.xenstore if case.domain else None
    if case.domain is None or case.domain.domid == 0 or seen is None or case.domain.type != "hvm":
        return
    connected = any(device.state == _CONNECTED and device.kind in ("vbd", "vif") for device in seen.devices)
    if seen.feature_suspend != "1" and not connected and not _came_by_migration(case):
        yield case.warning(
            "drivers_unseen",
            case.source_name,
            f"nothing shows that the guest in {case.domain.name} has drivers for Xen: it does not say that it can be"
            " suspended (control/feature-suspend is not 1), and neither a disk nor a network card is connected.",
            "If it is still booting, wait: a guest that does not answer yet stays where it is. One without drivers is"
            " stopped from outside and moved; how long it stood still is not told then (stop_ms), and other machines"
            " may look for its network card where it was until it sends something.",
        )


def _came_by_migration(case: Case) -> bool:
    """Say whether a session has brought the domain to the source: its guest has been suspended before.

    The node is then empty: libxl makes it anew (tools/libs/light/libxl_create.c libxl__domain_make), and the guest
    writes it only when it boots.
    """
    return case.source is not None and any(
        session.role == RECEIVER and session.end_state == "moved" and case.concerns(session)
        for session in case.source.sessions
    )


def configured(case: Case) -> t.Iterator[Finding]:
    """The toolstack knows the domain's configuration; xl migrate sends it (libxl_retrieve_domain_configuration)."""
    if case.domain is not None and case.domain.domid != 0 and case.domain.config is None:
        yield case.error(
            "configuration_missing",
            case.source_name,
            f"xl has no configuration of {case.domain.name}, so it cannot migrate it.",
            "It was not started with xl, or its record was lost. Shut it down and start it with xl.",
        )


def allowed(case: Case) -> t.Iterator[Finding]:
    """Nothing in the configuration says that the domain cannot be moved."""
    if case.domain is None:
        return
    host, name, build = case.source_name, case.domain.name, case.build
    instead = _INSTEAD % case.request.destination
    if is_true(build.get("disable_migrate")):
        yield case.error(
            "migration_disabled",
            host,
            f"{name} was started with nomigrate=1 or with an invariant TSC that it was told of.",
            instead,
        )
    if build.get("vnuma_nodes"):
        yield case.error("vnuma", host, f"{name} has virtual NUMA nodes, which xl cannot migrate.", instead)
    if is_true(build.get("nested_hvm")):
        yield case.error(
            "nested_virtualisation",
            host,
            f"{name} may run a hypervisor of its own (nestedhvm=1), whose state is not in the stream.",
            instead,
        )


def device_model(case: Case) -> t.Iterator[Finding]:
    """Xen at the destination has the domain's device model."""
    xen, version = case.destination.xen if case.destination else None, case.build.get("device_model_version")
    # The second is what libxl takes by itself up to 4.20 (libxl_create.c libxl__domain_build_info_setdefault).
    old = version == "qemu_xen_traditional" or (not version and is_true(case.build.get("device_model_stubdomain")))
    if xen is None or not old:
        return
    if (xen.major, xen.minor) >= (4, 21):
        yield case.error(
            "device_model_gone",
            case.request.destination,
            f"the domain uses qemu-xen-traditional, which Xen {xen.version} does not have any more.",
            'Change device_model_version to "qemu-xen" in its configuration file and start it anew.',
        )


def views(case: Case) -> t.Iterator[Finding]:
    """Other views of its memory (altp2m) are known to stay behind, and Xen there can have some."""
    xen = case.destination.xen if case.destination else None
    mode = case.build.get("altp2m")
    asked = mode not in (None, "disabled") or is_true((case.build.get("type.hvm") or {}).get("altp2m"))
    if xen is None or case.domain is None or case.domain.domid == 0 or not asked:
        return
    host, name, able = case.request.destination, case.domain.name, _ALTP2M.search(xen.commandline) is not None
    if not able and (xen.major, xen.minor) >= _ALTP2M_ASKED_SINCE:
        yield case.error(
            "capability_missing",
            host,
            f"{name} is to have other views of its memory (altp2m). Xen {xen.version} on {host} makes no such domain:"
            " it was booted without the option altp2m.",
            f"Boot {host} with altp2m=1 (Xen's command line), or name another destination.",
            missing=["altp2m"],
            virt_caps=list(xen.virt_caps),
        )
        return
    yield case.warning(
        "altp2m_stays",
        host,
        f"other views of {name}'s memory (altp2m), which whoever looks into it from dom0 has made, are not in the"
        " stream." + ("" if able else f" Xen on {host} was booted without the option altp2m, and has none."),
        f"End what looks into it before the move, and begin anew on {host}.",
        mode=mode,
    )


def abilities(case: Case) -> t.Iterator[Finding]:
    """Xen at the destination can run domains of this kind."""
    xen = case.destination.xen if case.destination else None
    if xen is None or case.domain is None or case.domain.type is None or case.domain.domid == 0:
        return
    has = set(xen.virt_caps)
    missing = []
    if case.domain.type == "pv":
        if "pv" not in has and not any(word.startswith("xen-3.0-x86") for word in xen.caps):
            missing.append("pv")
    else:
        if "hvm" not in has:
            missing.append("hvm")
        if case.creation.get("hap") == "False":
            if "shadow" not in has:
                missing.append("shadow")
        elif not has & {"hap", "shadow"}:
            missing.append("hap")
    grants = {word for word in has if word.startswith("gnttab-v")}
    version = case.build.get("max_grant_version")
    if grants and isinstance(version, int) and version > 0 and f"gnttab-v{version}" not in grants:
        missing.append(f"gnttab-v{version}")
    if case.build.get("vmtrace_buf_kb") and "vmtrace" not in has:
        missing.append("vmtrace")
    if is_true(case.build.get("vpmu")) and "vpmu" not in has:
        missing.append("vpmu")
    if missing:
        yield case.error(
            "capability_missing",
            case.request.destination,
            f"Xen on {case.request.destination} cannot run {case.domain.name}, a domain of type {case.domain.type}:"
            f" {listed(missing)} is missing from its virt_caps ({listed(xen.virt_caps)}).",
            "Switch virtualisation on in the machine's firmware (hvm, hap), boot Xen with vpmu=1 (vpmu), or name"
            " another destination.",
            missing=missing,
            virt_caps=list(xen.virt_caps),
        )


def processors(case: Case) -> t.Iterator[Finding]:
    """The pool of processors, and the processors that the domain is bound to, exist at the destination."""
    if case.domain is None or case.destination is None or case.domain.domid == 0:
        return
    host, name = case.request.destination, case.domain.name
    pool = case.creation.get("pool_name")
    pools = case.destination.cpupools
    if pool and pools and pool not in pools:
        yield case.error(
            "cpupool_missing",
            host,
            f"{name} runs in the processor pool {pool!r}; the pools of {host} are: {listed(pools)}.",
            f"Make the pool there (`xl cpupool-create name={pool}`), or move the domain to another pool first.",
            pool=pool,
            pools=list(pools),
        )
    elif pool and not pools and pool != "Pool-0":
        yield case.warning(
            "cpupool_unchecked",
            host,
            f"{name} runs in the processor pool {pool!r}; whether {host} has it is not known.",
            "Look with `xl cpupool-list`: without the pool the domain stays where it is.",
            pool=pool,
        )
    count = case.destination.cpus
    bound = [vcpu for vcpu in case.build.get("vcpu_hard_affinity") or () if isinstance(vcpu, (list, tuple)) and vcpu]
    if count is not None and any(min(vcpu) >= count for vcpu in bound):
        yield case.error(
            "affinity_impossible",
            host,
            f"{name} is bound to processors that {host} does not have (it has {count}).",
            f"Loosen it on {case.source_name}: `xl vcpu-pin {case.domain.domid} all all`.",
            cpus=count,
        )
