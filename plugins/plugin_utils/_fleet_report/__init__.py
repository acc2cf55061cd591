# Copyright (c) 2026, dom0.xen contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run over many moves: what the run has left in, one document out (private to the collection).

``reading``, ``memory`` and ``building`` make the records of ``records``; ``charts`` and ``page`` show them. Nothing
here reads or writes a file other than the template of the page, and no clock is taken but the one given.
"""
