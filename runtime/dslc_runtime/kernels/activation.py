"""Kernels: activation functions."""

from __future__ import annotations

from dslc_runtime.kernels.kernel import Kernel

ACTIVATION: dict[str, Kernel] = {}
