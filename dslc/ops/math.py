"""Operators: functions of one real number."""

from __future__ import annotations

from dslc.ops.opdef import OpDef

MATH: tuple[OpDef, ...] = ()
