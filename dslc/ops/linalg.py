"""Operators: matrix products."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

LINALG: tuple[OpDef, ...] = ()
