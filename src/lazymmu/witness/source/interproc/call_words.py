# SPDX-License-Identifier: GPL-2.0-or-later
"""How a path tells a call: by name, back through a parameter, or through a pointer."""

from __future__ import annotations

from lazymmu.kernelc.ir.expr import AnyCall, Call
from lazymmu.kernelc.ir.nodes import Function, spell


def says(call: AnyCall, name: str, graph: Function) -> str:
    """What a step says of a call in ``graph`` that calls a function, whose name may be ""."""
    if call.name == name:
        return f"calls {name}()"
    if call.name in graph.params:
        return f"calls back {name}()"
    pointer = call.name or (spell(call.callee) if isinstance(call, Call) else "a pointer")
    return f"calls {name}() through {pointer}" if name else f"calls through {pointer}"
