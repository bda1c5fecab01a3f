"""Kernels: normalised exponentials and what losses need."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

SOFTMAX: dict[str, Kernel] = {}
