"""Operators: losses and metrics."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

LOSS: tuple[OpDef, ...] = ()
