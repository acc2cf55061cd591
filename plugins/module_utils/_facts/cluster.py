# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster manager looks after domains of this host (private to the collection). Nothing is changed.

Pacemaker starts a domain that it misses: one that was moved behind its back is started a second time. Its
configuration, the CIB, is a file on every node (lib/cib/cib_file.c); agents and their parameters are those of
resource-agents, heartbeat/Xen and heartbeat/VirtualDomain.
"""

from __future__ import annotations

import os
import re
import typing as t
import xml.etree.ElementTree as ET

from ansible_collections.dom0.xen.plugins.module_utils._facts.autostart import config_identity, read_start
from ansible_collections.dom0.xen.plugins.module_utils._records import ClusterFacts, ClusterResource

CIB = "/var/lib/pacemaker/cib/cib.xml"
CIB_MAX = 16 * 1024 * 1024

# A remote node runs only the second; it has no CIB of its own.
_DAEMONS = {"pacemakerd": "pacemaker", "pacemaker-remoted": "pacemaker", "pacemaker_remoted": "pacemaker"}
_AGENTS = ("Xen", "VirtualDomain")
_LIBVIRT_MAX = 256 * 1024
_LIBVIRT = re.compile(r"<(name|uuid)>\s*([^<\s]+)\s*</\1>")
_TRUE = ("true", "on", "yes", "y", "1")  # lib/common/strings.c crm_str_to_boolean

Values = t.Dict[str, str]


def cluster(lines: t.Mapping[int, t.Sequence[str]], cib: str = CIB) -> ClusterFacts | None:
    """Return what the cluster manager that runs on this host keeps of domains, or None when none runs here.

    ``lines`` is what ``_procfs.command_lines`` saw.
    """
    found = (_DAEMONS.get(os.path.basename(arguments[0])) for arguments in lines.values() if arguments)
    manager = next((name for name in found if name), None)
    if manager is None:
        return None
    data = read_start(cib, CIB_MAX)  # a longer one is cut off, and so no whole document
    resources = cluster_resources(data) if data is not None else None
    return ClusterFacts(manager=manager, known=resources is not None, resources=resources or ())


def cluster_resources(cib: bytes) -> tuple[ClusterResource, ...] | None:
    """Return the resources of a CIB that run domains of Xen; None when it is no CIB.

    The configuration files that resources name are read for the domain's name and UUID.
    """
    # A CIB has no document type; without one there are no entities that could grow.
    if b"<!DOCTYPE" in cib:
        return None
    try:
        root = ET.fromstring(cib)
    except ET.ParseError:
        return None
    configuration = root.find("configuration")
    if root.tag != "cib" or configuration is None:
        return None
    options = _values(configuration, "crm_config/cluster_property_set")
    managed = not _true(options.get("maintenance-mode")) and _true(options.get("is-managed-default", "true"))
    templates = {str(item.get("id")): item for item in configuration.iter("template")}
    resources = configuration.find("resources")
    return tuple(_below(resources, managed, templates)) if resources is not None else ()


def _below(element: ET.Element, managed: bool, templates: t.Mapping[str, ET.Element]) -> t.Iterator[ClusterResource]:
    for child in element:
        if child.tag == "primitive":
            resource = _resource(child, managed, templates)
            if resource is not None:
                yield resource
        elif child.tag in ("group", "clone", "master", "bundle"):
            yield from _below(child, _managed(_values(child, "meta_attributes"), managed), templates)


def _resource(primitive: ET.Element, managed: bool, templates: t.Mapping[str, ET.Element]) -> ClusterResource | None:
    template = templates.get(primitive.get("template", ""))
    sources = [item for item in (template, primitive) if item is not None]
    kinds = [item.get("type") for item in sources if item.get("type")]
    if not kinds or kinds[-1] not in _AGENTS:
        return None
    parameters: Values = {}
    meta: Values = {}
    for item in sources:
        parameters.update(_values(item, "instance_attributes"))
        meta.update(_values(item, "meta_attributes"))
    hypervisor = parameters.get("hypervisor", "")
    if kinds[-1] == "VirtualDomain" and hypervisor and not hypervisor.lower().startswith(("xen", "libxl")):
        return None
    name, uuid = _identity(parameters)
    provider = next((item.get("provider") for item in reversed(sources) if item.get("provider")), "heartbeat")
    return ClusterResource(
        id=str(primitive.get("id")),
        agent=f"ocf:{provider}:{kinds[-1]}",
        name=parameters.get("name") or name,
        uuid=uuid,
        managed=_managed(meta, managed),
    )


def _identity(parameters: Values) -> tuple[str | None, str | None]:
    """Return the name and UUID in the file that the resource names; by the file's own name where it cannot be read."""
    path = parameters.get("xmfile") or parameters.get("config")
    if not path:
        return None, None
    if path.endswith(".xml"):
        text = (read_start(path, _LIBVIRT_MAX) or b"").decode("utf-8", "replace")
        found = dict(reversed(_LIBVIRT.findall(text)))
        if found:
            return found.get("name"), found["uuid"].lower() if "uuid" in found else None
    return config_identity(path) or (os.path.splitext(os.path.basename(path))[0], None)


def _values(element: ET.Element, sets: str) -> Values:
    return {
        str(pair.get("name")): str(pair.get("value", ""))
        for group in element.findall(sets)
        for pair in group.iter("nvpair")
    }


def _managed(meta: Values, inherited: bool) -> bool:
    if _true(meta.get("maintenance")):
        return False
    return _true(meta["is-managed"]) if "is-managed" in meta else inherited


def _true(value: str | None) -> bool:
    return value is not None and value.lower() in _TRUE
