# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors about the facts of a fleet, and about the rules for its domains (private to the collection)."""

from __future__ import annotations

from ansible_collections.dom0.xen.plugins.module_utils import _commands as commands
from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError


class DocumentInvalid(Dom0XenError):
    """A file is not what ``dom0.xen.facts`` has written: cut off, edited, or of something else."""

    code = "facts_document_invalid"
    remedy = "Remove the file and run the playbook dom0.xen.facts again."


class DocumentNotRead(Dom0XenError):
    """The folder with the facts, or a file in it, cannot be read."""

    code = "facts_not_read"
    remedy = "Run it as the user who ran the playbook dom0.xen.facts, or name the folder with dom0_xen_facts_path."


class DocumentNotWritten(Dom0XenError):
    """The facts cannot be written on the controller."""

    code = "facts_not_written"
    remedy = "Name a folder that the controller may write to: -e dom0_xen_facts_path=FOLDER."


class RulesInvalid(Dom0XenError):
    """A variable with rules for domains is not what it should be."""

    code = "rules_invalid"
    remedy = "Correct the variable in the inventory; the guide to the fleet describes it."


class RulesContradict(Dom0XenError):
    """Two rules, or two places where one is given, contradict each other."""

    code = "rules_contradict"
    remedy = "Take one of them back in the inventory."


class NobodyAnswered(Dom0XenError):
    """No dom0 that was asked has told anything."""

    code = "nobody_answered"
    remedy = f"Make the dom0s answer; this says why they do not: {commands.module('dom0', 'ansible.builtin.ping')}"


class FactsTooOld(Dom0XenError):
    """What a dom0 told is older than the inventory allows."""

    code = "facts_too_old"
    remedy = "Run the playbook dom0.xen.facts, or allow a higher max_age."


class NothingToAsk(Dom0XenError):
    """The inventory is to ask the dom0s, and does not say which."""

    code = "nothing_to_ask"
    remedy = "Name the inventory with the dom0s in inventories, from the folder of this file."
