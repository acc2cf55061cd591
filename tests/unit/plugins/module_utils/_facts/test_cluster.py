# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that would start a moved domain a second time is found, in the forms that its configuration takes."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._facts import cluster as cluster_module
from ansible_collections.dom0.xen.plugins.module_utils._facts.cluster import cluster, cluster_resources
from ansible_collections.dom0.xen.plugins.module_utils._records import ClusterResource

UUID = "2c1a7b9e-3f5d-4c65-9e1a-0123456789ab"
RUNNING = {1: ("/sbin/init",), 40: ("/usr/sbin/pacemakerd",)}


def _cib(resources: str, options: str = "") -> bytes:
    return f"""<?xml version="1.0"?>
<cib crm_feature_set="3.16.2" validate-with="pacemaker-3.9">
  <configuration>
    <crm_config><cluster_property_set id="o">{options}</cluster_property_set></crm_config>
    <nodes/><resources>{resources}</resources><constraints/>
  </configuration>
  <status/>
</cib>""".encode()


def _xen(number: str, inside: str = "", **parameters: str) -> str:
    pairs = "".join(f'<nvpair id="p" name="{name}" value="{value}"/>' for name, value in parameters.items())
    return (
        f'<primitive id="{number}" class="ocf" provider="heartbeat" type="Xen">'
        f'<instance_attributes id="i">{pairs}</instance_attributes>{inside}</primitive>'
    )


def _only(cib: bytes) -> ClusterResource:
    found = cluster_resources(cib)
    assert found is not None
    (resource,) = found
    return resource


ENTITIES = _cib(_xen("vm")).replace(b"?>", b'?><!DOCTYPE cib [<!ENTITY a "b">]>')


def test_host_without_cluster_has_none(tmp_path: pathlib.Path) -> None:
    """Files that a removed cluster left behind start nothing."""
    (tmp_path / "cib.xml").write_bytes(_cib(_xen("vm")))
    assert cluster({1: ("/sbin/init",)}, str(tmp_path / "cib.xml")) is None


def test_cluster_with_its_resources(tmp_path: pathlib.Path) -> None:
    """The daemon runs, its configuration is read, and what runs no domain of Xen is left out."""
    other = '<primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2"/>'
    (tmp_path / "cib.xml").write_bytes(_cib(other + _xen("vm-centos", name="centos")))
    found = cluster(RUNNING, str(tmp_path / "cib.xml"))
    assert found is not None and (found.manager, found.known) == ("pacemaker", True)
    assert found.resources == (ClusterResource("vm-centos", "ocf:heartbeat:Xen", "centos", None, True),)
    assert found.resources[0].keeps(UUID, "centos") and not found.resources[0].keeps(UUID, "web")


@pytest.mark.parametrize("content", [None, b"", b"<cib", b"<html/>", ENTITIES, b"\xff"])
def test_configuration_that_cannot_be_read_is_not_taken_for_an_empty_one(
    content: bytes | None, tmp_path: pathlib.Path
) -> None:
    """A remote node has none at all; a person must look."""
    if content is not None:
        (tmp_path / "cib.xml").write_bytes(content)
    for daemon in ("pacemakerd", "/usr/sbin/pacemaker-remoted"):
        found = cluster({40: (daemon,)}, str(tmp_path / "cib.xml"))
        assert found is not None and not found.known and found.resources == ()


def test_configuration_beyond_all_measure_is_not_read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dom0 has little memory."""
    monkeypatch.setattr(cluster_module, "CIB_MAX", 1000)
    (tmp_path / "cib.xml").write_bytes(_cib(_xen("vm") * 10))
    found = cluster(RUNNING, str(tmp_path / "cib.xml"))
    assert found is not None and not found.known


def test_domain_is_the_one_of_the_file_that_the_resource_names(tmp_path: pathlib.Path) -> None:
    """Its name need not be the resource's; without the file the file's own name is the best guess, then the id."""
    config = tmp_path / "web-server.cfg"
    config.write_text(f'name = "centos"\nuuid = "{UUID.upper()}"\n')
    resource = _only(_cib(_xen("vm", xmfile=str(config))))
    assert (resource.name, resource.uuid) == ("centos", UUID)
    assert _only(_cib(_xen("vm", xmfile="/nonexistent/centos.cfg"))).name == "centos"
    assert _only(_cib(_xen("vm", xmfile=str(config), name="given"))).name == "given"
    assert _only(_cib(_xen("centos"))).keeps(UUID, "centos")


def test_virtual_domains_of_xen_count_and_those_of_kvm_do_not(tmp_path: pathlib.Path) -> None:
    """libvirt's file has the domain's name first; a disk's source may have one too."""
    config = tmp_path / "a.xml"
    config.write_text(f"<domain type='xen'><name>centos</name><uuid>{UUID}</uuid><x><name>other</name></x></domain>")
    text = _xen("vm", config=str(config), hypervisor="xen:///system").replace('type="Xen"', 'type="VirtualDomain"')
    resource = _only(_cib(text))
    assert (resource.name, resource.uuid, resource.agent) == ("centos", UUID, "ocf:heartbeat:VirtualDomain")
    assert cluster_resources(_cib(text.replace("xen:///", "qemu:///"))) == ()


META = '<meta_attributes id="m"><nvpair id="n" name="{}" value="{}"/></meta_attributes>'
PROPERTY = '<nvpair id="n" name="{}" value="{}"/>'
INHERITED = f"<group id='g'>{META.format('is-managed', 'false')}{{}}</group>"


@pytest.mark.parametrize(
    ("cib", "managed"),
    [
        (_cib(_xen("vm", META.format("is-managed", "false"))), False),
        (_cib(_xen("vm", META.format("is-managed", "True"))), True),
        (_cib(_xen("vm", META.format("maintenance", "true"))), False),
        (_cib(_xen("vm"), PROPERTY.format("maintenance-mode", "true")), False),
        (_cib(_xen("vm"), PROPERTY.format("maintenance-mode", "false")), True),
        (_cib(INHERITED.format(_xen("vm"))), False),
        (_cib(INHERITED.format(_xen("vm", META.format("is-managed", "yes")))), True),
        (_cib(f"<clone id='c'><group id='g'>{_xen('vm')}</group></clone>"), True),
    ],
)
def test_resource_that_the_cluster_was_told_to_leave_alone(cib: bytes, managed: bool) -> None:
    """That is the remedy of the finding, so it must be seen, wherever it can be said."""
    assert _only(cib).managed is managed


def test_resource_made_of_a_template() -> None:
    """Kind and parameters may stand in the template; the resource's own come before."""
    template = _xen("t", META.format("is-managed", "false"), name="a").replace("primitive", "template")
    cib = _cib(template + '<primitive id="vm" template="t"/>')
    assert _only(cib) == ClusterResource("vm", "ocf:heartbeat:Xen", "a", None, False)
