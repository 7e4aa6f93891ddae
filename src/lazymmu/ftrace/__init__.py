# SPDX-License-Identifier: GPL-2.0-or-later
"""What a running kernel recorded: formats, profiles, and events of the contract.  Knows no rule."""

from __future__ import annotations

from lazymmu.ftrace.record import Header, Record, RecordKind, RecordLoss, TraceError
from lazymmu.ftrace.trace import Trace, read

__all__ = ["Header", "Record", "RecordKind", "RecordLoss", "Trace", "TraceError", "read"]
