"""Operators: normalised exponentials."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

SOFTMAX: tuple[OpDef, ...] = ()
