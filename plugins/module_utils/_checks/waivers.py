# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which findings a person may take upon himself, each by its code (pure; private to the collection).

The one list of all codes. One that is missing here fails a test, which reads the rules' source: whoever writes a new
rule decides at once whether it may be waived.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._checks.records import (
    ERROR,
    WAIVED,
    WARNING,
    Case,
    Finding,
    listed,
)

CONTROLLER = "localhost"

# Where the person may know better than the facts, and being wrong costs no copy: what he answers for.
WAIVABLE: t.Mapping[str, str] = {
    "not_enough_memory": "memory becomes free before the domain arrives; else xl there refuses it, and it stays",
    "bridge_missing": "the bridge is there when the domain arrives; else xl there cannot attach the card, and it stays",
    "gateway_missing": "the device has its address by then; else xl there cannot attach the card, and it stays",
    "cpupool_missing": "the pool is there when the domain arrives; else xl there cannot build it, and it stays",
    "disk_missing": "the very same disk is there when the domain arrives; else xl there cannot attach it, and it stays",
    "disk_read_only": "it can be written to when the domain arrives; else xl there cannot attach it, and it stays",
    "disk_not_shared": "both hosts reach the very same file by this path; else the guest goes on with another one",
    "disk_unproven": "the disk of that name is the very same; else the guest goes on with another one, and destroys it",
    "disk_cache_stale": "no host keeps parts of the disk in its cache; else the guest may read what it wrote over",
    "cpu_features_shown": "the guest uses nothing of what is missing; else it breaks after the move",
    "grant_limits": "the guest uses no more, or Xen there was given more since; else it breaks, or is not made there",
    "script_missing": "the script is there when the domain arrives; else xl there cannot attach a device, and it stays",
    "device_model_user_missing": "the user comes from a directory; else xl there cannot start QEMU, and it stays",
    "closed_to_arrivals": "whoever closed the host agrees; else the domain is moved again, or goes down with the host",
    "migration_disabled": "both hosts' clocks (TSC) tick at one rate, or the guest does not rely on it",
    "nested_virtualisation": "the guest runs no hypervisor at this moment; one that it runs breaks",
}


def _each(reason: str, *codes: str) -> dict[str, str]:
    return dict.fromkeys(codes, reason)


# Where the move could not work, or would break a promise: why.
NEVER: t.Mapping[str, str] = {
    **_each(
        "without the facts of both hosts nothing else can be checked",
        *("host_not_in_inventory", "host_unreachable", "host_without_facts"),
    ),
    **_each(
        "without what is missing on the host no session can run there, or it could not be seen where the domain is",
        *("toolstack_error", "xl_missing", "no_xen", "not_root", "xl_failed", "domain_missing", "xl_timeout"),
        *("xl_output", "xenstore_error", "pyxs_missing", "xenstore_unreachable", "xenstore_timeout"),
        "no_runtime_path",
    ),
    **_each("allow_same_host says that it is meant", "same_host"),
    **_each(
        "without an address of both hosts there, or with another one, the bytes would go over another network",
        *("network_invalid", "network_no_address", "network_contradicts"),
    ),
    **_each("the sender cannot speak ssh without it", "paramiko_missing"),
    **_each("migrate_allow_plain says that it is meant", "plain_not_allowed"),
    **_each(
        "Xen does not promise to take what a newer one sends: the guest could break when its old copy is gone",
        "xen_older",
    ),
    **_each(
        "it is not known which domain is meant, or where its good copy is",
        *("domain_unknown", "domain_gone", "domain_is_domid", "domain_ambiguous", "domain_on_several_hosts"),
        *("domain_not_looked_for", "domain_not_running_there", "leftover_name", "uuid_twice", "uuid_taken"),
    ),
    **_each("dom0 is the host itself", "domain_is_dom0"),
    **_each(
        "xl needs the name for itself, and copies are told apart by it",
        *("name_taken", "incoming_name_taken", "migratedaway_name_taken"),
    ),
    **_each("a move must not inherit the address of a machine", "move_name_taken"),
    **_each("two sessions would fight over one domain", "session_running"),
    **_each(
        "somebody else would resume or start the domain after the move, and it would run twice",
        *("foreign_hand", "cluster_managed"),
    ),
    **_each(
        "only a guest that runs can suspend itself, and only a suspended one can be moved",
        *("domain_dying", "domain_crashed", "domain_suspended", "domain_shut_down", "domain_paused"),
        *("shutdown_pending", "suspend_refused"),
    ),
    **_each("xl sends the configuration, and has none", "configuration_missing"),
    **_each("xl or libxl refuses it on the source", "pci_passthrough", "dt_passthrough", "usb_passthrough", "vnuma"),
    **_each("Xen refuses it on the source", "no_shadow_paging"),
    **_each(
        "xl cannot build the domain on the destination",
        *("device_model_gone", "capability_missing", "affinity_impossible"),
    ),
    **_each("Xen does not support it, and a guest cannot cope with it", "cpu_vendor"),
    **_each("Xen refuses it on the destination", "cpu_policy_refused"),
    **_each("its state stays behind", "vtpm"),
    **_each(
        "it is not known what the domain is to be started from",
        *("no_config_file", "config_ambiguous", "config_other_domain"),
    ),
    **_each("xl migrate would end before it begins, and nothing is known of what would arrive", "config_invalid"),
    **_each(
        "the guest has them in its memory, and goes on with those that it had",
        *("config_other_machine", "config_other_devices"),
    ),
    **_each("a file has its own names", "config_with_names"),
    **_each("it would never be seen down", "restarts_at_poweroff"),
    **_each("it is a reboot, and two copies on one host could not be told apart", "cold_same_host"),
    **_each("its configuration file says otherwise", "cold_as_in_file"),
    **_each(
        "xl there refuses it, or gives the domain another number",
        *("domid_taken", "domid_recent", "domid_same_host", "domid_unsupported"),
    ),
    **_each("its number means another domain on the destination, which would be given the device", "driver_domain"),
    **_each(
        "QEMU may write to the disk when the other host has it, which destroys what is on it",
        *("disk_not_raw", "suspend_disk_cached"),
    ),
    **_each(
        "the guest would go on with another disk, and destroy what is on it", *("disk_differs", "disk_size_differs")
    ),
    **_each("what is mapped is what the domain has, to what can be there", "map_invalid", "map_unused"),
    **_each("two disks of the domain would be one, and destroy what is on it", "map_collides"),
    **_each("findings are waived one by one, by codes that exist", "waiver_unknown"),
    **_each("what must not be waived cannot be waived twice", "waiver_forbidden"),
}

