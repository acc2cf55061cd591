# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in a session (private to the collection)."""

from __future__ import annotations

import typing as t

from ansible_collections.dom0.xen.plugins.module_utils._errors import Dom0XenError

OfTheSystemT = t.TypeVar("OfTheSystemT", bound="OfTheSystem")


class DomainVanished(Dom0XenError):
    """The domain is not there, or not once, when the migration is about to start."""

    code = "domain_vanished"
    remedy = "Look at xl list -v on the source, then start the migration again."


class XlNotStarted(Dom0XenError):
    """``xl migrate`` could not be started."""

    code = "xl_start"
    remedy = "Make room in memory and under /run on the source, then start the migration again."


class OfTheSystem(Dom0XenError):
    """What the operating system refused to a session: ``what`` came of that, for the message."""

    what = ""

    @classmethod
    def of(cls: type[OfTheSystemT], exc: OSError) -> OfTheSystemT:
        """Return an error of the operating system as this one; its message names the file, where it is about one."""
        where = f"{exc.filename}: " if exc.filename else ""
        return cls(f"{cls.what}: {where}{exc.strerror or exc}", errno=exc.errno)


class NotBegun(OfTheSystem):
    """The process of a session has come up, and could not make or open what it needs."""

    code = "session_start"
    remedy = (
        "See that /run and the file system of the journals (/var/lib/dom0-xen) have room and can be written to on this"
        " host, and that it has memory; then start the migration again."
    )
    what = "the session cannot begin"


class NotListening(OfTheSystem):
    """The receiver could not open the way in for its sender."""

    code = "not_listening"
    remedy = (
        "Mend on the destination what the message names (a file that cannot be written, a full file system, too many"
        " open files); then start the migration again."
    )
    what = "the sender cannot be let in"


class JournalNotWritten(OfTheSystem):
    """What is settled cannot be put on record."""

    code = "journal_failed"
    remedy = (
        "Make room for the journals of this host (default /var/lib/dom0-xen), and see that they can be written to;"
        " then run dom0.xen.settle for the domain again."
    )
    what = "the journal cannot be written"


class SettingsWrong(Dom0XenError):
    """A session's settings were written by another release."""

    code = "settings_wrong"
    remedy = "Start the migration again."


class AnotherDomain(Dom0XenError):
    """The stream describes a domain other than the one of this session."""

    code = "another_domain"
    remedy = "Start the migration again; the domain's name, identity or memory changed after the check."


class ProcessorLacks(Dom0XenError):
    """The guest was shown a processor that the destination does not give it. Details: ``missing``, and both."""

    code = "cpu_features_shown"
    remedy = (
        "Move the domain to a host whose processor has them; or start it anew with a processor that all hosts have"
        " (cpuid= in its configuration file). When its guest does not use them, waive cpu_features_shown."
    )


class ProcessorRefused(Dom0XenError):
    """The guest was shown more than Xen on the destination takes. Details: ``limits``."""

    code = "cpu_policy_refused"
    remedy = (
        "Move the domain to a host that gives its domains as much; or have it shut down and started on the destination"
        " from its configuration file (migrate_method: cold)."
    )


class SavedOtherwise(Dom0XenError):
    """What ``xl save`` would write is not the domain that the destination has made room for."""

    code = "saved_otherwise"
    remedy = "Start the migration again; the domain was changed, or replaced, while it began."


class SaveFailed(Dom0XenError):
    """``xl save -p`` did not write the whole domain."""

    code = "save_failed"
    remedy = (
        "The lines of xl before this one name the cause. Where xl list -v does not show that the domain runs here, run"
        " dom0.xen.settle for it."
    )


class GuestIgnoresSuspend(Dom0XenError):
    """The guest did not suspend within the minutes that libxl gives it. Details: ``stderr``, the last lines of xl."""

    code = "guest_ignores_suspend"
    remedy = (
        "The domain runs on, and is resumed if it suspends within the next two minutes. See what its kernel says of it"
        " (xl console; a process or a driver that does not freeze). One that cannot suspend is moved with"
        " migrate_method: cold only."
    )


class StandsNotStill(Dom0XenError):
    """The domain was not seen paused after ``xl save -p``, whose exit status says nothing of it."""

    code = "stands_not_still"
    remedy = "Look at the domain with xl list -v; somebody else may have unpaused it."


