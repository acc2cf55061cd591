# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking secrets out of a domain's configuration before it is shown (private to the collection).

Fields of libxl_types.idl: ``passwd`` of ``vnc_info`` and ``spice_info`` are secrets by name. Others stand inside texts
that libxl hands on as they are: arguments of the device model (``extra``, ``extra_pv``, ``extra_hvm``), the disks'
``pdev_path`` (the key of a Ceph image, a URL with a password), ``cmdline``, ``bootloader_args``, SMBIOS strings.
"""

from __future__ import annotations

import re
import typing as t

MASK = "********"

_WORDS = ("passw", "passphrase", "secret", "token", "credential")
# name=value, but not inside a path. A value goes on to the next space, or to a separator with the next name=.
_SETTING = re.compile(r"""(?<![\w./-])([\w.-]+)=("[^"]*"|'[^']*'|(?:(?![,:;&|][\w.-]+=)\S)+)""")
# The same in JSON inside a text, which the device model takes as well.
_MEMBER = re.compile(r"""("([\w.-]+)"\s*:\s*")((?:\\.|[^"\\])+)(?=")""")
_URL = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")
# The device model's secret object has its value in "data".
_SECRET_OBJECT = re.compile(r'(?:^|[\s=])secret,|"qom-type"\s*:\s*"secret"')


def mask(config: t.Any) -> t.Any:
    """Return a configuration in which secrets are replaced by ``MASK``."""
    if isinstance(config, dict):
        return {key: MASK if _is_secret(key) else mask(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [mask(value) for value in config]
    return mask_text(config) if isinstance(config, str) else config


def mask_text(text: str) -> str:
    """Return a text in which the values of settings that name a secret are replaced by ``MASK``."""
    if "=" not in text and ":" not in text:
        return text
    more = ("data",) if _SECRET_OBJECT.search(text) else ()

    def setting(match: t.Match[str]) -> str:
        return f"{match[1]}={MASK}" if _names_secret(match[1], more) else match[0]

    def member(match: t.Match[str]) -> str:
        return match[1] + MASK if _names_secret(match[2], more) else match[0]

    return _URL.sub(rf"\g<1>{MASK}", _MEMBER.sub(member, _SETTING.sub(setting, text)))


def _is_secret(key: t.Any) -> bool:
    return isinstance(key, str) and ("passwd" in key or "password" in key)


def _names_secret(name: str, more: t.Sequence[str]) -> bool:
    name = name.lower()
    return name in more or name.endswith("key") or any(word in name for word in _WORDS)
