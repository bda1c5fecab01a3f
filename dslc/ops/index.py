"""Operators: lookups and one-hot codes."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

INDEX: tuple[OpDef, ...] = ()