class NoConfiguration(Dom0XenError):
    """The file that the domain is to be made from cannot be read, or is not this domain's."""

    code = "config_file"
    remedy = "Name the domain's configuration file on the source with migrate_config, then run the migration again."


class NoRoom(Dom0XenError):
    """There is not enough free memory for the domain."""

    code = "no_room"
    remedy = "Free memory on the destination, then run the migration again; the guest was not asked to shut down."


class GuestIgnoresShutdown(Dom0XenError):
    """The guest was asked to shut down, and has not within the time for it."""

    code = "guest_ignores_shutdown"
    remedy = (
        "The domain runs on, and is started again if it shuts down within the next two minutes; if it does so later,"
        " start it with xl create. See what its shutdown waits for (xl console), or give it more time with"
        " migrate_shutdown_timeout."
    )


class GuestLingers(Dom0XenError):
    """The guest has shut down, and its domain does not go: a backend holds on to memory of it."""

    code = "guest_lingers"
    remedy = (
        "The domain is started again on the source. See which disk or card there does not let go (xl list -v, dmesg)"
        " before it is moved."
    )


class GuestCameBack(Dom0XenError):
    """The guest was asked to shut down, and has rebooted."""

    code = "guest_rebooted"
    remedy = "The domain runs on the source. See that it is off after `poweroff` inside it, then run this again."


class GuestCrashed(Dom0XenError):
    """The guest has crashed when it was asked to shut down."""

    code = "guest_crashed"
    remedy = (
        "It is kept as it is on the source where on_crash says so (xl list -v, xl console); else it was started again"
        " there. See that it is off after `poweroff` inside it, then run this again."
    )


class MayGoDown(Dom0XenError):
    """The guest was asked to shut down for a move that has failed, and it is not known that its domain runs."""

    code = "late_shutdown"
    remedy = "Run dom0.xen.settle for the domain again."


class MayStandStill(Dom0XenError):
    """The guest was asked to suspend for a move that has failed, and it is not known that its domain runs."""

    code = "late_suspend"
    remedy = "Run dom0.xen.settle for the domain again."


class BannerWrong(Dom0XenError):
    """``xl migrate-receive`` did not say its banner."""

    code = "banner_wrong"
    remedy = "Run `xl migrate-receive </dev/null` on the destination and look at what it prints."


class NotAdmitted(Dom0XenError):
    """No sender came in time."""

    code = "no_sender"
    remedy = "Start the migration again."


class CopyChanged(Dom0XenError):
    """The copy is not as it was seen when the act was decided."""

    code = "copy_changed"
    remedy = "Run dom0.xen.settle again; it looks at both hosts anew."


class AnotherBoot(CopyChanged):
    """The host was started again since it was looked at, so that a domid means another copy, or none."""

    code = "another_boot"


class RunsAlready(CopyChanged):
    """Another copy of the domain runs on this host, so this one must not."""

    code = "runs_already"
    remedy = "Pause both copies at once if both run, then find out which one counts; the other must be destroyed."


class CopyBusy(CopyChanged):
    """Another process is at work on the copy. Details: ``pid``, ``command``."""

    code = "copy_busy"
    remedy = "Wait until the process that is named has ended, then run dom0.xen.settle again."


class TakenAway(CopyChanged):
    """The domain was to shut down, or was shut down, for a move, and somebody else has taken it in hand."""

    code = "taken_away"
    remedy = (
        "See what was done with it: xl list -v on every dom0, and images of xl save. Nothing is started again before"
        " dom0.xen.settle has asked you."
    )


class CopyStays(Dom0XenError):
    """The act was done, and the copy did not come into the state that was wanted. Details: ``steps``, ``copy``."""

    code = "copy_stays"
    remedy = "Look at the copy with xl list -v and at xl dmesg; then run dom0.xen.settle again."


def may_succeed(error: Exception) -> bool:
    """Say whether an act on a copy that failed may go well a moment later.

    The copy is busy as long as another's ``xl`` has not ended; only one that is not as it was is no business of ours.
    """
    return isinstance(error, CopyBusy) or not isinstance(error, CopyChanged)
