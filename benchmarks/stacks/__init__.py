"""The stacks that are compared. Each is imported in a process of its own, and left out where it is not installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol, cast

from benchmarks.case import Case
from benchmarks.stacks.built import Built


class Module(Protocol):
    """What a module of a stack offers."""

    def load(self, threads: int) -> None:
        """Import what a training needs, so that memory can be read before anything is built."""
        ...

    def build(self, case: Case, variant: str, threads: int) -> Built:
        """Make a case ready to run."""
        ...


@dataclass(frozen=True, slots=True)
class Stack:
    """One column of the table.

    Attributes:
        module: in this package.
        needs: packages; without one of them the stack is left out.
        variant: which of the module's forms.
        forward: whether it runs inference instead of a training step.
        lacks: the programs that are not written in it.
    """

    module: str
    needs: tuple[str, ...] = ()
    variant: str = ""
    forward: bool = False
    lacks: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [package for package in self.needs if find_spec(package) is None]

    def imported(self) -> Module:
        """The module, imported."""
        return cast("Module", import_module(f"benchmarks.stacks.{self.module}"))


STACKS: Mapping[str, Stack] = {
    "dslc": Stack("with_dslc"),
    "torch": Stack("with_torch", ("torch",)),
    "torch-fused": Stack("with_torch", ("torch",), "fused"),
    "torch-compile": Stack("with_torch", ("torch",), "compile"),
    "jax": Stack("with_jax", ("jax",)),
    "keras": Stack("with_keras", ("keras", "jax"), lacks=("transformer", "mgu")),
    "dslc-forward": Stack("with_dslc", (), "forward", forward=True),
    "ort-forward": Stack("with_onnxruntime", ("onnxruntime",), forward=True),
}
