"""Operators: comparisons, logic, choice."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

COMPARISON: tuple[OpDef, ...] = ()
