"""Operators: random tensors."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

RANDOM: tuple[OpDef, ...] = ()
