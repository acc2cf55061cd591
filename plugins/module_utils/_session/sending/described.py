# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that describes the domain at the destination, made ready for ``xl`` on the source (private).

``xl migrate -C`` and ``xl save DOMAIN IMAGE FILE`` take a configuration file in place of what the domain runs with, and
nothing of the domain: a file without UUID makes another domain of it, and one without the addresses of network cards
gives it others (tools/xl/xl_saverestore.c save_domain_core_begin). These are put in, and what the guest has in its
memory is compared once more.
"""

from __future__ import annotations

import os

from ansible_collections.dom0.xen.plugins.module_utils import _other_config
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError
from ansible_collections.dom0.xen.plugins.module_utils._facts.config_files import digest, read_config
from ansible_collections.dom0.xen.plugins.module_utils._session.journal import documents
from ansible_collections.dom0.xen.plugins.module_utils._session.stand_ins.stand_in import configuration
from ansible_collections.dom0.xen.plugins.module_utils._session.terms.settings import SenderSettings
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.config_file import completed
from ansible_collections.dom0.xen.plugins.module_utils._toolstack.xl import Xl

FILE = "arrival.cfg"


class ConfigChanged(Dom0XenError):
    """The file is not the one that was checked, or the domain has changed since."""

    code = "config_changed"
    remedy = "Run this again: it is checked anew."


def described(xl: Xl, settings: SenderSettings, domid: int) -> str:
    """Return the path of the file for xl, empty where none is given to it; one that was named is as it was checked.

    Raises ConfigChanged, the errors of :class:`Xl` and of :func:`configuration`, and OSError.
    """
    if not settings.config_path:
        return ""
    text = read_config(settings.config_path)
    if settings.config_digest and (text is None or settings.config_digest != digest(text)):
        raise ConfigChanged(f"{settings.config_path} was changed since it was checked")
    if not settings.described_by:
        return ""
    if text is None:
        raise ConfigChanged(f"{settings.config_path} cannot be read any more")
    running = configuration(xl, domid, settings.uuid, settings.name)
    path = os.path.join(settings.runtime_folder, FILE)
    documents.write_text(path, completed(text, running, settings.uuid, settings.name, goes_off=False))
    other = xl.understood(path)
    changes = (*_other_config.machine(running, other), *_other_config.devices(running, other))
    if changes:
        told = _other_config.sentence(changes)
        raise ConfigChanged(f"{settings.name} does not run any more as {settings.config_path} says: {told}")
    return path
