# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in a session (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class DomainVanished(Dom0XenError):
    """The domain is not there, or not once, when the migration is about to start."""

    code = "domain_vanished"
    remedy = "Look at xl list -v on the source, then start the migration again."


class SettingsWrong(Dom0XenError):
    """A session's settings were written by another release."""

    code = "settings_wrong"
    remedy = "Start the migration again."


class AnotherDomain(Dom0XenError):
    """The stream describes a domain other than the one of this session."""

    code = "another_domain"
    remedy = "Start the migration again; the domain's name, identity or memory changed after the check."


class BannerWrong(Dom0XenError):
    """``xl migrate-receive`` did not say its banner."""

    code = "banner_wrong"
    remedy = "Run `xl migrate-receive </dev/null` on the destination and look at what it prints."


class NotAdmitted(Dom0XenError):
    """No sender came in time."""

    code = "no_sender"
    remedy = "Start the migration again."
