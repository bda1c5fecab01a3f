"""Operators: flat vectors of tensors."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

ARENA: tuple[OpDef, ...] = ()
