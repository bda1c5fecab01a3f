"""Operators: views and rearrangements."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

SHAPE: tuple[OpDef, ...] = ()
