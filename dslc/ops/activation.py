"""Operators: activation functions."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

ACTIVATION: tuple[OpDef, ...] = ()
