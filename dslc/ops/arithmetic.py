"""Operators: arithmetic."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

ARITHMETIC: tuple[OpDef, ...] = ()
