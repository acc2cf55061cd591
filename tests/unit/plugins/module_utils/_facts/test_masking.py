# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of a configuration is shown, wherever libxl lets one stand; the rest is shown as it is."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dom0.xen.plugins.module_utils._facts.masking import MASK, mask, mask_text

SECRET = "hunter2"

TEXTS = (
    f":0,password={SECRET}",
    f"password={SECRET},disable-ticketing=on",
    f"secret,id=sec0,data={SECRET}",
    f"-object secret,id=sec0,format=raw,data={SECRET}",
    f'{{"qom-type": "secret", "id": "sec0", "data": "{SECRET}"}}',
    f'{{"password" : "a\\"{SECRET}"}}',
    f"rbd:pool/image:id=admin:key={SECRET}==:mon_host=10.0.0.1",
    f"rbd:pool/image:key={SECRET}",
    f"nbd://user:{SECRET}@10.0.0.1:10809/export",
    f"iscsi:target,CHAP-Password={SECRET},lun=1",
    f"root=/dev/xvda ro rootpw.passwd={SECRET} quiet",
    f'opts="a b" luks.passphrase="two {SECRET} words" quiet',
    f"luks.passphrase='{SECRET} b'",
    f"password=comma,colon:{SECRET} quiet",
    f"io.systemd.credential:passwd.hashed-password.root={SECRET}",
    f"inst.ks=https://host/ks.cfg auth_token={SECRET}",
    f"PASSWORD={SECRET}",
)

INNOCENT = (
    "phy:/dev/vg/centos,xvda,w",
    "root=/dev/xvda1 ro console=hvc0",
    "keymap=de",
    "secret,id=sec0",
    "tap:qcow2:/images/centos.qcow2",
    "http://[::1]:8080/centos.img",
    "data=public",
    "/images/monkey=1.img",
    "/images/a.secret=b/disk",
    "00:16:3e:5e:00:01",
)


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_in_texts(text: str) -> None:
    """Arguments of the device model, disks, the kernel's command line, SMBIOS strings."""
    masked = mask_text(text)
    assert SECRET not in masked and MASK in masked


@pytest.mark.parametrize("text", INNOCENT)
def test_other_texts_stay(text: str) -> None:
    """A path that is changed by showing it would mislead."""
    assert mask_text(text) == text


def test_what_stands_behind_a_secret_stays() -> None:
    """Only the value goes."""
    assert mask_text("rbd:a/b:id=x:key=Zm9v==:mon_host=h") == f"rbd:a/b:id=x:key={MASK}:mon_host=h"
    assert mask_text("a=1 password=x b=2") == f"a=1 password={MASK} b=2"


def test_passwords_of_consoles() -> None:
    """libxl's own fields: VNC in two places, SPICE in one."""
    config: dict[str, t.Any] = {
        "c_info": {"name": "centos"},
        "b_info": {"type.hvm": {"vnc": {"passwd": SECRET, "listen": "::1"}, "spice": {"passwd": SECRET}}, "a": 1},
        "vfbs": [{"vnc": {"passwd": SECRET}}],
        "disks": [{"pdev_path": f"rbd:a/b:key={SECRET}", "readwrite": 1}],
    }
    masked = mask(config)
    assert SECRET not in json.dumps(masked)
    assert masked["b_info"]["type.hvm"]["vnc"] == {"passwd": MASK, "listen": "::1"}
    assert masked["b_info"]["a"] == 1 and masked["c_info"] == config["c_info"]
    assert masked["disks"][0]["readwrite"] == 1


@given(before=st.text(max_size=30), after=st.text(max_size=30), name=st.sampled_from(("password", "my-secret", "key")))
def test_secret_among_anything(before: str, after: str, name: str) -> None:
    """A setting of its own word is found whatever is around it."""
    assert SECRET not in mask_text(f"{before} {name}={SECRET} {after}")


@pytest.mark.parametrize(
    "piece", ["secret", "a=", "=", '="', "a:", "://a:", ",a=", '{"a":"', "key=\\", "secret,", "'="]
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """A configuration comes from a file that anybody may have written; the test's own time limit is the measure."""
    mask_text(piece * (200_000 // len(piece)))