# They refuse nothing.
WARNINGS: frozenset[str] = frozenset(
    {
        "address_doubtful",
        "altp2m_stays",
        "boot_file_unseen",
        "clocks_differ",
        "cluster_unknown",
        "config_arrives",
        "config_differs",
        "config_name_taken",
        "cpu_features_fewer",
        "cpu_unchecked",
        "cpupool_unchecked",
        "device_model_older",
        "device_model_restricted",
        "device_model_unseen",
        "disk_cached",
        "disk_unchecked",
        "dom0_ballooned",
        "drivers_unseen",
        "firmware_unseen",
        "gateway_unchecked",
        "label_unchecked",
        "listens_on_all",
        "mac_taken",
        "memory_below_maximum",
        "mtu_smaller",
        "network_several_addresses",
        "plain_transport",
        "resume_broken",
        "session_interrupted",
        "suspend_unconfirmed",
        "tsc_rate_differs",
    }
)

CODES: t.Mapping[str, str] = {
    **dict.fromkeys((*WAIVABLE, *NEVER), ERROR),
    **dict.fromkeys(WARNINGS, WARNING),
}


def codes(given: t.Any) -> tuple[str, ...]:
    """Return the codes of a list, or of a text with commas between them, as ``-e`` gives it; each once.

    An empty text is an answer that was left empty, and no code. An empty code between others is kept, to be refused.
    """
    if given is None or given == "":
        return ()
    pieces = given.split(",") if isinstance(given, str) else given if isinstance(given, (list, tuple)) else [given]
    return tuple(dict.fromkeys(str(piece).strip() for piece in pieces))


def objections(case: Case) -> t.Iterator[Finding]:
    """What is asked to be waived are codes that exist, and that can be waived. A warning's code waives nothing."""
    for code in case.request.waive:
        if code in NEVER:
            yield case.error(
                "waiver_forbidden",
                CONTROLLER,
                f"{code} cannot be waived: {NEVER[code]}.",
                f"Take {code} out of migrate_waive, and do what its finding says. Can be waived: {listed(WAIVABLE)}.",
                waiver=code,
            )
        elif code not in CODES:
            near = nearest(code)
            yield case.error(
                "waiver_unknown",
                CONTROLLER,
                f"{code!r} cannot be waived: no finding has this code"
                + (f"; the nearest are: {listed(near)}." if near else ". Findings are waived one by one."),
                f"Correct migrate_waive, or leave it out. Can be waived: {listed(WAIVABLE)}.",
                waiver=code,
                nearest=list(near),
            )


def nearest(code: str, among: t.Iterable[str] = tuple(CODES)) -> tuple[str, ...]:
    """Return at most three of these codes that somebody may have meant, the likeliest first."""
    return tuple(difflib.get_close_matches(code.lower().replace("-", "_"), sorted(among), n=3))


def apply(found: t.Iterable[Finding], waive: t.Collection[str]) -> tuple[Finding, ...]:
    """Return the findings, of which errors that are waived and may be have the severity for that."""
    allowed = {code for code in waive if code in WAIVABLE}
    return tuple(
        dataclasses.replace(finding, severity=WAIVED)
        if finding.severity == ERROR and finding.code in allowed
        else finding
        for finding in found
    )
