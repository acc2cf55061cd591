# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sending side of the protocol around ``xl save -p``: what arrives is what the destination has made room for."""

from __future__ import annotations

import os
import threading
import typing as t

import pytest

from ansible_collections.dom0.xen.plugins.module_utils._session.process.pipes import read_exactly
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.saver import Saver
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.messages import COPY_MADE_TEXT
from ansible_collections.dom0.xen.plugins.module_utils._wire import header
from ansible_collections.dom0.xen.plugins.module_utils._wire.handshake import BANNER
from ansible_collections.dom0.xen.tests.unit.plugins.module_utils._session.dom0 import NAME, UUID, Dom0, Make

OTHER = "99999999-3f5d-4c65-9e1a-0123456789ab"
LIMIT_S = 120.0


class Sending:
    """A saver at work in a thread of its own, and the sender that it talks to."""

    def __init__(self, dom0: Dom0, domid: int, uuid: str = UUID) -> None:
        self.stream, stream = os.pipe()
        answers, self._answers = os.pipe()
        self.status: list[int] = []
        saver = Saver(dom0.xl, dom0.copies(), domid, uuid, NAME, stream, answers)

        def run() -> None:
            self.status.append(saver.run())
            os.close(stream)
            os.close(answers)

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def say(self, text: bytes) -> None:
        """Answer it."""
        os.write(self._answers, text)

    def head(self) -> bytes:
        """Read the header and the configuration."""
        first = read_exactly(self.stream, header.HEADER.size)
        return first + read_exactly(self.stream, header.XlHeader.decode(first).optional_data_length)

    def end(self) -> bytes:
        """Read what is left, and wait until it has ended."""
        left = b"".join(iter(lambda: os.read(self.stream, 1 << 20), b""))
        self._thread.join(LIMIT_S)
        os.close(self.stream)
        os.close(self._answers)
        return left


@pytest.fixture
def dom0(make: Make) -> Dom0:
    """A host with the guest."""
    return make()


def test_a_domain_that_is_changed_while_the_destination_makes_its_own(
    dom0: Dom0, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its record, such as its name, is not what was sent: the guest is not even paused for that."""
    domid = dom0.start()
    dom0.host.record_points()
    sending = Sending(dom0, domid)
    sending.say(BANNER)
    assert NAME.encode() in sending.head()
    dom0.xl.rename(domid, "web")
    sending.say(COPY_MADE_TEXT)
    assert sending.end() == b"" and sending.status == [1]
    assert f"the configuration of {NAME} changed while the destination made its domain" in capfd.readouterr().err
    assert dom0.letters(domid) == "r web"
    assert dom0.host.passed("save.saved") == []


@pytest.mark.parametrize("change", [{"uuid": OTHER}, {"more": 1}], ids=["another domain", "no domain"])
def test_a_number_that_means_another_domain(
    dom0: Dom0, capfd: pytest.CaptureFixture[str], change: dict[str, t.Any]
) -> None:
    """Numbers are given anew: nothing is sent, and nobody is suspended, when it is not the domain that was meant."""
    domid = dom0.start()
    dom0.host.record_points()
    sending = Sending(dom0, domid + change.get("more", 0), change.get("uuid", UUID))
    sending.say(BANNER)
    assert sending.end() == b"" and sending.status == [1]
    assert "suspend and stream: " in capfd.readouterr().err
    assert dom0.letters(domid) == f"r {NAME}"
    assert dom0.host.passed("save.saved") == []
